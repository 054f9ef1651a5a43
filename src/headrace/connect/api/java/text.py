"""`toString` of the classes that hold Connect's values."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from headrace.connect.api.error import DataError
from headrace.connect.api.java.calendar import DAY_MS, moment
from headrace.connect.api.java.numbers import decimal_text, float32_text, float64_text
from headrace.connect.api.schema import ConnectSchema, SchemaType

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_DAYS: Final = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def epoch_millis(value: dt.date | dt.time) -> int:
    """`java.util.Date.getTime` of what Connect holds in that class: a Date, Time or Timestamp."""
    match value:
        case dt.datetime():
            return ((value if value.tzinfo else value.replace(tzinfo=dt.UTC)) - _EPOCH) // _MILLISECOND
        case dt.date():
            return (value.toordinal() - _EPOCH.toordinal()) * DAY_MS
        case dt.time():
            return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000


def date_text(millis: int) -> str:
    """`java.util.Date.toString` in UTC."""
    at = moment(millis)
    clock = f"{at.hour:02}:{at.minute:02}:{at.second:02}"
    return f"{_DAYS[at.weekday - 1]} {_MONTHS[at.month - 1]} {at.day:02} {clock} UTC {at.year}"


def to_string(schema: ConnectSchema | None, value: Any) -> str:
    """What `toString` gives for a row value, dates in UTC. Raises DataError for bytes.

    >>> to_string(None, {"a": [1, 2.0, True]})
    '{a=[1, 2.0, true]}'
    """
    match value:
        case None:
            return "null"
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() if schema is None or schema.type not in (SchemaType.FLOAT32, SchemaType.FLOAT64):
            return str(value)
        case float() | int():
            return float32_text(value) if schema and schema.type is SchemaType.FLOAT32 else float64_text(float(value))
        case Decimal():
            return decimal_text(value)
        case dict() if schema is not None and schema.type is SchemaType.STRUCT:
            return f"Struct{{{_members(schema, value)}}}"
        case dict():
            key_schema, value_schema = (schema.key_schema, schema.value_schema) if schema else (None, None)
            entries = (f"{to_string(key_schema, k)}={to_string(value_schema, v)}" for k, v in value.items())
            return "{" + ", ".join(entries) + "}"
        case list() | tuple():
            return "[" + ", ".join(to_string(schema.value_schema if schema else None, item) for item in value) + "]"
        case dt.date() | dt.time():
            return date_text(epoch_millis(value))
    raise DataError(f"a {type(value).__name__} has no text; ByteArrayConverter writes bytes")


def _members(schema: ConnectSchema, value: Mapping[str, Any]) -> str:
    """As in Java, fields that are null are left out."""
    present = [(field, value.get(field.name)) for field in schema.fields if value.get(field.name) is not None]
    return ",".join(f"{field.name}={to_string(field.schema, item)}" for field, item in present)


_CLASSES: Final = {
    SchemaType.INT8: "Byte",
    SchemaType.INT16: "Short",
    SchemaType.INT32: "Integer",
    SchemaType.INT64: "Long",
    SchemaType.FLOAT32: "Float",
    SchemaType.FLOAT64: "Double",
}


def class_text(schema: ConnectSchema | None, value: Any) -> str:
    """`getClass()` of the value in Java, as error texts name it; of numbers without a schema, what JSON gives."""
    match value:
        case bool():
            return "class java.lang.Boolean"
        case int() | float():
            found = _CLASSES.get(schema.type) if schema else None
            return f"class java.lang.{found or ('Long' if isinstance(value, int) else 'Double')}"
        case str():
            return "class java.lang.String"
        case bytes():
            return "class [B"
        case Decimal():
            return "class java.math.BigDecimal"
        case dict():
            is_struct = schema is not None and schema.type is SchemaType.STRUCT
            return "class org.apache.kafka.connect.data.Struct" if is_struct else "class java.util.HashMap"
        case list() | tuple():
            return "class java.util.ArrayList"
        case dt.date() | dt.time():
            return "class java.util.Date"
    return f"class {type(value).__name__}"


def schema_text(schema: ConnectSchema) -> str:
    """`ConnectSchema.toString`.

    >>> from headrace.connect.api.schema import date, schema
    >>> schema_text(date()), schema_text(schema(SchemaType.STRING))
    ('Schema{org.apache.kafka.connect.data.Date:INT32}', 'Schema{STRING}')
    """
    return f"Schema{{{schema.name}:{schema.type.name}}}" if schema.name is not None else f"Schema{{{schema.type.name}}}"
