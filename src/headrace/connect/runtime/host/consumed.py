"""Consumed: records as a consumer gives them, in columns, and what a batch keeps of them. Sans-IO."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from headrace.connect.api import Batch, SinkOrigin, TopicPartition, integers
from headrace.connect.records.reader import RecordColumns

_LOG_APPEND_TIME: Final = "LOG_APPEND_TIME"
_CREATE_TIME: Final = "CREATE_TIME"


@dataclass(frozen=True, slots=True)
class Consumed:
    """Records of one topic and timestamp type; each partition's are in order.

    `partition` int32, `offset` and `timestamp` int64 numpy arrays; `key` and `value` binary, null where there is none;
    `headers` one list a record, None where no record has any.
    """

    topic: str
    timestamp_type: str
    partition: Any
    offset: Any
    timestamp: Any
    key: pa.BinaryArray
    value: pa.BinaryArray
    headers: Sequence[Sequence[tuple[str, bytes | None]] | None] | None = None

    def __len__(self) -> int:
        return len(self.offset)

    def positions(self) -> dict[TopicPartition, int]:
        """The offset to go on from, of each partition."""
        found = {}
        for partition in np.unique(self.partition).tolist():
            found[TopicPartition(self.topic, partition)] = int(self.offset[self.partition == partition][-1]) + 1
        return found

    def beyond(self, positions: Mapping[TopicPartition, int]) -> "Consumed":
        """Without the records below the given positions: around a rebalance a record may come twice."""
        kept = np.ones(len(self), bool)
        for partition in np.unique(self.partition).tolist():
            mine = self.partition == partition
            offset = self.offset[mine]
            floor = positions.get(TopicPartition(self.topic, partition), 0)
            highest = np.maximum.accumulate(np.concatenate([[floor - 1], offset[:-1]]))
            kept[mine] = offset > highest
        return self if kept.all() else self._take(np.flatnonzero(kept))

    def _take(self, rows: Any) -> "Consumed":
        return Consumed(
            self.topic,
            self.timestamp_type,
            self.partition[rows],
            self.offset[rows],
            self.timestamp[rows],
            self.key.take(pa.array(rows)),
            self.value.take(pa.array(rows)),
            None if self.headers is None else [self.headers[row] for row in rows],
        )

    def without_payloads(self) -> "Consumed":
        """The same records, but for what they hold."""
        return replace(self, key=_NOTHING, value=_NOTHING, headers=None)

    def origin(self, *, with_payloads: bool) -> "ConsumedOrigin":
        """The origin of the batches made of these records; the payloads stay in memory with them where asked for."""
        kept = self if with_payloads else self.without_payloads()
        return ConsumedOrigin(self.topic, integers(self.partition), integers(self.offset), self.timestamp_type, kept)


_NOTHING: Final = pa.array([], pa.binary())


@dataclass(frozen=True, slots=True)
class ConsumedOrigin(SinkOrigin):
    """The origin of a batch's rows, with the records as consumed, for what becomes of a bad one."""

    consumed: Consumed | None = None


@dataclass(frozen=True, slots=True)
class ConsumedRow:
    """One record as it was consumed: a FailedRecord."""

    consumed: Consumed
    row: int

    @property
    def partition(self) -> TopicPartition:
        return TopicPartition(self.consumed.topic, int(self.consumed.partition[self.row]))

    @property
    def offset(self) -> int:
        return int(self.consumed.offset[self.row])

    def describe(self) -> str:
        return f"The record at topic {self.consumed.topic}, partition {self.partition.partition}, offset {self.offset}"

    def details(self) -> str:
        topic, partition = self.partition
        text = f"consumed record is {{topic='{topic}', partition={partition}, offset={self.offset}"
        kind = _JAVA_TIMESTAMP_TYPES[self.consumed.timestamp_type]
        return f"{text}, timestamp={int(self.consumed.timestamp[self.row])}, timestampType={kind}}}"


_JAVA_TIMESTAMP_TYPES: Final = {_CREATE_TIME: "CreateTime", _LOG_APPEND_TIME: "LogAppendTime"}


def consumed_row(batch: Batch, row: int = 0) -> ConsumedRow:
    """The record that a row of a batch was made of."""
    if not isinstance(batch.origin, ConsumedOrigin) or batch.origin.consumed is None:
        raise TypeError("only a batch that a sink was given knows what it was consumed from")
    return ConsumedRow(batch.origin.consumed, batch.origin_row(row))


def of_columns(partition: TopicPartition, columns: RecordColumns) -> Consumed:
    """What the columns of one partition hold."""
    return Consumed(
        partition.topic,
        _LOG_APPEND_TIME if columns.is_log_append_time else _CREATE_TIME,
        np.full(len(columns), partition.partition, np.int32),
        columns.offset,
        columns.timestamp,
        columns.key,
        columns.value,
        columns.headers,
    )


def of_messages(messages: Sequence[Message]) -> list[Consumed]:
    """librdkafka's messages by topic and timestamp type."""
    topics = list(map(Message.topic, messages))
    kinds, stamps = zip(*map(Message.timestamp, messages), strict=True)
    runs: dict[tuple[str, int], list[int]] = {}
    for row, run in enumerate(zip(topics, kinds, strict=True)):
        runs.setdefault(run, []).append(row)
    return [
        _of_run([messages[row] for row in rows], topic, kind, [stamps[row] for row in rows])
        for (topic, kind), rows in runs.items()
    ]


def _of_run(messages: Sequence[Message], topic: str, kind: int, stamps: Sequence[int]) -> Consumed:
    headers = list(map(Message.headers, messages))
    return Consumed(
        topic,
        _LOG_APPEND_TIME if kind == TIMESTAMP_LOG_APPEND_TIME else _CREATE_TIME,
        np.array(list(map(Message.partition, messages)), np.int32),
        np.array(list(map(Message.offset, messages)), np.int64),
        np.array(stamps, np.int64),
        pa.array(list(map(Message.key, messages)), pa.binary()),
        pa.array(list(map(Message.value, messages)), pa.binary()),
        headers if any(headers) else None,
    )
