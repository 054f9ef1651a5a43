"""How each PostgreSQL type is read: what is selected, its Connect schema, and how its Arrow column is finished.

Sans-IO. Only types that COPY to Arrow carries exactly are selected as they are; decimals and all other types are
selected as text. Types that the JDBC connectors in use do not know go as STRING in their text form: no column is
dropped.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import ConnectError, ConnectSchema, SchemaType, arrow_type, schema, to_column
from headrace.connect.api.schema import date, decimal, time, timestamp
from headrace.jdbc.dialects import TableColumn

_EPOCH_US: Final = 946_684_800_000_000
_EPOCH_DAYS: Final = 10_957
"""2000-01-01, from which PostgreSQL counts, since 1970-01-01."""
OLDEST_US: Final = -211_813_488_000_000_000
_OLDEST_DAYS: Final = -2_451_545
"""Before the first timestamp and the first date of PostgreSQL: a column with less in it has wrapped around."""
INFINITY_MS: Final = 9_223_372_036_825_200_000
MINUS_INFINITY_MS: Final = -9_223_372_036_832_400_000
"""What pgjdbc makes of infinite timestamps."""
INFINITY_DAYS: Final = 2**31 - 1
MINUS_INFINITY_DAYS: Final = -(2**31)

_MOST: Final = np.iinfo(np.int64).max
_LEAST: Final = np.iinfo(np.int64).min

Finish = Callable[[pa.Array, "Counts"], Any]


@dataclass(slots=True)
class Counts:
    """What could not be carried as it was, by column."""

    cut: dict[str, int] = field(default_factory=dict)
    infinite: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ColumnReader:
    """One column: `expression` is selected and arrives as Arrow type `raw`; `finish` makes the column of `schema`."""

    name: str
    expression: str
    raw: pa.DataType
    schema: ConnectSchema
    finish: Finish


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of the config that types depend on."""

    numeric: str = "none"
    granularity: str = "connect_logical"
    time_zone: str = "UTC"
    exact: bool = False
    """What a Connect type may not hold as it is goes as text."""


def reader(column: TableColumn, quoted: str, choices: Choices, literal: Callable[[str], str]) -> ColumnReader:
    """How `column`, written `quoted` in SQL, is read."""
    make = _READERS.get(column.type) if column.kind == "b" else None
    if choices.exact and column.type not in _EXACT:
        make = None
    if make is None:
        return _text(column, f"{quoted}::text")
    return make(column, quoted, choices, literal)


def loss(column: TableColumn, choices: Choices) -> tuple[int, str] | None:
    """What of a column's values does not come through, and the level to say so at; None where all does.

    Digits beyond the millisecond are warned of when some are cut, so that they are but mentioned here.
    """
    if choices.exact or column.kind != "b":
        return None
    fine = re.search(r"\((\d)\)", column.type_text)
    has_fine_digits = fine is None or int(fine[1]) > 3
    instants = choices.granularity == "connect_logical" and column.type in ("timestamp", "timestamptz")
    if column.type == "timetz":
        return logging.WARNING, "times go to UTC, without their zone"
    if has_fine_digits and (column.type == "time" or instants):
        return logging.INFO, "digits beyond the millisecond are cut"
    if column.type == "numeric" and choices.numeric.startswith("best_fit") and _is_double(column, choices):
        return logging.WARNING, "digits beyond the 15th are rounded"
    return None


def _is_double(column: TableColumn, choices: Choices) -> bool:
    precision, scale = column.precision, column.scale
    if precision is None or scale is None or scale <= 0:
        return False
    return choices.numeric == "best_fit_eager_double" or 15 < precision < 19


def _same(column: pa.Array, _: Counts) -> pa.Array:
    return column


def _of(
    column: TableColumn, expression: str, raw: pa.DataType, kind: SchemaType, finish: Finish = _same
) -> ColumnReader:
    return ColumnReader(column.name, expression, raw, schema(kind, optional=column.nullable), finish)


def _text(column: TableColumn, expression: str) -> ColumnReader:
    return _of(column, expression, pa.string(), SchemaType.STRING)


def _plain(raw: pa.DataType, kind: SchemaType) -> Callable[..., ColumnReader]:
    return lambda column, quoted, choices, literal: _of(column, quoted, raw, kind)


def _cast(to: str, raw: pa.DataType, kind: SchemaType) -> Callable[..., ColumnReader]:
    return lambda column, quoted, choices, literal: _of(column, f"{quoted}::{to}", raw, kind)


