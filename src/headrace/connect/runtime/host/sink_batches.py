"""Consumed records to batches: decoded runs of one topic, one key schema and one value schema.

Sans-IO. What cannot be decoded is rejected record by record, once, whatever else of it cannot be decoded either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pyarrow as pa

from headrace.connect.api import Batch, Column, Converted, Header, integers
from headrace.connect.runtime.host.consumed import Consumed, ConsumedRow
from headrace.connect.runtime.host.errors import ErrorPolicy, Stage, StageError, at_stage
from headrace.connect.runtime.host.stages import Stages


def batches(consumed: Consumed, stages: Stages, policy: ErrorPolicy) -> list[Batch]:
    """The decoded runs, in order; records that cannot be decoded are left to the policy."""
    decoding = _Decoding(consumed, policy)
    keys: list[Converted] = [Converted(0, len(consumed), None, None)]
    if consumed.key.null_count < len(consumed):
        keys = decoding.column(Stage.KEY_CONVERTER, stages.key, consumed.key)
    values = decoding.column(Stage.VALUE_CONVERTER, stages.value, consumed.value)
    headers = decoding.headers(stages)
    whole = Batch(
        consumed.topic,
        len(consumed),
        timestamp=integers(consumed.timestamp),
        partition=integers(consumed.partition),
        headers=headers,
        origin=consumed.origin(with_payloads=policy.needs_payloads),
    )
    made = [_batch(whole, key, value, start, stop) for key, value, start, stop in _intersect(keys, values)]
    if decoding.rejected and headers is not None:
        made = [kept for kept in map(decoding.without_rejected, made) if len(kept)]
    return made


@dataclass(slots=True)
class _Decoding:
    """One pass over consumed records, and which of them were rejected in it."""

    consumed: Consumed
    policy: ErrorPolicy
    rejected: set[int] = field(default_factory=set)

    def column(self, stage: str, converter: Any, payloads: pa.BinaryArray) -> list[Converted]:
        """The decoded runs of all payloads but those that are rejected."""

        def decode(start: int, stop: int) -> list[Converted]:
            with at_stage(stage, converter):
                return converter.to_connect_column(self.consumed.topic, payloads[start:stop])  # type: ignore[no-any-return]

        found: list[Converted] = []
        for start, runs in self.policy.parts(len(payloads), decode, self._reject):
            for run in runs:
                moved = Converted(run.start + start, run.length, run.schema, run.column, run.tombstone)
                found.append(moved if start else run)
        return found

    def _reject(self, row: int, error: StageError) -> None:
        if row not in self.rejected:
            self.rejected.add(row)
            self.policy.reject(ConsumedRow(self.consumed, row), error)

    def headers(self, stages: Stages) -> tuple[tuple[Header, ...], ...] | None:
        """Each record's headers; () of one that is rejected. Records of the same headers share one tuple."""
        topic, rows = self.consumed.topic, self.consumed.headers
        if rows is None:
            return None
        read = cache(lambda row: stages.headers.to_connect(topic, row))

        def decode(start: int, stop: int) -> list[tuple[Header, ...]]:
            with at_stage(Stage.HEADER_CONVERTER, stages.headers.converter):
                return [read(tuple(row or ())) for row in rows[start:stop]]

        found: list[tuple[Header, ...]] = [()] * len(rows)
        for start, made in self.policy.parts(len(rows), decode, self._reject):
            found[start : start + len(made)] = made
        return tuple(found)

    def without_rejected(self, batch: Batch) -> Batch:
        """The rows that nothing was wrong with. Runs have none that a converter refused, but those of bad headers."""
        rows = range(len(batch)) if batch.origin_index is None else batch.origin_index.to_pylist()
        return batch.filter(pa.array([row not in self.rejected for row in rows], pa.bool_()))


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
