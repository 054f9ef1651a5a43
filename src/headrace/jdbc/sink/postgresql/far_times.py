"""Dates and timestamps as PostgreSQL reads them: infinity, for which pgjdbc has numbers, and years of any length.

Sans-IO.
"""

import re
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

DAYS: Final = (-(2**31), 2**31 - 1)
MILLIS: Final = (-9_223_372_036_832_400_000, 9_223_372_036_825_200_000)
"""-infinity and infinity."""
_JULIAN_1970: Final = 2_440_588


def split(array: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array] | None:
    """Where infinity is in it: the column with 1970 in its place, and which are -infinity and infinity."""
    kind = pa.int32() if pa.types.is_date(array.type) else pa.int64()
    least, most = DAYS if pa.types.is_date(array.type) else MILLIS
    numbers = array.view(kind)
    low, high = pc.equal(numbers, pa.scalar(least, kind)), pc.equal(numbers, pa.scalar(most, kind))
    infinite = pc.or_(low, high)
    if not pc.any(infinite).as_py():
        return None
    return pc.if_else(infinite, pa.scalar(0, kind), numbers).view(array.type), low, high


def join(finite: pa.Array, low: pa.Array, high: pa.Array) -> pa.Array:
    """The column as text, infinity by name."""
    return pc.if_else(low, "-infinity", pc.if_else(high, "infinity", text(finite)))


def text(array: pa.Array) -> pa.Array:
    """A column of dates or timestamps as text; Arrow's own is no text of PostgreSQL's before year 1 and after 9999."""
    usual = array.cast(pa.string())
    far = pc.match_substring_regex(usual, r"^(\D|\d{5}|0000)")
    if not pc.any(far).as_py():
        return usual
    make = _julian if pa.types.is_date(array.type) else _with_era
    numbers = array.cast(pa.int32() if pa.types.is_date(array.type) else pa.int64()).to_pylist()
    rows = zip(usual.to_pylist(), numbers, far.to_pylist(), strict=True)
    return pa.array([make(text, number) if is_far else text for text, number, is_far in rows], pa.string())


def _julian(_: str, days: int) -> str:
    return f"J{days + _JULIAN_1970}"


def _with_era(text: str, _: int) -> str:
    found = re.fullmatch(r"([+-]?\d+)(-.*)", text)
    if found is None:
        return text
    year = int(found[1])
    return f"{year:04d}{found[2]}" if year > 0 else f"{1 - year:04d}{found[2]} BC"


def named(array: pa.Array) -> pa.Array:
    """A column of dates as text where infinity is in it, else as it is."""
    found = split(array) if pa.types.is_date32(array.type) else None
    return array if found is None else join(*found)
