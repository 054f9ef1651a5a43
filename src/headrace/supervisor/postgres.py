"""An embedded PostgreSQL server: a cluster of ours, on the loopback interface, with passwords that are checked.

Runs `initdb` once for a folder, then `postgres`, both under `watcher`, so that no server is left when we are gone.
"""

import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from headrace.supervisor import watcher
from headrace.supervisor.folder import MODE
from headrace.supervisor.process import ChildProcess, ProcessFailed
from headrace.supervisor.programs import PostgresPrograms, postgres_programs
from headrace.supervisor.ready import HOST
from headrace.supervisor.shared_cluster import Login, SharedCluster

START_S = 30.0
STOPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 60.0))
"""PostgreSQL's fast shutdown, then the immediate one, then none."""

HARD_STOP_S = 3.0

FAST_FOR_TESTS: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
}
"""Settings for data that may be lost with the machine's power."""


class _WatchedProcess(ChildProcess):
    """A child that is a program under `watcher`; `command` is the program's, `user_id` whom it runs as."""

    user_id: int | None = None

    def kill(self) -> None:
        """The harder steps of the watcher, one after the other; killing the watcher first would lose the program."""
        for _ in STOPS[1:]:
            self.ask_to_stop()
            if self.wait(HARD_STOP_S):
                return
        super().kill()

    def _arguments(self, parent_fd: int) -> list[str]:
        order = {"command": self.command, "parent_fd": parent_fd, "stops": STOPS, "user_id": self.user_id}
        return [sys.executable, "-I", "-S", watcher.__file__, json.dumps(order)]


