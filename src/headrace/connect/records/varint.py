"""Varints of whole columns: zigzag and base 128, as `org.apache.kafka.common.utils.ByteUtils` writes them.

Vectorised: a row's varints are laid into a matrix of bytes as wide as the widest row needs, and the bytes that a
narrower row has not are masked out.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

_LIMITS: Final = [1 << bits for bits in range(7, 64, 7)]
"""The first numbers that need 2, 3, ... bytes."""

Numbers = Any
"""A numpy array of int64."""


def zigzag(numbers: Numbers) -> Any:
    """Signed to unsigned, small numbers staying small: 0, -1, 1, -2 to 0, 1, 2, 3.

    >>> zigzag(np.array([0, -1, 1, -2], np.int64)).tolist()
    [0, 1, 2, 3]
    """
    return ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)


def widths(numbers: Numbers) -> Any:
    """How many bytes each number takes as a varint."""
    plain = zigzag(numbers)
    found = np.ones(len(plain), np.int64)
    highest = int(plain.max(initial=0))
    for limit in _LIMITS:
        if highest < limit:
            break
        found += plain >= limit
    return found


def rows_of_varints(columns: Sequence[Numbers]) -> pa.BinaryArray:
    """Each row's numbers as varints, one after the other."""
    sizes = [widths(column) for column in columns]
    reach = [int(size.max(initial=1)) for size in sizes]
    matrix = np.empty((len(columns[0]), sum(reach)), np.uint8)
    used = np.empty(matrix.shape, bool)
    start = 0
    for column, size, most in zip(columns, sizes, reach, strict=True):
        lay(matrix[:, start : start + most], used[:, start : start + most], zigzag(column), size)
        start += most
    offsets = np.zeros(len(matrix) + 1, np.int32)
    np.cumsum(sum(sizes), out=offsets[1:])
    data = matrix[used]
    return pa.Array.from_buffers(pa.binary(), len(matrix), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def lay(matrix: Any, used: Any, plain: Any, size: Any) -> None:
    """The bytes of one column, lowest seven bits first; all but a number's last byte have the highest bit set."""
    for at in range(matrix.shape[1]):
        more = size > at + 1
        matrix[:, at] = ((plain >> np.uint64(7 * at)) & np.uint64(0x7F)).astype(np.uint8) | (more.view(np.uint8) << 7)
        used[:, at] = size > at


def varint(number: int) -> bytes:
    """One varint.

    >>> varint(-1), varint(300)
    (b'\\x01', b'\\xd8\\x04')
    """
    plain = (number << 1) ^ (number >> 63)
    result = bytearray()
    while plain > 0x7F:
        result.append(plain & 0x7F | 0x80)
        plain >>= 7
    result.append(plain)
    return bytes(result)
