"""Many parsed JSON values of one schema to an Arrow column; agrees with the row decoder.

orjson parses each payload by itself, and the columns are built from the parsed values. Measured against one buffer
through `pyarrow.json` and `polars.read_ndjson`: as fast (a million rows of seven columns a second), and a broken,
missing or repeated part of one payload cannot shift another.

Whatever is not plainly right here (a value of another type, a missing field that is required) goes to the row decoder,
which knows what is allowed and names what is not.
"""

from base64 import b64decode
from collections.abc import Callable
from types import NoneType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import Column, ConnectSchema, SchemaType, arrow_type, to_column
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.connect.converters.json.form import Form, MisfitError
from headrace.connect.converters.json.row_decoder import DAY_MS, decode


class _DoubtError(Exception):
    """These values are the row decoder's."""


class InexactError(Exception):
    """A decimal was written as a JSON number, which has to be parsed anew with all its digits."""


_REFUSALS: Final = (
    _DoubtError,
    MisfitError,
    pa.ArrowInvalid,
    pa.ArrowTypeError,
    pa.ArrowNotImplementedError,
    OverflowError,
    TypeError,
    AttributeError,
    ValueError,
)


def decode_column(schema: ConnectSchema, values: list[Any], form: Form) -> Column:
    """The column of parsed values. Raises MisfitError, and InexactError for `decode_exact` to do it."""
    try:
        return _column(schema, values, form)
    except _REFUSALS:
        _expect_exact_decimals(schema)
        return decode_exact(schema, values, form)


def decode_exact(schema: ConnectSchema, values: list[Any], form: Form) -> Column:
    """The same, row by row; numbers may be Decimals. Raises MisfitError."""
    return to_column(schema, [decode(schema, value, form) for value in values])


def _column(schema: ConnectSchema, values: list[Any], form: Form) -> pa.Array:
    kind = arrow_type(schema)
    if kind is None:
        raise _DoubtError
    if schema.name in _LOGICAL:
        column = _LOGICAL[schema.name](schema, values, kind, form)
    else:
        column = _BY_TYPE[schema.type](schema, values, kind, form)
    if column.null_count and (not schema.optional or schema.default is not None):
        raise _DoubtError
    return column


_WHOLE: Final = frozenset({int, NoneType})
_NUMBERS: Final = _WHOLE | {float}


def _numbers(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Told the type, Arrow would take 1.5 as the integer 1 without an error; left to find it, it looks for pandas."""
    if not set(map(type, values)) <= (_WHOLE if pa.types.is_integer(kind) else _NUMBERS):
        raise _DoubtError
    return pa.array(values, kind)


def _number(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    return _numbers(values, kind)


def _boolean(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    return pa.array(values, kind)


def _string(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    return pa.array(values, kind)


def _bytes(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    return pa.array([None if value is None else b64decode(value, validate=True) for value in values], kind)


def _date(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    return _numbers(values, pa.int32()).cast(kind)


def _time(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    millis = _numbers(values, pa.int32())
    bounds = pc.min_max(millis)
    if not 0 <= (bounds["min"].as_py() or 0) <= (bounds["max"].as_py() or 0) < DAY_MS:
        raise _DoubtError
    return millis.cast(kind)


def _timestamp(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    return _numbers(values, pa.int64()).cast(kind)


def _decimal(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    if any(type(value) in (int, float) for value in values):
        raise InexactError
    return _rows(schema, values, kind, form)


def _rows(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    column = to_column(schema, [None if value is None else decode(schema, value, form) for value in values])
    if isinstance(column, list):
        raise _DoubtError
    return column


def _array(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    _expect_exact_decimals(schema)
    return _rows(schema, values, kind, form)


def _expect_exact_decimals(schema: ConnectSchema | None) -> None:
    """Raises InexactError where there is a Decimal anywhere in the schema."""
    if schema is None:
        return
    if schema.name == DECIMAL:
        raise InexactError
    for part in (schema.key_schema, schema.value_schema, *(field.schema for field in schema.fields)):
        _expect_exact_decimals(part)


def _struct(schema: ConnectSchema, values: list[Any], kind: pa.DataType, form: Form) -> pa.Array:
    if None in values:
        valid = np.array([value is not None for value in values])
        present = _struct(schema, [value for value in values if value is not None], kind, form)
        return present.take(pa.array(np.cumsum(valid) - 1, mask=~valid))
    if not schema.fields or form.is_union(schema):
        raise _DoubtError
    children = [_column(field.schema, _member(values, field.name), form) for field in schema.fields]
    return pa.StructArray.from_arrays(children, fields=list(kind))


def _member(values: list[Any], name: str) -> list[Any]:
    try:
        return [value[name] for value in values]
    except KeyError:
        return [value.get(name) for value in values]


_LOGICAL: Final = {DECIMAL: _decimal, DATE: _date, TIME: _time, TIMESTAMP: _timestamp}
_BY_TYPE: Final[dict[SchemaType, Callable[[ConnectSchema, list[Any], pa.DataType, Form], pa.Array]]] = {
    SchemaType.INT8: _number,
    SchemaType.INT16: _number,
    SchemaType.INT32: _number,
    SchemaType.INT64: _number,
    SchemaType.FLOAT32: _number,
    SchemaType.FLOAT64: _number,
    SchemaType.BOOLEAN: _boolean,
    SchemaType.STRING: _string,
    SchemaType.BYTES: _bytes,
    SchemaType.ARRAY: _array,
    SchemaType.MAP: _array,
    SchemaType.STRUCT: _struct,
}
