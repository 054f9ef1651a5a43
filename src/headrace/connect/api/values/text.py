"""`Values.convertToString`: values as text that `parse_string` reads back, but for structs."""

import datetime as dt
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from headrace.connect.api.error import DataError
from headrace.connect.api.java.text import epoch_millis
from headrace.connect.api.java.text import to_string as java_text
from headrace.connect.api.schema import ConnectSchema, Field, SchemaType
from headrace.connect.api.values import dates


def write(schema: ConnectSchema | None, value: Any, *, embedded: bool = False) -> str:
    """The text of a value. Those `embedded` in a list, map or struct have their strings quoted.

    >>> write(None, {"a": [1, None, 'x"y']}), write(None, 'x"y')
    ('{"a":[1,null,"x\\\\"y"]}', 'x"y')
    """
    match value:
        case str():
            return _quoted(value.replace("\\", "\\\\").replace('"', '\\"')) if embedded else value
        case bytes():
            text = b64encode(value).decode()
            return _quoted(text) if embedded else text
        case list() | tuple():
            item_schema = schema.value_schema if schema else None
            return "[" + ",".join(write(item_schema, item, embedded=True) for item in value) + "]"
        case dict():
            return "{" + ",".join(_entries(schema, value)) + "}"
        case dt.date() | dt.time():
            return dates.write(epoch_millis(value))
        case set() | frozenset() | bytearray() | memoryview():
            raise DataError(f"Failed to serialize unexpected value type {type(value).__name__}: {value}")
    return java_text(schema, value)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _entries(schema: ConnectSchema | None, value: Mapping[Any, Any]) -> list[str]:
    if schema is not None and schema.type is SchemaType.STRUCT:
        return [
            f"{write(None, field.name, embedded=True)}:{write(field.schema, _present(field, value), embedded=True)}"
            for field in schema.fields
        ]
    keys, values = (schema.key_schema, schema.value_schema) if schema else (None, None)
    return [f"{write(keys, k, embedded=True)}:{write(values, item, embedded=True)}" for k, item in value.items()]


def _present(field: Field, value: Mapping[Any, Any]) -> Any:
    """As `Struct.get` has it, a null is the field's default."""
    found = value.get(field.name)
    return field.schema.default if found is None else found
