"""Columns of bytes as they are put together: matrices of a few bytes a row, and columns of any length.

What a row has at one place is a row of a matrix, of which some bytes may be unused; neighbouring matrices become one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.records.varint import lay, widths, zigzag

_NOTHING = pa.scalar(b"", pa.binary())


@dataclass(frozen=True, slots=True)
class Matrix:
    """`bytes`: uint8, rows by width; `used`: which of them count, None where all do."""

    bytes: Any
    used: Any = None

    def joined(self) -> pa.BinaryArray:
        length, width = self.bytes.shape
        if self.used is None:
            data, sizes = self.bytes.reshape(-1), np.full(length, width, np.int32)
        else:
            data, sizes = self.bytes[self.used], self.used.sum(axis=1, dtype=np.int32)
        return binary(length, sizes, pa.py_buffer(np.ascontiguousarray(data)))


Piece: TypeAlias = Matrix | pa.BinaryArray
"""A part of each row: fixed or short, or a column of bytes without nulls."""


def binary(length: int, sizes: Any, data: Any) -> pa.BinaryArray:
    """The column of values of these sizes that lie in `data` one behind the other."""
    offsets = np.zeros(length + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    return pa.Array.from_buffers(pa.binary(), length, [None, pa.py_buffer(offsets), data])


def constant(data: bytes, length: int) -> Matrix:
    """The same bytes in each row."""
    return Matrix(np.broadcast_to(np.frombuffer(data, np.uint8), (length, len(data))))


def varints(numbers: Any, present: Any = None) -> Matrix:
    """Numbers (int64) as zigzag varints; nothing in the rows that are not `present`."""
    size = widths(numbers)
    width = int(size.max(initial=1))
    matrix, used = np.empty((len(numbers), width), np.uint8), np.empty((len(numbers), width), bool)
    lay(matrix, used, zigzag(numbers), size)
    if present is not None:
        used &= present[:, None]
    return Matrix(matrix, None if used.all() else used)


def fixed(numbers: Any) -> Matrix:
    """Numbers as the bytes that the machine has, little-endian."""
    plain = np.ascontiguousarray(numbers)
    return Matrix(plain.view(np.uint8).reshape(len(plain), plain.itemsize))


def joined(pieces: Sequence[Piece], length: int) -> pa.BinaryArray:
    """Each row's pieces, from left to right."""
    merged: list[pa.BinaryArray] = []
    for is_matrix, group in groupby(pieces, key=lambda piece: isinstance(piece, Matrix)):
        neighbours = list(group)
        merged += [_beside(neighbours).joined()] if is_matrix else neighbours
    if not merged:
        return binary(length, np.zeros(length, np.int32), pa.py_buffer(b""))
    return merged[0] if len(merged) == 1 else pc.binary_join_element_wise(*merged, _NOTHING)


def _beside(matrices: list[Any]) -> Matrix:
    if len(matrices) == 1:
        return Matrix(matrices[0].bytes, matrices[0].used)
    together = np.concatenate([matrix.bytes for matrix in matrices], axis=1)
    if all(matrix.used is None for matrix in matrices):
        return Matrix(together)
    used = np.ones(together.shape, bool)
    at = 0
    for matrix in matrices:
        width = matrix.bytes.shape[1]
        if matrix.used is not None:
            used[:, at : at + width] = matrix.used
        at += width
    return Matrix(together, used)


def spread(present: pa.BinaryArray, rows: Any) -> pa.BinaryArray:
    """The values of the rows where `rows` is true, and nothing in the others; the bytes are shared."""
    sizes = np.zeros(len(rows), np.int32)
    start, sizes[rows], data = span(present)
    return binary(len(rows), sizes, data.slice(start, int(sizes.sum())))


def span(column: pa.BinaryArray) -> tuple[int, Any, Any]:
    """Where the first value begins, the sizes of all, and the buffer, of a column without nulls."""
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    start = int(bounds[0]) if len(bounds) else 0
    return start, np.diff(bounds), pa.py_buffer(b"") if data is None else data
