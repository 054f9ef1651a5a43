"""A cursor in each of many payloads, which all move together: numbers and bytes of all rows are read at once."""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from headrace.connect.converters.registry.framing import between

MOST_VARINT_BYTES: Final = 10


class DoubtError(Exception):
    """These payloads are for the row decoder, which knows what is wrong with which."""


class Cursors:
    """Where in `data` each row is read next, and where it ends; `buffer` is the same memory as Arrow's."""

    def __init__(self, buffer: pa.Buffer, data: Any, at: Any, end: Any) -> None:
        self._buffer = buffer
        self._data = data
        self.at = at
        self._end = end

    def __len__(self) -> int:
        return len(self.at)

    def part(self, rows: Any) -> "Cursors":
        """Cursors of these rows alone."""
        return Cursors(self._buffer, self._data, self.at[rows], self._end[rows])

    def move(self, part: "Cursors", rows: Any) -> None:
        """Go where a part of these rows has come to."""
        self.at = self.at.copy()
        self.at[rows] = part.at

    def expect_end(self) -> None:
        """Raises DoubtError where a row does not end exactly here."""
        if not np.array_equal(self.at, self._end):
            raise DoubtError

    def varint(self) -> Any:
        """The next number of each row, as int64."""
        byte = self._data[self.at]
        value = (byte & 0x7F).astype(np.uint64)
        self.at = self.at + 1
        longer = np.flatnonzero(byte >= 0x80)
        shift = 7
        while len(longer):
            if shift >= 7 * MOST_VARINT_BYTES:
                raise DoubtError
            byte = self._data[self.at[longer]]
            value[longer] |= (byte & 0x7F).astype(np.uint64) << np.uint64(shift)
            self.at[longer] += 1
            longer = longer[byte >= 0x80]
            shift += 7
        return (value >> np.uint64(1)).astype(np.int64) ^ -(value & np.uint64(1)).astype(np.int64)

    def byte(self) -> Any:
        found = self._data[self.at]
        self.at = self.at + 1
        return found

    def numbers(self, kind: str) -> Any:
        """The next number of each row, as the machine has it: `<f4`, `<f8`."""
        size = np.dtype(kind).itemsize
        if len(self._data) < size:
            raise DoubtError
        windows: Any = np.ndarray((len(self._data) - size + 1,), kind, self._data, strides=(1,))
        found = windows[self.at]
        self.at = self.at + size
        return found

    def blobs(self, sizes: Any) -> pa.BinaryArray:
        """The next bytes of each row, of these sizes."""
        return between(self._buffer, *self.spans(sizes))

    def spans(self, sizes: Any) -> tuple[Any, Any]:
        """Where the next bytes of each row begin and end, of these sizes."""
        start = self.at
        if (sizes < 0).any() or (sizes > self._end - start).any():
            raise DoubtError
        self.at = start + sizes
        return start, self.at

    def backwards(self, end: Any, number: int) -> Any:
        """The `number`th byte before each `end`."""
        return self._data[end - number]
