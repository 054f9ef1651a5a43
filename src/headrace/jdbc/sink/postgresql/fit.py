"""Values of a field in the type of its column: whether they fit, and as which Arrow array they are written.

Sans-IO. The target column's type decides: integers stay integers and are checked, text that goes into a column of
another type stays text, which the server reads as that type. What cannot fit is said once, before any row
(`misfit`); a single value that does not fit raises `BadValue`.
"""

import base64
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import Column, ConnectSchema, SchemaType, to_values
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.jdbc.sink.postgresql import bits, far_times, uuids
from headrace.jdbc.sink.postgresql.table import SinkColumn

INTEGERS: Final = {"int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64(), "oid": pa.uint32()}
FLOATS: Final = {"float4": pa.float32(), "float8": pa.float64()}
TEXTS: Final = frozenset({"text", "varchar", "bpchar", "name", "citext"})
JSONS: Final = frozenset({"json", "jsonb"})
MOMENTS: Final = frozenset({"date", "time", "timetz", "timestamp", "timestamptz"})
SHORT_DIGITS: Final = 18
"""Decimals of so many digits fit 64 bits."""
MAX_MILLIS: Final = 9_000_000_000_000_000
"""Beyond it microseconds do not fit 64 bits; PostgreSQL's own range is narrower still."""


class BadValue(Exception):
    """A value that does not fit its column: row of the array, the value, and why."""

    def __init__(self, row: int, value: Any, why: str) -> None:
        super().__init__(why)
        self.row, self.value, self.why = row, value, why


@dataclass(frozen=True, slots=True)
class Zone:
    """`db.timezone`: the zone that a column without one is written in."""

    name: str = "UTC"


def kind_of(schema: ConnectSchema) -> str:
    """One word for what a schema holds: integer, float, boolean, string, bytes, decimal, date, time, timestamp, list,
    or document (MAP and STRUCT)."""
    logical = {DECIMAL: "decimal", DATE: "date", TIME: "time", TIMESTAMP: "timestamp"}.get(schema.name or "")
    if logical is not None:
        return logical
    match schema.type:
        case SchemaType.INT8 | SchemaType.INT16 | SchemaType.INT32 | SchemaType.INT64:
            return "integer"
        case SchemaType.FLOAT32 | SchemaType.FLOAT64:
            return "float"
        case SchemaType.ARRAY:
            return "list"
        case SchemaType.MAP | SchemaType.STRUCT:
            return "document"
    return str(schema.type.value)


def type_name(schema: ConnectSchema) -> str:
    """The schema's type as a person reads it: `INT32`, or the logical name."""
    logical = schema.name and kind_of(schema) in ("decimal", "date", "time", "timestamp")
    return str(schema.name).rpartition(".")[2] if logical else schema.type.name


def misfit(column: SinkColumn, schema: ConnectSchema) -> str | None:
    """What to do about a field that no value of can go into the column; None where they can."""
    kind, base = kind_of(schema), column.base
    is_array = base.startswith("_")
    number = base in INTEGERS or base in FLOATS or base == "numeric"
    loose = base in TEXTS or column.kind == "e"
    fits = {
        "string": True,
        "integer": number or loose or base in JSONS or base in ("money", "bit"),
        "float": number or loose or base in JSONS or base == "money",
        "decimal": number or loose or base in JSONS or base == "money",
        "boolean": base in ("bool", "bit") or loose or base in JSONS,
        "bytes": base in ("bytea", "bit", "varbit"),
        "date": base in MOMENTS - {"time", "timetz"} or loose,
        "time": base in ("time", "timetz", "interval") or loose,
        "timestamp": base in MOMENTS or loose,
        "list": is_array or base in JSONS or loose,
        "document": base in JSONS or loose,
    }[kind]
    return None if fits else _remedy(kind, column)


def _remedy(kind: str, column: SinkColumn) -> str:
    if column.base in MOMENTS and kind == "integer":
        return "convert the field with the TimestampConverter transform (target.type=Timestamp), or change the column"
    if kind == "document":
        return "make the column jsonb, or flatten the field with the Flatten transform"
    return "change the column's type, or convert the field with a transform"


def fit(column: SinkColumn, schema: ConnectSchema, zone: Zone = Zone()) -> Callable[[Column], pa.Array]:
    """The function from a column of `schema` to the array that is written. It raises BadValue."""
    kind, base = kind_of(schema), column.base
    if kind in ("list", "document"):
        return _by_row(schema, _array_text if base.startswith("_") else _json_text)
    if base in bits.TYPES and kind in ("boolean", "integer", "bytes"):
        return bits.digits(column, kind)
    if kind == "date" and base in ("date", "timestamp", "timestamptz"):
        return lambda values: far_times.named(_as_they_are(values))
    if base in INTEGERS and kind in ("integer", "float", "decimal"):
        return _integers(INTEGERS[base], column.shown or base)
    if base in FLOATS and kind in ("integer", "float", "decimal"):
        return _floats(FLOATS[base], column.shown or base)
    if kind == "timestamp":
        return _timestamps(base, zone)
    if kind == "decimal" and base == "numeric":
        return _decimals
    if base == "uuid":
        return lambda values: uuids.packed(_as_they_are(values))
    if base in TEXTS or base in JSONS or column.kind == "e":
        return _texts
    return _as_they_are


def _as_they_are(column: Column) -> pa.Array:
    if not isinstance(column, list):
        return _one_width(column)
    return pa.array([_python_text(value) for value in column], pa.string())


def _decimals(column: Column) -> pa.Array:
    """Decimals whose schema names no precision are wide; those that are short in fact are made so."""
    array = _as_they_are(column)
    if (
        pa.types.is_decimal(array.type)
        and array.type.precision > SHORT_DIGITS
        and 0 <= array.type.scale <= SHORT_DIGITS
    ):
        with contextlib.suppress(pa.ArrowInvalid):
            return array.cast(pa.decimal128(SHORT_DIGITS, array.type.scale))
    return array


def _one_width(array: pa.Array) -> pa.Array:
    """Text and bytes with 32-bit offsets, whoever made them."""
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    if pa.types.is_large_binary(array.type) or pa.types.is_binary_view(array.type):
        return array.cast(pa.binary())
    return array


def _texts(column: Column) -> pa.Array:
    array = _as_they_are(column)
    return array if pa.types.is_string(array.type) else array.cast(pa.string())


def _python_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray)):
        return "\\x" + bytes(value).hex()
    return str(value)