@dataclass(slots=True)
class PostgresServer:
    """One server; `data_dir` is ours and keeps programs, cluster and log. A context manager that starts and stops it.

    `settings` are added to PostgreSQL's own (`-c name=value`); `programs` may be shared between servers; `lifeline` is
    the one of the `TemporaryFolder` that `data_dir` is in, if it is; `shared` is for servers that are made together. An
    empty password makes a cluster without passwords (`trust`).
    """

    data_dir: Path
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    settings: Mapping[str, str] = field(default_factory=dict)
    programs: PostgresPrograms | None = None
    lifeline: int | None = None
    name: str = "PostgreSQL"
    log_file: Path | None = None
    shared: SharedCluster | None = None
    _login: Login | None = field(default=None, init=False, repr=False)
    _process: ChildProcess | None = field(default=None, init=False, repr=False)

    @property
    def host(self) -> str:
        return HOST

    @property
    def log(self) -> Path:
        return self.log_file or self.data_dir / "postgres.log"

    @property
    def process(self) -> ChildProcess:
        """The running child. Raises RuntimeError before `start`."""
        if self._process is None:
            raise RuntimeError(f"the PostgreSQL server in {self.data_dir} was not started")
        return self._process

    @property
    def psql(self) -> str:
        """The path of the psql program that belongs to this server."""
        return self._programs().psql

    def dsn(self, database: str | None = None) -> str:
        """The URL that libpq's clients take, the password in it."""
        return self._url(Login(self.user, self.password), database or self.database)

    def _url(self, login: Login, database: str) -> str:
        user, password = quote(login.user, safe=""), quote(login.password, safe="")
        return f"postgresql://{user}:{password}@{HOST}:{self.port}/{quote(database, safe='')}"

    def jdbc_url(self, database: str | None = None) -> str:
        return f"jdbc:postgresql://{HOST}:{self.port}/{database or self.database}"

    def start(self) -> None:
        """Make the cluster where there is none, start the server, wait until the login works, make the database."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """The first part of `start`: returns when the server has been started, not when it is ready."""
        if not (self._cluster / "PG_VERSION").exists():
            self._fill_cluster()
        self._process = self._watched("postgres", self._server_command())
        self._process.start()

    def wait_ready(self, still_wanted: Callable[[], None] = lambda: None) -> None:
        """The second part of `start`; `still_wanted` raises where it is not any more."""
        # Here, while the server starts: the import takes as long as that does.
        import psycopg
        from psycopg import sql

        def ready() -> bool:
            still_wanted()
            return self._answers()

        self.process.wait_ready(ready, START_S)
        if self._login is not None:
            self._take_over(self._login)
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (self.database,)).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database)))

    def stop(self, hurried: Callable[[], bool] = lambda: False) -> None:
        """A fast shutdown; harder ones where it does not end in time, or sooner where `hurried()`."""
        if self._process is not None:
            self._process.stop(sum(seconds for _, seconds in STOPS), hurried)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def _cluster(self) -> Path:
        return self.data_dir / "cluster"

    def _programs(self) -> PostgresPrograms:
        if self.programs is None:
            self.programs = postgres_programs(self.data_dir / "programs")
        return self.programs

    def _watched(self, program: str, arguments: list[str]) -> ChildProcess:
        programs = self._programs()
        environment = {"PATH": os.defpath, "LC_ALL": "C"}
        command = [str(programs.bin / program), *arguments]
        process = _WatchedProcess(f"{self.name} ({program})", command, self.log, environment, self.lifeline)
        process.user_id = programs.user_id
        return process

    def _fill_cluster(self) -> None:
        if self.shared is None:
            self.make_cluster()
            return
        self._prepare()
        own = Login(self.user, self.password)
        made = self.shared.take(self._cluster, own, self.make_cluster)
        self._login = None if made == own else made

    def _prepare(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self.data_dir.chmod(MODE)

    def make_cluster(self) -> None:
        """Make the cluster anew by initdb; `start` does it where there is none."""
        self._prepare()
        shutil.rmtree(self._cluster, ignore_errors=True)
        self._cluster.mkdir(mode=0o700)
        password_file = self.data_dir / "pwfile"
        password_file.touch(mode=0o600)
        try:
            password_file.write_text(self.password + "\n", encoding="utf-8")
            self._give_away(self._cluster, password_file)
            self._initdb(password_file)
        finally:
            password_file.unlink()

    def _give_away(self, *paths: Path) -> None:
        user_id = self._programs().user_id
        if user_id is not None:
            for path in paths:
                os.chown(path, user_id, user_id)

    def _initdb(self, password_file: Path) -> None:
        login = ["--auth=scram-sha-256", f"--pwfile={password_file}"] if self.password else ["--auth=trust"]
        arguments = [*login, "--encoding=UTF8", "--locale=C.UTF-8"]
        arguments += ["-U", self.user, "-D", str(self._cluster)]
        if self.lifeline is not None or self.settings.get("fsync") == "off":
            arguments.append("--no-sync")
        process = self._watched("initdb", arguments)
        process.start()
        if not process.wait(START_S * 4) or process.exit_status() != 0:
            failure = process.failed(f"initdb did not make a cluster in {self._cluster}")
            process.stop(1.0)
            shutil.rmtree(self._cluster, ignore_errors=True)
            raise failure

    def _take_over(self, login: Login) -> None:
        """Make the superuser of a copied cluster ours. Who is logged in cannot be renamed by ALTER ROLE."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self._url(login, "postgres")) as connection:
            connection.execute("UPDATE pg_authid SET rolname = %s WHERE rolname = %s", (self.user, login.user))
            change = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(self.user), sql.Literal(self.password))
            connection.execute(change)
        self._login = None

    def _server_command(self) -> list[str]:
        settings = {
            "port": str(self.port),
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            **self.settings,
        }
        return ["-D", str(self._cluster), *(f"--{name}={value}" for name, value in settings.items())]

    def _answers(self) -> bool:
        """Whether our server, and no other that has the port, takes our login."""
        import psycopg

        try:
            # A plain connect first, since that costs nothing.
            login = self._login or Login(self.user, self.password)
            socket.create_connection((HOST, self.port), timeout=1).close()
            with psycopg.connect(self._url(login, "postgres"), connect_timeout=5) as connection:
                answer = connection.execute("SELECT current_setting('data_directory')").fetchone()
        except (OSError, psycopg.OperationalError) as error:
            if "authentication failed" in str(error) and not self.process.wait(1.0):
                raise ProcessFailed(
                    f"PostgreSQL on port {self.port} refused user {self.user}: the cluster in {self._cluster} was made "
                    "with another user or password"
                ) from None
            return False
        return answer is not None and Path(answer[0]).samefile(self._cluster)
