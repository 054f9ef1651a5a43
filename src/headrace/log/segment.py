"""A segment: one `.log` file named by its first offset, with its `.index` and `.timeindex`.

Used on the loop through `Handles`; `find_batch` and the other functions work on any descriptor, so that threads can use
them with one of their own. Only the last segment of a log is appended to.
"""

import os
import struct
from pathlib import Path
from typing import Final

from headrace.log.batch import HEADER_BYTES, OVERHEAD_BYTES, BatchHeader
from headrace.log.errors import StorageError
from headrace.log.files import Handles, write_at
from headrace.log.index import OFFSET_ENTRY, TIME_ENTRY, OffsetIndex, TimeIndex

_BASE_AND_LENGTH: Final = struct.Struct(">qi")
_LAST_DELTA: Final = struct.Struct(">i")
_LAST_DELTA_AT: Final = 23
_WALK_BYTES: Final = 8192


def file_stem(directory: str, base_offset: int) -> str:
    """The path of a segment's files without their suffix."""
    return f"{directory}/{base_offset:020d}"


def find_batch(descriptor: int, position: int, end: int, offset: int) -> tuple[int, int] | None:
    """(position, size) of the first batch from `position` on whose last offset is at least `offset`; None at `end`."""
    while position < end:
        chunk = os.pread(descriptor, min(_WALK_BYTES, end - position), position)
        at = 0
        while at + HEADER_BYTES <= len(chunk):
            base, length = _BASE_AND_LENGTH.unpack_from(chunk, at)
            size = length + OVERHEAD_BYTES
            if base + _LAST_DELTA.unpack_from(chunk, at + _LAST_DELTA_AT)[0] >= offset:
                return position + at, size
            if size < HEADER_BYTES:
                raise StorageError(f"a batch of {size} bytes at byte {position + at} of a segment: the file is damaged")
            at += size
        if at == 0:
            raise StorageError(f"a segment ends inside a batch, at byte {position}: the file is damaged")
        position += at
    return None


class Segment:
    """One file of a log and what is known about it; `size` counts only whole batches."""

    __slots__ = (
        "_handles",
        "_index",
        "_interval_bytes",
        "_since_index_bytes",
        "_time_index",
        "base_offset",
        "created_ms",
        "first_timestamp",
        "max_timestamp",
        "max_timestamp_offset",
        "size",
        "stem",
    )

    def __init__(
        self, directory: str, base_offset: int, handles: Handles, interval_bytes: int, created_ms: int
    ) -> None:
        self.stem = file_stem(directory, base_offset)
        self.base_offset = base_offset
        self.created_ms = created_ms
        self.size = 0
        self.first_timestamp = -1
        """Of the first batch, from which `segment.ms` counts; -1 where none is known."""
        self.max_timestamp = -1
        self.max_timestamp_offset = base_offset
        """The last offset of the batch that holds the largest timestamp, as the time index has it."""
        self._handles = handles
        self._interval_bytes = interval_bytes
        self._since_index_bytes = 0
        self._index: OffsetIndex | None = None
        self._time_index: TimeIndex | None = None

    @property
    def log_path(self) -> str:
        return self.stem + ".log"

    @property
    def index(self) -> OffsetIndex:
        """Loaded on first use."""
        if self._index is None:
            content = Path(self.stem + ".index").read_bytes()
            self._index = OffsetIndex.load(content, self.size) or OffsetIndex()
        return self._index

    @property
    def time_index(self) -> TimeIndex:
        """Loaded on first use."""
        if self._time_index is None:
            self._time_index = TimeIndex.load(Path(self.stem + ".timeindex").read_bytes()) or TimeIndex()
        return self._time_index

    def adopt(self, index: OffsetIndex, time_index: TimeIndex) -> None:
        """Take indexes that somebody has loaded or built, as recovery does."""
        self._index, self._time_index = index, time_index

    def adopt_empty(self) -> None:
        """A new segment has nothing to load."""
        self.adopt(OffsetIndex(), TimeIndex())

    def append(self, batch: bytes | bytearray | memoryview, header: BatchHeader) -> None:
        """Write a batch that has its place; raises OSError, after which `restore` must be called."""
        write_at(self._handles.get(self.log_path), batch, self.size)
        due = self._since_index_bytes > self._interval_bytes
        self.note(header, self.size)
        if due:
            self._write_index_entries(header, self.size)
            self._since_index_bytes = 0
        self._since_index_bytes += header.size
        self.size += header.size

    def note(self, header: BatchHeader, position: int) -> None:
        """Account for a batch's timestamps."""
        if position == 0:
            self.first_timestamp = header.max_timestamp
        if header.max_timestamp > self.max_timestamp:
            self.max_timestamp = header.max_timestamp
            self.max_timestamp_offset = header.last_offset

    def _write_index_entries(self, header: BatchHeader, position: int) -> None:
        index, times = self.index, self.time_index
        index_at, times_at = len(index) * OFFSET_ENTRY.size, len(times) * TIME_ENTRY.size
        write_at(
            self._handles.get(self.stem + ".index"),
            index.add(header.last_offset - self.base_offset, position),
            index_at,
        )
        entry = times.add(self.max_timestamp, self.max_timestamp_offset - self.base_offset)
        if entry:
            write_at(self._handles.get(self.stem + ".timeindex"), entry, times_at)

    def seal(self) -> None:
        """The segment is appended to no more: its time index ends with its largest timestamp."""
        times = self.time_index
        at = len(times) * TIME_ENTRY.size
        entry = times.add(self.max_timestamp, self.max_timestamp_offset - self.base_offset)
        if entry:
            write_at(self._handles.get(self.stem + ".timeindex"), entry, at)

    def restore(self, before: "Mark") -> None:
        """Undo a failed append: nothing torn may be left where a reader or a restart would find it. Raises OSError."""
        index, times = self.index, self.time_index
        del index.offsets[before.index_entries :], index.positions[before.index_entries :]
        del times.timestamps[before.time_entries :], times.offsets[before.time_entries :]
        self.first_timestamp, self.max_timestamp = before.first_timestamp, before.max_timestamp
        self.max_timestamp_offset = before.max_timestamp_offset
        os.ftruncate(self._handles.get(self.log_path), self.size)
        os.ftruncate(self._handles.get(self.stem + ".index"), before.index_entries * OFFSET_ENTRY.size)
        os.ftruncate(self._handles.get(self.stem + ".timeindex"), before.time_entries * TIME_ENTRY.size)

    def find(self, offset: int) -> tuple[int, int] | None:
        """(position, size) of the batch that holds `offset`, or of the next one; None beyond the end."""
        floor = self.index.floor(offset - self.base_offset)
        return find_batch(self._handles.get(self.log_path), floor, self.size, offset)

    def read(self, position: int, size: int) -> bytes:
        """Bytes of the file."""
        return os.pread(self._handles.get(self.log_path), size, position)

    def close_handles(self) -> None:
        """Close what is open of it."""
        for suffix in (".log", ".index", ".timeindex"):
            self._handles.drop(self.stem + suffix)


class Mark:
    """What an append changes, to be put back where it fails."""

    __slots__ = ("first_timestamp", "index_entries", "max_timestamp", "max_timestamp_offset", "time_entries")

    def __init__(self, segment: Segment) -> None:
        self.index_entries = len(segment.index)
        self.time_entries = len(segment.time_index)
        self.first_timestamp = segment.first_timestamp
        self.max_timestamp = segment.max_timestamp
        self.max_timestamp_offset = segment.max_timestamp_offset