def _padded(column: TableColumn, quoted: str, *_: Any) -> ColumnReader:
    """char(n) with its blanks, as pgjdbc gives it; a cast to text alone drops them."""
    return _text(column, f"rpad({quoted}::text, {column.length})" if column.length else f"{quoted}::text")


def _bit(column: TableColumn, quoted: str, *_: Any) -> ColumnReader:
    """bit(1) BOOLEAN, to bit(8) INT8, longer BYTES (the digits as text, as pgjdbc gives them)."""
    if column.length == 1:
        return _of(column, f"({quoted}::int4 = 1)", pa.bool_(), SchemaType.BOOLEAN)
    if column.length is not None and column.length <= 8:
        return _of(column, f"{quoted}::int4", pa.int32(), SchemaType.INT8, _int8_bits)
    return _of(column, f"convert_to({quoted}::text, 'UTF8')", pa.binary(), SchemaType.BYTES)


def _int8_bits(column: pa.Array, _: Counts) -> pa.Array:
    """Eight bits as a signed byte."""
    bits = column.cast(pa.uint8())
    return pa.Array.from_buffers(pa.int8(), len(bits), bits.buffers(), bits.null_count, bits.offset)


def _numeric(column: TableColumn, quoted: str, choices: Choices, _: Any) -> ColumnReader:
    precision, scale = column.precision, column.scale
    if precision is None or scale is None:
        return _text(column, f"{quoted}::text")  # no scale: no Decimal holds every value; the text does
    fits = precision < 19
    integer = fits and (scale == 0 or (scale < 0 and choices.numeric != "precision_only"))
    if choices.numeric != "none" and integer and precision - min(scale, 0) < 19:
        return _integer(column, quoted, precision - min(scale, 0))
    double = choices.numeric == "best_fit_eager_double" or (choices.numeric == "best_fit" and fits)
    if double and scale > 0:
        return _of(column, f"{quoted}::float8", pa.float64(), SchemaType.FLOAT64)
    kind = decimal(scale, precision, optional=column.nullable)
    return ColumnReader(column.name, f"{quoted}::text", pa.string(), kind, _decimals(column.name, kind))


def _integer(column: TableColumn, quoted: str, digits: int) -> ColumnReader:
    if digits <= 2:
        return _of(column, f"{quoted}::int2", pa.int16(), SchemaType.INT8, lambda values, _: values.cast(pa.int8()))
    if digits <= 4:
        return _of(column, f"{quoted}::int2", pa.int16(), SchemaType.INT16)
    if digits <= 9:
        return _of(column, f"{quoted}::int4", pa.int32(), SchemaType.INT32)
    return _of(column, f"{quoted}::int8", pa.int64(), SchemaType.INT64)


def _decimals(name: str, kind: ConnectSchema) -> Finish:
    to = arrow_type(kind)

    def finish(column: pa.Array, _: Counts) -> Any:
        if pc.any(pc.match_substring_regex(column, "[NI]")).as_py():
            raise ConnectError(
                f"column {name} has NaN or Infinity in it, which Connect's Decimal does not hold: set "
                "headrace.exact.types=true, or numeric.mapping=best_fit_eager_double"
            )
        if to is not None:
            return column.cast(to)
        return to_column(kind, _python_decimals(column))

    return finish


def _python_decimals(column: pa.Array) -> list[Any]:
    return [None if text is None else Decimal(text) for text in column.to_pylist()]


def _date(column: TableColumn, quoted: str, *_: Any) -> ColumnReader:
    def finish(values: pa.Array, counts: Counts) -> pa.Array:
        days = _integers(values, pa.int32())
        lowest = pc.min(days).as_py()
        if lowest is None or lowest >= _OLDEST_DAYS:
            return values
        exact = _numpy(days).astype(np.int64)
        wrapped = (exact - _EPOCH_DAYS + 2**31) % 2**32 - 2**31
        infinite = np.abs(wrapped + 0.5) > 2**31 - 1
        _count(counts.infinite, column.name, infinite, values)
        fixed = np.where(infinite, wrapped, exact).astype(np.int32)
        return _array(fixed, values, pa.date32())

    return ColumnReader(column.name, quoted, pa.date32(), date(optional=column.nullable), finish)


