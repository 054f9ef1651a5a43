"""No row is skipped because its transaction committed late: six writers, a ledger, and three ways to poll.

Two of the ways are seen to lose rows in the same run: without that, a run that loses none says nothing.
"""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from headrace.connect.api import Batch
from headrace.jdbc.source import visibility
from headrace.testing.postgres import Database
from tests.jdbc.source.harness import FakeContext, column, poll_nothing, poll_rows, properties, running

TABLE = "CREATE TABLE t (id serial PRIMARY KEY, v text, at timestamptz NOT NULL DEFAULT now())"
WITHIN_S = 40.0


class Writers:
    """Six threads that insert: one in long transactions, some rolled back; `committed` is the ledger."""

    def __init__(self, database: Database) -> None:
        self.database, self.committed = database, set[int]()
        self.errors: list[BaseException] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._guard, args=(number,)) for number in range(6)]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _guard(self, number: int) -> None:
        try:
            with self.database.connect() as connection:
                self._write(connection, random.Random(number), number)
        except BaseException as error:
            self.errors.append(error)
            raise

    def _write(self, connection: "psycopg.Connection[Any]", chance: random.Random, number: int) -> None:
        while not self._stop.is_set():
            ids = set()
            with connection.transaction() as transaction:
                for _ in range(chance.randint(1, 4)):
                    # The value takes a moment, as values do; the number has been taken by then, and no xid yet.
                    moment = chance.choice((0, 0, 0.001, 0.005))
                    row = connection.execute("INSERT INTO t (v) VALUES (pg_sleep(%s)::text) RETURNING id", (moment,))
                    ids.add(row.fetchone()[0])  # type: ignore[index]
                if number == 0:
                    self._stop.wait(0.15)
                rolled_back = chance.random() < 0.15
                if rolled_back:
                    raise psycopg.Rollback(transaction)
            if not rolled_back:
                self.committed |= ids


class NaivePoller:
    """What the known connectors do: beyond the last number seen."""

    condition = "true"

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection, self.last, self.seen = connection, 0, set[int]()

    def poll(self) -> None:
        query = f"SELECT id FROM t WHERE id > {self.last} AND {self.condition} ORDER BY id"
        for (number,) in self.connection.execute(query.encode()):
            self.last = number
            self.seen.add(number)

    def lost(self, ledger: set[int]) -> set[int]:
        """Rows that are committed, lie behind us, and were never seen."""
        return {number for number in ledger.copy() if number <= self.last} - self.seen


class SnapshotPoller(NaivePoller):
    """Bounded by the oldest transaction that runs."""

    condition = "xmin::text::int8 < pg_snapshot_xmin(pg_current_snapshot())::text::int8"


@contextlib.contextmanager
def background(step: Callable[[], object]) -> Iterator[list[BaseException]]:
    """`step` again and again in a thread; gives its errors."""
    stop, errors = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            while not stop.is_set():
                step()
                time.sleep(0.002)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield errors
    finally:
        stop.set()
        thread.join()


def test_six_writers_lose_no_row_where_polling_naively_and_by_snapshot_do(database: Database) -> None:
    props = properties(
        database, mode="incrementing", incrementing_column_name="id", table_whitelist="t", poll_interval_ms=5
    )
    got: list[Batch] = []
    with database.connect() as one, database.connect() as two, running(props) as task:
        one.execute(TABLE)
        naive, snapshot = NaivePoller(one), SnapshotPoller(two)
        writers = Writers(database)
        with (
            background(naive.poll) as naive_errors,
            background(snapshot.poll) as snapshot_errors,
            background(lambda: got.extend(task.poll())) as our_errors,
            writers,
        ):
            deadline, earliest = time.monotonic() + WITHIN_S, time.monotonic() + 3
            while time.monotonic() < deadline and not our_errors and not writers.errors:
                if time.monotonic() > earliest and naive.lost(writers.committed) and snapshot.lost(writers.committed):
                    break
                time.sleep(0.1)
        assert not (naive_errors or snapshot_errors or our_errors or writers.errors)
        naive.poll()
        snapshot.poll()
        got += poll_rows(task, len(writers.committed) - sum(map(len, got)))
    assert naive.lost(writers.committed), "polling naively lost nothing: the run proves nothing"
    assert snapshot.lost(writers.committed), "polling by snapshot lost nothing: the run proves nothing"
    numbers = column(got, "id")
    assert numbers == sorted(writers.committed)


