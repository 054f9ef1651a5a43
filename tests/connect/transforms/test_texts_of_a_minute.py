"""Columns of dates that lie close together: their texts are put together of what was made once, and are the same."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from headrace.connect.api.java.date_format import DateFormat
from headrace.connect.transforms.date_columns import format_column

PATTERNS = [
    "yyyy-MM-dd HH:mm:ss.S", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "ss", "S", "SSS", "s.S", "ss''S yyyy", "S ss", "mm:ss",
    "s HH S", "'at' ss", "ss'at'", "ss.SSS", "sSyyyyS",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("rows", [5, 3_000])
def test_a_column_has_the_texts_of_its_rows(pattern: str, rows: int) -> None:
    date_format = DateFormat(pattern, dt.datetime(2026, 11, 22, tzinfo=dt.UTC))
    chance = np.random.default_rng(3)
    millis = 1_795_368_655_000 + chance.integers(0, 300_000, rows)
    millis[:3] = [-1, 59_999, 0]
    column = pa.array([None, *millis.tolist()], pa.int64())
    assert format_column(date_format, column).to_pylist() == [None, *map(date_format.format, millis.tolist())]
