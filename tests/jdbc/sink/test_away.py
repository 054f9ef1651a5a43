"""A database that goes away in mid-stream: waited for, nothing lost, nothing written twice."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from headrace.connect.api import ConnectError, RetriableError
from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.postgres import FAST_FOR_TESTS, PostgresServer
from headrace.testing.postgres import Database
from tests.conftest import free_port
from tests.jdbc.sink.harness import PLAIN, UPSERT, Sink, batch, named, put_until, until

Make = Callable[..., Sink]
UPSERTING = {name.replace(".", "_"): value for name, value in UPSERT.items()}
SLOW_COMMIT = """
CREATE TABLE t (id int, name text);
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END$$;
CREATE CONSTRAINT TRIGGER held AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()
"""
"""Commits of rows in t wait for whoever holds advisory lock 1."""


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may kill."""
    with TemporaryFolder("headrace-postgres-") as folder:
        kept = {**FAST_FOR_TESTS, "synchronous_commit": "on"}  # what is committed outlives the server's process
        server = PostgresServer(folder.path / "postgres", free_port(), "u", "pw", "postgres", kept)
        server.lifeline = folder.lifeline
        with server:
            yield server


@pytest.fixture
def own_sink() -> Iterator[Make]:
    """Makes started sinks on the test's own server, and stops them after the test."""
    made: list[Sink] = []

    def make(database: Database, **properties: Any) -> Sink:
        made.append(Sink(database, **properties))
        return made[-1]

    yield make
    for one in made:
        one.task.stop()


def backends(one: Sink) -> list[int]:
    """The server processes of sink tasks on the test's database."""
    found = one.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'headrace%'"
    )
    return [row[0] for row in found]


def terminate(one: Sink) -> None:
    for pid in backends(one):
        one.rows(f"SELECT pg_terminate_backend({pid})")
    until(lambda: not backends(one))


@contextmanager
def terminated_often(one: Sink, pause_s: float) -> Iterator[None]:
    """The sink's connections are terminated again and again meanwhile."""
    stop = threading.Event()

    def terminate() -> None:
        while not stop.wait(pause_s):
            one.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name LIKE 'headrace%'"
            )

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("mode", ["insert", "upsert"])
def test_a_terminated_connection_is_made_again(sink: Make, mode: str) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, name text)", **(UPSERTING | {"insert_mode": mode}))
    for start in range(0, 500, 100):
        one.put(PLAIN, named([(number, "a") for number in range(start, start + 100)]))
        terminate(one)
    assert one.rows("SELECT count(*), count(DISTINCT id) FROM t") == [(500, 500)]


def test_terminated_again_and_again_in_mid_stream_loses_and_doubles_nothing(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, name text)")
    with terminated_often(one, 0.03):
        for start in range(0, 20_000, 1000):
            put_until(one.task, [batch(PLAIN, named([(number, "x" * 50) for number in range(start, start + 1000)]))])
    assert one.rows("SELECT count(*), count(DISTINCT id) FROM t") == [(20_000, 20_000)]


def test_terminated_while_bad_records_are_looked_for_reports_each_once(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, name text CHECK (name <> 'bad'))", errors_tolerance="all")
    with terminated_often(one, 0.05):
        for start in range(0, 3_000, 300):
            rows = [(id, "bad" if id % 50 == 7 else "a") for id in range(start, start + 300)]
            put_until(one.task, [batch(PLAIN, named(rows))])
    assert one.rows("SELECT count(*), count(DISTINCT id) FROM t") == [(2_940, 2_940)]
    offsets = one.context.errant_record_reporter.offsets
    assert (len(offsets), len(set(offsets))) == (60, 60)


def in_doubt(one: Sink, then: Callable[[psycopg.Connection[Any]], None], *more: tuple[int, str]) -> None:
    """Put rows while commits are held, do `then` once the commit waits, let go, and let the put end."""
    failures: list[BaseException] = []

    def put() -> None:
        try:
            put_until(one.task, [batch(PLAIN, named([(1, "a"), *more, (2, "b")]))])
        except BaseException as error:
            failures.append(error)

    with one.database.connect() as holder:
        holder.execute("SELECT pg_advisory_lock(1)")
        thread = threading.Thread(target=put)
        thread.start()
        waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        until(lambda: bool(one.rows(waiting)))
        then(holder)
        holder.execute("SELECT pg_advisory_unlock(1)")
    thread.join(60)
    assert not thread.is_alive()
    assert failures == []


