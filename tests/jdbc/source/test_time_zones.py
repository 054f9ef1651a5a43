"""Time zones: what a time without one means, when the clocks change, and what the present is."""

from datetime import UTC, datetime

import pytest

from headrace.testing.postgres import Database
from tests.jdbc.source.harness import FakeContext, column, offsets, poll_nothing, poll_rows, properties, running

NEW_YORK = "America/New_York"
BY_TIME = {"mode": "timestamp", "timestamp_column_name": "at", "table_whitelist": "t"}
PARTITION = {"protocol": "1", "table": "public.t"}


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def filled(database: Database, kind: str, *times: str) -> None:
    with database.connect() as connection:
        connection.execute(f"CREATE TABLE t (at {kind} NOT NULL)".encode())
        for each in times:
            connection.execute("INSERT INTO t VALUES (%s)", [each])


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2024-01-15 12:00", at(2024, 1, 15, 17)),
        ("2024-07-15 12:00", at(2024, 7, 15, 16)),
        ("2024-03-10 02:30", at(2024, 3, 10, 7, 30)),
        ("2024-11-03 01:30", at(2024, 11, 3, 6, 30)),
    ],
)
def test_a_time_without_a_zone_is_that_of_the_configs_zone_in_summer_and_winter(
    database: Database, local: str, instant: datetime
) -> None:
    """The last two: a time that the change of the clocks leaves out, and one that it has twice."""
    filled(database, "timestamp", local)
    with running(properties(database, **BY_TIME, db_timezone=NEW_YORK)) as task:
        batches = poll_rows(task, 1)
        assert column(batches, "at") == [instant]
        assert offsets(batches) == [{"timestamp": int(instant.timestamp() * 1000), "timestamp_nanos": 0}]
        poll_nothing(task)


def test_times_around_the_change_of_the_clocks_are_read_once_each_and_gone_on_from(database: Database) -> None:
    autumn = ["2024-11-03 00:30", "2024-11-03 01:10", "2024-11-03 01:50", "2024-11-03 02:10"]
    filled(database, "timestamp", *autumn)
    props = properties(database, **BY_TIME, db_timezone=NEW_YORK)
    with running(props) as task:
        batches = poll_rows(task, 4)
        poll_nothing(task)
    assert len({tuple(offset.items()) for offset in offsets(batches)}) == 4
    for row, stored in enumerate(offsets(batches)[:-1]):
        with running(props, FakeContext([(PARTITION, stored)])) as task:
            assert len(column(poll_rows(task, 3 - row), "at")) == 3 - row


def test_a_point_in_time_is_the_same_in_every_zone(database: Database) -> None:
    filled(database, "timestamptz", "2024-11-03 01:30-04", "2024-11-03 01:30-05")
    for zone in ("UTC", NEW_YORK, "Asia/Seoul"):
        with running(properties(database, **BY_TIME, db_timezone=zone)) as task:
            assert column(poll_rows(task, 2), "at") == [at(2024, 11, 3, 5, 30), at(2024, 11, 3, 6, 30)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_present_is_that_of_the_zone_that_is_set(database: Database, zone: str) -> None:
    """Half a day ahead of UTC and behind it: a row of this moment is read at once, one of in an hour is not."""
    filled(database, "timestamp")
    with database.connect() as connection, running(properties(database, **BY_TIME, db_timezone=zone)) as task:
        connection.execute(f"INSERT INTO t VALUES (clock_timestamp() AT TIME ZONE '{zone}')".encode())
        assert len(poll_rows(task, 1, within_s=5)) == 1
        connection.execute(
            f"INSERT INTO t VALUES (clock_timestamp() AT TIME ZONE '{zone}' + '1 hour'::interval)".encode()
        )
        poll_nothing(task)


@pytest.mark.parametrize(
    ("granularity", "expected"),
    [
        ("micros_long", 1705338000123456),
        ("nanos_string", "1705338000123456000"),
        ("micros_iso_datetime_string", "2024-01-15T17:00:00.123456"),
    ],
)
def test_every_granularity_says_the_instant_of_a_local_time(
    database: Database, granularity: str, expected: object
) -> None:
    filled(database, "timestamp", "2024-01-15 12:00:00.123456")
    with running(properties(database, **BY_TIME, db_timezone=NEW_YORK, timestamp_granularity=granularity)) as task:
        assert column(poll_rows(task, 1), "at") == [expected]