def _integers(target: pa.DataType, shown: str) -> Callable[[Column], pa.Array]:
    def convert(column: Column) -> pa.Array:
        array = pa.array(column, pa.decimal256(76, 20)) if isinstance(column, list) else column
        if array.type == target:
            return array
        try:
            return array.cast(target)
        except pa.ArrowInvalid:
            raise _first_bad(array, lambda value: value.cast(target), f"it does not fit type {shown}") from None

    return convert


def _floats(target: pa.DataType, shown: str) -> Callable[[Column], pa.Array]:
    def convert(column: Column) -> pa.Array:
        array = pa.array(map(float, column), pa.float64()) if isinstance(column, list) else column
        if array.type == target:
            return array
        wide = array.cast(pa.float64(), safe=False)
        if target == pa.float64():
            return wide
        narrow = wide.cast(target, safe=False)
        lost = pc.and_(pc.is_finite(wide), pc.invert(pc.is_finite(narrow)))
        if pc.any(lost).as_py():
            row = pc.index(lost, True).as_py()
            raise BadValue(row, wide[row].as_py(), f"it is out of the range of type {shown}")
        return narrow

    return convert


def _first_bad(array: pa.Array, cast: Callable[[Any], Any], why: str) -> BadValue:
    for row, value in enumerate(array):
        try:
            cast(value)
        except pa.ArrowInvalid:
            return BadValue(row, value.as_py(), why)
    return BadValue(0, None, why)


def _timestamps(base: str, zone: Zone) -> Callable[[Column], pa.Array]:
    """Connect's instants: as they are for a column with a time zone, as the zone's wall clock elsewhere."""

    def convert(column: Column) -> pa.Array:
        array = pa.array(column, pa.timestamp("ms", tz="UTC")) if isinstance(column, list) else column
        if not pa.types.is_timestamp(array.type):
            return _texts(array)
        unit = array.type.unit
        infinite = far_times.split(array) if unit == "ms" and base in ("timestamp", "timestamptz", "date") else None
        if infinite is not None:
            finite, low, high = infinite
            return far_times.join(convert(finite), low, high)
        _check_range(array)
        if base == "timestamptz" or zone.name == "UTC":
            local = array.cast(pa.timestamp(unit))
        else:
            local = pc.local_timestamp(array.cast(pa.timestamp(unit, tz=zone.name)))
        if base == "date":
            return pc.floor_temporal(local, unit="day").cast(pa.date32())
        if base in ("time", "timetz"):
            return local.cast(pa.time32("ms") if unit == "ms" else pa.time64("us"), safe=False)
        return local

    return convert


def _check_range(array: pa.Array) -> None:
    numbers, unit = array.cast(pa.int64()), array.type.unit
    most = MAX_MILLIS if unit == "ms" else MAX_MILLIS * 1000
    ends = pc.min_max(numbers).as_py()
    for end in filter(None, ends.values()):
        if abs(end) > most:
            row = pc.index(numbers, end).as_py()
            raise BadValue(
                row, f"{end} {unit} since 1970", "PostgreSQL's timestamps go from 4713 BC to the year 294276"
            )


def _by_row(schema: ConnectSchema, text: Callable[[Any], str]) -> Callable[[Column], pa.Array]:
    """Nested values, row by row, as text that the server reads."""

    def convert(column: Column) -> pa.Array:
        values = to_values(schema, column, len(column))
        return pa.array([None if value is None else text(value) for value in values], pa.string())

    return convert


def _json_text(value: Any) -> str:
    return orjson.dumps(value, default=_json_default, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()


def _json_default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return str(value)


def _array_text(value: list[Any]) -> str:
    return "{" + ",".join(_array_item(item) for item in value) + "}"


def _array_item(item: Any) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, list):
        return _array_text(item)
    if isinstance(item, dict):
        item = _json_text(item)
    elif isinstance(item, (date, time, datetime)):
        item = item.isoformat(" ") if isinstance(item, datetime) else item.isoformat()
    text = str(_python_text(item))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
