"""Which partition a key goes to: murmur2 as Java's and librdkafka's producers compute it, over whole columns.

Keys of one length are hashed together, four bytes of all of them at a time.
"""

from typing import Any, Final

import numpy as np

from headrace.connect.records.columns import ByteColumn, lengths

_SEED: Final = np.uint32(0x9747B28C)
_M: Final = np.uint32(0x5BD1E995)


def partitions_of(keys: ByteColumn, count: int, keyless: int) -> Any:
    """The partition of each row, of `count`; rows without a key go to `keyless`."""
    sizes = lengths(keys)
    found = np.full(len(keys), keyless, np.int64)
    offsets = np.frombuffer(keys.buffers()[1], np.int64 if str(keys.type).startswith("large") else np.int32)
    starts = offsets[keys.offset : keys.offset + len(keys)]
    data = np.frombuffer(keys.buffers()[2] or b"", np.uint8)
    for size in np.unique(sizes[sizes >= 0]):
        rows = np.flatnonzero(sizes == size)
        matrix = data[starts[rows, None] + np.arange(size)]
        found[rows] = (murmur2(matrix) & np.uint32(0x7FFFFFFF)) % np.uint32(count)
    return found


def murmur2(keys: Any) -> Any:
    """The hashes, as uint32, of keys of equal length: one row of bytes each."""
    count, size = keys.shape
    whole = size // 4 * 4
    words = np.ascontiguousarray(keys[:, :whole]).view("<u4")
    hashes = np.full(count, _SEED ^ np.uint32(size), np.uint32)
    for at in range(words.shape[1]):
        word = words[:, at] * _M
        hashes = (hashes * _M) ^ ((word ^ (word >> np.uint32(24))) * _M)
    if whole < size:
        for at in range(whole, size):
            hashes ^= keys[:, at].astype(np.uint32) << np.uint32(8 * (at - whole))
        hashes *= _M
    hashes = (hashes ^ (hashes >> np.uint32(13))) * _M
    return hashes ^ (hashes >> np.uint32(15))
