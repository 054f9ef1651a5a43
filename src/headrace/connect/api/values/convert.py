"""`Values.convertTo...`: a value as one of another type. `schema` is the value's own, None where nobody knows it.

Each raises DataError where the value has no such form, in Java's words. Numbers beyond the wanted type wrap around, as
Java's casts do; callers who do not want that look first.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from headrace.connect.api.error import DataError
from headrace.connect.api.java import numbers
from headrace.connect.api.java.calendar import DAY_MS
from headrace.connect.api.java.numbers import decimal_to_long, float64_text, float_to_integer, parse_decimal, wrap
from headrace.connect.api.java.text import class_text, epoch_millis, schema_text
from headrace.connect.api.java.text import to_string as java_text
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP, ConnectSchema, SchemaType
from headrace.connect.api.schema import decimal as decimal_schema
from headrace.connect.api.schema import schema as make_schema
from headrace.connect.api.values import dates, text

_LIST: Final = make_schema(SchemaType.ARRAY, value_schema=make_schema(SchemaType.STRING))
_MAP: Final = make_schema(SchemaType.MAP)
_STRUCT: Final = make_schema(SchemaType.STRUCT)
_NULL_REFUSED: Final = "Unable to convert a null value to a schema that requires a value"


def to_boolean(schema: ConnectSchema | None, value: Any) -> bool | None:
    """Texts as `parse_string` reads them; numbers other than 0 are true."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        _, parsed = _parsed(value)
        if isinstance(parsed, bool):
            return parsed
    return _long(schema, value) != 0


def to_int8(schema: ConnectSchema | None, value: Any) -> int | None:
    return None if value is None else wrap(_long(schema, value), 8)


def to_int16(schema: ConnectSchema | None, value: Any) -> int | None:
    return None if value is None else wrap(_long(schema, value), 16)


def to_int32(schema: ConnectSchema | None, value: Any) -> int | None:
    return None if value is None else wrap(_long(schema, value), 32)


def to_int64(schema: ConnectSchema | None, value: Any) -> int | None:
    return None if value is None else wrap(_long(schema, value), 64)


def to_float32(schema: ConnectSchema | None, value: Any) -> float | None:
    return None if value is None else numbers.to_float32(_double(schema, value))


def to_float64(schema: ConnectSchema | None, value: Any) -> float | None:
    return None if value is None else _double(schema, value)


def to_string(schema: ConnectSchema | None, value: Any) -> str | None:
    """Dates, times and timestamps in ISO 8601, bytes in base64, lists and maps much like JSON."""
    return None if value is None else text.write(schema, value)


def to_date(schema: ConnectSchema | None, value: Any) -> Any:
    """From a Date or Timestamp, a number of days, or text in ISO 8601 (which has no schema)."""
    value = _temporal(value)
    if isinstance(value, dt.date | dt.time):
        millis = epoch_millis(value)
        if schema is None or schema.name == DATE:
            return _of_millis(dates.DATE_SCHEMA, millis)
        if schema.name == TIMESTAMP:
            return _of_millis(dates.DATE_SCHEMA, int(millis / DAY_MS) * DAY_MS)
    return _of_millis(dates.DATE_SCHEMA, wrap(_long(schema, value), 32) * DAY_MS)


def to_time(schema: ConnectSchema | None, value: Any) -> Any:
    """From a Time or Timestamp, a number of milliseconds, or text in ISO 8601 (which has no schema)."""
    value = _temporal(value)
    if isinstance(value, dt.date | dt.time) and (schema is None or schema.name in (TIME, TIMESTAMP)):
        return _of_millis(dates.TIME_SCHEMA, epoch_millis(value) % DAY_MS)
    return _of_millis(dates.TIME_SCHEMA, wrap(_long(schema, value), 32))


def to_timestamp(schema: ConnectSchema | None, value: Any) -> Any:
    """From a Date, Time or Timestamp, a number of milliseconds, or text in ISO 8601 (which has no schema)."""
    value = _temporal(value)
    if isinstance(value, dt.date | dt.time) and (schema is None or schema.name in (DATE, TIME, TIMESTAMP)):
        return _of_millis(dates.TIMESTAMP_SCHEMA, epoch_millis(value))
    return _of_millis(dates.TIMESTAMP_SCHEMA, _long(schema, value))


def to_decimal(schema: ConnectSchema | None, value: Any, scale: int) -> Decimal:
    """Of bytes, the unscaled number, `scale` counts; a Decimal, a number or a text keeps its own digits."""
    match value:
        case None:
            raise DataError(_NULL_REFUSED)
        case bytes():
            return Decimal(int.from_bytes(value, "big", signed=True)).scaleb(-scale, numbers.EXACT)
        case Decimal():
            return value
        case bool():
            raise _refused(schema, value, schema_text(decimal_schema(scale)))
        case int() | float():
            return _decimal_of_text(float64_text(float(value)))
        case str():
            return _decimal_of_text(value)
    raise _refused(schema, value, schema_text(decimal_schema(scale)))