def _time(column: TableColumn, quoted: str, *_: Any) -> ColumnReader:
    def finish(values: pa.Array, counts: Counts) -> pa.Array:
        microseconds = _numpy(_integers(values, pa.int64()))
        _count(counts.cut, column.name, microseconds % 1000 != 0, values)
        return _array((microseconds // 1000).astype(np.int32), values, pa.time32("ms"))

    return ColumnReader(column.name, quoted, pa.time64("us"), time(optional=column.nullable), finish)


def _time_with_zone(column: TableColumn, quoted: str, *_: Any) -> ColumnReader:
    return _time(column, f"({quoted} AT TIME ZONE 'UTC')::time")


def _timestamp(column: TableColumn, quoted: str, choices: Choices, literal: Callable[[str], str]) -> ColumnReader:
    if choices.time_zone == "UTC":
        return _instant(column, quoted, choices, pa.timestamp("us"))
    return _timestamptz(column, f"({quoted} AT TIME ZONE {literal(choices.time_zone)})", choices)


def _timestamptz(column: TableColumn, quoted: str, choices: Choices, *_: Any) -> ColumnReader:
    return _instant(column, quoted, choices, pa.timestamp("us", tz="UTC"))


def _instant(column: TableColumn, expression: str, choices: Choices, raw: pa.DataType) -> ColumnReader:
    nullable = column.nullable
    match choices.granularity:
        case "connect_logical":
            return ColumnReader(column.name, expression, raw, timestamp(optional=nullable), _milliseconds(column.name))
        case "micros_long":
            return _of(column, expression, raw, SchemaType.INT64, _microseconds(column.name))
        case "nanos_long":
            return _of(column, expression, raw, SchemaType.INT64, _nanoseconds(column.name))
        case "micros_string":
            return _of(column, expression, raw, SchemaType.STRING, _digits(column.name, ""))
        case "nanos_string":
            return _of(column, expression, raw, SchemaType.STRING, _digits(column.name, "000"))
    return _text(column, _iso(expression, raw, "" if choices.granularity.startswith("micros") else "000"))


def _iso(expression: str, raw: pa.DataType, end: str) -> str:
    """The ISO form in UTC; PostgreSQL's own text for what has none: infinity, years before 1 and after 9999."""
    utc = expression if raw.tz is None else f"({expression} AT TIME ZONE 'UTC')"
    iso = f"to_char({utc}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US{end}')"
    usual = f"{utc} >= '0001-01-01'::timestamp AND {utc} < '10000-01-01'::timestamp"
    return f"CASE WHEN {usual} THEN {iso} ELSE {expression}::text END"


def _milliseconds(name: str) -> Finish:
    """Microseconds to milliseconds, cut towards the past as Java's Timestamp.getTime() cuts."""
    to = pa.timestamp("ms", tz="UTC")

    def finish(values: pa.Array, counts: Counts) -> pa.Array:
        microseconds = _integers(values, pa.int64())
        lowest = pc.min(microseconds).as_py()
        if lowest is None:
            return pa.nulls(len(values), to)
        numbers = _numpy(microseconds)
        milliseconds = numbers // 1000
        cut = milliseconds * 1000 != numbers
        if cut.any():
            _count(counts.cut, name, cut, values)
        if lowest < OLDEST_US:
            milliseconds, infinite = _unwrapped(numbers)
            _count(counts.infinite, name, infinite, values)
        return _array(milliseconds, values, to)

    return finish


def _unwrapped(numbers: Any) -> tuple[Any, Any]:
    """Milliseconds where some have wrapped around in 64 bits (years after 294246, infinity); and which are infinite."""
    with np.errstate(over="ignore"):
        since_2000 = numbers - np.int64(_EPOCH_US)
    milliseconds = since_2000 // 1000 + _EPOCH_US // 1000
    most, least = since_2000 == _MOST, since_2000 == _LEAST
    milliseconds[most], milliseconds[least] = INFINITY_MS, MINUS_INFINITY_MS
    return milliseconds, most | least


def _microseconds(name: str) -> Finish:
    """Microseconds since 1970; infinity as the ends of 64 bits, which is what PostgreSQL itself makes of it."""

    def finish(values: pa.Array, counts: Counts) -> pa.Array:
        since_1970, most, least = _exact_times(values, name)
        if not (most | least).any():
            return _integers(values, pa.int64())
        _count(counts.infinite, name, most | least, values)
        return _array(np.where(most, _MOST, np.where(least, _LEAST, since_1970)), values, pa.int64())

    return finish


def _nanoseconds(name: str) -> Finish:
    def finish(values: pa.Array, counts: Counts) -> pa.Array:
        since_1970, most, least = _exact_times(values, name)
        _count(counts.infinite, name, most | least, values)
        finite = pa.array(np.where(most | least, 0, since_1970))
        try:
            nanoseconds = pc.multiply_checked(finite, 1000).to_numpy()
        except pa.ArrowInvalid:
            why = "has a time that 64 bits of nanoseconds do not reach: set timestamp.granularity=nanos_string"
            raise ConnectError(f"column {name} {why}") from None
        return _array(np.where(most, _MOST, np.where(least, _LEAST, nanoseconds)), values, pa.int64())

    return finish


def _digits(name: str, end: str) -> Finish:
    """Microseconds since 1970 as text with `end` after it; infinity by name."""

    def finish(values: pa.Array, _: Counts) -> pa.Array:
        since_1970, most, least = _exact_times(values, name)
        text = pa.array(since_1970, mask=_mask(values)).cast(pa.string())
        if end:
            text = pc.if_else(pc.equal(text, "0"), text, pc.binary_join_element_wise(text, end, ""))
        if (most | least).any():
            named = pc.if_else(pa.array(most), "infinity", "-infinity")
            text = pc.if_else(pc.and_(pa.array(most | least), values.is_valid()), named, text)
        return text

    return finish


def _exact_times(values: pa.Array, name: str) -> tuple[Any, Any, Any]:
    """Microseconds since 1970, and which are infinity and -infinity. Raises ConnectError beyond 64 bits."""
    numbers = _numpy(_integers(values, pa.int64()))
    with np.errstate(over="ignore"):
        since_2000 = numbers - np.int64(_EPOCH_US)
    most, least = since_2000 == _MOST, since_2000 == _LEAST
    if ((numbers < OLDEST_US) & ~most & ~least).any():
        why = "has a time that 64 bits of microseconds since 1970 do not reach"
        raise ConnectError(f"column {name} {why}: set timestamp.granularity=micros_iso_datetime_string")
    return numbers, most, least


def times_us(values: pa.Array) -> Any:
    """A column of times without nulls as microseconds; infinity as the end of the range."""
    return _numpy(_integers(values, pa.int64()))


def _integers(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """The same buffers as integers."""
    return pa.Array.from_buffers(kind, len(values), values.buffers(), values.null_count, values.offset)


def _numpy(values: pa.Array) -> Any:
    """The numbers, whatever stands where null is."""
    if values.null_count:
        values = pc.fill_null(values, 0)
    return values.to_numpy(zero_copy_only=False)


def _array(numbers: Any, like: pa.Array, kind: pa.DataType) -> pa.Array:
    """An array of `kind` over these numbers, null where `like` is."""
    plain = pa.array(numbers) if not like.null_count else pa.array(numbers, mask=_mask(like))
    return pa.Array.from_buffers(kind, len(plain), plain.buffers(), plain.null_count, plain.offset)


def _mask(values: pa.Array) -> Any:
    return values.is_null().to_numpy(zero_copy_only=False)


def _count(counts: dict[str, int], name: str, hits: Any, values: pa.Array) -> None:
    if values.null_count:
        hits = hits & ~_mask(values)
    found = int(np.count_nonzero(hits))
    if found:
        counts[name] = counts.get(name, 0) + found


_READERS: Final[Mapping[str, Callable[..., ColumnReader]]] = {
    "bool": _plain(pa.bool_(), SchemaType.BOOLEAN),
    "int2": _plain(pa.int16(), SchemaType.INT16),
    "int4": _plain(pa.int32(), SchemaType.INT32),
    "int8": _plain(pa.int64(), SchemaType.INT64),
    "oid": _cast("int8", pa.int64(), SchemaType.INT64),
    "float4": _plain(pa.float32(), SchemaType.FLOAT32),
    "float8": _plain(pa.float64(), SchemaType.FLOAT64),
    "text": _plain(pa.string(), SchemaType.STRING),
    "varchar": _plain(pa.string(), SchemaType.STRING),
    "bytea": _plain(pa.binary(), SchemaType.BYTES),
    "bpchar": _padded,
    "bit": _bit,
    "numeric": _numeric,
    "date": _date,
    "time": _time,
    "timetz": _time_with_zone,
    "timestamp": _timestamp,
    "timestamptz": _timestamptz,
}
"""All other types are selected as text."""
_EXACT: Final = frozenset(
    {"bool", "int2", "int4", "int8", "oid", "float4", "float8", "text", "varchar", "bpchar", "bytea"}
)
"""Types of which every value is exact as a Connect type of its own."""
