"""Java's casts of one value: what `Cast` makes of a row."""

import datetime as dt
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from headrace.connect.api import ConnectSchema, DataError, SchemaType
from headrace.connect.api.java.calendar import DAY_MS
from headrace.connect.api.java.numbers import (
    EXACT,
    decimal_text,
    decimal_to_float32,
    decimal_to_long,
    exponent_of,
    float_to_integer,
    to_float32,
    wrap,
)
from headrace.connect.api.java.parse_numbers import parse_float32, parse_float64, parse_integer
from headrace.connect.api.java.text import class_text, epoch_millis, to_string
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.connect.api.values.dates import write as date_text

BITS: Final = {SchemaType.INT8: 8, SchemaType.INT16: 16, SchemaType.INT32: 32, SchemaType.INT64: 64}
TARGETS: Final = (*BITS, SchemaType.FLOAT32, SchemaType.FLOAT64, SchemaType.BOOLEAN, SchemaType.STRING)
SOURCES: Final = (*TARGETS, SchemaType.BYTES)
_TYPE_OF: Final[dict[type, SchemaType]] = {
    bool: SchemaType.BOOLEAN,
    int: SchemaType.INT64,
    float: SchemaType.FLOAT64,
    str: SchemaType.STRING,
    bytes: SchemaType.BYTES,
    list: SchemaType.ARRAY,
    dict: SchemaType.MAP,
}


def check_source(kind: SchemaType) -> None:
    """Raises DataError for the types that no cast begins with."""
    if kind not in SOURCES:
        names = ", ".join(source.name for source in SOURCES)
        raise DataError(f"Cast transformation does not support casting from {kind.name}; supported types are [{names}]")


def cast_value(schema: ConnectSchema | None, value: Any, target: SchemaType) -> Any:
    """The value as `target`; null stays null. Raises DataError."""
    if value is None:
        return None
    check_source(_type_of(schema, value))
    try:
        if target is SchemaType.STRING:
            return _text(schema, value)
        if schema is not None and schema.name in (DATE, TIME, TIMESTAMP):
            value = epoch_millis(value) // (DAY_MS if schema.name == DATE else 1)
        return _CASTS[target](schema, value)
    except ValueError:
        raise DataError(f"Value ({value}) was out of range for requested data type {target.name}") from None


def _type_of(schema: ConnectSchema | None, value: Any) -> SchemaType:
    found = schema.type if schema is not None else _TYPE_OF.get(type(value))
    if found is None:
        raise DataError(
            f"Cast transformation was passed a value of type {class_text(None, value)} which is not supported by "
            "Connect's data API"
        )
    return found


def _unexpected(schema: ConnectSchema | None, value: Any) -> DataError:
    return DataError(f"Unexpected type in Cast transformation: {class_text(schema, value)}")


def _integer(bits: int) -> Callable[[ConnectSchema | None, Any], int]:
    """Integers lose their high bits; floats are held at the ends of an int or a long first."""

    def cast(schema: ConnectSchema | None, value: Any) -> int:
        match value:
            case bool() | int():
                return wrap(int(value), bits)
            case float():
                return wrap(float_to_integer(value, 64 if bits == 64 else 32), bits)
            case Decimal():
                return wrap(decimal_to_long(value), bits)
            case str():
                return parse_integer(value, bits)
        raise _unexpected(schema, value)

    return cast


def _float32(schema: ConnectSchema | None, value: Any) -> float:
    match value:
        case bool() | float():
            return to_float32(value)
        case int():
            return decimal_to_float32(Decimal(value))
        case Decimal():
            return decimal_to_float32(value)
        case str():
            return parse_float32(value)
    raise _unexpected(schema, value)


def _float64(schema: ConnectSchema | None, value: Any) -> float:
    match value:
        case bool() | int() | float() | Decimal():
            return float(value)
        case str():
            return parse_float64(value)
    raise _unexpected(schema, value)


def _boolean(schema: ConnectSchema | None, value: Any) -> bool:
    match value:
        case bool():
            return value
        case int() | float() | Decimal():
            return _integer(64)(schema, value) != 0
        case str():
            return value.lower() == "true"
    raise _unexpected(schema, value)


def _text(schema: ConnectSchema | None, value: Any) -> str:
    match value:
        case dt.date() | dt.time():
            return date_text(epoch_millis(value))
        case bytes():
            return b64encode(value).decode()
        case Decimal() | int() if schema is not None and schema.name == DECIMAL:
            return decimal_text(_at_scale(Decimal(value), int(schema.parameter("scale") or 0)))
    return to_string(schema, value)


def _at_scale(number: Decimal, scale: int) -> Decimal:
    """The number as Java holds it, with its schema's digits behind the point."""
    return EXACT.quantize(number, Decimal((0, (1,), -scale))) if exponent_of(number) > -scale else number


_CASTS: Final[dict[SchemaType, Callable[[ConnectSchema | None, Any], Any]]] = {
    **{kind: _integer(bits) for kind, bits in BITS.items()},
    SchemaType.FLOAT32: _float32,
    SchemaType.FLOAT64: _float64,
    SchemaType.BOOLEAN: _boolean,
}
