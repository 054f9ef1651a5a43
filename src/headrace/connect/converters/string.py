"""StringConverter: values as the text that Java's `toString` gives, and back to strings.

Where it differs from Java's class: bytes are refused (Java writes the object's address), and an encoding that there is
not is refused when the connector starts (Java fails each record).
"""

import codecs
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
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
from headrace.connect.api.java.charset import decode, encode
from headrace.connect.api.java.text import to_string
from headrace.connect.converters.kind import converter_config, parse

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
        return converter_config().define(
            "converter.encoding",
            Type.STRING,
            "UTF-8",
            "The character set of the text.",
            importance=Importance.HIGH,
            validator=_encoding,
        )

    def configure(self, properties: Mapping[str, Any], *, is_key: bool) -> None:
        settings = parse(self.config_def(), properties, is_key=is_key)
        self._encoding = codecs.lookup(settings["converter.encoding"]).name

    def from_connect(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> Sequence[bytes | None]:
        texts = self._text_column(column)
        if texts is not None:
            payloads: list[bytes | None] = texts.to_pylist()
            return payloads
        return [
            None if value is None else encode(to_string(schema, value), self._encoding)
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
        texts = self._text_column(column)
        if texts is not None:
            return texts
        return super().from_connect_column(topic, schema, column, tombstone, length)

    def _text_column(self, column: Column | None) -> pa.BinaryArray | None:
        """The payloads, where Arrow writes the column's values as Java does."""
        if not isinstance(column, pa.Array) or self._encoding != "utf-8":
            return None
        kind = column.type
        if not (pa.types.is_string(kind) or pa.types.is_signed_integer(kind) or pa.types.is_boolean(kind)):
            return None
        return (column if pa.types.is_string(kind) else column.cast(pa.string())).view(pa.binary())

    def to_connect(self, topic: str, payloads: Sequence[bytes | None]) -> list[Converted]:
        """One run of optional strings; as in Java, bytes that are no text of the encoding become U+FFFD."""
        if not payloads:
            return []
        texts = [None if payload is None else decode(payload, self._encoding) for payload in payloads]
        return [Converted(0, len(texts), OPTIONAL_STRING, _strings(texts))]

    def to_connect_column(self, topic: str, payloads: pa.BinaryArray) -> list[Converted]:
        if self._encoding != "utf-8" or not len(payloads):
            return self.to_connect(topic, payloads.to_pylist())
        try:
            texts = payloads.view(pa.string()) if _is_ascii(payloads) else payloads.cast(pa.string())
            return [Converted(0, len(payloads), OPTIONAL_STRING, texts)]
        except pa.ArrowInvalid:
            return self.to_connect(topic, payloads.to_pylist())


def _is_ascii(payloads: pa.BinaryArray) -> bool:
    """Whether all bytes are, in one pass over them: they are text as they stand, which Arrow would ask row by row."""
    if payloads.type != pa.binary():
        return False
    _, offsets, data = payloads.buffers()
    bounds = np.frombuffer(offsets, np.int32)
    first, last = bounds[payloads.offset], bounds[payloads.offset + len(payloads)]
    return bool(np.frombuffer(data or b"", np.int8)[first:last].min(initial=0) >= 0)


def _strings(texts: list[str | None]) -> Column:
    """A list where a text holds half of a surrogate pair, which UTF-16 can carry and Arrow cannot."""
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return texts
