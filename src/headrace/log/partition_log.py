"""The log of one partition: a row of segments, appended to at the end and read anywhere.

Owned by the loop. Appends are plain writes; whatever waits for a disk is handed to `background` as a job that touches
only what it was given (paths, copies), never the log. Invariant 1: what `append` returned for is readable after a crash
of this process, and nothing torn is: a write that fails is undone before the error is raised.
"""

import logging
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from headrace.log import batch as batches
from headrace.log.batch import BatchHeader
from headrace.log.epochs import LeaderEpochs
from headrace.log.errors import BatchLargerThanSegment, InvalidTimestamp, OffsetOutOfRange, StorageError
from headrace.log.files import Handles, replace_file, sync_file
from headrace.log.producers import Producers
from headrace.log.segment import Mark, Segment, file_stem
from headrace.log.settings import LogSettings

logger = logging.getLogger(__name__)

Job: TypeAlias = Callable[[], None]
Background: TypeAlias = Callable[[Job], None]

_MAX_RELATIVE_OFFSET = 2**31 - 1
_MAX_FILE_BYTES = 2**31 - 1


class Appended(NamedTuple):
    """Where a batch is in the log.

    `append_time` is -1 unless the log stamps it; a retry is a duplicate, and has its batch's largest timestamp, as
    Apache Kafka tells it.
    """

    base_offset: int
    last_offset: int
    append_time: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes of one file that answer a read: from the batch that holds the offset asked for."""

    segment: Segment
    position: int
    size: int
    first_batch_size: int
    is_hot: bool
    """In the last segment, and so most likely in the page cache: read it on the loop. Otherwise in a thread."""

    @property
    def path(self) -> str:
        return self.segment.log_path


@dataclass(frozen=True, slots=True)
class LogParts:
    """What recovery found in a directory, ready to be owned by the loop."""

    segments: list[Segment]
    producers: Producers
    epochs: LeaderEpochs
    next_offset: int
    has_snapshot: bool
    """A snapshot at the log's end is there, so that a clean stop without a change has nothing to write."""


