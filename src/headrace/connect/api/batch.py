"""Batch: the unit of work of Connect, a run of records with one topic, one key schema and one value schema.

Frozen. Every stage takes a batch and gives batches; a stage may drop rows and split a batch, and each row keeps its
origin, which no transform can touch (invariants 2-4).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api.column import Column, to_column, to_values
from headrace.connect.api.schema import ConnectSchema


@dataclass(frozen=True, slots=True)
class Header:
    """A record header; `schema` is None for schemaless values."""

    name: str
    schema: ConnectSchema | None
    value: Any


@dataclass(frozen=True, slots=True)
class SourceOrigin:
    """Where the rows of a source's batch came from: one source partition, and an offset a row.

    `offset[i]` is the source offset once row i is safely in Kafka; the sequence may make its mappings when asked.
    """

    partition: Mapping[str, Any]
    offset: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SinkOrigin:
    """Where the rows of a sink's batch were consumed from, before any transform.

    `partition` int32 and `offset` int64, one a row; `timestamp_type` is CREATE_TIME or LOG_APPEND_TIME.
    """

    topic: str
    partition: pa.Int32Array
    offset: pa.Int64Array
    timestamp_type: str = "CREATE_TIME"


Origin = SourceOrigin | SinkOrigin


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a batch, for plug-ins that work record by record."""

    topic: str
    key_schema: ConnectSchema | None = None
    key: Any = None
    value_schema: ConnectSchema | None = None
    value: Any = None
    timestamp: int | None = None
    partition: int | None = None
    headers: tuple[Header, ...] = ()
    origin_index: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """A run of records.

    `key`, `value`: columns of `length` rows, or None where all are null. `tombstone`: true where a value is null with
    no schema (a delete), None where no row is. `timestamp`: int64 milliseconds; `partition`: int32, null where the
    partitioner chooses; both None where no row has one. `headers`: one tuple a row, or None.
    `origin_index`: int64, the row of `origin` each row came from, None where they are the same.
    """

    topic: str
    length: int
    key_schema: ConnectSchema | None = None
    key: Column | None = None
    value_schema: ConnectSchema | None = None
    value: Column | None = None
    tombstone: pa.BooleanArray | None = None
    timestamp: pa.Int64Array | None = None
    partition: pa.Int32Array | None = None
    headers: tuple[tuple[Header, ...], ...] | None = None
    origin: Origin | None = None
    origin_index: pa.Int64Array | None = None

    def __len__(self) -> int:
        return self.length

    def with_value(self, schema: ConnectSchema | None, column: Column | None) -> Self:
        return replace(self, value_schema=schema, value=column)

    def with_key(self, schema: ConnectSchema | None, column: Column | None) -> Self:
        return replace(self, key_schema=schema, key=column)

    def slice(self, start: int, stop: int) -> Self:
        """Rows start to stop (not included); arrays share their memory with this batch's."""
        start, stop, _ = slice(start, stop).indices(self.length)
        length = max(0, stop - start)
        if length == self.length:
            return self
        if self.origin_index is not None:
            origin_index = self.origin_index.slice(start, length)
        else:
            origin_index = pa.array(np.arange(start, start + length)) if start else None
        return replace(
            self._each(lambda column: _part(column, start, length)), length=length, origin_index=origin_index
        )

    def filter(self, mask: pa.BooleanArray) -> Self:
        """The rows where `mask` is true (a null is not)."""
        if mask.true_count == self.length:
            return self
        return self.take(pc.indices_nonzero(mask).cast(pa.int64()))

    def take(self, rows: pa.Int64Array) -> Self:
        """These rows, in this order."""
        picks: list[int] = []
        if isinstance(self.key, list) or isinstance(self.value, list) or self.headers is not None:
            picks = rows.to_pylist()

        def pick(column: Any) -> Any:
            return column.take(rows) if isinstance(column, pa.Array) else type(column)([column[row] for row in picks])

        origin_index = rows if self.origin_index is None else self.origin_index.take(rows)
        return replace(self._each(pick), length=len(rows), origin_index=origin_index)

    def _each(self, change: Callable[[Any], Any]) -> Self:
        """This batch with `change` applied to each column that it has."""
        names = ("key", "value", "tombstone", "timestamp", "partition", "headers")
        columns = {name: getattr(self, name) for name in names}
        return replace(self, **{name: change(column) for name, column in columns.items() if column is not None})

    def origin_row(self, row: int) -> int:
        """The row of `origin` that row `row` came from."""
        return row if self.origin_index is None else int(self.origin_index[row].as_py())

    def source_offset(self, row: int) -> Mapping[str, Any]:
        """The source offset of a row of a source's batch."""
        if not isinstance(self.origin, SourceOrigin):
            raise TypeError("only a source's batch has source offsets")
        return self.origin.offset[self.origin_row(row)]

    def kafka_position(self, row: int) -> tuple[str, int, int]:
        """(topic, partition, offset) as consumed, of a row of a sink's batch."""
        if not isinstance(self.origin, SinkOrigin):
            raise TypeError("only a sink's batch has Kafka positions")
        index = self.origin_row(row)
        return self.origin.topic, self.origin.partition[index].as_py(), self.origin.offset[index].as_py()

    def records(self) -> Iterator[Record]:
        """The rows, one by one."""
        columns = (
            to_values(self.key_schema, self.key, self.length),
            to_values(self.value_schema, self.value, self.length),
            to_values(None, self.tombstone, self.length),
            to_values(None, self.timestamp, self.length),
            to_values(None, self.partition, self.length),
            self.headers or repeat((), self.length),
            range(self.length) if self.origin_index is None else self.origin_index.to_pylist(),
        )
        for key, value, deleted, timestamp, partition, headers, origin_index in zip(*columns, strict=True):
            yield Record(
                topic=self.topic,
                key_schema=self.key_schema,
                key=key,
                value_schema=None if deleted else self.value_schema,
                value=value,
                timestamp=timestamp,
                partition=partition,
                headers=headers,
                origin_index=origin_index,
            )