@pytest.mark.parametrize("mode", ["timestamp", "timestamp+incrementing"])
def test_six_writers_lose_no_row_by_timestamp(database: Database, mode: str) -> None:
    keys = {"timestamp_column_name": "at", "table_whitelist": "t", "poll_interval_ms": 5}
    if mode != "timestamp":
        keys["incrementing_column_name"] = "id"
    got: list[Batch] = []
    with database.connect() as connection, running(properties(database, mode=mode, **keys)) as task:
        connection.execute(TABLE)
        writers = Writers(database)
        with background(lambda: got.extend(task.poll())) as errors, writers:
            time.sleep(2)
        assert not errors and not writers.errors
        got += poll_rows(task, len(writers.committed) - sum(map(len, got)))
    assert Counter(column(got, "id")) == Counter(writers.committed)


@pytest.fixture
def counting(database: Database) -> dict[str, str]:
    with database.connect() as connection:
        connection.execute(TABLE)
    return properties(database, mode="incrementing", incrementing_column_name="id", table_whitelist="t")


def test_rows_above_an_open_transaction_wait_for_it(database: Database, counting: dict[str, str]) -> None:
    got: list[Batch] = []
    with (
        database.connect() as late,
        database.connect() as early,
        running(counting) as task,
        background(lambda: got.extend(task.poll())) as errors,
    ):
        with late.transaction():
            late.execute("INSERT INTO t (v) VALUES ('1')")
            early.execute("INSERT INTO t (v) VALUES ('2')")
            time.sleep(0.3)
            assert not got and not errors
        deadline = time.monotonic() + 10
        while sum(map(len, got)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert column(got, "v") == ["1", "2"]


def test_an_open_transaction_without_new_rows_holds_nothing_up(database: Database, counting: dict[str, str]) -> None:
    with database.connect() as writer, database.connect() as other, running(counting) as task:
        other.execute("INSERT INTO t (v) VALUES ('1')")
        poll_rows(task, 1)
        with writer.transaction():
            writer.execute("INSERT INTO t (v) VALUES ('2')")
            began = time.monotonic()
            poll_nothing(task)
            assert time.monotonic() - began < 5
        assert column(poll_rows(task, 1), "v") == ["2"]


def test_readers_and_writers_of_other_tables_are_not_waited_for(database: Database, counting: dict[str, str]) -> None:
    with database.connect() as other, database.connect() as writer, running(counting) as task:
        writer.execute("CREATE TABLE u (id serial)")
        with other.transaction():
            other.execute("SELECT * FROM t")
            other.execute("INSERT INTO u DEFAULT VALUES")
            writer.execute("INSERT INTO t (v) VALUES ('1')")
            assert column(poll_rows(task, 1), "v") == ["1"]


def test_the_writer_of_a_partition_is_waited_for(database: Database) -> None:
    with database.connect() as connection, database.connect() as writer:
        connection.execute(
            "CREATE TABLE p (id int NOT NULL DEFAULT 0) PARTITION BY RANGE (id);"
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100)"
        )
        row = connection.execute("SELECT 'p'::regclass::oid::int8").fetchone()
        assert row is not None and visibility.writers_of(connection, row[0]) == []
        with writer.transaction():
            writer.execute("INSERT INTO p1 VALUES (1)")
            ((_, pid),) = visibility.writers_of(connection, row[0])
            assert pid == writer.info.backend_pid


def test_the_lag_is_told_with_the_backends_that_cause_it(
    database: Database, counting: dict[str, str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visibility, "PATIENCE_S", 0.05)
    context = FakeContext()
    with database.connect() as late, database.connect() as early, running(counting, context) as task:
        with late.transaction():
            late.execute("INSERT INTO t (v) VALUES ('1')")
            early.execute("INSERT INTO t (v) VALUES ('2')")
            threading.Timer(0.5, context.stopping.set).start()
            assert list(task.poll()) == [], "the wait ends with the stop"
        assert "table public.t lags 0 s: transactions are open" in caplog.text
        assert str(late.info.backend_pid) in caplog.text


def test_a_user_without_rights_sees_the_transactions_of_others(database: Database) -> None:
    name = f"plain_{database.name}"
    with database.connect() as admin, database.connect() as writer:
        admin.execute(f"{TABLE}; CREATE ROLE {name} LOGIN PASSWORD 'x'; GRANT SELECT ON t TO {name}".encode())
        try:
            with psycopg.connect(database.dsn, user=name, password="x", autocommit=True) as plain, writer.transaction():
                writer.execute("INSERT INTO t (v) VALUES ('1')")
                pid = writer.info.backend_pid
                row = plain.execute("SELECT 't'::regclass::oid::int8").fetchone()
                assert row is not None
                assert [found for _, found in visibility.writers_of(plain, row[0])] == [pid]
                assert pid in [found for _, found in visibility.transactions(plain, "headrace source")]
        finally:
            admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())
