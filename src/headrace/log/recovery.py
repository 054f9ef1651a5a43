"""Open a partition's directory: after a clean stop by what was written then, after a crash by scanning the tail.

For threads: touches files only through handles of its own and builds what the loop will own. After a crash everything
before the newest snapshot is on the disk and whole (a snapshot is written once its segment is forced out); from there
on each batch's checksum is verified, the first torn one and all after it are cut, indexes and producer state are built
anew, and the leader epoch rises.
"""

import logging
import mmap
import time
from dataclasses import dataclass
from pathlib import Path

from headrace.log import batch as batches
from headrace.log.compaction import finish_swaps
from headrace.log.epochs import LeaderEpochs
from headrace.log.files import Handles
from headrace.log.index import OffsetIndex, TimeIndex
from headrace.log.partition_log import Background, LogParts, PartitionLog, create_files
from headrace.log.producers import CorruptSnapshot, Producers
from headrace.log.segment import Segment
from headrace.log.settings import LogSettings

logger = logging.getLogger(__name__)

_LEFTOVERS = (".tmp", ".deleted", ".cleaned", ".swap")


@dataclass(frozen=True, slots=True)
class Opening:
    """How logs are opened: after a clean stop or not, and with what they work afterwards."""

    handles: Handles
    background: Background
    clean: bool


