"""Consumed messages to batches: decoded runs of one topic, one key schema and one value schema.

Sans-IO. The per-record work is a handful of C calls by `map`; what cannot be decoded is rejected record by record.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from headrace.connect.api import Batch, Column, Converted, DataError, Header, SinkOrigin, TopicPartition
from headrace.connect.runtime.host.errors import ErrorPolicy, Stage
from headrace.connect.runtime.host.stages import Stages

Payloads = Sequence[bytes | None]
Decode = Callable[[str, Payloads], list[Converted]]
_TYPES: Final = {TIMESTAMP_LOG_APPEND_TIME: "LOG_APPEND_TIME"}


@dataclass(frozen=True, slots=True)
class Consumed:
    """Messages of one topic and timestamp type, in columns."""

    topic: str
    timestamp_type: str
    partitions: list[int]
    offsets: list[int]
    timestamps: Sequence[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    headers: list[list[tuple[str, bytes | None]] | None]

    def positions(self) -> dict[TopicPartition, int]:
        """The offset to go on from, of each partition."""
        last = dict(zip(self.partitions, self.offsets, strict=True))
        return {TopicPartition(self.topic, partition): offset + 1 for partition, offset in last.items()}

    def beyond(self, positions: Mapping[TopicPartition, int]) -> "Consumed":
        """Without the records below the given positions: around a rebalance a record may come twice."""
        first = dict(zip(reversed(self.partitions), reversed(self.offsets), strict=True))
        floor = {partition: positions.get(TopicPartition(self.topic, partition), 0) for partition in first}
        if all(at >= floor[partition] for partition, at in first.items()):
            return self
        rows = []
        for row, (partition, offset) in enumerate(zip(self.partitions, self.offsets, strict=True)):
            if offset >= floor[partition]:
                floor[partition] = offset + 1
                rows.append(row)
        return Consumed(
            self.topic,
            self.timestamp_type,
            [self.partitions[row] for row in rows],
            [self.offsets[row] for row in rows],
            [self.timestamps[row] for row in rows],
            [self.keys[row] for row in rows],
            [self.values[row] for row in rows],
            [self.headers[row] for row in rows],
        )

    def describe(self, row: int) -> str:
        return f"The record at topic {self.topic}, partition {self.partitions[row]}, offset {self.offsets[row]}"


def columns(messages: Sequence[Message]) -> list[Consumed]:
    """The messages by topic and timestamp type; each partition's stay in order."""
    topics = list(map(Message.topic, messages))
    kinds, stamps = zip(*map(Message.timestamp, messages), strict=True)
    if len(set(topics)) == 1 and len(set(kinds)) == 1:
        return [_columns(messages, topics[0], kinds[0], stamps)]
    runs: dict[tuple[str, int], list[int]] = {}
    for row, run in enumerate(zip(topics, kinds, strict=True)):
        runs.setdefault(run, []).append(row)
    return [
        _columns([messages[row] for row in rows], topic, kind, [stamps[row] for row in rows])
        for (topic, kind), rows in runs.items()
    ]


def _columns(messages: Sequence[Message], topic: str, kind: int, stamps: Sequence[int]) -> Consumed:
    return Consumed(
        topic,
        _TYPES.get(kind, "CREATE_TIME"),
        list(map(Message.partition, messages)),
        list(map(Message.offset, messages)),
        stamps,
        list(map(Message.key, messages)),
        list(map(Message.value, messages)),
        list(map(Message.headers, messages)),
    )


def batches(consumed: Consumed, stages: Stages, policy: ErrorPolicy) -> list[Batch]:
    """The decoded runs, in order; records that cannot be decoded are left to the policy."""
    keys: list[Converted] = [Converted(0, len(consumed.keys), None, None)]
    if consumed.keys.count(None) < len(consumed.keys):
        keys = _decode(stages.key.to_connect, consumed, consumed.keys, Stage.KEY_CONVERTER, policy)
    values = _decode(stages.value.to_connect, consumed, consumed.values, Stage.VALUE_CONVERTER, policy)
    partition = pa.array(consumed.partitions, pa.int32())
    origin = SinkOrigin(consumed.topic, partition, pa.array(consumed.offsets, pa.int64()), consumed.timestamp_type)
    headers = _headers(consumed, stages)
    whole = Batch(
        consumed.topic,
        len(consumed.values),
        timestamp=pa.array(consumed.timestamps, pa.int64()),
        partition=partition,
        headers=headers,
        origin=origin,
    )
    return [_batch(whole, key, value, start, stop) for key, value, start, stop in _intersect(keys, values)]


def _headers(consumed: Consumed, stages: Stages) -> tuple[tuple[Header, ...], ...] | None:
    if not any(consumed.headers):
        return None
    return tuple(stages.headers.to_connect(row) for row in consumed.headers)


def _decode(decode: Decode, consumed: Consumed, payloads: Payloads, stage: str, policy: ErrorPolicy) -> list[Converted]:
    """The decoded runs of all payloads but those that are rejected."""

    def part(start: int, stop: int) -> Iterator[Converted]:
        try:
            found = decode(consumed.topic, payloads[start:stop])
        except DataError as error:
            if stop - start == 1:
                policy.reject(stage, consumed.describe(start), error)
                return
            middle = (start + stop) // 2
            yield from part(start, middle)
            yield from part(middle, stop)
            return
        for run in found:
            yield Converted(run.start + start, run.length, run.schema, run.column, run.tombstone) if start else run

    return list(part(0, len(payloads)))


def _intersect(
    keys: Sequence[Converted], values: Sequence[Converted]
) -> Iterable[tuple[Converted, Converted, int, int]]:
    """Where both a key run and a value run cover rows start to stop."""
    at_key = at_value = 0
    while at_key < len(keys) and at_value < len(values):
        key, value = keys[at_key], values[at_value]
        start, stop = max(key.start, value.start), min(key.start + key.length, value.start + value.length)
        if start < stop:
            yield key, value, start, stop
        if key.start + key.length <= value.start + value.length:
            at_key += 1
        else:
            at_value += 1


def _batch(whole: Batch, key: Converted, value: Converted, start: int, stop: int) -> Batch:
    rows = whole.slice(start, stop).with_key(key.schema, _part(key.column, key, start, stop))
    rows = rows.with_value(value.schema, _part(value.column, value, start, stop))
    tombstone = _part(value.tombstone, value, start, stop)
    return replace(rows, tombstone=tombstone)


def _part(column: Column | Any | None, run: Converted, start: int, stop: int) -> Any:
    if column is None:
        return None
    first, last = start - run.start, stop - run.start
    if isinstance(column, list):
        return column[first:last]
    return column.slice(first, last - first)
