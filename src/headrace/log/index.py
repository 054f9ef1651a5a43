"""Kafka's two sparse indexes of a segment: `.index` (offset -> position) and `.timeindex` (timestamp -> offset).

Entries are 8 bytes (int32 offset relative to the segment's base, int32 position) and 12 bytes (int64 timestamp, int32
relative offset), as `org.apache.kafka.storage.internals.log.{OffsetIndex,TimeIndex}` lay them out, but without
preallocation. An entry's offset is the LAST offset of the batch at its position. Kept as arrays once used.
"""

import struct
import sys
from array import array
from bisect import bisect_left, bisect_right
from typing import Final

OFFSET_ENTRY: Final = struct.Struct(">ii")
TIME_ENTRY: Final = struct.Struct(">qi")


class OffsetIndex:
    """Where the batches of a segment are, roughly one entry in `index.interval.bytes`."""

    __slots__ = ("offsets", "positions")

    def __init__(self) -> None:
        self.offsets = array("i")
        self.positions = array("i")

    def add(self, relative_offset: int, position: int) -> bytes:
        """Remember it; gives the bytes to append to the file."""
        self.offsets.append(relative_offset)
        self.positions.append(position)
        return OFFSET_ENTRY.pack(relative_offset, position)

    def floor(self, relative_offset: int) -> int:
        """A position at or before the batch that holds the offset, as near as the index knows."""
        at = bisect_right(self.offsets, relative_offset) - 1
        return self.positions[at] if at >= 0 else 0

    def last(self) -> tuple[int, int]:
        """(relative offset, position) of the last entry; (-1, 0) where there is none."""
        return (self.offsets[-1], self.positions[-1]) if self.offsets else (-1, 0)

    def __len__(self) -> int:
        return len(self.offsets)

    @classmethod
    def load(cls, content: bytes, size: int) -> "OffsetIndex | None":
        """Read a file that belongs to a segment of `size` bytes; None where it cannot be right."""
        if len(content) % OFFSET_ENTRY.size:
            return None
        entries = array("i")
        entries.frombytes(content)
        if sys.byteorder == "little":
            entries.byteswap()
        index = cls()
        index.offsets, index.positions = entries[::2], entries[1::2]
        return index if index._is_plausible(size) else None

    def _is_plausible(self, size: int) -> bool:
        return not self.offsets or (
            self.offsets[0] >= 0 and self.offsets[-1] >= self.offsets[0] and 0 <= self.positions[-1] < size
        )

    def content(self) -> bytes:
        """The whole file."""
        return b"".join(map(OFFSET_ENTRY.pack, self.offsets, self.positions))


class TimeIndex:
    """How far timestamps had come, at some offsets; both columns only grow."""

    __slots__ = ("offsets", "timestamps")

    def __init__(self) -> None:
        self.timestamps = array("q")
        self.offsets = array("i")

    def add(self, timestamp: int, relative_offset: int) -> bytes:
        """Remember that `timestamp` is the largest up to here; gives the bytes to append, none where it is no news."""
        if timestamp < 0 or (self.timestamps and timestamp <= self.timestamps[-1]):
            return b""
        self.timestamps.append(timestamp)
        self.offsets.append(relative_offset)
        return TIME_ENTRY.pack(timestamp, relative_offset)

    def before(self, timestamp: int) -> int:
        """A relative offset up to which all timestamps are below `timestamp`; 0 where the index knows none."""
        at = bisect_left(self.timestamps, timestamp) - 1
        return self.offsets[at] if at >= 0 else 0

    def last(self) -> tuple[int, int]:
        """(timestamp, relative offset) of the last entry; (-1, -1) where there is none."""
        return (self.timestamps[-1], self.offsets[-1]) if self.timestamps else (-1, -1)

    def __len__(self) -> int:
        return len(self.timestamps)

    @classmethod
    def load(cls, content: bytes) -> "TimeIndex | None":
        """Read a file; None where it cannot be right."""
        if len(content) % TIME_ENTRY.size:
            return None
        index = cls()
        for timestamp, offset in TIME_ENTRY.iter_unpack(content):
            if offset < 0 or (index.timestamps and timestamp < index.timestamps[-1]):
                return None
            index.timestamps.append(timestamp)
            index.offsets.append(offset)
        return index

    def content(self) -> bytes:
        """The whole file."""
        return b"".join(map(TIME_ENTRY.pack, self.timestamps, self.offsets))
