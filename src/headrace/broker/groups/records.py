"""The records of `__consumer_offsets`, byte for byte Apache Kafka's, so that Java's tools read them.

Written: OffsetCommitKey 1, OffsetCommitValue 4, GroupMetadataKey 2, GroupMetadataValue 3, as Apache Kafka 4.3 does.
Read: every version of these. Keys of other kinds (KIP-848's groups) are passed over.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

OFFSETS_TOPIC: Final = "__consumer_offsets"

OFFSET_COMMIT_KEY: Final = 1
GROUP_METADATA_KEY: Final = 2
_OFFSET_COMMIT_VALUE: Final = 4
_GROUP_METADATA_VALUE: Final = 3

CoordinatorRecord = tuple[bytes, bytes | None]
"""Key and value; without value it deletes what the key names."""


@dataclass(frozen=True, slots=True)
class OffsetKey:
    group_id: str
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class GroupKey:
    group_id: str


@dataclass(frozen=True, slots=True)
class OffsetValue:
    """A committed offset; `expire_timestamp_ms` stands in records of old clients alone."""

    offset: int
    leader_epoch: int
    metadata: str
    commit_timestamp_ms: int
    expire_timestamp_ms: int = -1
    topic_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MemberValue:
    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    rebalance_timeout_ms: int
    session_timeout_ms: int
    subscription: bytes
    assignment: bytes


@dataclass(frozen=True, slots=True)
class GroupValue:
    protocol_type: str
    generation: int
    protocol: str | None
    leader: str | None
    state_timestamp_ms: int
    members: Sequence[MemberValue] = field(default_factory=tuple)


def partition_for(group_id: str, partitions: int) -> int:
    """Where a group's records are: Java's `String.hashCode`, over UTF-16 units, made positive as Kafka's Utils.abs."""
    code = 0
    units = group_id.encode("utf-16-be", "surrogatepass")
    for (unit,) in struct.iter_unpack(">H", units):
        code = (31 * code + unit) & 0xFFFFFFFF
    signed = code - 2**32 if code >= 2**31 else code
    return (0 if signed == -(2**31) else abs(signed)) % partitions


def _string(text: str | None) -> bytes:
    if text is None:
        return b"\xff\xff"
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def _bytes(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def _uvarint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def offset_key(key: OffsetKey) -> bytes:
    head = struct.pack(">h", OFFSET_COMMIT_KEY)
    return head + _string(key.group_id) + _string(key.topic) + struct.pack(">i", key.partition)


def offset_value(value: OffsetValue) -> bytes:
    """Version 4, or version 1 where an old client set a time of its own for the offset to expire."""
    metadata = value.metadata.encode()
    if value.expire_timestamp_ms != -1:
        times = struct.pack(">qq", value.commit_timestamp_ms, value.expire_timestamp_ms)
        return struct.pack(">hqh", 1, value.offset, len(metadata)) + metadata + times
    tags = b"\x00" if value.topic_id is None else b"\x01\x00\x10" + value.topic_id.bytes
    return b"".join(
        (
            struct.pack(">hqi", _OFFSET_COMMIT_VALUE, value.offset, value.leader_epoch),
            _uvarint(len(metadata) + 1),
            metadata,
            struct.pack(">q", value.commit_timestamp_ms),
            tags,
        )
    )


def group_key(group_id: str) -> bytes:
    return struct.pack(">h", GROUP_METADATA_KEY) + _string(group_id)


def group_value(value: GroupValue) -> bytes:
    head = struct.pack(">h", _GROUP_METADATA_VALUE) + _string(value.protocol_type) + struct.pack(">i", value.generation)
    state = struct.pack(">qi", value.state_timestamp_ms, len(value.members))
    members = b"".join(map(_member, value.members))
    return head + _string(value.protocol) + _string(value.leader) + state + members


def _member(member: MemberValue) -> bytes:
    return b"".join(
        (
            *map(_string, (member.member_id, member.instance_id, member.client_id, member.client_host)),
            struct.pack(">ii", member.rebalance_timeout_ms, member.session_timeout_ms),
            _bytes(member.subscription),
            _bytes(member.assignment),
        )
    )


class _Reader:
    """A cursor over one key or value; flexible ones have compact lengths and end in tagged fields (KIP-482)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        (self.version,) = self.read(">h")
        self.flexible = False

    def read(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self._data, self._position)
        self._position += struct.calcsize(layout)
        return values

    def int32(self) -> int:
        return self.read(">i")[0]

    def int64(self) -> int:
        return self.read(">q")[0]

    def uvarint(self) -> int:
        value = shift = 0
        while True:
            (byte,) = self.read(">B")
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def take(self, length: int) -> bytes:
        if self._position + length > len(self._data):
            raise ValueError(f"a field of {length} bytes ends behind the record's {len(self._data)}")
        self._position += length
        return self._data[self._position - length : self._position]

    def count(self, layout: str = ">i") -> int:
        return self.uvarint() - 1 if self.flexible else self.read(layout)[0]

    def nullable_string(self) -> str | None:
        length = self.count(">h")
        return None if length < 0 else self.take(length).decode()

    def string(self) -> str:
        return self.nullable_string() or ""

    def data(self) -> bytes:
        return self.take(max(self.count(), 0))

    def tags(self) -> dict[int, bytes]:
        if not self.flexible:
            return {}
        return {self.uvarint(): self.take(self.uvarint()) for _ in range(self.uvarint())}


def read_key(data: bytes) -> OffsetKey | GroupKey | None:
    """What a record is about; None for kinds that are not a classic group's."""
    reader = _Reader(data)
    match reader.version:
        case 0 | 1:
            return OffsetKey(reader.string(), reader.string(), reader.int32())
        case 2:
            return GroupKey(reader.string())
    return None


def read_offset_value(data: bytes) -> OffsetValue:
    """Versions 0 to 4."""
    reader = _Reader(data)
    reader.flexible = reader.version >= 4
    offset = reader.int64()
    leader_epoch = reader.int32() if reader.version >= 3 else -1
    metadata = reader.string()
    commit_timestamp_ms = reader.int64()
    expire_timestamp_ms = reader.int64() if reader.version == 1 else -1
    topic_id = reader.tags().get(0)
    return OffsetValue(
        offset,
        leader_epoch,
        metadata,
        commit_timestamp_ms,
        expire_timestamp_ms,
        UUID(bytes=topic_id) if topic_id else None,
    )


def read_group_value(data: bytes) -> GroupValue:
    """Versions 0 to 4."""
    reader = _Reader(data)
    reader.flexible = reader.version >= 4
    protocol_type, generation = reader.string(), reader.int32()
    protocol, leader = reader.nullable_string(), reader.nullable_string()
    state_timestamp_ms = reader.int64() if reader.version >= 2 else -1
    members = tuple(_read_member(reader) for _ in range(reader.count()))
    return GroupValue(protocol_type, generation, protocol, leader, state_timestamp_ms, members)


def _read_member(reader: _Reader) -> MemberValue:
    member_id = reader.string()
    instance_id = reader.nullable_string() if reader.version >= 3 else None
    client_id, client_host = reader.string(), reader.string()
    rebalance_timeout_ms = reader.int32() if reader.version >= 1 else -1
    session_timeout_ms = reader.int32()
    if rebalance_timeout_ms == -1:
        rebalance_timeout_ms = session_timeout_ms
    subscription, assignment = reader.data(), reader.data()
    reader.tags()
    return MemberValue(
        member_id,
        instance_id,
        client_id,
        client_host,
        rebalance_timeout_ms,
        session_timeout_ms,
        subscription,
        assignment,
    )
