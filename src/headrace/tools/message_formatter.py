"""From a message to the line that is printed for it, as Kafka's DefaultMessageFormatter writes it. Sans-IO."""

import struct
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from headrace.tools.command import Refusal

Deserializer = Callable[[bytes], bytes]

TIMESTAMP_TYPES = {1: "CreateTime", 2: "LogAppendTime"}
_PREFIX = "org.apache.kafka.common.serialization."
# Name, struct format, width in bytes.
_NUMBERS = {"LongDeserializer": (">q", 8), "IntegerDeserializer": (">i", 4), "ShortDeserializer": (">h", 2)}
_FLOATS = {"DoubleDeserializer": (">d", 8), "FloatDeserializer": (">f", 4)}
_AS_THEY_ARE = ("StringDeserializer", "ByteArrayDeserializer", "BytesDeserializer", "ByteBufferDeserializer")


@dataclass(frozen=True, slots=True)
class Message:
    """A consumed message; `timestamp_type` is librdkafka's number (0: there is none)."""

    partition: int
    offset: int
    timestamp_type: int
    timestamp_ms: int
    headers: list[tuple[str, bytes | None]]
    key: bytes | None
    value: bytes | None


class MessageFormatter:
    """Writes messages by `properties`: print.*, *.separator, null.literal, *.deserializer."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        def separator(key: str, default: str) -> bytes:
            return properties.get(key, default).encode("utf-8", "surrogateescape")

        self._key_separator = separator("key.separator", "\t")
        self._line_separator = separator("line.separator", "\n")
        self._headers_separator = separator("headers.separator", ",")
        self._null = separator("null.literal", "null")
        self._key, self._value, self._header = (
            deserializer(properties.get(f"{part}.deserializer")) for part in ("key", "value", "headers")
        )
        columns: dict[str, Callable[[Message], bytes]] = {
            "timestamp": _timestamp,
            "partition": lambda message: b"Partition:%d" % message.partition,
            "offset": lambda message: b"Offset:%d" % message.offset,
            # Kafka's console consumer hands neither of these two to its formatter.
            "delivery": lambda message: b"Delivery:NOT_PRESENT",
            "epoch": lambda message: b"Epoch:NOT_PRESENT",
            "headers": self._headers,
            "key": lambda message: self._text(self._key, message.key),
            "value": lambda message: self._text(self._value, message.value),
        }
        self._columns = [column for name, column in columns.items() if _printed(properties, name)]

    def line(self, message: Message) -> bytes:
        """What is printed for `message`; nothing where no column is."""
        columns = [column(message) for column in self._columns]
        return self._key_separator.join(columns) + self._line_separator if columns else b""

    def _text(self, deserialize: Deserializer, data: bytes | None) -> bytes:
        return deserialize(self._null if data is None else data)

    def _headers(self, message: Message) -> bytes:
        pairs = [key.encode() + b":" + self._text(self._header, value) for key, value in message.headers]
        return self._headers_separator.join(pairs) if pairs else b"NO_HEADERS"


def deserializer(name: str | None) -> Deserializer:
    """What turns bytes into text, by the name of Java's class; an unknown one is told, and the bytes stay."""
    if not name:
        return _unchanged
    short = name.removeprefix(_PREFIX)
    if short in _NUMBERS:
        return _unpacking(short, *_NUMBERS[short], lambda number: str(number))
    if short in _FLOATS:
        return _unpacking(short, *_FLOATS[short], lambda number: repr(number))
    if short == "UUIDDeserializer":
        return lambda data: str(uuid.UUID(data.decode())).encode()
    if short == "BooleanDeserializer":
        return _boolean
    if short not in _AS_THEY_ARE:
        print(f"ERROR Unable to instantiate a deserializer from {name}", file=sys.stderr)
    return _unchanged


def _unchanged(data: bytes) -> bytes:
    return data


def _unpacking(name: str, form: str, width: int, text: Callable[[float], str]) -> Deserializer:
    def unpack(data: bytes) -> bytes:
        if len(data) != width:
            raise Refusal(f"Size of data received by {name} is not {width}")
        return text(struct.unpack(form, data)[0]).encode()

    return unpack


def _boolean(data: bytes) -> bytes:
    if data not in (b"\0", b"\1"):
        raise Refusal("Unexpected byte received by BooleanDeserializer")
    return b"true" if data == b"\1" else b"false"


def _timestamp(message: Message) -> bytes:
    kind = TIMESTAMP_TYPES.get(message.timestamp_type)
    return f"{kind}:{message.timestamp_ms}".encode() if kind else b"NO_TIMESTAMP"


def _printed(properties: Mapping[str, str], name: str) -> bool:
    default = "true" if name == "value" else "false"
    return properties.get(f"print.{name}", default).strip().lower() == "true"
