"""Header values to bytes and back, as `org.apache.kafka.connect.storage.SimpleHeaderConverter` writes them."""

import base64
import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from headrace.connect.api import ConfigError, Header, SchemaType, schema

STRING: Final = schema(SchemaType.STRING)
_NAMES: Final = (
    "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    "SimpleHeaderConverter",
    "org.apache.kafka.connect.storage.StringConverter",
    "StringConverter",
    "simple",
    "string",
)


class HeaderConverter:
    """Text in UTF-8. Read back, every value is a STRING (Java's SimpleHeaderConverter guesses a type from the text)."""

    def from_connect(self, headers: Sequence[Header]) -> list[tuple[str, bytes | None]]:
        return [(header.name, _to_bytes(header.value)) for header in headers]

    def to_connect(self, headers: Sequence[tuple[str, bytes | None]] | None) -> tuple[Header, ...]:
        found = ((name, None if value is None else value.decode(errors="replace")) for name, value in headers or ())
        return tuple(Header(name, STRING, text) for name, text in found)


def header_converter(name: str | None) -> HeaderConverter:
    """The header converter of that name; none is SimpleHeaderConverter. Raises ConfigError."""
    if name and name not in _NAMES:
        raise ConfigError(
            f"header.converter={name} is not offered; available header converters are: {', '.join(_NAMES)}"
        )
    return HeaderConverter()


def _to_bytes(value: Any) -> bytes | None:
    return None if value is None else (value if isinstance(value, str) else _text(value)).encode()


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case bytes():
            return base64.b64encode(value).decode()
        case dt.datetime():
            return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
        case dt.date():
            return value.isoformat()
        case dt.time():
            return value.isoformat("milliseconds") + "Z"
        case list() | dict():
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_text)
        case Decimal():
            return format(value, "f")
    return str(value)
