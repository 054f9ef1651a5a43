"""Request frames: the four-byte size is gone already; this reads the header by hand and finds the body.

A frame is a memoryview of exactly the bytes that the size announced. Nothing is copied but the client's id.
"""

import struct
from typing import NamedTuple

from headrace.wire import messages

_FIXED = struct.Struct(">hhih")


class MalformedFrame(ValueError):
    """Bytes that are no Kafka request; the text says what is wrong with them."""


class RequestHeader(NamedTuple):
    """What precedes a request's body; `body_offset` is where in the frame the body begins, -1 where it is unknown."""

    api_key: int
    api_version: int
    correlation_id: int
    client_id: str | None
    body_offset: int


def parse_header(frame: memoryview) -> RequestHeader:
    """Header versions 1 and 2 (KIP-482); which one it is follows from the API's key and version.

    Where the key or the version is not known to the library, the header's end is not either: body_offset is -1.
    Raises MalformedFrame.
    """
    if len(frame) < _FIXED.size:
        raise MalformedFrame(f"a request of {len(frame)} bytes has no header")
    key, version, correlation_id, length = _FIXED.unpack_from(frame)
    client_id, position = _client_id(frame, length)
    request = messages.REQUESTS.get(key)
    if request is None or not 0 <= version <= request.max_version:
        return RequestHeader(key, version, correlation_id, client_id, -1)
    if request.flexible_version_q(version):
        position = skip_tags(frame, position)
    return RequestHeader(key, version, correlation_id, client_id, position)


def _client_id(frame: memoryview, length: int) -> tuple[str | None, int]:
    if length < 0:
        return None, _FIXED.size
    end = _FIXED.size + length
    if end > len(frame):
        raise MalformedFrame(f"the client id ends at byte {end} of a request of {len(frame)} bytes")
    try:
        return str(frame[_FIXED.size : end], "utf-8"), end
    except UnicodeDecodeError as error:
        raise MalformedFrame("the client id is not UTF-8") from error


def read_uvarint(frame: memoryview, position: int) -> tuple[int, int]:
    """An unsigned varint of at most five bytes: (value, where it ends)."""
    value = shift = 0
    try:
        while True:
            byte = frame[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 28:
                raise MalformedFrame("a varint is longer than five bytes")
    except IndexError:
        raise MalformedFrame("the request ends inside a varint") from None
    return value, position


def skip_tags(frame: memoryview, position: int) -> int:
    """Where the tagged fields that begin at `position` end; none of them means anything to a broker."""
    count, position = read_uvarint(frame, position)
    for _ in range(count):
        _, position = read_uvarint(frame, position)
        size, position = read_uvarint(frame, position)
        position += size
        if position > len(frame):
            raise MalformedFrame("the request ends inside a tagged field")
    return position
