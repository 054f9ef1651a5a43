"""One value to what orjson writes. The measure of what the column encoder must give."""

import math
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, Final

import numpy as np
import orjson

from headrace.connect.api import ConnectSchema, SchemaType
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.connect.converters.json.form import Form, MisfitError, null_value, shown

INTEGER_BITS: Final = {SchemaType.INT8: 8, SchemaType.INT16: 16, SchemaType.INT32: 32, SchemaType.INT64: 64}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1)
_NOTHING_MORE: Final = (
    orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_MILLISECOND: Final = timedelta(milliseconds=1)
_EXACT: Final = Context(prec=2_000, traps=[InvalidOperation, Inexact])


def dumps(schema: ConnectSchema | None, value: Any, form: Form) -> bytes:
    """The JSON text of one value. Raises MisfitError."""
    if schema is None and (text := _plain_json(value)) is not None:
        return text
    try:
        return orjson.dumps(encode(schema, value, form), option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise MisfitError(f"{shown(value)} cannot be written as JSON: {error}") from error


def _plain_json(value: Any) -> bytes | None:
    """What orjson makes of a value by itself; None where it knows less than `encode`, or writes NaN as null."""
    try:
        text = orjson.dumps(value, option=_NOTHING_MORE)
    except orjson.JSONEncodeError:
        return None
    return None if b"null" in text else text


def encode(schema: ConnectSchema | None, value: Any, form: Form) -> Any:
    """A value as orjson takes it. Raises MisfitError that knows the path to the fault."""
    if schema is None:
        return _encode_schemaless(value)
    if value is None:
        value = null_value(schema, form)
        if value is None:
            return None
    logical = _LOGICAL.get(schema.name or "")
    if logical is not None:
        return logical(schema, value, form)
    return _BY_TYPE[schema.type](schema, value, form)


def _encode_schemaless(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -(2**63) <= value < 2**64 else orjson.Fragment(str(value))
        case float():
            return _finite(value)
        case bytes():
            return b64encode(value).decode()
        case list() | tuple():
            return [_encode_schemaless(item) for item in value]
        case dict() if all(isinstance(key, str) for key in value):
            return {key: _encode_schemaless(item) for key, item in value.items()}
        case dict():
            return [[_encode_schemaless(key), _encode_schemaless(item)] for key, item in value.items()]
    raise MisfitError(f"{shown(value)} has no schema, and a {type(value).__name__} cannot be written without one")


def _finite(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _integer(schema: ConnectSchema, value: Any, form: Form) -> int:
    limit = 1 << (INTEGER_BITS[schema.type] - 1)
    if type(value) is not int or not -limit <= value < limit:
        raise MisfitError(f"{shown(value)} is no {schema.type.value}")
    return value


def _float64(schema: ConnectSchema, value: Any, form: Form) -> float | str:
    if type(value) not in (int, float):
        raise MisfitError(f"{shown(value)} is no {schema.type.value}")
    return _finite(float(value))


def _float32(schema: ConnectSchema, value: Any, form: Form) -> Any:
    """numpy's float32, which orjson writes with the digits that tell it from its neighbours, as Java does."""
    if type(value) not in (int, float):
        raise MisfitError(f"{shown(value)} is no {schema.type.value}")
    with np.errstate(over="ignore"):
        number = np.float32(value)
    return number if np.isfinite(number) else _finite(float(number))


def _of(kind: type) -> Callable[[ConnectSchema, Any, Form], Any]:
    def check(schema: ConnectSchema, value: Any, form: Form) -> Any:
        if not isinstance(value, kind):
            raise MisfitError(f"{shown(value)} is no {schema.type.value}")
        return value

    return check


def _bytes(schema: ConnectSchema, value: Any, form: Form) -> str:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise MisfitError(f"{shown(value)} is no bytes")
    return b64encode(value).decode()


def _array(schema: ConnectSchema, value: Any, form: Form) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise MisfitError(f"{shown(value)} is no array")
    encoded = []
    for position, item in enumerate(value):
        try:
            encoded.append(encode(schema.value_schema, item, form))
        except MisfitError as error:
            raise error.inside(f"[{position}]") from None
    return encoded


def _map(schema: ConnectSchema, value: Any, form: Form) -> Any:
    """An object where keys are strings, otherwise an array of pairs."""
    if not isinstance(value, dict):
        raise MisfitError(f"{shown(value)} is no map")
    pairs = []
    for key, item in value.items():
        try:
            pairs.append([encode(schema.key_schema, key, form), encode(schema.value_schema, item, form)])
        except MisfitError as error:
            raise error.inside(f"[{shown(key)}]") from None
    if form.is_object(schema):
        return {"null" if key is None else key: item for key, item in pairs}
    return [{"key": key, "value": item} for key, item in pairs] if form.with_registry else pairs


def _struct(schema: ConnectSchema, value: Any, form: Form) -> Any:
    if not isinstance(value, dict):
        raise MisfitError(f"{shown(value)} is no struct")
    if form.is_union(schema):
        return _union(schema, value, form)
    encoded = {}
    for field in schema.fields:
        if form.omit_nulls and field.schema.optional and value.get(field.name) is None:
            continue
        try:
            encoded[field.name] = encode(field.schema, value.get(field.name), form)
        except MisfitError as error:
            raise error.inside(field.name) from None
    return encoded


def _union(schema: ConnectSchema, value: dict[str, Any], form: Form) -> Any:
    found = [field for field in schema.fields if value.get(field.name) is not None]
    if len(found) != 1:
        raise MisfitError(f"{len(found)} branches of a union are set, of which one has to be")
    return encode(found[0].schema, value[found[0].name], form)


def unscaled_base64(number: int) -> str:
    """Java's `BigInteger.toByteArray`, the shortest two's complement, in base64."""
    bits = (number if number >= 0 else ~number).bit_length()
    return b64encode(number.to_bytes(bits // 8 + 1, "big", signed=True)).decode()


def scaled(number: Decimal, scale: int) -> Decimal | None:
    """The same number with `scale` digits after the point, or None where it has more."""
    try:
        return number.quantize(Decimal((0, (1,), -scale)), context=_EXACT)
    except (Inexact, InvalidOperation):
        return None


def _decimal(schema: ConnectSchema, value: Any, form: Form) -> Any:
    if type(value) not in (int, Decimal) or not Decimal(value).is_finite():
        raise MisfitError(f"{shown(value)} is no decimal")
    scale = int(schema.parameter("scale") or 0)
    number = scaled(Decimal(value), scale)
    if number is None:
        raise MisfitError(f"{shown(value)} has more digits than a decimal of scale {scale} holds")
    if form.numeric_decimals:
        return orjson.Fragment(str(number))
    return unscaled_base64(int(number.scaleb(scale, _EXACT)))


def _date(schema: ConnectSchema, value: Any, form: Form) -> int:
    if type(value) is not date:
        raise MisfitError(f"{shown(value)} is no date")
    return (value - _EPOCH_DAY).days


def _time(schema: ConnectSchema, value: Any, form: Form) -> int:
    if not isinstance(value, time):
        raise MisfitError(f"{shown(value)} is no time")
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000


def _timestamp(schema: ConnectSchema, value: Any, form: Form) -> int:
    if not isinstance(value, datetime):
        raise MisfitError(f"{shown(value)} is no timestamp")
    return ((value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND


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