def cut(one: Sink) -> None:
    """Cut the task off, and wait until it has come back and was told that the transaction is in progress."""
    before = one.context.waits
    one.task.cancel()
    until(lambda: one.context.waits > before + 1)


def test_insert_does_not_double_rows_of_a_commit_whose_answer_was_lost(sink: Make) -> None:
    """Fails where the transaction's fate is not asked for: the rows are there twice."""
    one = sink(SLOW_COMMIT)
    in_doubt(one, lambda holder: cut(one))
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(1, "a"), (2, "b")]


def test_records_left_out_of_a_commit_whose_answer_was_lost_are_reported_once(sink: Make) -> None:
    """Fails where a transaction in doubt forgets what it left out: nobody hears of the record."""
    one = sink(f"{SLOW_COMMIT}; ALTER TABLE t ADD CHECK (name <> 'bad')", errors_tolerance="all")
    in_doubt(one, lambda holder: cut(one), (3, "bad"))
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(1, "a"), (2, "b")]
    assert len(one.context.errant_record_reporter.reported) == 1


def test_records_left_out_of_a_commit_that_was_not_made_are_reported_once(sink: Make) -> None:
    """Fails where they are reported before the commit."""
    one = sink(f"{SLOW_COMMIT}; ALTER TABLE t ADD CHECK (name <> 'bad')", errors_tolerance="all")

    def end(holder: "psycopg.Connection[Any]") -> None:
        for pid in backends(one):
            one.rows(f"SELECT pg_terminate_backend({pid})")

    in_doubt(one, end, (3, "bad"))
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(1, "a"), (2, "b")]
    assert len(one.context.errant_record_reporter.reported) == 1


def test_insert_writes_again_what_a_lost_commit_did_not_write(sink: Make) -> None:
    """Fails where a lost commit is taken for a success."""
    one = sink(SLOW_COMMIT)
    in_doubt(one, lambda holder: [one.rows(f"SELECT pg_terminate_backend({pid})") for pid in backends(one)] and None)
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(1, "a"), (2, "b")]


def test_other_rows_after_a_lost_commit_are_written(sink: Make) -> None:
    one = sink(SLOW_COMMIT, max_retries=0)

    def put_in_vain() -> None:
        with pytest.raises(ConnectError, match="given up after 0 retries"):
            one.put(PLAIN, named([(1, "a")]))

    with one.database.connect() as holder:
        holder.execute("SELECT pg_advisory_lock(1)")
        thread = threading.Thread(target=put_in_vain)
        thread.start()
        until(lambda: bool(one.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")))
        terminate(one)
        thread.join(30)
    one.put(PLAIN, named([(2, "b")]))
    assert one.rows("TABLE t") == [(2, "b")]


@pytest.mark.crash
@pytest.mark.parametrize("mode", ["insert", "upsert"])
def test_a_server_killed_and_started_again_in_mid_stream(own_server: PostgresServer, own_sink: Make, mode: str) -> None:
    """Fails where rows whose commit was not answered are dropped, or written twice in insert mode."""
    database = Database("postgres", own_server)
    with database.connect() as connection:
        key = "PRIMARY KEY" if mode == "upsert" else ""
        connection.execute(f"CREATE TABLE t (id int {key}, name text)".encode())
    one = own_sink(database, **(UPSERTING | {"insert_mode": mode}))
    done = threading.Event()

    def kill_twice() -> None:
        for _ in range(2):
            done.wait(0.4)
            pid = int((Path(own_server.data_dir) / "cluster" / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGKILL)
            own_server.process.wait(30)
            own_server.start()
        done.set()

    thread = threading.Thread(target=kill_twice)
    thread.start()
    count = 0
    while not done.is_set() or count < 20_000:
        put_until(one.task, [batch(PLAIN, named([(number, "x" * 20) for number in range(count, count + 500)]))])
        count += 500
    thread.join()
    assert one.rows("SELECT count(*), count(DISTINCT id) FROM t") == [(count, count)]


def test_max_connections_is_said_and_waited_for(database: Database, sink: Make, caplog: Any) -> None:
    role = f"few_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw' CONNECTION LIMIT 1".encode())
        connection.execute(f"CREATE TABLE t (id int, name text); GRANT ALL ON t TO {role}".encode())
    one = sink(connection_user=role, connection_password="pw")
    try:
        thread_ends = threading.Event()
        made: list[Sink] = []

        def start_second() -> None:
            made.append(sink(connection_user=role, connection_password="pw"))
            thread_ends.set()

        thread = threading.Thread(target=start_second)
        thread.start()
        until(lambda: "CONNECTION LIMIT is reached" in caplog.text)
        assert not thread_ends.is_set()
        one.task.stop()
        assert thread_ends.wait(30)
        thread.join()
        made[0].put(PLAIN, named([(1, "a")]))
        made[0].task.stop()
    finally:
        with database.connect() as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_a_server_that_is_away_is_said_and_ended_by_max_retries(own_server: PostgresServer, own_sink: Make) -> None:
    database = Database("postgres", own_server)
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id int, name text)")
    one = own_sink(database, max_retries=3, retry_backoff_ms=1)
    own_server.stop()
    with pytest.raises(ConnectError, match=r"no PostgreSQL server answers at .*given up after 3 retries") as caught:
        one.put(PLAIN, named([(1, "a")]))
    assert not isinstance(caught.value, RetriableError)


def test_a_stop_ends_the_wait_for_a_server(own_server: PostgresServer, own_sink: Make) -> None:
    database = Database("postgres", own_server)
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id int, name text)")
    one = own_sink(database)
    own_server.stop()
    one.context.stopping.set()
    with pytest.raises(RetriableError, match=r"no PostgreSQL server answers|was lost"):
        one.put(PLAIN, named([(1, "a")]))


