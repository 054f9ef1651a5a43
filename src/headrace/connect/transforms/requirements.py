"""What a transformation asks of a value, in the words of Java's `Requirements`, `ConnectSchema` and `Struct`."""

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from headrace.connect.api import ConnectSchema, DataError, SchemaType
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP

STRUCT_CLASS: Final = "org.apache.kafka.connect.data.Struct"
_OF_SCHEMA: Final = {
    SchemaType.INT8: "java.lang.Byte",
    SchemaType.INT16: "java.lang.Short",
    SchemaType.INT32: "java.lang.Integer",
    SchemaType.FLOAT32: "java.lang.Float",
    SchemaType.STRUCT: STRUCT_CLASS,
}
_LOGICAL: Final = {DECIMAL: "java.math.BigDecimal"} | dict.fromkeys((DATE, TIME, TIMESTAMP), "java.util.Date")
_OF_VALUE: Final[dict[type, str]] = {
    bool: "java.lang.Boolean",
    int: "java.lang.Long",
    float: "java.lang.Double",
    str: "java.lang.String",
    bytes: "[B",
    list: "java.util.ArrayList",
    dict: "java.util.HashMap",
    Decimal: "java.math.BigDecimal",
    dt.date: "java.util.Date",
    dt.time: "java.util.Date",
    dt.datetime: "java.util.Date",
}


def class_name(schema: ConnectSchema | None, value: Any) -> str:
    """The name of the Java class that would hold this value."""
    if value is None:
        return "null"
    if schema is not None:
        known = _LOGICAL.get(schema.name or "") or _OF_SCHEMA.get(schema.type)
        if known is not None:
            return known
    return _OF_VALUE.get(type(value), type(value).__name__)


def require_map(value: Any, purpose: str) -> dict[str, Any]:
    """A schemaless value, which has to be a map."""
    if isinstance(value, dict):
        return value
    found = class_name(None, value)
    raise DataError(f"Only Map objects supported in absence of schema for [{purpose}], found: {found}")


def require_map_or_none(value: Any, purpose: str) -> dict[str, Any] | None:
    return None if value is None else require_map(value, purpose)


def require_struct(schema: ConnectSchema, value: Any, purpose: str) -> dict[str, Any]:
    """A value with schema, which has to be a struct."""
    if schema.type is SchemaType.STRUCT and isinstance(value, dict):
        return value
    raise DataError(f"Only Struct objects supported for [{purpose}], found: {class_name(schema, value)}")


def require_struct_or_none(schema: ConnectSchema, value: Any, purpose: str) -> dict[str, Any] | None:
    return None if value is None else require_struct(schema, value, purpose)


def require_struct_schema(schema: ConnectSchema) -> None:
    """Of a schema whose fields are looked up without a value at hand."""
    if schema.type is not SchemaType.STRUCT:
        raise DataError("Cannot look up fields on non-struct type")


def required_null(name: str, schema: ConnectSchema) -> DataError:
    """The refusal of a null in a field that is not optional, be there a default or not (as `Struct.put`)."""
    return DataError(f'Invalid value: null used for required field: "{name}", schema type: {schema.type.name}')


def checked(name: str, schema: ConnectSchema, value: Any) -> Any:
    """A value as it is put into a field. Raises DataError where the field may not be null."""
    if value is None and not schema.optional:
        raise required_null(name, schema)
    return value
