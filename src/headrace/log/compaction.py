"""Compaction: of each key the last record is kept, tombstones for a while; offsets never change.

Three steps. `plan`, on the loop, says whether and what. `compact`, in a thread, reads the segments before the last and
writes their rest beside them as `.cleaned`, forced to the disk. `swap`, on the loop, puts the new files in place of the
old: `.cleaned` becomes `.swap`, which is the point from which a crash does not undo it (recovery finishes it), then the
old ones go, then `.swap` loses its suffix. As `org.apache.kafka.storage.internals.log.Cleaner`.
"""

import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

from headrace.log.batch import BatchHeader, headers, read_header
from headrace.log.index import OffsetIndex, TimeIndex
from headrace.log.partition_log import PartitionLog, last_modified_ms
from headrace.log.records import RawRecord, raw_records, with_records
from headrace.log.segment import Segment
from headrace.log.settings import LogSettings

CLEANED: Final = ".cleaned"
SWAP: Final = ".swap"
_MOST_KEYS: Final = 2_000_000
_SUFFIXES: Final = (".log", ".index", ".timeindex")
_MAX_RELATIVE_OFFSET: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """The segments to be compacted, in groups that become one each, and where the part begins that is new to it."""

    groups: list[list[Segment]]
    dirty_from: int
    settings: LogSettings
    now_ms: int
    new_segment: Callable[[int], Segment]


@dataclass(frozen=True, slots=True)
class Compacted:
    """What became of the groups, in their order; `compacted_to` is the offset up to which it was done."""

    segments: list[Segment]
    compacted_to: int


def plan(log: PartitionLog, now_ms: int) -> Plan | None:
    """What to compact now; None where the part that is new is too small (`min.cleanable.dirty.ratio`)."""
    settings = log.settings

    def is_old_enough(segment: Segment) -> bool:
        return now_ms - last_modified_ms(segment) >= settings.min_compaction_lag_ms

    sealed = list(takewhile(is_old_enough, log.segments[:-1]))
    dirty = [segment for segment in sealed if segment.base_offset >= log.compacted_to]
    if not dirty:
        return None
    dirty_bytes, total_bytes = (sum(segment.size for segment in part) for part in (dirty, sealed))
    is_overdue = any(now_ms - last_modified_ms(segment) > settings.max_compaction_lag_ms for segment in dirty)
    if not is_overdue and dirty_bytes <= settings.min_cleanable_dirty_ratio * total_bytes:
        return None
    return Plan(_grouped(sealed, settings.segment_bytes), dirty[0].base_offset, settings, now_ms, log.new_segment)


def _grouped(segments: list[Segment], segment_bytes: int) -> list[list[Segment]]:
    groups: list[list[Segment]] = []
    size = 0
    for segment in segments:
        fits = groups and size + segment.size <= segment_bytes
        if fits and segment.base_offset + segment.size - groups[-1][0].base_offset <= _MAX_RELATIVE_OFFSET:
            groups[-1].append(segment)
            size += segment.size
        else:
            groups.append([segment])
            size = segment.size
    return groups


def compact(plan: Plan) -> Compacted:
    """Write what is left of each group; for threads. Raises OSError, StorageError and CorruptRecords."""
    latest: dict[bytes, int] = {}
    done: list[list[Segment]] = []
    for group in plan.groups:
        if len(latest) > _MOST_KEYS:
            break
        for segment in group:
            if segment.base_offset >= plan.dirty_from:
                _note_keys(segment, latest)
        done.append(group)
    written = [_write(group, plan, latest) for group in done]
    return Compacted(written, done[-1][-1].base_offset + 1)


def _note_keys(segment: Segment, latest: dict[bytes, int]) -> None:
    for batch, _ in _batches(segment):
        for record in raw_records(batch):
            if record.key is not None:
                latest[record.key] = record.offset


def _batches(segment: Segment) -> Iterator[tuple[bytes, BatchHeader]]:
    if segment.size == 0:
        return
    with (
        Path(segment.log_path).open("rb") as file,
        mmap.mmap(file.fileno(), segment.size, access=mmap.ACCESS_READ) as content,
    ):
        for position, header in headers(content):
            yield content[position : position + header.size], header