def test_two_tasks_that_write_the_same_rows_in_other_orders_both_end(sink: Make) -> None:
    """Deadlocks are avoided by writing in the keys' order, and tried again where they come."""
    ddl = "CREATE TABLE t (id int PRIMARY KEY, name text)"
    tasks = [sink(ddl, **UPSERTING), sink(**UPSERTING)]
    failures: list[BaseException] = []

    def write(one: Sink, step: int) -> None:
        try:
            for turn in range(20):
                ids = list(range(500))[::step]
                put_until(one.task, [batch(PLAIN, named([(number, f"{step} {turn}") for number in ids]))])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=pair) for pair in zip(tasks, (1, -1), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert tasks[0].rows("SELECT count(*) FROM t") == [(500,)]


def test_a_deadlock_is_tried_again(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1), (2)", **UPSERTING)
    with one.database.connect() as other:
        other.execute("SET deadlock_timeout = '60s'; BEGIN; UPDATE t SET name = 'o' WHERE id = 2")
        thread = threading.Thread(target=one.put, args=(PLAIN, named([(1, "a"), (2, "a")])))
        thread.start()
        until(lambda: bool(one.rows("SELECT 1 FROM pg_locks WHERE NOT granted")))
        other.execute("UPDATE t SET name = 'o' WHERE id = 1; COMMIT")
    thread.join(30)
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(1, "a"), (2, "a")]


def test_records_of_a_lost_commit_that_come_back_among_others_are_not_doubled(sink: Make) -> None:
    one = sink(SLOW_COMMIT)
    first, second = batch(PLAIN, named([(1, "a"), (2, "b")])), batch(PLAIN, named([(3, "c")]), partition=1)
    with one.database.connect() as holder:
        holder.execute("SELECT pg_advisory_lock(1)")
        one.context.stopping.set()  # the put ends at the first wait, as where partitions are taken away

        def put_in_vain() -> None:
            with pytest.raises(RetriableError):
                one.task.put([first, second])

        thread = threading.Thread(target=put_in_vain)
        thread.start()
        until(lambda: bool(one.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")))
        one.task.cancel()
        thread.join(30)
        one.context.stopping.clear()
        holder.execute("SELECT pg_advisory_unlock(1)")
    put_until(one.task, [first.slice(1, 2), batch(PLAIN, named([(4, "d")]))])
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
