"""StringConverter: values as the text that Java's `toString` gives, and back to strings.

Where it differs from Java's class: bytes are refused (Java writes the object's address).
"""

import codecs
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import pyarrow as pa

from headrace.connect.api import (
    Column,
    ConfigDef,
    ConfigError,
    ConnectSchema,
    Converted,
    HeaderAndValueConverter,
    Importance,
    SchemaType,
    Type,
    schema,
    to_values,
)
from headrace.connect.api.java.text import to_string

OPTIONAL_STRING = schema(SchemaType.STRING, optional=True)


def _encoding(name: str, value: Any) -> None:
    try:
        codecs.lookup(value)
    except LookupError:
        raise ConfigError(f"Invalid value {value} for configuration {name}: no such encoding; UTF-8 is usual") from None


class StringConverter(HeaderAndValueConverter):
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
            None if value is None else to_string(schema, value).encode(self._encoding, "replace")
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
