"""One parsed JSON value to a row value. The measure of what the column decoder must give."""

import binascii
import ctypes
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from headrace.connect.api import ConnectSchema, SchemaType
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.connect.converters.json.form import NON_FINITE, Form, MisfitError, null_value, shown
from headrace.connect.converters.json.row_encoder import INTEGER_BITS, scaled

DAY_MS: Final = 86_400_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def decode(schema: ConnectSchema | None, value: Any, form: Form) -> Any:
    """The row value of a parsed JSON value; numbers may be int, float or (exact) Decimal.

    Raises MisfitError that knows the path to the fault.
    """
    if schema is None:
        return value
    if value is None:
        return null_value(schema, form)
    logical = _LOGICAL.get(schema.name or "")
    if logical is not None:
        return logical(schema, value, form)
    return _BY_TYPE[schema.type](schema, value, form)


def _whole(schema: ConnectSchema, value: Any, bits: int) -> int:
    """The integer that `value` is; 5.0 is one, as some writers put it."""
    limit = 1 << (bits - 1)
    if type(value) in (float, Decimal) and value == value // 1:
        value = int(value)
    if type(value) is not int:
        raise MisfitError(f"{shown(value)} is no {schema.type.value}")
    if not -limit <= value < limit:
        raise MisfitError(f"{value} is beyond the range of {schema.type.value}")
    return value


def _integer(schema: ConnectSchema, value: Any, form: Form) -> int:
    return _whole(schema, value, INTEGER_BITS[schema.type])


def _float64(schema: ConnectSchema, value: Any, form: Form) -> float:
    if type(value) in (float, int, Decimal):
        return float(value)
    if isinstance(value, str) and value in NON_FINITE:
        return NON_FINITE[value]
    raise MisfitError(f"{shown(value)} is no {schema.type.value}")


def _float32(schema: ConnectSchema, value: Any, form: Form) -> float:
    return ctypes.c_float(_float64(schema, value, form)).value


def _of(kind: type) -> Callable[[ConnectSchema, Any, Form], Any]:
    def check(schema: ConnectSchema, value: Any, form: Form) -> Any:
        if type(value) is not kind:
            raise MisfitError(f"{shown(value)} is no {schema.type.value}")
        return value

    return check


def _bytes(schema: ConnectSchema, value: Any, form: Form) -> bytes:
    try:
        if isinstance(value, str):
            return b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise MisfitError(f"{shown(value)} is no base64 text, as {schema.name or 'bytes'} is written")


def _array(schema: ConnectSchema, value: Any, form: Form) -> list[Any]:
    if type(value) is not list:
        raise MisfitError(f"{shown(value)} is no array")
    decoded = []
    for position, item in enumerate(value):
        try:
            decoded.append(decode(schema.value_schema, item, form))
        except MisfitError as error:
            raise error.inside(f"[{position}]") from None
    return decoded


def _map(schema: ConnectSchema, value: Any, form: Form) -> dict[Any, Any]:
    decoded = {}
    for key, item in _pairs(schema, value, form):
        try:
            decoded[decode(schema.key_schema, key, form)] = decode(schema.value_schema, item, form)
        except MisfitError as error:
            raise error.inside(f"[{shown(key)}]") from None
        except TypeError:
            raise MisfitError(f"{shown(key)} cannot be the key of a map here") from None
    return decoded


def _pairs(schema: ConnectSchema, value: Any, form: Form) -> list[Any]:
    if form.is_object(schema):
        if type(value) is dict:
            return list(value.items())
        raise MisfitError(f"{shown(value)} is no JSON object, as a map with string keys is written")
    if type(value) is list and all(type(pair) is list and len(pair) == 2 for pair in value):
        return value
    if form.with_registry and type(value) is list and all(type(pair) is dict for pair in value):
        return [(pair.get("key"), pair.get("value")) for pair in value]
    raise MisfitError(f"{shown(value)} is no array of pairs, as a map with other keys than strings is written")


def _struct(schema: ConnectSchema, value: Any, form: Form) -> dict[str, Any]:
    if form.is_union(schema):
        return _union(schema, value, form)
    if type(value) is not dict:
        raise MisfitError(f"{shown(value)} is no JSON object, as a struct is written")
    decoded = {}
    for field in schema.fields:
        try:
            decoded[field.name] = decode(field.schema, value.get(field.name), form)
        except MisfitError as error:
            raise error.inside(field.name) from None
    return decoded


def _union(schema: ConnectSchema, value: Any, form: Form) -> dict[str, Any]:
    """The first branch that the value fits; before those that would pass over members of it."""
    known = value.keys() if isinstance(value, dict) else ()
    ordered = sorted(schema.fields, key=lambda field: any(field.schema.field(name) is None for name in known))
    for field in ordered:
        try:
            decoded = decode(field.schema, value, form)
        except MisfitError:
            continue
        return {**dict.fromkeys(each.name for each in schema.fields), field.name: decoded}
    raise MisfitError(f"{shown(value)} fits no branch of the union")


def _decimal(schema: ConnectSchema, value: Any, form: Form) -> Decimal:
    scale = int(schema.parameter("scale") or 0)
    if type(value) in (int, float, Decimal):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        return scaled(number, scale) or number
    unscaled = int.from_bytes(_bytes(schema, value, form), "big", signed=True)
    sign, digits, _ = Decimal(unscaled).as_tuple()
    return Decimal((sign, digits, -scale))


def _date(schema: ConnectSchema, value: Any, form: Form) -> date:
    try:
        return date(1970, 1, 1) + timedelta(days=_whole(schema, value, 32))
    except OverflowError:
        raise MisfitError(f"{value} days since 1970 lie outside the years 1 to 9999") from None


def _time(schema: ConnectSchema, value: Any, form: Form) -> time:
    millis = _whole(schema, value, 32)
    if not 0 <= millis < DAY_MS:
        raise MisfitError(f"{millis} is no time of day in milliseconds (0 to {DAY_MS - 1})")
    return (_EPOCH + timedelta(milliseconds=millis)).time()


def _timestamp(schema: ConnectSchema, value: Any, form: Form) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=_whole(schema, value, 64))
    except OverflowError:
        raise MisfitError(f"{value} ms since 1970 lie outside the years 1 to 9999") from None


_LOGICAL: Final = {DECIMAL: _decimal, DATE: _date, TIME: _time, TIMESTAMP: _timestamp}
_BY_TYPE: Final[dict[SchemaType, Callable[[ConnectSchema, Any, Form], Any]]] = {
    **dict.fromkeys(INTEGER_BITS, _integer),
    SchemaType.FLOAT32: _float32,
    SchemaType.FLOAT64: _float64,
    SchemaType.BOOLEAN: _of(bool),
    SchemaType.STRING: _of(str),
    SchemaType.BYTES: _bytes,
    SchemaType.ARRAY: _array,
    SchemaType.MAP: _map,
    SchemaType.STRUCT: _struct,
}
