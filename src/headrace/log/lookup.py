"""Offsets by timestamp: which record is the first that is not older, and which carries the largest timestamp.

A lookup is planned on the loop, by the indexes in memory, and done in a thread, since it decompresses.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from headrace.log.batch import HEADER_BYTES, read_header
from headrace.log.partition_log import PartitionLog
from headrace.log.records import read_batch
from headrace.log.segment import Segment


class TimestampOffset(NamedTuple):
    """A record's timestamp (Unix milliseconds) and offset."""

    timestamp: int
    offset: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """A planned lookup: call it in a thread, then ask on the loop whether its files were still the log's."""

    segments: tuple[Segment, ...]
    search: Callable[[], TimestampOffset | None]

    def __call__(self) -> TimestampOffset | None:
        return self.search()

    def is_stale(self, log: PartitionLog) -> bool:
        """Whether compaction or retention has taken a file from under it."""
        return not all(log.holds(segment) for segment in self.segments)


def first_at_or_after(log: PartitionLog, timestamp: int) -> Lookup:
    """The earliest record whose timestamp is at least `timestamp`; None where all are older."""
    segments = tuple(segment for segment in log.segments if segment.max_timestamp >= timestamp)
    places = [
        (segment.log_path, segment.index.floor(segment.time_index.before(timestamp)), segment.size)
        for segment in segments
    ]
    start_offset = log.start_offset
    return Lookup(segments, lambda: _search(places, timestamp, start_offset))


def largest(log: PartitionLog) -> Lookup:
    """The first record that carries the largest timestamp; None where there is no record with one."""
    segment = max(log.segments, key=lambda segment: segment.max_timestamp)
    timestamp = segment.max_timestamp
    found = segment.find(segment.max_timestamp_offset) if timestamp >= 0 else None
    if found is None:
        return Lookup((), lambda: None)
    place = (segment.log_path, found[0], found[0] + found[1])
    return Lookup((segment,), lambda: _search([place], timestamp, 0))


def _search(places: list[tuple[str, int, int]], timestamp: int, start_offset: int) -> TimestampOffset | None:
    for path, position, end in places:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            found = _search_file(descriptor, position, end, timestamp, start_offset)
        finally:
            os.close(descriptor)
        if found is not None:
            return found
    return None


def _search_file(descriptor: int, position: int, end: int, timestamp: int, start_offset: int) -> TimestampOffset | None:
    while position + HEADER_BYTES <= end:
        header = read_header(os.pread(descriptor, HEADER_BYTES, position))
        if header.max_timestamp >= timestamp and header.last_offset >= start_offset:
            for record in read_batch(os.pread(descriptor, header.size, position)):
                if record.timestamp >= timestamp and record.offset >= start_offset:
                    return TimestampOffset(record.timestamp, record.offset)
        position += header.size
    return None
