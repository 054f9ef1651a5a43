"""Produce answers by hand: a producer of small batches waits for one a batch, and the codec takes its time.

Versions 3-13: 8 and later carry error texts, 9 and later are flexible, 13 names topics by id.
"""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from headrace.wire.encoding import count, nullable_string, string

_INT: Final = struct.Struct(">i")
_PARTITION: Final = struct.Struct(">ihqq")
_LONG: Final = struct.Struct(">q")
_NO_TAGS: Final = b"\x00"
_TEXTS_FROM: Final = 8
_FLEXIBLE_FROM: Final = 9
_IDS_FROM: Final = 13
_NO_THROTTLE: Final = _INT.pack(0)


class ProducedPartition(NamedTuple):
    """One partition's answer; -1 for what an error leaves unknown. `record_errors` are (index in the batch, text)."""

    partition: int
    error_code: int
    base_offset: int = -1
    append_time: int = -1
    log_start_offset: int = -1
    message: str | None = None
    record_errors: Sequence[tuple[int, str]] = ()


class ProducedTopic(NamedTuple):
    """One topic's answer: by `topic_id` from version 13 on, by `name` before."""

    name: str | None
    topic_id: UUID | None
    partitions: Sequence[ProducedPartition]


def encode_produced(topics: Sequence[ProducedTopic], version: int, correlation_id: int) -> bytes:
    """The whole frame of a Produce answer, its size first."""
    flexible = version >= _FLEXIBLE_FROM
    tags = _NO_TAGS if flexible else b""
    pieces = [_INT.pack(correlation_id), tags, count(len(topics), flexible=flexible)]
    for topic in topics:
        is_by_id = version >= _IDS_FROM and topic.topic_id is not None
        pieces.append(
            topic.topic_id.bytes if is_by_id and topic.topic_id else string(topic.name or "", flexible=flexible)
        )
        pieces.append(count(len(topic.partitions), flexible=flexible))
        pieces += [_partition(partition, version) for partition in topic.partitions]
        pieces.append(tags)
    pieces += (_NO_THROTTLE, tags)
    body = b"".join(pieces)
    return _INT.pack(len(body)) + body


def _partition(partition: ProducedPartition, version: int) -> bytes:
    result = _PARTITION.pack(partition.partition, partition.error_code, partition.base_offset, partition.append_time)
    if version >= 5:
        result += _LONG.pack(partition.log_start_offset)
    if version >= _TEXTS_FROM:
        flexible = version >= _FLEXIBLE_FROM
        tags = _NO_TAGS if flexible else b""
        result += count(len(partition.record_errors), flexible=flexible)
        for index, text in partition.record_errors:
            result += _INT.pack(index) + nullable_string(text, flexible=flexible) + tags
        result += nullable_string(partition.message, flexible=flexible) + tags
    return result
