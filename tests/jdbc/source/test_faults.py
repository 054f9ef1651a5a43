"""Faults: a database that goes away is waited for, nothing lost or doubled; a mistake fails with one sentence."""

import contextlib
import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator

import psycopg
import pytest

from headrace.connect.api import Batch, ConfigError, ConnectError
from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.postgres import FAST_FOR_TESTS, PostgresServer
from headrace.testing.postgres import Database
from tests.conftest import free_port
from tests.jdbc.source.harness import FakeContext, column, poll_nothing, poll_rows, properties, running

ROWS = 100_000
MANY = (
    "CREATE TABLE t (id serial, wide text DEFAULT repeat('x', 200));"
    f"INSERT INTO t SELECT FROM generate_series(1, {ROWS})"
)


def failure(props: dict[str, str]) -> str:
    """The sentence that the task fails with, at its first poll."""
    with running(props) as task, pytest.raises(ConnectError) as caught:
        poll_rows(task, 1)
    text = "".join(traceback.format_exception(caught.value))
    assert "PGconn" not in text and "top secret" not in text
    return str(caught.value)


def counting(database: Database, **more: object) -> dict[str, str]:
    keys = {"mode": "incrementing", "incrementing_column_name": "id", "table_whitelist": "t"}
    return properties(database, **keys | more)  # type: ignore[arg-type]


@pytest.fixture
def table(database: Database) -> Database:
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id serial, n int, v text); INSERT INTO t (v) VALUES ('x')")
    return database


def test_a_wrong_password_fails_with_the_sentence(table: Database) -> None:
    props = counting(table) | {"connection.password": "top secret"}
    assert "refuses the password of user 'headrace'" in failure(props)


def test_a_missing_database_fails_with_its_name(table: Database) -> None:
    props = counting(table) | {"connection.url": table.jdbc_url + "_gone"}
    assert failure(props).startswith(f"there is no database '{table.name}_gone' at 127.0.0.1:")


def test_a_missing_table_fails_with_its_name_and_the_fix(table: Database) -> None:
    assert failure(counting(table, table_whitelist="u")) == (
        f"there is no table u in database {table.name!r} at 127.0.0.1:{table.server.port}: "
        "create it, or correct table.whitelist"
    )


def test_a_missing_column_fails_with_what_there_is(table: Database) -> None:
    expected = "table public.t has no column number: correct incrementing.column.name (it has id, n, v)"
    assert failure(counting(table, incrementing_column_name="number")) == expected


def test_a_column_of_the_wrong_type_is_named(table: Database) -> None:
    assert "column v of table public.t is text, and an incrementing column is an integer" in failure(
        counting(table, incrementing_column_name="v")
    )
    props = properties(table, mode="timestamp", timestamp_column_name="n", table_whitelist="t")
    assert "column n of table public.t is integer, not a timestamp" in failure(props)


def test_a_column_that_may_be_null_is_refused_unless_told_otherwise(table: Database) -> None:
    assert "column n of table public.t may be null" in failure(counting(table, incrementing_column_name="n"))
    with table.connect() as connection:
        connection.execute("INSERT INTO t (n) VALUES (3), (NULL), (1)")
    with running(counting(table, incrementing_column_name="n", validate_non_null=False)) as task:
        assert column(poll_rows(task, 2), "n") == [1, 3]


def test_a_name_in_several_schemas_asks_which(table: Database) -> None:
    with table.connect() as connection:
        connection.execute(
            "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.u (id serial); CREATE TABLE b.u (id serial)"
        )
    assert "table u is in several schemas: write one of a.u, b.u" in failure(counting(table, table_whitelist="u"))
    with table.connect() as connection:
        connection.execute(
            "DROP TABLE a.u; CREATE SCHEMA c; CREATE TABLE c.w (id serial); CREATE TABLE b.w (id serial)"
        )
    with pytest.raises(ConfigError, match=r"tables b.w and c.w would share a topic"):
        failure(counting(table, table_whitelist="b.w,c.w"))


def test_a_permission_that_is_missing_names_user_and_grant(table: Database) -> None:
    name = f"reader_{table.name}"
    with table.connect() as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'".encode())
        try:
            props = counting(table) | {"connection.user": name, "connection.password": "x"}
            sentence = failure(props)
            assert sentence == (
                f"user {name!r} may not read column id of table public.t: GRANT SELECT ON public.t TO {name}"
            )
            admin.execute(f"GRANT SELECT ON t TO {name}".encode())
            with running(props) as task:
                poll_rows(task, 1)
        finally:
            admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())


