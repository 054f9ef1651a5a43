"""Default values: Connect's row values to the JSON that stands in an Avro schema, and back."""

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from headrace.connect.api import ConnectSchema, SchemaType
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.connect.converters.json.form import NON_FINITE

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY_0: Final = dt.date(1970, 1, 1).toordinal()


def to_number(schema: ConnectSchema, value: Any) -> int:
    """The integer that stands for a date, time or timestamp; of an unscaled decimal."""
    match schema.name:
        case "org.apache.kafka.connect.data.Date":
            return int(value.toordinal() - _DAY_0)
        case "org.apache.kafka.connect.data.Time":
            seconds = (value.hour * 60 + value.minute) * 60 + value.second
            return int(seconds * 1000 + value.microsecond // 1000)
        case "org.apache.kafka.connect.data.Timestamp":
            return int((value - EPOCH) // dt.timedelta(milliseconds=1))
    return int(value)


def from_number(schema: ConnectSchema, number: int) -> Any:
    """The row value of an integer. Raises OverflowError, ValueError where there is no such date."""
    match schema.name:
        case "org.apache.kafka.connect.data.Date":
            return dt.date.fromordinal(number + _DAY_0)
        case "org.apache.kafka.connect.data.Time":
            if not 0 <= number < 86_400_000:
                raise ValueError(f"{number} is no time of day in milliseconds")
            return (EPOCH + dt.timedelta(milliseconds=number)).time()
        case "org.apache.kafka.connect.data.Timestamp":
            return EPOCH + dt.timedelta(milliseconds=number)
    return number


def unscaled(schema: ConnectSchema, value: Any) -> bytes:
    """A decimal as Avro has it: its unscaled number, big-endian. Raises ValueError where digits would be lost."""
    scale = int(schema.parameter("scale") or 0)
    sign, digits, exponent = Decimal(value).as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is no number")
    shift = scale + exponent
    number: int = int("".join(map(str, digits)) or "0")
    if shift >= 0:
        number *= 10**shift
    else:
        number, rest = divmod(number, 10**-shift)
        if rest:
            raise ValueError(f"{value} has more than {scale} digits after the point")
    number = -number if sign else number
    size: int = (number + (number < 0)).bit_length() // 8 + 1
    return number.to_bytes(size, "big", signed=True)


def scaled(schema: ConnectSchema, data: bytes) -> Decimal:
    """The decimal of an unscaled number."""
    sign, digits, _ = Decimal(int.from_bytes(data, "big", signed=True)).as_tuple()
    return Decimal((sign, digits, -int(schema.parameter("scale") or 0)))


def default_to_json(schema: ConnectSchema, value: Any) -> Any:
    """The JSON of a value, nulls and all; non-finite floats as Java writes them."""
    if value is None:
        return None
    if schema.name == DECIMAL:
        return unscaled(schema, value).decode("latin-1")
    if schema.name in (DATE, TIME, TIMESTAMP):
        return to_number(schema, value)
    match schema:
        case ConnectSchema(type=SchemaType.BYTES):
            return value.decode("latin-1")
        case ConnectSchema(type=SchemaType.FLOAT32 | SchemaType.FLOAT64):
            return value if math.isfinite(value) else _non_finite(value)
        case ConnectSchema(type=SchemaType.ARRAY, value_schema=ConnectSchema() as item):
            return [default_to_json(item, each) for each in value]
        case ConnectSchema(
            type=SchemaType.MAP, key_schema=ConnectSchema() as key, value_schema=ConnectSchema() as item
        ):
            if key.type is SchemaType.STRING:
                return {name: default_to_json(item, each) for name, each in value.items()}
            return [{"key": default_to_json(key, k), "value": default_to_json(item, v)} for k, v in value.items()]
        case ConnectSchema(type=SchemaType.STRUCT):
            return {field.name: default_to_json(field.schema, value.get(field.name)) for field in schema.fields}
    return value


def _non_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def default_from_json(schema: ConnectSchema, json: Any) -> Any:
    """The row value of a default in an Avro schema. Raises ValueError where it does not fit."""
    if json is None:
        return None
    if schema.name == DECIMAL:
        return scaled(schema, _text(json).encode("latin-1"))
    return _READ[schema.type](schema, json)


def _text(json: Any) -> str:
    if not isinstance(json, str):
        raise ValueError(f"{json!r} is no text")
    return json


def _number(schema: ConnectSchema, json: Any) -> Any:
    if type(json) is not int:
        raise ValueError(f"{json!r} is no {schema.type.value}")
    return from_number(schema, json)


def _float(schema: ConnectSchema, json: Any) -> float:
    if isinstance(json, str) and json in NON_FINITE:
        return NON_FINITE[json]
    if type(json) not in (int, float):
        raise ValueError(f"{json!r} is no {schema.type.value}")
    return float(json)


def _boolean(schema: ConnectSchema, json: Any) -> bool:
    if not isinstance(json, bool):
        raise ValueError(f"{json!r} is no boolean")
    return json


def _array(schema: ConnectSchema, json: Any) -> list[Any]:
    assert schema.value_schema is not None
    if not isinstance(json, list):
        raise ValueError(f"{json!r} is no array")
    return [default_from_json(schema.value_schema, each) for each in json]


def _map(schema: ConnectSchema, json: Any) -> dict[Any, Any]:
    assert schema.key_schema is not None and schema.value_schema is not None
    if isinstance(json, dict):
        return {name: default_from_json(schema.value_schema, each) for name, each in json.items()}
    if not isinstance(json, list) or not all(isinstance(each, dict) for each in json):
        raise ValueError(f"{json!r} is no map")
    return {
        default_from_json(schema.key_schema, each.get("key")): default_from_json(schema.value_schema, each.get("value"))
        for each in json
    }


def _struct(schema: ConnectSchema, json: Any) -> dict[str, Any]:
    if not isinstance(json, dict):
        raise ValueError(f"{json!r} is no record")
    return {field.name: default_from_json(field.schema, json.get(field.name)) for field in schema.fields}


_INTEGERS: Final = (SchemaType.INT8, SchemaType.INT16, SchemaType.INT32, SchemaType.INT64)
_READ: Final[dict[SchemaType, Callable[[ConnectSchema, Any], Any]]] = {
    **dict.fromkeys(_INTEGERS, _number),
    SchemaType.FLOAT32: _float,
    SchemaType.FLOAT64: _float,
    SchemaType.BOOLEAN: _boolean,
    SchemaType.STRING: lambda schema, json: _text(json),
    SchemaType.BYTES: lambda schema, json: _text(json).encode("latin-1"),
    SchemaType.ARRAY: _array,
    SchemaType.MAP: _map,
    SchemaType.STRUCT: _struct,
}
