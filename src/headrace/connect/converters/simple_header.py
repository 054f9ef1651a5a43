"""SimpleHeaderConverter: header values as text, read back as what the text looks like."""

from collections.abc import Mapping
from typing import Any

from headrace.connect.api import ConfigDef, ConnectSchema, HeaderConverter
from headrace.connect.api.java.charset import decode
from headrace.connect.api.values import parse_string, to_string


class SimpleHeaderConverter(HeaderConverter):
    """`org.apache.kafka.connect.storage.SimpleHeaderConverter`, which a worker has if nothing else is set."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef()

    def configure_headers(self, properties: Mapping[str, Any]) -> None:
        """There is nothing to set."""

    def from_connect_header(self, topic: str, name: str, schema: ConnectSchema | None, value: Any) -> bytes | None:
        text = to_string(schema, value)
        return None if text is None else text.encode("utf-8", "replace")

    def to_connect_header(self, topic: str, name: str, payload: bytes | None) -> tuple[ConnectSchema | None, Any]:
        return parse_string(None if payload is None else decode(payload))
