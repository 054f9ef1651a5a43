"""Columns: an Arrow array, or a Python list where no one Arrow type holds the values.

Arrow types are derived from a ConnectSchema here, and only here.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from types import NoneType
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from headrace.connect.api.error import DataError
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP, ConnectSchema, SchemaType

Column: TypeAlias = pa.Array | list[Any]
"""The values of one schema, in rows' order; null where a value is missing. An array is never chunked."""

MAX_DECIMAL_DIGITS = 76
"""Arrow's widest decimal; beyond it a column is a list."""

_PRIMITIVE = {
    SchemaType.INT8: pa.int8(),
    SchemaType.INT16: pa.int16(),
    SchemaType.INT32: pa.int32(),
    SchemaType.INT64: pa.int64(),
    SchemaType.FLOAT32: pa.float32(),
    SchemaType.FLOAT64: pa.float64(),
    SchemaType.BOOLEAN: pa.bool_(),
    SchemaType.STRING: pa.string(),
    SchemaType.BYTES: pa.binary(),
}
_LOGICAL = {
    DATE: pa.date32(),
    TIME: pa.time32("ms"),
    TIMESTAMP: pa.timestamp("ms", tz="UTC"),
}

_BASE = {DATE: SchemaType.INT32, TIME: SchemaType.INT32, TIMESTAMP: SchemaType.INT64, DECIMAL: SchemaType.BYTES}
"""The type that each logical type stands on; under the name of one over another type, values are plain."""

_HELD: dict[SchemaType, frozenset[type]] = {
    SchemaType.INT8: frozenset({int, NoneType}),
    SchemaType.INT16: frozenset({int, NoneType}),
    SchemaType.INT32: frozenset({int, NoneType}),
    SchemaType.INT64: frozenset({int, NoneType}),
    SchemaType.FLOAT32: frozenset({float, int, NoneType}),
    SchemaType.FLOAT64: frozenset({float, int, NoneType}),
    SchemaType.BOOLEAN: frozenset({bool, NoneType}),
    SchemaType.STRING: frozenset({str, NoneType}),
    SchemaType.BYTES: frozenset({bytes, NoneType}),
}
_LOGICAL_HELD: dict[str, frozenset[type]] = {
    DECIMAL: frozenset({Decimal, int, NoneType}),
    DATE: frozenset({date, NoneType}),
    TIME: frozenset({time, NoneType}),
    TIMESTAMP: frozenset({datetime, NoneType}),
}


def arrow_type(schema: ConnectSchema | None) -> pa.DataType | None:
    """The Arrow type of a column of `schema`, or None where the column is a Python list.

    STRUCT is a struct in field order, ARRAY a list, MAP a map, Decimal decimal128 or decimal256 by its precision (76
    where the schema names none and the scale allows). None for no schema (schemaless data).
    """
    if schema is None:
        return None
    logical = _logical_name(schema)
    if logical == DECIMAL:
        return _decimal_type(schema)
    if logical is not None:
        return _LOGICAL[logical]
    match schema.type:
        case SchemaType.STRUCT:
            fields = [(field.name, arrow_type(field.schema)) for field in schema.fields]
            if any(kind is None for _, kind in fields) or len({name for name, _ in fields}) < len(fields):
                return None
            return pa.struct(fields)
        case SchemaType.ARRAY:
            item = arrow_type(schema.value_schema)
            return None if item is None else pa.list_(item)
        case SchemaType.MAP:
            key, item = arrow_type(schema.key_schema), arrow_type(schema.value_schema)
            return None if key is None or item is None else pa.map_(key, item)
    return _PRIMITIVE[schema.type]


def _logical_name(schema: ConnectSchema) -> str | None:
    """The logical type of a schema, or None."""
    return schema.name if schema.name is not None and _BASE.get(schema.name) is schema.type else None


def _decimal_type(schema: ConnectSchema) -> pa.DataType | None:
    scale = int(schema.parameter("scale") or 0)
    precision = int(schema.parameter("connect.decimal.precision") or MAX_DECIMAL_DIGITS)
    if not 0 < precision <= MAX_DECIMAL_DIGITS or not -MAX_DECIMAL_DIGITS <= scale <= precision:
        return None
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def integers(values: Any) -> pa.Array:
    """An int32 or int64 numpy array as an Arrow one, over the same memory.

    `pa.array` looks for pandas first, each time anew where that is not installed: a quarter of a millisecond.
    """
    kind = {"<i4": pa.int32(), "<i8": pa.int64()}[values.dtype.str]
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def to_column(schema: ConnectSchema | None, values: Sequence[Any]) -> Column:
    """A column of row values; a list where Arrow has no type for them or cannot hold one of them exactly.

    Connect's times have milliseconds: finer digits are cut.
    """
    kind = arrow_type(schema)
    if schema is None or kind is None:
        return list(values)
    try:
        if pa.types.is_nested(kind):
            return pa.array([_to_arrow(schema, value) for value in values], type=kind)
        if {type(value) for value in values} <= _held_types(schema):
            return pa.array(values, type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, AttributeError, TypeError, UnicodeEncodeError):
        pass
    return list(values)


def _held_types(schema: ConnectSchema) -> frozenset[type]:
    """The types of row values that Arrow holds as they are; it would take 1.5 as the integer 1 without an error."""
    return _LOGICAL_HELD.get(_logical_name(schema) or "") or _HELD[schema.type]


def _to_arrow(schema: ConnectSchema, value: Any) -> Any:
    if value is None:
        return None
    match schema:
        case ConnectSchema(
            type=SchemaType.MAP, key_schema=ConnectSchema() as key, value_schema=ConnectSchema() as item
        ):
            return [(_to_arrow(key, k), _to_arrow(item, v)) for k, v in value.items()]
        case ConnectSchema(type=SchemaType.ARRAY, value_schema=ConnectSchema() as item):
            return [_to_arrow(item, element) for element in value]
        case ConnectSchema(type=SchemaType.STRUCT):
            return {field.name: _to_arrow(field.schema, value.get(field.name)) for field in schema.fields}
    if type(value) not in _held_types(schema):
        raise TypeError(f"{value!r} in a column of {schema.type.value}")
    return value


def to_values(schema: ConnectSchema | None, column: Column | None, length: int) -> list[Any]:
    """The row values of a column; `length` Nones where there is no column.

    Raises DataError where Python has no such date (years beyond 1-9999).
    """
    if column is None:
        return [None] * length
    if isinstance(column, list):
        return column
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError) as error:
        raise DataError(f"a date or timestamp lies outside the years 1 to 9999: {error}") from error
    return [_from_arrow(schema, value) for value in values] if _nested(schema) else values


def _nested(schema: ConnectSchema | None) -> bool:
    """Whether Arrow's own Python values differ from ours: a map somewhere inside."""
    if schema is None:
        return False
    inner = [field.schema for field in schema.fields] + [schema.key_schema, schema.value_schema]
    return schema.type is SchemaType.MAP or any(_nested(part) for part in inner)


def _from_arrow(schema: ConnectSchema | None, value: Any) -> Any:
    if schema is None or value is None:
        return value
    match schema.type:
        case SchemaType.MAP:
            return {_from_arrow(schema.key_schema, k): _from_arrow(schema.value_schema, v) for k, v in value}
        case SchemaType.ARRAY:
            return [_from_arrow(schema.value_schema, item) for item in value]
        case SchemaType.STRUCT:
            return {field.name: _from_arrow(field.schema, value[field.name]) for field in schema.fields}
    return value
