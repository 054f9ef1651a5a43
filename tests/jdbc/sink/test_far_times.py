"""Dates and timestamps that Arrow's text has no form of PostgreSQL's for, and digits for columns of bits."""

from typing import Any

import pyarrow as pa
import pytest

from headrace.jdbc.sink.postgresql import bits, far_times
from headrace.jdbc.sink.postgresql.table import SinkColumn

FAR = [-210863520000000, -62167219200000, -62135596800000, 253402300800000, None, 0]


def test_timestamps_of_any_year_are_text_that_postgresql_reads() -> None:
    assert far_times.text(pa.array(FAR, pa.timestamp("ms"))).to_pylist() == [
        "4713-01-01 00:00:00.000 BC",
        "0001-01-01 00:00:00.000 BC",
        "0001-01-01 00:00:00.000",
        "10000-01-01 00:00:00.000",
        None,
        "1970-01-01 00:00:00.000",
    ]


def test_dates_of_any_year_are_text_or_days_of_the_julian_calendar() -> None:
    days = pa.array([-2440550, 2145042905, None, 19723], pa.date32())
    assert far_times.text(days).to_pylist() == ["J38", "J2147483493", None, "2024-01-01"]


def test_infinity_is_named_and_what_stands_beside_it_stays() -> None:
    days = pa.array([*far_times.DAYS, 0, None], pa.date32())
    assert far_times.named(days).to_pylist() == ["-infinity", "infinity", "1970-01-01", None]
    plain = pa.array([0, None], pa.date32())
    assert far_times.named(plain) is plain
    assert far_times.split(pa.array([*far_times.MILLIS, 0], pa.timestamp("ms"))) is not None


@pytest.mark.parametrize(
    ("shown", "kind", "values", "expected"),
    [
        ("bit(1)", "boolean", pa.array([True, False, None]), ["1", "0", None]),
        ("bit", "boolean", [True], ["1"]),
        ("bit(8)", "integer", pa.array([-1, 1, None], pa.int8()), ["11111111", "00000001", None]),
        ("bit(3)", "integer", pa.array([5, 0], pa.int8()), ["101", "000"]),
        ("bit(3)", "integer", pa.array([9], pa.int8()), ["1001"]),
        ("bit(10)", "bytes", pa.array([b"1010101010", None]), ["1010101010", None]),
    ],
)
def test_bits_are_digits_of_the_columns_length(shown: str, kind: str, values: Any, expected: list[str | None]) -> None:
    """One that needs more digits than the column has keeps them, so that the server refuses it."""
    assert bits.digits(SinkColumn("c", "bit", shown=shown), kind)(values).to_pylist() == expected