def from_records(records: Iterable[Record], origin: Origin | None = None) -> list[Batch]:
    """Batches of the runs in `records`: a run ends where topic, key schema or value schema changes.

    A tombstone (null value, no schema) ends no run, whatever its value schema is.
    """
    runs: list[_Run] = []
    for record in records:
        if not runs or not runs[-1].takes(record):
            runs.append(_Run(record.topic, record.key_schema))
        runs[-1].add(record)
    return [run.batch(origin) for run in runs]


class _Run:
    """Records of one topic, one key schema and one value schema, which the first that is no tombstone decides."""

    def __init__(self, topic: str, key_schema: ConnectSchema | None) -> None:
        self.topic = topic
        self.key_schema = key_schema
        self.value_schema: ConnectSchema | None = None
        self.decided = False
        self.records: list[Record] = []

    def takes(self, record: Record) -> bool:
        if record.topic != self.topic or record.key_schema is not self.key_schema:
            return False
        return _is_tombstone(record) or not self.decided or record.value_schema is self.value_schema

    def add(self, record: Record) -> None:
        if not self.decided and not _is_tombstone(record):
            self.decided, self.value_schema = True, record.value_schema
        self.records.append(record)

    def batch(self, origin: Origin | None) -> Batch:
        rows = self.records
        tombstones = [_is_tombstone(row) for row in rows]
        return Batch(
            topic=self.topic,
            length=len(rows),
            key_schema=self.key_schema,
            key=_optional_column(self.key_schema, [row.key for row in rows]),
            value_schema=self.value_schema,
            value=_optional_column(self.value_schema, [row.value for row in rows]),
            tombstone=pa.array(tombstones, pa.bool_()) if any(tombstones) else None,
            timestamp=_optional_array([row.timestamp for row in rows], pa.int64()),
            partition=_optional_array([row.partition for row in rows], pa.int32()),
            headers=tuple(row.headers for row in rows) if any(row.headers for row in rows) else None,
            origin=origin,
            origin_index=pa.array([row.origin_index for row in rows], pa.int64()),
        )


def _is_tombstone(record: Record) -> bool:
    return record.value is None and record.value_schema is None


def _part(column: Any, start: int, length: int) -> Any:
    return column.slice(start, length) if isinstance(column, pa.Array) else column[start : start + length]


def _optional_column(schema: ConnectSchema | None, values: list[Any]) -> Column | None:
    return to_column(schema, values) if any(value is not None for value in values) else None


def _optional_array(values: list[int | None], kind: pa.DataType) -> pa.Array | None:
    return pa.array(values, kind) if any(value is not None for value in values) else None
