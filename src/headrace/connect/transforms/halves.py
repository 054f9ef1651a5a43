"""Halves: what a transformation of a record's key and the same of its value share.

A transformation is one class of behaviour (`HalfTransformation`: how a schema and a value change, by row and by column)
and two names that say which half it works on:

    class HoistFieldKey(KeyHalf, HoistField): ...
    class HoistFieldValue(ValueHalf, HoistField): ...
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import Batch, Column, ConnectSchema, Record, Transformation, to_values

Changed = tuple[ConnectSchema | None, Any]
ChangedColumn = tuple[ConnectSchema | None, Column | None]


class Half(ABC):
    """Which half of a record a transformation reads and writes."""

    @abstractmethod
    def read(self, record: Record) -> Changed:
        """Schema and value of the half."""

    @abstractmethod
    def write(self, record: Record, schema: ConnectSchema | None, value: Any) -> Record: ...

    @abstractmethod
    def columns(self, batch: Batch) -> ChangedColumn:
        """Schema and column of the half."""

    @abstractmethod
    def tombstones(self, batch: Batch) -> pa.BooleanArray | None:
        """Where the half is null without a schema although the batch has one; None where it nowhere is."""

    @abstractmethod
    def with_columns(self, batch: Batch, schema: ConnectSchema | None, column: Column | None) -> Batch:
        """The batch with another half; where it has a schema, tombstones stay what they were."""


class KeyHalf(Half):
    """The key of a record."""

    def read(self, record: Record) -> Changed:
        return record.key_schema, record.key

    def write(self, record: Record, schema: ConnectSchema | None, value: Any) -> Record:
        return with_key(record, schema, value)

    def columns(self, batch: Batch) -> ChangedColumn:
        return batch.key_schema, batch.key

    def tombstones(self, batch: Batch) -> pa.BooleanArray | None:
        return None

    def with_columns(self, batch: Batch, schema: ConnectSchema | None, column: Column | None) -> Batch:
        return batch.with_key(schema, column)


class ValueHalf(Half):
    """The value of a record; null without a schema, it is a tombstone."""

    def read(self, record: Record) -> Changed:
        return record.value_schema, record.value

    def write(self, record: Record, schema: ConnectSchema | None, value: Any) -> Record:
        key_schema, key = record.key_schema, record.key
        return Record(record.topic, key_schema, key, schema, value, *_beside_halves(record))

    def columns(self, batch: Batch) -> ChangedColumn:
        return batch.value_schema, batch.value

    def tombstones(self, batch: Batch) -> pa.BooleanArray | None:
        return batch.tombstone

    def with_columns(self, batch: Batch, schema: ConnectSchema | None, column: Column | None) -> Batch:
        tombstone = batch.tombstone if schema is not None else _nulls(column, len(batch))
        return replace(batch, value_schema=schema, value=column, tombstone=tombstone)


class HalfTransformation(Half, Transformation):
    """A transformation of one half: `change` says what becomes of a row, `change_column` of a column."""

    PASSES_NULL: ClassVar[bool] = False
    """Whether a null half goes on as it is, with the schema that it has."""
    PASSES_TOMBSTONES: ClassVar[bool] = True
    """Whether a half that is null without schema goes on as it is."""

    @abstractmethod
    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        """What a half becomes; schema None for schemaless data. Raises DataError."""

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        """What a column becomes, or None where only rows will do. Raises DataError.

        Schema None: schemaless data of one shape. A row that is a tombstone is null: where those pass it has to stay
        so, and where they do not there is none beside a schema.
        """
        return None

    def apply(self, record: Record) -> Record:
        schema, value = self.read(record)
        if value is None and (self.PASSES_NULL or (self.PASSES_TOMBSTONES and schema is None)):
            return record
        return self.write(record, *self.change(schema, value))

    def apply_batch(self, batch: Batch) -> list[Batch]:
        schema, column = self.columns(batch)
        if column is None and (self.PASSES_NULL or (self.PASSES_TOMBSTONES and self._all_tombstones(batch))):
            return [batch]
        if schema is None and not isinstance(column, pa.Array):
            return [self._plain(batch, column)]
        if not isinstance(column, pa.Array):
            return super().apply_batch(batch)
        return [made for part in self._parts(batch, column) for made in self._change_part(part)]

    def _all_tombstones(self, batch: Batch) -> bool:
        """Whether each of these nulls is one without schema."""
        tombstones = self.tombstones(batch)
        return self.columns(batch)[0] is None or (tombstones is not None and tombstones.true_count == len(batch))

    def _plain(self, batch: Batch, column: Column | None) -> Batch:
        """Schemaless values, which make one batch whatever they become."""
        values = to_values(None, column, len(batch))
        passes = self.PASSES_NULL or self.PASSES_TOMBSTONES
        changed = [None if value is None and passes else self.change(None, value)[1] for value in values]
        return self.with_columns(batch, None, changed)

    def _parts(self, batch: Batch, column: pa.Array) -> Iterator[Batch]:
        """The batch, cut where the rows beside a cut would not have one schema any more."""
        if self.columns(batch)[0] is None:
            return iter((batch,))
        tombstones = self.tombstones(batch)
        if tombstones is not None and not self.PASSES_TOMBSTONES:
            return runs(batch, tombstones)
        if self.PASSES_NULL and column.null_count:
            null = column.is_null()
            return runs(batch, null if tombstones is None else pc.and_not(null, tombstones))
        return iter((batch,))

    def _change_part(self, batch: Batch) -> list[Batch]:
        schema, column = self.columns(batch)
        assert isinstance(column, pa.Array)
        if self.PASSES_NULL and column.null_count == len(batch):
            return [batch]
        tombstones = self.tombstones(batch)
        if schema is not None and not self.PASSES_TOMBSTONES and tombstones is not None and tombstones.true_count:
            return [self._plain(batch, None)]
        changed = self.change_column(schema, column)
        return super().apply_batch(batch) if changed is None else [self.with_columns(batch, *changed)]


def runs(batch: Batch, mask: pa.BooleanArray) -> Iterator[Batch]:
    """The batch, cut wherever `mask` (without nulls) changes."""
    if mask.true_count in (0, len(batch)):
        yield batch
        return
    flags = mask.to_numpy(zero_copy_only=False)
    cuts = [0, *(np.flatnonzero(flags[1:] != flags[:-1]) + 1).tolist(), len(batch)]
    for start, stop in pairwise(cuts):
        yield batch.slice(start, stop)


def with_key(record: Record, schema: ConnectSchema | None, key: Any) -> Record:
    """The record with another key. (`dataclasses.replace` takes three times as long.)"""
    return Record(record.topic, schema, key, record.value_schema, record.value, *_beside_halves(record))


def _beside_halves(record: Record) -> tuple[Any, ...]:
    return record.timestamp, record.partition, record.headers, record.origin_index


def _nulls(column: Column | None, length: int) -> pa.BooleanArray | None:
    """Where a column is null; None where it nowhere is."""
    if isinstance(column, pa.Array):
        return column.is_null() if column.null_count else None
    flags = [True] * length if column is None else [value is None for value in column]
    return pa.array(flags, pa.bool_()) if any(flags) else None
