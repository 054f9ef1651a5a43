"""Streams of rows that are given up before their end."""

import time

import pytest

from headrace.jdbc.source import stream
from headrace.jdbc.source.stream import RowStreams, StreamBroken
from headrace.testing.postgres import Database

LONG = "SELECT n, repeat('x', 200) AS t FROM generate_series(1, 3000000) n"


def test_a_stream_is_closed_under_its_read_ahead_without_harm(database: Database) -> None:
    """Fails, with the whole process, where the driver is closed while the thread that reads ahead is in it."""
    began = time.monotonic()
    for _ in range(8):
        streams = RowStreams(database.dsn)
        rows = streams.read(LONG)
        assert next(rows).num_rows > 0
        streams.close()
    assert time.monotonic() - began < 60


def test_a_statement_that_does_not_end_holds_nobody_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request to cancel is lost, as it is where the network is: the stream is given up, and not closed."""
    streams = RowStreams(database.dsn)
    slow = "CASE WHEN n > 8000 THEN (SELECT 1 FROM pg_sleep(60 + n * 0)) ELSE 0 END"
    rows = streams.read(f"SELECT n, {slow} AS s, repeat('x', 200) AS t FROM generate_series(1, 8001) n")
    assert 0 < next(rows).num_rows < 8000
    monkeypatch.setattr(stream, "CLOSE_S", 0.05)
    monkeypatch.setattr(streams, "cancel", lambda: None)
    wait_for_sleep(database)
    began = time.monotonic()
    streams.close()
    assert time.monotonic() - began < 5
    assert streams in stream._abandoned
    monkeypatch.undo()
    stream._abandoned.remove(streams)
    rows.close()  # type: ignore[attr-defined]
    streams.close()


def wait_for_sleep(database: Database) -> None:
    deadline = time.monotonic() + 20
    with database.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = %s"
        while connection.execute(query, [database.name]).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_after_a_stream_that_was_given_up_the_next_one_is_read(database: Database) -> None:
    streams = RowStreams(database.dsn)
    try:
        rows = streams.read(LONG)
        next(rows)
        rows.close()  # type: ignore[attr-defined]
        assert [batch.num_rows for batch in streams.read("SELECT 1 AS a")] == [1]
    finally:
        streams.close()


def test_a_stream_that_is_cancelled_by_another_thread_says_that_it_broke(database: Database) -> None:
    streams = RowStreams(database.dsn)
    rows = streams.read(LONG)
    next(rows)
    streams.cancel()
    with pytest.raises(StreamBroken):
        list(rows)
    streams.close()
