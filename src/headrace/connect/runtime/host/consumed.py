"""Consumed: records as a consumer gives them, in columns. Sans-IO."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from headrace.connect.api import TopicPartition
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

    def describe(self, row: int) -> str:
        return f"The record at topic {self.topic}, partition {self.partition[row]}, offset {self.offset[row]}"


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