class PartitionLog:
    """One partition's records; `start_offset` is the first, `next_offset` the one after the last."""

    def __init__(
        self, directory: Path, settings: LogSettings, handles: Handles, parts: LogParts, background: Background
    ) -> None:
        self.directory = directory
        self.settings = settings
        self.segments = parts.segments
        self.producers = parts.producers
        self.epochs = parts.epochs
        self.next_offset = parts.next_offset
        self.start_offset = parts.segments[0].base_offset
        self.unflushed_records = 0
        self.unflushed_since_ms = 0
        """When the first of these records was appended."""
        self.compacted_to = self.start_offset
        """Up to where compaction has been since the log was opened."""
        self.failure: str | None = None
        """Why this log takes no more writes: a failed write that could not be undone."""
        self._handles = handles
        self._background = background
        self._bases = [segment.base_offset for segment in parts.segments]
        self._changed = not parts.has_snapshot

    @property
    def active(self) -> Segment:
        """The last segment, the one that is appended to."""
        return self.segments[-1]

    @property
    def leader_epoch(self) -> int:
        return self.epochs.latest

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(segment.size for segment in self.segments)

    def append(self, batch: bytearray | memoryview, header: BatchHeader, now_ms: int) -> Appended:
        """Append one checked batch, patched in place; on disk (page cache) when this returns.

        Raises BatchRefused (sequence, timestamp, size: nothing is appended) and StorageError.
        """
        seen = self.producers.check(header)
        if seen is not None:
            return Appended(seen.first_offset, seen.last_offset, seen.timestamp, duplicate=True)
        if header.size > self.settings.segment_bytes:
            raise BatchLargerThanSegment(
                f"Message batch size is {header.size} bytes, which exceeds segment.bytes, {self.settings.segment_bytes}"
            )
        header = self._timed(batch, header, now_ms)
        header = header._replace(base_offset=self.next_offset, leader_epoch=self.leader_epoch)
        batches.place(batch, header.base_offset, header.leader_epoch)
        self._write(batch, header, now_ms)
        self.producers.update(header)
        self.next_offset = header.last_offset + 1
        if not self.unflushed_records:
            self.unflushed_since_ms = now_ms
        self.unflushed_records += header.records
        self._changed = True
        append_time = header.max_timestamp if self.settings.stamps_append_time else -1
        return Appended(header.base_offset, header.last_offset, append_time)

    def _timed(self, batch: bytearray | memoryview, header: BatchHeader, now_ms: int) -> BatchHeader:
        if self.settings.stamps_append_time:
            return batches.stamp(batch, header, now_ms)
        after, before = self.settings.timestamp_after_max_ms, self.settings.timestamp_before_max_ms
        if header.max_timestamp > now_ms + after or 0 <= header.first_timestamp < now_ms - before:
            raise InvalidTimestamp(
                f"Timestamp {header.max_timestamp} of message with offset 0 is out of range. The timestamp should be "
                f"within [{now_ms - before}, {now_ms + after}]"
            )
        return batches.unstamp(batch, header) if header.is_log_append_time else header

    def _write(self, batch: bytearray | memoryview, header: BatchHeader, now_ms: int) -> None:
        if self.failure is not None:
            raise StorageError(self.failure)
        if self._must_roll(header, now_ms):
            self.roll(now_ms)
        active = self.active
        mark = Mark(active)
        try:
            active.append(batch, header)
        except OSError as error:
            self._undo(active, mark)
            raise StorageError(f"cannot write to {active.log_path}: {error.strerror}") from error

    def _undo(self, segment: Segment, mark: Mark) -> None:
        try:
            segment.restore(mark)
        except OSError as error:
            self.failure = (
                f"{segment.log_path} takes no more writes: a failed one could not be undone: {error.strerror}"
            )
            logger.error("%s. Restart the broker when the disk works again.", self.failure)

    def _must_roll(self, header: BatchHeader, now_ms: int) -> bool:
        """As `LogSegment.shouldRoll`."""
        active = self.active
        if active.size == 0:
            return False
        if active.size + header.size > min(self.settings.segment_bytes, _MAX_FILE_BYTES):
            return True
        if header.last_offset - active.base_offset > _MAX_RELATIVE_OFFSET:
            return True
        if active.first_timestamp >= 0 and header.max_timestamp >= 0:
            return header.max_timestamp - active.first_timestamp > self.settings.segment_ms
        return now_ms - active.created_ms > self.settings.segment_ms

    def roll(self, now_ms: int) -> None:
        """Begin a new segment. The old one is forced to disk in a thread, and then marked by a snapshot.

        Raises StorageError, and then nothing has changed.
        """
        sealed = self.active
        try:
            sealed.seal()
            segment = self.new_segment(self.next_offset, now_ms)
            create_files(segment.stem)
        except OSError as error:
            raise StorageError(f"cannot begin a new segment in {self.directory}: {error.strerror}") from error
        segment.adopt_empty()
        self.segments.append(segment)
        self._bases.append(segment.base_offset)
        stem, snapshot = sealed.stem, self.producers.snapshot()
        target = Path(f"{segment.stem}.snapshot")
        self._background(lambda: _settle(stem, target, snapshot))

    def new_segment(self, base_offset: int, now_ms: int = 0) -> Segment:
        """A segment of this log that has no files yet."""
        return Segment(str(self.directory), base_offset, self._handles, self.settings.index_interval_bytes, now_ms)

    def locate(self, offset: int, max_bytes: int) -> Slice | None:
        """Where the answer to a read from `offset` is, at most `max_bytes` of it; None at the end of the log.

        Raises OffsetOutOfRange and StorageError. The slice may end inside a batch; the first may be larger than it.
        """
        if not self.start_offset <= offset <= self.next_offset:
            raise OffsetOutOfRange(
                f"Received request for offset {offset}, but we only have log segments from offset {self.start_offset} "
                f"up to {self.next_offset}"
            )
        if offset == self.next_offset:
            return None
        for at in range(bisect_right(self._bases, offset) - 1, len(self.segments)):
            segment = self.segments[at]
            try:
                found = segment.find(offset)
            except OSError as error:
                raise StorageError(f"cannot read {segment.log_path}: {error.strerror}") from error
            if found is not None:
                position, first = found
                size = min(segment.size - position, max_bytes)
                return Slice(segment, position, size, first, segment is self.active)
        return None

    def read_hot(self, piece: Slice) -> bytes:
        """The bytes of a slice of the last segment. Raises StorageError."""
        try:
            return piece.segment.read(piece.position, piece.size)
        except OSError as error:
            raise StorageError(f"cannot read {piece.path}: {error.strerror}") from error

    def read_from(self, offset: int) -> Iterator[bytes]:
        """Whole batches from the one that holds `offset` on, read on the loop: for coordinators at start."""
        while (piece := self.locate(max(offset, self.start_offset), 1 << 20)) is not None:
            content = piece.segment.read(piece.position, max(piece.size, piece.first_batch_size))
            for position, header in batches.headers(content):
                yield content[position : position + header.size]
                offset = header.last_offset + 1

    def expired(self, now_ms: int) -> list[Segment]:
        """Take out the segments that retention lets go, oldest first; the caller deletes their files.

        A log that is only compacted loses only what is before its start. The last segment is rolled first where it is
        expired too.
        """
        count = self._before_start()
        if self.settings.deletes:
            count = max(count, self._expired_by_time(now_ms), self._expired_by_size())
        if count == len(self.segments) and self.active.size > 0:
            self.roll(now_ms)
        return self._drop(min(count, len(self.segments) - 1))

    def delete_before(self, offset: int) -> None:
        """Records before `offset`, which is not behind the end, are not readable any more; their files go later."""
        self.start_offset = max(self.start_offset, offset)

    def _before_start(self) -> int:
        ends = [*self._bases[1:], self.next_offset]
        return sum(1 for base, end in zip(self._bases, ends, strict=True) if base < end <= self.start_offset)

    def _expired_by_time(self, now_ms: int) -> int:
        if self.settings.retention_ms < 0:
            return 0
        count = 0
        for segment in self.segments:
            if now_ms - last_modified_ms(segment) <= self.settings.retention_ms:
                break
            count += 1
        return count

    def _expired_by_size(self) -> int:
        if self.settings.retention_bytes < 0:
            return 0
        excess, count = self.size - self.settings.retention_bytes, 0
        for segment in self.segments[:-1]:
            excess -= segment.size
            if excess < 0:
                break
            count += 1
        return count

    def _drop(self, count: int) -> list[Segment]:
        dropped = self.segments[:count]
        del self.segments[:count], self._bases[:count]
        for segment in dropped:
            segment.close_handles()
        if dropped:
            self.delete_before(self.segments[0].base_offset)
            self.epochs.truncate_from_start(self.segments[0].base_offset)
        return dropped

    def holds(self, segment: Segment) -> bool:
        """Whether a segment is still part of the log: what a thread read of another one is not to be used."""
        at = bisect_right(self._bases, segment.base_offset) - 1
        return at >= 0 and self.segments[at] is segment

    def replace(self, old: list[Segment], new: Segment) -> None:
        """Compaction's result takes the place of `old`, which are neighbours and not the last."""
        at = self.segments.index(old[0])
        self.segments[at : at + len(old)] = [new]
        self._bases = [segment.base_offset for segment in self.segments]

    def is_flush_due(self, now_ms: int) -> bool:
        """Whether `flush.ms` have passed since something was appended that is not forced to the disk."""
        return self.unflushed_records > 0 and now_ms - self.unflushed_since_ms >= self.settings.flush_ms

    def flush_job(self) -> Job:
        """A job that forces all that was appended so far to the disk; counts it as flushed now."""
        self.unflushed_records = 0
        stem = self.active.stem
        return lambda: sync_file(stem + ".log")

    def close_job(self) -> Job | None:
        """The log's clean end: a job that forces it to the disk with its state; None where nothing has changed."""
        active = self.active
        active.seal()
        for segment in self.segments:
            segment.close_handles()
        if not self._changed or self.failure is not None:
            return None
        stem, snapshot = active.stem, self.producers.snapshot()
        target = Path(file_stem(str(self.directory), self.next_offset) + ".snapshot")
        return lambda: _settle(stem, target, snapshot)


def create_files(stem: str) -> None:
    """Empty files of a new segment, in place of what may be left of an earlier try."""
    for suffix in (".log", ".index", ".timeindex"):
        Path(stem + suffix).write_bytes(b"")


def last_modified_ms(segment: Segment) -> int:
    """The time retention counts from: the largest timestamp, or the file's own where records carry none."""
    if segment.max_timestamp >= 0:
        return segment.max_timestamp
    try:
        return int(Path(segment.log_path).stat().st_mtime * 1000)
    except OSError:
        return int(time.time() * 1000)


def _settle(stem: str, snapshot_path: Path, snapshot: bytes) -> None:
    """Force a segment to the disk, and only then say so by the snapshot at its end, from which recovery scans."""
    for suffix in (".log", ".index", ".timeindex"):
        sync_file(stem + suffix)
    if snapshot_path.parent.is_dir():
        replace_file(snapshot_path, snapshot)
