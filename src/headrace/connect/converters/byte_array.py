"""ByteArrayConverter: bytes as they are."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from headrace.connect.api import (
    Column,
    ColumnConverter,
    ConfigDef,
    ConnectSchema,
    Converted,
    DataError,
    HeaderAndValueConverter,
    SchemaType,
    schema,
    to_values,
)
from headrace.connect.api.java.text import class_text
from headrace.connect.converters.fixed_width import check_schema
from headrace.connect.converters.kind import converter_config

OPTIONAL_BYTES = schema(SchemaType.BYTES, optional=True)


class ByteArrayConverter(ColumnConverter, HeaderAndValueConverter):
    """`org.apache.kafka.connect.converters.ByteArrayConverter`."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return converter_config()

    def configure(self, properties: Mapping[str, Any], *, is_key: bool) -> None:
        """There is nothing to set, and as in Java nothing is looked at."""

    def from_connect_column(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> pa.BinaryArray | pa.LargeBinaryArray:
        check_schema("ByteArrayConverter", SchemaType.BYTES, schema, tombstone, length)
        if isinstance(column, pa.Array) and column.type in (pa.binary(), pa.large_binary()):
            return column
        values = to_values(schema, column, length)
        for value in values:
            if not isinstance(value, bytes | None):
                raise DataError(
                    f"ByteArrayConverter is not compatible with objects of type {class_text(schema, value)}"
                )
        return pa.array(values, pa.large_binary())

    def to_connect_column(self, topic: str, payloads: pa.BinaryArray) -> list[Converted]:
        """One run, of the same memory."""
        return [Converted(0, len(payloads), OPTIONAL_BYTES, payloads)] if len(payloads) else []
