"""Columns of bytes, and the columns that a run of records is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

ByteColumn: TypeAlias = pa.BinaryArray
"""Payloads, one a row; null is Kafka's null."""
Headers = list[tuple[str, bytes | None]]


def byte_column(payloads: Any) -> ByteColumn:
    """A column of what a converter gave: a column already, or a sequence of bytes and None."""
    if not isinstance(payloads, pa.Array):
        return _chunk(pa.array(payloads, pa.large_binary()))
    return payloads if payloads.type in (pa.binary(), pa.large_binary()) else payloads.cast(pa.binary())


def _chunk(column: Any) -> ByteColumn:
    """As small as it may be: 2 GB are addressed by offsets of 4 bytes."""
    return column.cast(pa.binary()) if column.nbytes < 1 << 30 else column


def lengths(column: ByteColumn) -> Any:
    """Bytes of each row as int64, -1 for null."""
    if not len(column):
        return np.zeros(0, np.int64)
    kind = np.int64 if column.type == pa.large_binary() else np.int32
    offsets = np.frombuffer(column.buffers()[1], kind)[column.offset : column.offset + len(column) + 1]
    found = np.diff(offsets).astype(np.int64)
    if column.null_count:
        found[column.is_null().to_numpy(zero_copy_only=False)] = -1
    return found


@dataclass(frozen=True, slots=True)
class NewRecords:
    """A run of records; what none has is None. `timestamps`: int64 Unix milliseconds."""

    values: ByteColumn
    timestamps: Any
    keys: ByteColumn | None = None
    headers: Sequence[Headers] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, start: int, stop: int) -> "NewRecords":
        """Rows start to stop (not included), sharing their memory."""
        if start <= 0 and stop >= len(self):
            return self
        return NewRecords(
            self.values[start:stop],
            self.timestamps[start:stop],
            None if self.keys is None else self.keys[start:stop],
            None if self.headers is None else self.headers[start:stop],
        )

    def take(self, rows: Any) -> "NewRecords":
        """These rows, in this order."""
        picked = pa.array(rows, pa.int64())
        return replace(
            self,
            values=self.values.take(picked),
            timestamps=self.timestamps[rows],
            keys=None if self.keys is None else self.keys.take(picked),
            headers=None if self.headers is None else [self.headers[row] for row in rows],
        )

    def sizes(self) -> Any:
        """Bytes of each row's key, value and headers."""
        found = np.maximum(lengths(self.values), 0)
        if self.keys is not None:
            found += np.maximum(lengths(self.keys), 0)
        if self.headers is not None:
            found += [sum(len(name) + len(value or b"") for name, value in headers) for headers in self.headers]
        return found

    def joins(self, other: "NewRecords") -> bool:
        """Whether both have the same columns, so that `concat` takes them."""
        return (
            (self.keys is None) is (other.keys is None)
            and (self.headers is None) is (other.headers is None)
            and self.values.type == other.values.type
        )


def concat(runs: Sequence[NewRecords]) -> NewRecords:
    """All rows of runs that join each other, in order."""
    if len(runs) == 1:
        return runs[0]
    first = runs[0]
    return NewRecords(
        pa.concat_arrays([run.values for run in runs]),
        np.concatenate([run.timestamps for run in runs]),
        None if first.keys is None else pa.concat_arrays([run.keys for run in runs]),
        None if first.headers is None else [headers for run in runs for headers in run.headers or ()],
    )
