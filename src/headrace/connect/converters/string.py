"""StringConverter: values as the text that Java's `toString` gives, and back to strings.

Where it differs from Java's class: bytes are refused (Java writes the object's address).
"""

import codecs
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, TypeGuard

import numpy as np
import pyarrow as pa

from headrace.connect.api import (
    Column,
    ConfigDef,
    ConfigError,
    ConnectSchema,
    Converted,
    Converter,
    DataError,
    Importance,
    SchemaType,
    Type,
    schema,
    to_values,
)

OPTIONAL_STRING = schema(SchemaType.STRING, optional=True)


def _encoding(name: str, value: Any) -> None:
    try:
        codecs.lookup(value)
    except LookupError:
        raise ConfigError(f"Invalid value {value} for configuration {name}: no such encoding; UTF-8 is usual") from None


class StringConverter(Converter):
    """`org.apache.kafka.connect.storage.StringConverter`."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef().define(
            "converter.encoding",
            Type.STRING,
            "UTF-8",
            "The character set of the text.",
            importance=Importance.HIGH,
            validator=_encoding,
        )

    def configure(self, properties: Mapping[str, Any], *, is_key: bool) -> None:
        self._encoding = codecs.lookup(self.config_def().parse(properties)["converter.encoding"]).name

    def from_connect(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> Sequence[bytes | None]:
        if self._is_text(column):
            payloads: list[bytes | None] = column.cast(pa.binary()).to_pylist()
            return payloads
        return [
            None if value is None else to_text(schema, value).encode(self._encoding, "replace")
            for value in to_values(schema, column, length)
        ]

    def from_connect_column(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> pa.BinaryArray | pa.LargeBinaryArray:
        if self._is_text(column):
            return column.cast(pa.binary())
        return super().from_connect_column(topic, schema, column, tombstone, length)

    def _is_text(self, column: Any) -> TypeGuard[pa.StringArray]:
        """Whether the column's bytes are the payloads."""
        return isinstance(column, pa.Array) and pa.types.is_string(column.type) and self._encoding == "utf-8"

    def to_connect(self, topic: str, payloads: Sequence[bytes | None]) -> list[Converted]:
        """One run of optional strings; as in Java, bytes that are no text of the encoding become U+FFFD."""
        if not payloads:
            return []
        texts = [None if payload is None else payload.decode(self._encoding, "replace") for payload in payloads]
        return [Converted(0, len(texts), OPTIONAL_STRING, pa.array(texts, pa.string()))]


def to_text(schema: ConnectSchema | None, value: Any) -> str:
    """What Java's `toString` gives for a row value, dates in UTC. Raises DataError for bytes.

    >>> to_text(None, {"a": [1, 2.0, True]})
    '{a=[1, 2.0, true]}'
    """
    match value:
        case None:
            return "null"
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _double(value, single=schema is not None and schema.type is SchemaType.FLOAT32)
        case int() | Decimal():
            return str(value)
        case dict() if schema is not None and schema.type is SchemaType.STRUCT:
            return f"Struct{{{_members(schema, value)}}}"
        case dict():
            key_schema, value_schema = (schema.key_schema, schema.value_schema) if schema else (None, None)
            return (
                "{" + ", ".join(f"{to_text(key_schema, k)}={to_text(value_schema, v)}" for k, v in value.items()) + "}"
            )
        case list() | tuple():
            return "[" + ", ".join(to_text(schema.value_schema if schema else None, item) for item in value) + "]"
        case datetime() | date() | time():
            return _java_date(value)
    raise DataError(f"StringConverter cannot write a {type(value).__name__}; ByteArrayConverter writes bytes")


def _members(schema: ConnectSchema, value: Mapping[str, Any]) -> str:
    """As in Java, fields that are null are left out."""
    present = [(field, value.get(field.name)) for field in schema.fields if value.get(field.name) is not None]
    return ",".join(f"{field.name}={to_text(field.schema, item)}" for field, item in present)


def _double(value: float, *, single: bool) -> str:
    """`Double.toString` and `Float.toString`: plain from 0.001 up to 10,000,000, with an exponent elsewhere."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    number = np.float32(value) if single else np.float64(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return np.format_float_positional(number, trim="0")
    return np.format_float_scientific(number, trim="0", exp_digits=1).replace("e+", "E").replace("e", "E")


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _java_date(value: datetime | date | time) -> str:
    """`java.util.Date.toString` in UTC; Date is midnight of that day, Time a time of 1970-01-01."""
    match value:
        case datetime():
            at = value.astimezone(UTC) if value.tzinfo else value
        case date():
            at = datetime(value.year, value.month, value.day)
        case time():
            at = datetime.combine(date(1970, 1, 1), value)
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:02} {at:%H:%M:%S} UTC {at.year}"
