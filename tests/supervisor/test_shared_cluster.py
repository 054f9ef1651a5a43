"""Servers made together have one initdb, and are as separate as if each had its own."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.postgres import FAST_FOR_TESTS, PostgresServer
from headrace.supervisor.programs import postgres_programs
from headrace.supervisor.shared_cluster import Login, SharedCluster
from tests.conftest import free_port

ROLES = "SELECT rolname, rolsuper FROM pg_roles WHERE rolname !~ '^pg_'"


@pytest.mark.timeout(120)
def test_three_servers_of_one_initdb_have_their_own_users_passwords_and_data() -> None:
    with TemporaryFolder("headrace-test-") as folder:
        programs = postgres_programs(folder.path / "programs")
        shared = SharedCluster(folder.path / "spare", 3)
        servers = [
            PostgresServer(folder.path / user, free_port(), user, f"{user}'s secret", "mine", FAST_FOR_TESTS, programs)
            for user in ("one", "a two", "three")
        ]
        try:
            for server in servers:
                server.shared, server.lifeline = shared, folder.lifeline
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(PostgresServer.start, servers))
            for server in servers:
                with psycopg.connect(server.dsn(), autocommit=True) as connection:
                    connection.execute("CREATE TABLE mine (n int)")
                    assert connection.execute(ROLES).fetchall() == [(server.user, True)]
            for server, other in zip(servers, servers[1:] + servers[:1], strict=True):
                with pytest.raises(psycopg.OperationalError, match="authentication failed"):
                    psycopg.connect(host=server.host, port=server.port, user=other.user, password=other.password)
            logs = [server.log.read_text() for server in servers]
            assert sum("initdb" in log or "creating subdirectories" in log for log in logs) == 1
        finally:
            for server in servers:
                server.stop()
        assert not (folder.path / "spare").exists()


def test_a_cluster_that_could_not_be_made_is_made_by_the_next(tmp_path: Path) -> None:
    shared = SharedCluster(tmp_path / "spare", 3)

    def fails() -> None:
        raise OSError("no room")

    def made() -> None:
        (tmp_path / "b").mkdir()

    with pytest.raises(OSError, match="no room"):
        shared.take(tmp_path / "a", Login("a", "a"), fails)
    assert shared.take(tmp_path / "b", Login("b", "b"), made) == Login("b", "b")
    assert shared.take(tmp_path / "c", Login("c", "c"), fails) == Login("b", "b")
    assert (tmp_path / "c").is_dir()
