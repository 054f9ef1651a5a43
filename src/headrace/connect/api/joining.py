"""Batches of one kind (topic, key schema, value schema) as one batch."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import numpy as np
import pyarrow as pa

from headrace.connect.api.batch import Batch
from headrace.connect.api.column import Column, integers, to_values
from headrace.connect.api.schema import ConnectSchema


def same_kind(one: Batch, other: Batch) -> bool:
    """Whether the rows of both could be in one batch."""
    return one.topic == other.topic and one.key_schema is other.key_schema and one.value_schema is other.value_schema


def join(batches: Sequence[Batch]) -> Batch:
    """The rows of batches of one kind and one origin, in that order."""
    first = batches[0]
    if len(batches) == 1:
        return first
    headers = None
    if any(batch.headers is not None for batch in batches):
        headers = tuple(chain.from_iterable(batch.headers or repeat((), len(batch)) for batch in batches))
    return replace(
        first,
        length=sum(map(len, batches)),
        key=_column(first.key_schema, [(batch.key, len(batch)) for batch in batches]),
        value=_column(first.value_schema, [(batch.value, len(batch)) for batch in batches]),
        tombstone=_array([batch.tombstone for batch in batches], batches, pa.scalar(False)),
        timestamp=_array([batch.timestamp for batch in batches], batches, pa.scalar(None, pa.int64())),
        partition=_array([batch.partition for batch in batches], batches, pa.scalar(None, pa.int32())),
        headers=headers,
        origin_index=pa.concat_arrays([origin_index(batch) for batch in batches]),
    )


def origin_index(batch: Batch) -> pa.Int64Array:
    """The row of its origin that each row came from."""
    return integers(np.arange(len(batch))) if batch.origin_index is None else batch.origin_index


def _column(schema: ConnectSchema | None, parts: list[tuple[Column | None, int]]) -> Column | None:
    arrays = [column for column, _ in parts if isinstance(column, pa.Array)]
    if all(column is None for column, _ in parts):
        return None
    if any(isinstance(column, list) for column, _ in parts) or any(one.type != arrays[0].type for one in arrays):
        return list(chain.from_iterable(to_values(schema, column, length) for column, length in parts))
    kind = arrays[0].type
    return pa.concat_arrays([pa.nulls(length, kind) if column is None else column for column, length in parts])


def _array(columns: Sequence[Any], batches: Sequence[Batch], absent: pa.Scalar) -> Any:
    if all(column is None for column in columns):
        return None
    return pa.concat_arrays(
        [
            pa.repeat(absent, len(batch)) if column is None else column
            for column, batch in zip(columns, batches, strict=True)
        ]
    )