def open_log(directory: Path, settings: LogSettings, opening: Opening) -> PartitionLog:
    """The log in `directory`, which is made where there is none. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    recovery = _Recovery(directory, settings, opening)
    return PartitionLog(directory, settings, opening.handles, recovery.run(), opening.background)


class _Recovery:
    def __init__(self, directory: Path, settings: LogSettings, opening: Opening) -> None:
        self._directory = directory
        self._settings = settings
        self._opening = opening
        self._producers = Producers()
        self._is_last = False
        self._now_ms = int(time.time() * 1000)

    def run(self) -> LogParts:
        finish_swaps(self._directory)
        self._remove_leftovers()
        epochs = LeaderEpochs.load(self._directory)
        segments = [self._segment(base) for base in self._bases()]
        is_new = not segments
        if is_new:
            segments = [self._first_segment()]
        next_offset = self._load_cleanly(segments) if self._opening.clean and not is_new else None
        if next_offset is None:
            segments, next_offset = self._scan(segments)
            if not is_new and not self._opening.clean:
                epochs.raise_at(next_offset)
        if is_new or not self._opening.clean:
            epochs.save(self._directory, sync=not is_new)
        has_snapshot = self._remove_snapshots(segments, next_offset)
        return LogParts(segments, self._producers, epochs, next_offset, has_snapshot)

    def _remove_leftovers(self) -> None:
        for path in self._directory.iterdir():
            if path.suffix in _LEFTOVERS:
                path.unlink()

    def _bases(self) -> list[int]:
        return sorted(int(path.stem) for path in self._directory.glob("*.log") if path.stem.isdigit())

    def _segment(self, base: int) -> Segment:
        segment = Segment(
            str(self._directory), base, self._opening.handles, self._settings.index_interval_bytes, self._now_ms
        )
        segment.size = Path(segment.log_path).stat().st_size
        return segment

    def _first_segment(self) -> Segment:
        segment = Segment(
            str(self._directory), 0, self._opening.handles, self._settings.index_interval_bytes, self._now_ms
        )
        create_files(segment.stem)
        return segment

    def _load_cleanly(self, segments: list[Segment]) -> int | None:
        """The next offset after a clean stop; None where files contradict that, so that all must be scanned."""
        for segment in segments:
            if not self._load_indexes(segment):
                return None
        next_offset = self._walk_tail(segments[-1])
        snapshot = self._newest_snapshot()
        if next_offset is None or (snapshot is not None and snapshot != next_offset):
            return None
        if snapshot is None:
            return next_offset if next_offset == 0 else None
        return next_offset if self._load_snapshot(snapshot) else None

    def _load_indexes(self, segment: Segment) -> bool:
        try:
            index = OffsetIndex.load(Path(segment.stem + ".index").read_bytes(), segment.size)
            times = TimeIndex.load(Path(segment.stem + ".timeindex").read_bytes())
        except FileNotFoundError:
            return False
        if index is None or times is None:
            return False
        segment.adopt(index, times)
        timestamp, relative_offset = times.last()
        if relative_offset >= 0:
            segment.max_timestamp = timestamp
            segment.max_timestamp_offset = segment.base_offset + relative_offset
        return True

    def _walk_tail(self, segment: Segment) -> int | None:
        """The offset after the last batch, from the last index entry on; None where the file does not end with one."""
        if segment.size == 0:
            return segment.base_offset
        position = segment.index.last()[1]
        next_offset = None
        with Path(segment.log_path).open("rb") as file:
            file.seek(position)
            tail = file.read()
            file.seek(0)
            segment.first_timestamp = batches.read_header(file.read(batches.HEADER_BYTES)).max_timestamp
        end = 0
        for at, header in batches.headers(tail):
            next_offset, end = header.last_offset + 1, at + header.size
        return next_offset if end == len(tail) else None

    def _snapshots(self) -> list[int]:
        return sorted(int(path.stem) for path in self._directory.glob("*.snapshot") if path.stem.isdigit())

    def _newest_snapshot(self) -> int | None:
        return max(self._snapshots(), default=None)

    def _load_snapshot(self, offset: int) -> bool:
        path = self._directory / f"{offset:020d}.snapshot"
        try:
            self._producers = Producers.load(path.read_bytes())
        except (OSError, CorruptSnapshot) as error:
            logger.warning("The snapshot %s cannot be used (%s): the log is scanned instead.", path, error)
            return False
        return True

    def _scan(self, segments: list[Segment]) -> tuple[list[Segment], int]:
        """Verify from the newest usable snapshot on; (the segments that are left, the next offset)."""
        first = self._scan_from(segments)
        for segment in segments[:first]:
            if not self._load_indexes(segment):
                self._rebuild(segment, verify=False)
        next_offset = segments[first].base_offset
        for at in range(first, len(segments)):
            segment, size = segments[at], segments[at].size
            if segment.base_offset < next_offset:
                return self._discard(segments, at), next_offset
            self._is_last = at == len(segments) - 1
            next_offset = self._rebuild(segment, verify=True, from_offset=next_offset)
            if segment.size < size:
                logger.warning(
                    "Cut %d torn bytes off %s, which ends at offset %d now.",
                    size - segment.size,
                    segment.log_path,
                    next_offset,
                )
                return self._discard(segments, at + 1), next_offset
        return segments, next_offset

    def _scan_from(self, segments: list[Segment]) -> int:
        """The index of the first segment to scan, its producer state loaded."""
        bases = {segment.base_offset: at for at, segment in enumerate(segments)}
        for offset in reversed(self._snapshots()):
            if offset in bases and self._load_snapshot(offset):
                return bases[offset]
        return 0

    def _discard(self, segments: list[Segment], first: int) -> list[Segment]:
        """Segments behind a torn one cannot be read in order: they go."""
        for segment in segments[first:]:
            logger.warning("Removed %s: the log is torn before it.", segment.log_path)
            for suffix in (".log", ".index", ".timeindex", ".snapshot"):
                Path(segment.stem + suffix).unlink(missing_ok=True)
        return segments[:first]

    def _rebuild(self, segment: Segment, *, verify: bool, from_offset: int = 0) -> int:
        """Walk a segment, build its indexes, cut it at the first batch that is not whole; gives the next offset."""
        index, times = OffsetIndex(), TimeIndex()
        segment.adopt(index, times)
        next_offset, end = max(from_offset, segment.base_offset), 0
        if segment.size:
            next_offset, end = self._walk(segment, index, times, verify=verify)
        if end < segment.size:
            with Path(segment.log_path).open("r+b") as file:
                file.truncate(end)
            segment.size = end
        times.add(segment.max_timestamp, segment.max_timestamp_offset - segment.base_offset)
        Path(segment.stem + ".index").write_bytes(index.content())
        Path(segment.stem + ".timeindex").write_bytes(times.content())
        return max(next_offset, from_offset)

    def _walk(self, segment: Segment, index: OffsetIndex, times: TimeIndex, *, verify: bool) -> tuple[int, int]:
        next_offset, end, since_index = segment.base_offset, 0, 0
        with Path(segment.log_path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for position, header in batches.headers(content):
                if not self._follows(header, next_offset):
                    break
                if verify and not batches.is_whole(content, header, position):
                    break
                segment.note(header, position)
                if since_index > self._settings.index_interval_bytes:
                    index.add(header.last_offset - segment.base_offset, position)
                    times.add(segment.max_timestamp, segment.max_timestamp_offset - segment.base_offset)
                    since_index = 0
                since_index += header.size
                if verify:
                    self._producers.update(header)
                next_offset, end = header.last_offset + 1, position + header.size
        return next_offset, end

    def _follows(self, header: batches.BatchHeader, next_offset: int) -> bool:
        """The checksum does not cover the offset. Compaction leaves gaps, but never in the last segment."""
        return header.base_offset == next_offset or (header.base_offset > next_offset and not self._is_last)

    def _remove_snapshots(self, segments: list[Segment], next_offset: int) -> bool:
        """Only those at a segment's first offset and at the log's end are of use; whether the latter is there."""
        useful = {next_offset, *(segment.base_offset for segment in segments)}
        offsets = self._snapshots()
        for offset in offsets:
            if offset not in useful:
                (self._directory / f"{offset:020d}.snapshot").unlink(missing_ok=True)
        return next_offset in offsets and self._opening.clean
