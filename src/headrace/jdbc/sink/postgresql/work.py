"""Rows on their way into one table: columns as the table takes them, and which record each row came from. Sans-IO."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from headrace.connect.api import Batch
from headrace.jdbc.sink.postgresql import copy
from headrace.jdbc.sink.postgresql.plan import Plan


@dataclass(slots=True)
class Work:
    """Rows that go by one plan: `arrays` side by side with its columns, `batches` as they were given, in order."""

    plan: Plan
    arrays: list[pa.Array]
    batches: list[Batch]
    order: pa.Array | None = None
    """Which rows of `batches` these are, where it is not all of them in order."""

    def __len__(self) -> int:
        return len(self.arrays[0])

    def take(self, rows: pa.Array) -> "Work":
        order = rows if self.order is None else self.order.take(rows)
        return replace(self, arrays=[array.take(rows) for array in self.arrays], order=order)

    def part(self, start: int, stop: int) -> "Work":
        """Rows start to stop (not included); the arrays share their memory with this work's."""
        if stop - start == len(self):
            return self
        rows = pa.array(np.arange(start, stop)) if self.order is None else self.order.slice(start, stop - start)
        return replace(self, arrays=[array.slice(start, stop - start) for array in self.arrays], order=rows)

    def place(self, row: int) -> int:
        """Which row of `batches`, one after the other, row `row` is."""
        return row if self.order is None else int(self.order[row].as_py())

    def source(self, row: int) -> tuple[Batch, int]:
        """The batch and its row that row `row` came from."""
        row = self.place(row)
        for batch in self.batches:
            if row < batch.length:
                return batch, row
            row -= batch.length
        raise IndexError(row)


def joined(works: Sequence[Work]) -> Work:
    """The rows of all, in order; arrays that came out in different types meet in text."""
    first, *others = works
    if not others:
        return first
    columns = zip(*(work.arrays for work in works), strict=True)
    return replace(
        first,
        arrays=[pa.concat_arrays(_of_one_type(column)) for column in columns],
        batches=[batch for work in works for batch in work.batches],
    )


def _of_one_type(arrays: Sequence[pa.Array]) -> Sequence[pa.Array]:
    alike = all(array.type == arrays[0].type for array in arrays)
    return arrays if alike else [copy.text_array(array) for array in arrays]
