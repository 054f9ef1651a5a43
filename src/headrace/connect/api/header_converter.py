"""HeaderConverter: the values of record headers to bytes, and back."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from headrace.config import ConfigDef
from headrace.connect.api.column import to_column, to_values
from headrace.connect.api.schema import ConnectSchema
from headrace.connect.api.stage import Converter


class HeaderConverter(ABC):
    """One header value at a time; a record has few."""

    @classmethod
    @abstractmethod
    def config_def(cls) -> ConfigDef: ...

    @abstractmethod
    def configure_headers(self, properties: Mapping[str, Any]) -> None:
        """`properties`: the keys below `header.converter.`, prefix removed. Raises ConfigError."""

    @abstractmethod
    def from_connect_header(self, topic: str, name: str, schema: ConnectSchema | None, value: Any) -> bytes | None:
        """The bytes of the header `name`. Raises DataError where the value does not fit."""

    @abstractmethod
    def to_connect_header(self, topic: str, name: str, payload: bytes | None) -> tuple[ConnectSchema | None, Any]:
        """Schema and value of the header `name`. Raises DataError where the bytes cannot be read."""


class HeaderAndValueConverter(Converter, HeaderConverter):
    """A Converter that reads and writes headers as it does values."""

    def configure_headers(self, properties: Mapping[str, Any]) -> None:
        self.configure(properties, is_key=False)

    def from_connect_header(self, topic: str, name: str, schema: ConnectSchema | None, value: Any) -> bytes | None:
        if value is None:
            tombstone = pa.array([True]) if schema is None else None
            return self.from_connect(topic, schema, None, tombstone, 1)[0]
        return self.from_connect(topic, schema, to_column(schema, [value]), None, 1)[0]

    def to_connect_header(self, topic: str, name: str, payload: bytes | None) -> tuple[ConnectSchema | None, Any]:
        (found,) = self.to_connect(topic, [payload])
        (value,) = to_values(found.schema, found.column, 1)
        return found.schema, value