def to_list(schema: ConnectSchema | None, value: Any) -> Any:
    return _collection(schema, value, list, _LIST)


def to_map(schema: ConnectSchema | None, value: Any) -> Any:
    """A struct is no map."""
    if schema is not None and schema.type is SchemaType.STRUCT and value is not None:
        raise _refused(schema, value, schema_text(_MAP))
    return _collection(schema, value, dict, _MAP)


def to_struct(schema: ConnectSchema | None, value: Any) -> dict[str, Any]:
    """Structs are not made of anything else."""
    if value is None:
        raise DataError(_NULL_REFUSED)
    if isinstance(value, dict) and schema is not None and schema.type is SchemaType.STRUCT:
        return value
    raise _refused(schema, value, schema_text(_STRUCT))


def convert(target: ConnectSchema, schema: ConnectSchema | None, value: Any) -> Any:
    """`Values.convertTo`: the value as one of the schema `target`."""
    if value is None:
        if target.optional:
            return None
        raise DataError(_NULL_REFUSED)
    if target.name == DECIMAL:
        return to_decimal(schema, value, int(target.parameter("scale") or 0))
    if target.name in _LOGICAL:
        return _LOGICAL[target.name](schema, value)
    if target.type is SchemaType.BYTES:
        return _to_bytes(target, schema, value)
    return _BY_TYPE[target.type](schema, value)


def _to_bytes(target: ConnectSchema, schema: ConnectSchema | None, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    raise _refused(schema, value, schema_text(target))


_LOGICAL: Final[dict[str | None, Callable[[ConnectSchema | None, Any], Any]]] = {
    DATE: to_date,
    TIME: to_time,
    TIMESTAMP: to_timestamp,
}
_BY_TYPE: Final[dict[SchemaType, Callable[[ConnectSchema | None, Any], Any]]] = {
    SchemaType.INT8: to_int8,
    SchemaType.INT16: to_int16,
    SchemaType.INT32: to_int32,
    SchemaType.INT64: to_int64,
    SchemaType.FLOAT32: to_float32,
    SchemaType.FLOAT64: to_float64,
    SchemaType.BOOLEAN: to_boolean,
    SchemaType.STRING: to_string,
    SchemaType.ARRAY: to_list,
    SchemaType.MAP: to_map,
    SchemaType.STRUCT: to_struct,
}


def _parsed(value: str) -> tuple[ConnectSchema | None, Any]:
    # parse needs convert for the members of arrays.
    from headrace.connect.api.values.parse import parse_string

    return parse_string(value)


def _temporal(value: Any) -> Any:
    if value is None:
        raise DataError(_NULL_REFUSED)
    return _parsed(value)[1] if isinstance(value, str) else value


def _of_millis(target: ConnectSchema, millis: int) -> Any:
    try:
        return dates.of_millis(target, millis)
    except OverflowError:
        if target is dates.TIME_SCHEMA:
            raise DataError(
                "Time values must use number of milliseconds greater than 0 and less than 86400000"
            ) from None
        raise DataError(f"{millis} ms since 1970 lies outside the years 1 to 9999") from None


def _long(schema: ConnectSchema | None, value: Any) -> int:
    """Numbers and texts of numbers; a Date's days, a Time's or Timestamp's milliseconds where the schema says so."""
    match value:
        case bool():
            pass
        case int():
            return wrap(value, 64)
        case float():
            return float_to_integer(value)
        case Decimal():
            return decimal_to_long(value)
        case str():
            try:
                return decimal_to_long(parse_decimal(value))
            except ValueError:
                pass
        case dt.date() | dt.time() if schema is not None and schema.name in _LOGICAL:
            return epoch_millis(value) // (DAY_MS if schema.name == DATE else 1)
    raise _refused(schema, value, "a number" if schema is None else schema_text(schema))


def _double(schema: ConnectSchema | None, value: Any) -> float:
    match value:
        case float() | Decimal():
            return float(value)
        case str():
            try:
                return float(parse_decimal(value))
            except ValueError:
                pass
    return float(_long(schema, value))


def _decimal_of_text(written: str) -> Decimal:
    try:
        return parse_decimal(written)
    except ValueError as error:
        raise DataError(f"Unable to convert {written} to a Decimal: {error}") from None


def _collection(schema: ConnectSchema | None, value: Any, kind: type, target: ConnectSchema) -> Any:
    if value is None:
        raise DataError(_NULL_REFUSED)
    if isinstance(value, str):
        schema, value = _parsed(value)
    if isinstance(value, kind):
        return value
    raise _refused(schema, value, schema_text(target))


def _refused(schema: ConnectSchema | None, value: Any, target: str) -> DataError:
    shown = "bytes" if isinstance(value, bytes) else java_text(schema, value)
    return DataError(f"Unable to convert {shown} ({class_text(schema, value)}) to {target}")
