"""A transformation with a predicate: for the records that it is for, in columns too; the others pass.

As `org.apache.kafka.connect.runtime.TransformationStage`. Records keep their order: where those that were transformed
have other schemas than their neighbours, the batch is cut there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.config import ConfigDef
from headrace.connect.api import Batch, Predicate, Record, Transformation, integers
from headrace.connect.api.joining import join, origin_index, same_kind
from headrace.connect.transforms.filter import Filter


class Conditional(Transformation):
    """`transformation`, for the records of which `predicate` is true (with `negate`: is not)."""

    def __init__(self, transformation: Transformation, predicate: Predicate, *, negate: bool) -> None:
        self.transformation = transformation
        self._predicate = predicate
        self._negate = negate

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef()

    def configure(self, properties: Mapping[str, Any]) -> None:
        """Both parts are configured by themselves."""

    def apply(self, record: Record) -> Record | None:
        return record if self._predicate.test(record) == self._negate else self.transformation.apply(record)

    def apply_batch(self, batch: Batch) -> list[Batch]:
        meant = self._predicate.test_batch(batch)
        if self._negate:
            meant = pc.invert(meant)
        count = meant.true_count
        if count == 0:
            return [batch]
        if count == len(batch):
            return self.transformation.apply_batch(batch)
        if isinstance(self.transformation, Filter):
            return [batch.filter(pc.invert(meant))]
        return self._in_part(batch, meant)

    def _in_part(self, batch: Batch, meant: pa.BooleanArray) -> list[Batch]:
        origins = origin_index(batch)
        numbered = replace(batch, origin_index=integers(np.arange(len(batch))))
        changed = self.transformation.apply_batch(numbered.filter(meant))
        rest = numbered.filter(pc.invert(meant))
        made = in_order([rest, *(part for part in changed if len(part))])
        return [replace(part, origin_index=origins.take(part.origin_index)) for part in made]

    def close(self) -> None:
        self.transformation.close()
        self._predicate.close()


def unconditional(transformation: Transformation) -> Transformation:
    """The transformation itself: it is named where a record fails, be it by its predicate."""
    return transformation.transformation if isinstance(transformation, Conditional) else transformation


def in_order(batches: Sequence[Batch]) -> list[Batch]:
    """The rows of batches of one origin, by their origin rows: as few batches as schemas and topics allow."""
    joined = list(_of_each_kind(batches))
    if len(joined) == 1:
        return [_sorted(joined[0])]
    kinds = [_sorted(batch) for batch in joined]
    owner = np.repeat(np.arange(len(kinds)), [len(batch) for batch in kinds])
    owner = owner[np.argsort(np.concatenate([_rows(batch) for batch in kinds]), kind="stable")]
    cuts = [0, *(np.flatnonzero(owner[1:] != owner[:-1]) + 1).tolist(), len(owner)]
    taken = [0] * len(kinds)
    made = []
    for start, stop in pairwise(cuts):
        kind, length = int(owner[start]), stop - start
        made.append(kinds[kind].slice(taken[kind], taken[kind] + length))
        taken[kind] += length
    return made


def _of_each_kind(batches: Sequence[Batch]) -> Iterator[Batch]:
    groups: list[list[Batch]] = []
    for batch in batches:
        group = next((group for group in groups if same_kind(group[0], batch)), None)
        if group is None:
            groups.append([batch])
        else:
            group.append(batch)
    return map(join, groups)


def _rows(batch: Batch) -> Any:
    return origin_index(batch).to_numpy()


def _sorted(batch: Batch) -> Batch:
    rows = _rows(batch)
    if bool((rows[1:] >= rows[:-1]).all()):
        return batch
    # `take` makes origin_index of the rows it takes.
    return batch.take(integers(np.argsort(rows, kind="stable")))