def _write(group: list[Segment], plan: Plan, latest: dict[bytes, int]) -> Segment:
    result = plan.new_segment(group[0].base_offset)
    index, times, since_index = OffsetIndex(), TimeIndex(), 0
    horizon_ms = plan.now_ms - plan.settings.delete_retention_ms
    with Path(result.log_path + CLEANED).open("wb") as file:
        for segment in group:
            for batch, header in _batches(segment):
                rest = _rest_of(batch, header, latest, horizon_ms)
                if rest is None:
                    continue
                result.note(header, result.size)
                if since_index > plan.settings.index_interval_bytes:
                    index.add(header.last_offset - result.base_offset, result.size)
                    times.add(result.max_timestamp, result.max_timestamp_offset - result.base_offset)
                    since_index = 0
                file.write(rest)
                result.size += len(rest)
                since_index += len(rest)
        file.flush()
        os.fsync(file.fileno())
    times.add(result.max_timestamp, result.max_timestamp_offset - result.base_offset)
    result.adopt(index, times)
    Path(result.stem + ".index" + CLEANED).write_bytes(index.content())
    Path(result.stem + ".timeindex" + CLEANED).write_bytes(times.content())
    return result


def _rest_of(batch: bytes, header: BatchHeader, latest: dict[bytes, int], horizon_ms: int) -> bytes | None:
    """What is left of a batch; the batch itself where all is."""
    drops_tombstones = header.max_timestamp < horizon_ms

    def is_kept(record: RawRecord) -> bool:
        if record.key is None or latest.get(record.key, -1) > record.offset:
            return False
        return not (record.is_tombstone and drops_tombstones)

    records = raw_records(batch)
    kept = [record for record in records if is_kept(record)]
    if len(kept) == len(records):
        return batch
    return with_records(batch, kept) if kept else None


def swap(log: PartitionLog, plan: Plan, compacted: Compacted) -> list[str]:
    """Put the new segments in place; the stems of files that may be removed. Raises OSError.

    Where retention has taken a segment meanwhile nothing is put in place, and the next plan begins anew.
    """
    retired: list[str] = []
    for group, segment in zip(plan.groups, compacted.segments, strict=False):
        if not all(log.holds(old) for old in group):
            discard(segment)
            continue
        for old in group:
            old.close_handles()
        _rename(segment.stem, CLEANED, SWAP)
        for old in group[1:]:
            retired.append(old.stem)
            for suffix in (*_SUFFIXES, ".snapshot"):
                with suppress(FileNotFoundError):
                    Path(old.stem + suffix).rename(old.stem + suffix + ".deleted")
        _rename(segment.stem, SWAP, "")
        log.replace(group, segment)
    log.compacted_to = max(log.compacted_to, compacted.compacted_to)
    return retired


def _rename(stem: str, before: str, after: str) -> None:
    """The log last: once it has its new name, its indexes have theirs."""
    for suffix in reversed(_SUFFIXES):
        Path(stem + suffix + before).rename(stem + suffix + after)


def discard(segment: Segment) -> None:
    """Remove what was written for nothing."""
    for suffix in _SUFFIXES:
        Path(segment.stem + suffix + CLEANED).unlink(missing_ok=True)


def finish_swaps(directory: Path) -> None:
    """After a crash: a `.log.swap` is whole, and stands for all segments that begin within its offsets."""
    for path in directory.glob(f"*.log{SWAP}"):
        stem = path.name.split(".")[0]
        last_offset = _last_offset(path)
        for old in directory.glob("*.log"):
            if old.stem.isdigit() and int(stem) <= int(old.stem) <= max(last_offset, int(stem)):
                for suffix in (*_SUFFIXES, ".snapshot"):
                    Path(directory / f"{old.stem}{suffix}").unlink(missing_ok=True)
        path.rename(directory / f"{stem}.log")


def _last_offset(path: Path) -> int:
    content = path.read_bytes()
    last = -1
    for position, _ in headers(content):
        last = read_header(content, position).last_offset
    return last
