"""Produce requests by hand: record sets stay slices of the frame and are never copied.

Versions 3-13: 9 and later are flexible, 13 names topics by id. As strict as the codec is made.
"""

import struct
from typing import Final, NamedTuple
from uuid import UUID

from headrace.wire.frame import MalformedFrame, RequestHeader, read_uvarint, skip_tags

_SHORT: Final = struct.Struct(">h")
_INT: Final = struct.Struct(">i")
_ACKS_TIMEOUT: Final = struct.Struct(">hi")
_FLEXIBLE_FROM: Final = 9
_IDS_FROM: Final = 13


class ProducePartition(NamedTuple):
    """`records` is a slice of the frame, writable where the frame is; None where the client sent null."""

    partition: int
    records: memoryview | None


class ProduceTopic(NamedTuple):
    """`topic_id` from version 13 on, `name` before."""

    name: str | None
    topic_id: UUID | None
    partitions: list[ProducePartition]


class ProduceData(NamedTuple):
    """A Produce request."""

    transactional_id: str | None
    acks: int
    timeout_ms: int
    topics: list[ProduceTopic]


def parse_produce(header: RequestHeader, frame: memoryview) -> ProduceData:
    """Read a Produce request without copying its record sets. Raises MalformedFrame."""
    reader = _Reader(frame, header.body_offset, flexible=header.api_version >= _FLEXIBLE_FROM)
    try:
        result = _request(reader, by_id=header.api_version >= _IDS_FROM)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise MalformedFrame(f"ProduceRequest version {header.api_version} cannot be read: {error}") from error
    if reader.position != len(frame):
        raise MalformedFrame(f"ProduceRequest ends at byte {reader.position} of a frame of {len(frame)} bytes")
    return result


def _request(reader: "_Reader", *, by_id: bool) -> ProduceData:
    transactional_id = reader.string()
    acks, timeout_ms = reader.unpack(_ACKS_TIMEOUT)
    topics = [_topic(reader, by_id=by_id) for _ in range(reader.array_length())]
    reader.tags()
    return ProduceData(transactional_id, acks, timeout_ms, topics)


def _topic(reader: "_Reader", *, by_id: bool) -> ProduceTopic:
    name = None if by_id else reader.string()
    topic_id = UUID(bytes=bytes(reader.take(16))) if by_id else None
    partitions = []
    for _ in range(reader.array_length()):
        (index,) = reader.unpack(_INT)
        partitions.append(ProducePartition(index, reader.nullable_bytes()))
        reader.tags()
    reader.tags()
    return ProduceTopic(name, topic_id, partitions)


class _Reader:
    """A position in a frame."""

    __slots__ = ("_flexible", "_frame", "position")

    def __init__(self, frame: memoryview, position: int, *, flexible: bool) -> None:
        self._frame = frame
        self.position = position
        self._flexible = flexible

    def unpack(self, fields: struct.Struct) -> tuple[int, ...]:
        values = fields.unpack_from(self._frame, self.position)
        self.position += fields.size
        return values

    def take(self, size: int) -> memoryview:
        end = self.position + size
        if size < 0 or end > len(self._frame):
            raise MalformedFrame(f"a field of ProduceRequest ends at byte {end} of a frame of {len(self._frame)} bytes")
        piece = self._frame[self.position : end]
        self.position = end
        return piece

    def _length(self, fixed: struct.Struct) -> int:
        """-1 is null."""
        if self._flexible:
            value, self.position = read_uvarint(self._frame, self.position)
            return value - 1
        return self.unpack(fixed)[0]

    def array_length(self) -> int:
        length = self._length(_INT)
        if length < 0 or length > len(self._frame):
            raise MalformedFrame(f"ProduceRequest has an array of {length} elements")
        return length

    def string(self) -> str | None:
        length = self._length(_SHORT)
        return None if length == -1 else str(self.take(length), "utf-8")

    def nullable_bytes(self) -> memoryview | None:
        length = self._length(_INT)
        return None if length == -1 else self.take(length)

    def tags(self) -> None:
        if self._flexible:
            self.position = skip_tags(self._frame, self.position)
