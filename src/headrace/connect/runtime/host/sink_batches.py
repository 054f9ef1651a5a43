"""Consumed records to batches: decoded runs of one topic, one key schema and one value schema.

Sans-IO. What cannot be decoded is rejected record by record.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from headrace.connect.api import Batch, Column, Converted, DataError, Header, SinkOrigin, integers
from headrace.connect.runtime.host.consumed import Consumed
from headrace.connect.runtime.host.errors import ErrorPolicy, Stage
from headrace.connect.runtime.host.stages import Stages

Decode = Callable[[str, pa.BinaryArray], list[Converted]]


def batches(consumed: Consumed, stages: Stages, policy: ErrorPolicy) -> list[Batch]:
    """The decoded runs, in order; records that cannot be decoded are left to the policy."""
    keys: list[Converted] = [Converted(0, len(consumed), None, None)]
    if consumed.key.null_count < len(consumed):
        keys = _decode(stages.key.to_connect_column, consumed, consumed.key, Stage.KEY_CONVERTER, policy)
    values = _decode(stages.value.to_connect_column, consumed, consumed.value, Stage.VALUE_CONVERTER, policy)
    partition = integers(consumed.partition)
    origin = SinkOrigin(consumed.topic, partition, integers(consumed.offset), consumed.timestamp_type)
    headers = _headers(consumed, stages)
    whole = Batch(
        consumed.topic,
        len(consumed),
        timestamp=integers(consumed.timestamp),
        partition=partition,
        headers=headers,
        origin=origin,
    )
    return [_batch(whole, key, value, start, stop) for key, value, start, stop in _intersect(keys, values)]


def _headers(consumed: Consumed, stages: Stages) -> tuple[tuple[Header, ...], ...] | None:
    if consumed.headers is None:
        return None
    return tuple(stages.headers.to_connect(row) for row in consumed.headers)


def _decode(
    decode: Decode, consumed: Consumed, payloads: pa.BinaryArray, stage: str, policy: ErrorPolicy
) -> list[Converted]:
    """The decoded runs of all payloads but those that are rejected."""
    found: list[Converted] = []
    # Not by a function that calls itself: it and what it knows would be a cycle, megabytes that wait for the collector.
    todo = [(0, len(payloads))]
    while todo:
        start, stop = todo.pop()
        try:
            runs = decode(consumed.topic, payloads[start:stop])
        except DataError as error:
            if stop - start == 1:
                policy.reject(stage, consumed.describe(start), error)
            else:
                middle = (start + stop) // 2
                todo += [(middle, stop), (start, middle)]
            continue
        for run in runs:
            moved = Converted(run.start + start, run.length, run.schema, run.column, run.tombstone)
            found.append(moved if start else run)
    return found


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
