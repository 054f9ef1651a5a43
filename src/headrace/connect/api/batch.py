"""Batch: the unit of work of Connect, a run of records with one topic, one key schema and one value schema.

Frozen. Every stage takes a batch and gives batches; a stage may drop rows and split a batch, and each row keeps its
origin, which no transform can touch (invariants 2-4).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

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
        """Rows start to stop (not included)."""
        return self.take(pa.array(range(start, min(stop, self.length)), pa.int64()))

    def filter(self, mask: pa.BooleanArray) -> Self:
        """The rows where `mask` is true."""
        return self.take(pc.indices_nonzero(mask).cast(pa.int64()))

    def take(self, rows: pa.Int64Array) -> Self:
        """These rows, in this order."""
        picks = rows.to_pylist() if isinstance(self.key, list) or isinstance(self.value, list) or self.headers else []

        def pick(column: Column | None) -> Column | None:
            if column is None:
                return None
            return [column[row] for row in picks] if isinstance(column, list) else column.take(rows)

        return replace(
            self,
            length=len(rows),
            key=pick(self.key),
            value=pick(self.value),
            tombstone=pick(self.tombstone),
            timestamp=pick(self.timestamp),
            partition=pick(self.partition),
            headers=None if self.headers is None else tuple(self.headers[row] for row in picks),
            origin_index=rows if self.origin_index is None else self.origin_index.take(rows),
        )

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
        keys = to_values(self.key_schema, self.key, self.length)
        values = to_values(self.value_schema, self.value, self.length)
        deleted = to_values(None, self.tombstone, self.length)
        timestamps = to_values(None, self.timestamp, self.length)
        partitions = to_values(None, self.partition, self.length)
        for row in range(self.length):
            yield Record(
                topic=self.topic,
                key_schema=self.key_schema,
                key=keys[row],
                value_schema=None if deleted[row] else self.value_schema,
                value=values[row],
                timestamp=timestamps[row],
                partition=partitions[row],
                headers=self.headers[row] if self.headers else (),
                origin_index=self.origin_row(row),
            )


def from_records(records: Iterable[Record], origin: Origin | None = None) -> list[Batch]:
    """Batches of the runs in `records`: a run ends where topic or a schema changes; a tombstone ends none."""
    runs: list[list[Record]] = []
    value_schema: ConnectSchema | None = None
    for record in records:
        deleted = record.value is None and record.value_schema is None
        last = runs[-1][-1] if runs else None
        same = last is not None and (last.topic, last.key_schema) == (record.topic, record.key_schema)
        if same and (deleted or value_schema is None or record.value_schema is value_schema):
            if value_schema is None and record.value is not None and not deleted and _has_values(runs[-1]):
                same = record.value_schema is None
        else:
            same = False
        if same:
            runs[-1].append(record)
        else:
            runs.append([record])
            value_schema = None
        value_schema = record.value_schema or value_schema
    return [_run(run, origin) for run in runs]


def _has_values(run: Sequence[Record]) -> bool:
    return any(record.value is not None for record in run)


def _run(run: Sequence[Record], origin: Origin | None) -> Batch:
    value_schema = next((record.value_schema for record in run if record.value_schema is not None), None)
    deleted = [record.value is None and record.value_schema is None for record in run]
    key_schema = run[0].key_schema
    return Batch(
        topic=run[0].topic,
        length=len(run),
        key_schema=key_schema,
        key=_optional_column(key_schema, [record.key for record in run]),
        value_schema=value_schema,
        value=_optional_column(value_schema, [record.value for record in run]),
        tombstone=pa.array(deleted, pa.bool_()) if any(deleted) else None,
        timestamp=_optional_array([record.timestamp for record in run], pa.int64()),
        partition=_optional_array([record.partition for record in run], pa.int32()),
        headers=tuple(record.headers for record in run) if any(record.headers for record in run) else None,
        origin=origin,
        origin_index=pa.array([record.origin_index for record in run], pa.int64()),
    )


def _optional_column(schema: ConnectSchema | None, values: list[Any]) -> Column | None:
    return to_column(schema, values) if any(value is not None for value in values) else None


def _optional_array(values: list[int | None], kind: pa.DataType) -> pa.Array | None:
    return pa.array(values, kind) if any(value is not None for value in values) else None
