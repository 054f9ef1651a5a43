"""Streams of rows that are given up before their end."""

import time

import pytest

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
