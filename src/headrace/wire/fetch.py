"""Fetch answers by hand: encoded pieces with the file's bytes spliced between them, never joined.

Versions 4-18: 12 and later are flexible, 13 and later name topics by id. Sessions are not kept, so the session id is 0.
"""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from headrace.wire.encoding import count, string

_HEAD: Final = struct.Struct(">ihi")
_INT: Final = struct.Struct(">i")
_CORRELATION: Final = struct.Struct(">i")
_FLEXIBLE_FROM: Final = 12
_IDS_FROM: Final = 13
_NO_TAGS: Final = b"\x00"
_PARTITION: Final = struct.Struct(">ihqq")
_LOG_START: Final = struct.Struct(">q")
_ZERO_ID: Final = UUID(int=0)


class FetchedPartition(NamedTuple):
    """One partition's answer, or that there is no such partition; -1 for offsets that an error leaves unknown.

    `diverging` is (epoch, end offset).
    """

    partition: int
    error_code: int
    high_watermark: int
    log_start_offset: int
    records: bytes
    diverging: tuple[int, int] | None = None
    is_unknown: bool = False


class FetchedTopic(NamedTuple):
    """One topic's answer: by `topic_id` from version 13 on, by `name` before."""

    name: str | None
    topic_id: UUID | None
    partitions: Sequence[FetchedPartition]


def encode_fetch(
    topics: Sequence[FetchedTopic], version: int, correlation_id: int, error_code: int = 0, *, committed: bool = False
) -> list[bytes | memoryview]:
    """The frame of a Fetch answer in pieces, its size first; `committed` is the isolation asked for."""
    flexible = version >= _FLEXIBLE_FROM
    pieces: list[bytes | memoryview] = []
    text = bytearray(_CORRELATION.pack(correlation_id))
    if flexible:
        text += _NO_TAGS
    text += _HEAD.pack(0, error_code, 0) if version >= 7 else _INT.pack(0)
    text += count(len(topics), flexible=flexible)
    for topic in topics:
        text = _topic(topic, version, text, pieces, committed=committed)
    if flexible:
        text += _NO_TAGS
    pieces.append(bytes(text))
    size = sum(map(len, pieces))
    return [_INT.pack(size) + pieces[0], *pieces[1:]]


def _topic(
    topic: FetchedTopic, version: int, text: bytearray, pieces: list[bytes | memoryview], *, committed: bool
) -> bytearray:
    flexible = version >= _FLEXIBLE_FROM
    text += (topic.topic_id or _ZERO_ID).bytes if version >= _IDS_FROM else string(topic.name or "", flexible=flexible)
    text += count(len(topic.partitions), flexible=flexible)
    for partition in topic.partitions:
        _partition_head(partition, version, text, committed=committed)
        if partition.records:
            pieces += (bytes(text), partition.records)
            text = bytearray()
        if flexible:
            text += _diverging(partition.diverging)
    if flexible:
        text += _NO_TAGS
    return text


def _partition_head(partition: FetchedPartition, version: int, text: bytearray, *, committed: bool) -> None:
    watermark = partition.high_watermark
    text += _PARTITION.pack(partition.partition, partition.error_code, watermark, watermark)
    if version >= 5:
        text += _LOG_START.pack(partition.log_start_offset)
    flexible = version >= _FLEXIBLE_FROM
    text += _no_aborted_transactions(flexible=flexible, is_list=committed or partition.is_unknown)
    if version >= 11:
        text += b"\xff\xff\xff\xff"  # no preferred read replica
    text += count(len(partition.records), flexible=flexible)


def _no_aborted_transactions(*, flexible: bool, is_list: bool) -> bytes:
    """As Apache Kafka: an empty list for readers of committed records and partitions that are not there, else null."""
    if is_list:
        return b"\x01" if flexible else b"\x00\x00\x00\x00"
    return b"\x00" if flexible else b"\xff\xff\xff\xff"


def _diverging(diverging: tuple[int, int] | None) -> bytes:
    """The tagged fields of a partition: tag 0 is the epoch from which reader and log differ (KIP-595)."""
    if diverging is None:
        return _NO_TAGS
    content = struct.pack(">iq", *diverging) + _NO_TAGS
    return bytes((1, 0, len(content))) + content
