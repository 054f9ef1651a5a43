"""The embedded PostgreSQL: real passwords, nobody's files touched, nothing left behind."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.postgres import FAST_FOR_TESTS, PostgresServer
from headrace.supervisor.process import ProcessFailed
from headrace.testing.postgres import Database
from tests.conftest import free_port
from tests.supervisor.processes import is_alive, processes_naming, wait_until

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryFolder("headrace-test-") as folder:
        yield folder.path


def server(folder: Path, **more: object) -> PostgresServer:
    return PostgresServer(folder / "pg", free_port(), "me", "it's secret", "mine", FAST_FOR_TESTS, **more)  # type: ignore[arg-type]


def test_a_database_is_fresh_and_speaks_utf8(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (name text)")
        connection.execute("INSERT INTO t VALUES ('붓꽃')")
        assert connection.execute(
            "SELECT name, current_setting('server_version_num')::int / 10000 FROM t"
        ).fetchall() == [("붓꽃", 18)]


def test_psql_of_the_wheel_reaches_the_database(database: Database) -> None:
    answer = subprocess.run(
        [database.server.psql, "-XAtc", "SELECT 1 + 1", database.dsn], capture_output=True, check=True
    )
    assert answer.stdout == b"2\n"


def test_a_wrong_password_is_refused(postgres: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=postgres.host, port=postgres.port, user=postgres.user, password="wrong", dbname="postgres")


def test_data_survives_a_stop_and_the_password_file_does_not_stay(folder: Path) -> None:
    with server(folder) as first, psycopg.connect(first.dsn(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        connection.close()
    assert not (folder / "pg" / "pwfile").exists()
    with server(folder) as second, psycopg.connect(second.dsn()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_a_stopped_server_leaves_no_process(folder: Path) -> None:
    with server(folder):
        assert processes_naming(str(folder))
    assert wait_until(lambda: not processes_naming(str(folder)))


def test_kill_9_of_the_watcher_takes_the_server_down(folder: Path) -> None:
    with server(folder) as running:
        assert running.process.pid is not None
        os.kill(running.process.pid, signal.SIGKILL)
        assert wait_until(lambda: not processes_naming(str(folder)))


OWNER = """
import sys, time
from pathlib import Path
from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.postgres import PostgresServer
folder = TemporaryFolder("headrace-test-")
print(folder.path, flush=True)
server = PostgresServer(folder.path / "pg", int(sys.argv[1]), "me", "secret", "mine", lifeline=folder.lifeline)
server.start()
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.crash
@pytest.mark.parametrize("moment", ["while it starts", "when it is ready"])
def test_kill_9_of_the_owner_leaves_no_server_and_no_folder(moment: str) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(free_port())], stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        path = Path(owner.stdout.readline().strip())
        if moment == "when it is ready":
            assert owner.stdout.readline() == "ready\n"
        else:
            assert wait_until(lambda: (path / "pg" / "cluster").exists())
        owner.kill()
    assert wait_until(lambda: not path.exists(), 20)
    assert not processes_naming(str(path))


def test_a_taken_port_is_named_with_the_servers_own_words(folder: Path, postgres: PostgresServer) -> None:
    second = PostgresServer(folder / "pg", postgres.port, postgres.user, postgres.password, "mine", FAST_FOR_TESTS)
    with pytest.raises(ProcessFailed, match="could not bind"):
        second.start()
    second.stop()


def test_another_password_for_an_old_cluster_is_refused_by_name(folder: Path) -> None:
    with server(folder):
        pass
    other = PostgresServer(folder / "pg", free_port(), "me", "other", "mine", FAST_FOR_TESTS)
    with pytest.raises(ProcessFailed, match="made with another user or password"):
        other.start()
    other.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run PostgreSQL as somebody else")
def test_root_is_told_where_the_server_cannot_reach(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(PermissionError, match="cannot pass through"):
        server(closed).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run PostgreSQL as somebody else")
def test_as_root_the_server_runs_as_nobody_with_a_closed_umask(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with server(folder) as running:
            (postmaster,) = [int((running.data_dir / "cluster" / "postmaster.pid").read_text().split()[0])]
            assert is_alive(postmaster)
            assert Path(f"/proc/{postmaster}").stat().st_uid == 65534
    finally:
        os.umask(before)


def test_the_repr_hides_the_password(folder: Path) -> None:
    assert "secret" not in repr(server(folder))


def test_a_kept_folder_stays() -> None:
    with TemporaryFolder("headrace-test-", keep=True) as folder:
        (folder.path / "file").touch()
    assert (folder.path / "file").exists()
    shutil.rmtree(folder.path)


def test_a_folder_goes_even_without_its_caretaker() -> None:
    with TemporaryFolder("headrace-test-") as folder:
        folder._caretaker.kill()
    assert not folder.path.exists()