def test_a_query_that_fails_gives_the_servers_words(table: Database) -> None:
    query = {"mode": "bulk", "poll_interval_ms": 60_000}
    assert 'column "no" does not exist' in failure(properties(table, **query, query="SELECT no FROM t"))
    sentence = failure(properties(table, **query, query="SELECT 1 / (id - id) AS a FROM t"))
    assert sentence == "query: division by zero"
    assert "give the columns of `query` names of their own" in failure(
        properties(table, **query, query="SELECT a.id, b.id FROM t a, t b")
    )


def test_connections_that_are_cut_lose_and_double_nothing(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with database.connect() as connection:
        connection.execute(MANY.encode())
        got: list[Batch] = []
        with running(counting(database)) as task, caplog.at_level(logging.WARNING):
            for _ in range(4):
                got += poll_rows(task, 15_000)
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'headrace source'"
                )
            got += poll_rows(task, ROWS - sum(map(len, got)))
            assert column(got, "id") == list(range(1, ROWS + 1))
            poll_nothing(task, 1)
    assert caplog.text.count("table public.t: the connection is lost (") >= 2


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    with TemporaryFolder("headrace-source-") as folder:
        durable = {
            name: value for name, value in FAST_FOR_TESTS.items() if name in ("shared_buffers", "max_connections")
        }
        server = PostgresServer(folder.path / "pg", free_port(), "me", "top secret", "mine", durable)
        server.lifeline = folder.lifeline
        with server:
            yield server


def kill(server: PostgresServer) -> None:
    """kill -9 of the server and of all its backends."""
    lines = (server.data_dir / "cluster" / "postmaster.pid").read_text().splitlines()
    with psycopg.connect(server.dsn()) as connection:
        backends = [row[0] for row in connection.execute("SELECT pid FROM pg_stat_activity")]
    for pid in (int(lines[0]), *backends):
        with contextlib.suppress(ProcessLookupError):  # a backend that has ended meanwhile
            os.kill(pid, signal.SIGKILL)
    server.process.wait(10)


@pytest.mark.crash
def test_a_server_that_is_killed_and_comes_back_loses_and_doubles_nothing(own_server: PostgresServer) -> None:
    """Fails where a poll goes on from anything but the last row that was handed out."""
    database = Database("mine", own_server)
    with database.connect() as connection:
        connection.execute(MANY.encode())
    with running(counting(database)) as task:
        got = poll_rows(task, 1)
        for _ in range(2):
            kill(own_server)
            starter = threading.Timer(0.5, own_server.start)
            starter.start()
            got += poll_rows(task, 1, within_s=60)
            starter.join()
        got += poll_rows(task, ROWS - sum(map(len, got)), within_s=60)
        assert column(got, "id") == list(range(1, ROWS + 1))
        with database.connect() as connection:
            connection.execute("INSERT INTO t VALUES (1000000)")
        assert column(poll_rows(task, 1), "id") == [1_000_000]


@pytest.mark.crash
def test_a_server_that_stays_away_is_waited_for_until_the_stop(
    own_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database("mine", own_server)
    context = FakeContext()
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id serial); INSERT INTO t VALUES (1)")
    with running(counting(database), context) as task:
        poll_rows(task, 1)
        own_server.stop()
        threading.Timer(1.0, context.stopping.set).start()
        began = time.monotonic()
        while not context.stopping.is_set():
            assert list(task.poll()) == []
        assert time.monotonic() - began < 5
    assert f"no PostgreSQL server answers at 127.0.0.1:{own_server.port}" in caplog.text
    assert "top secret" not in caplog.text


def test_no_connection_left_is_waited_for_and_said_as_such(table: Database, caplog: pytest.LogCaptureFixture) -> None:
    name = f"few_{table.name}"
    with table.connect() as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' CONNECTION LIMIT 2".encode())
        admin.execute(f"GRANT SELECT ON t TO {name}".encode())
        try:
            other = psycopg.connect(table.dsn, user=name, password="x")
            props = counting(table) | {"connection.user": name, "connection.password": "x"}
            with running(props) as task:
                threading.Timer(0.7, other.close).start()
                assert column(poll_rows(task, 1), "id") == [1]
        finally:
            admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())
    assert "CONNECTION LIMIT is reached" in caplog.text


def test_cancel_ends_a_poll_that_hangs(table: Database) -> None:
    with table.connect() as locker, running(counting(table)) as task, locker.transaction():
        locker.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        context = task._context
        threading.Timer(0.5, lambda: (context.stopping.set(), task.cancel())).start()  # type: ignore[func-returns-value]
        began = time.monotonic()
        assert list(task.poll()) == []
        assert time.monotonic() - began < 5
