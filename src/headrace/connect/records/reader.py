"""Record batches of one partition to columns: offsets, timestamps, keys, values and headers.

The records' lengths are followed one by one, since each says where the next begins; their fields are then read of all
records at once, by numpy. Layout: `org.apache.kafka.common.record.DefaultRecord`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headrace.connect.api import integers
from headrace.log.batch import HEADER_BYTES, BatchHeader, headers, is_whole
from headrace.log.records import CorruptRecords, decompress, read_batch

MOST_VARINT_BYTES: Final = 10
PIECE_RECORDS: Final = 10_000
"""What columns are worth, and no more than a put takes: the bytes of a piece are still near when it is decoded."""
Bytes = bytes | bytearray | memoryview
Header = tuple[str, bytes | None]


Rooms = list[bytearray]
"""Memory for the records of one batch each, kept between batches: taken anew, it would be cleared page by page."""


@dataclass(frozen=True, slots=True)
class RawBatch:
    """A batch as it came, and its header."""

    header: BatchHeader
    raw: memoryview

    def plain(self, room: bytearray | None = None) -> bytes | memoryview:
        """Its records without compression. Raises CorruptRecords."""
        body = self.raw[HEADER_BYTES:]
        return decompress(self.header.codec, body, room) if self.header.codec else body


@dataclass(frozen=True, slots=True)
class RecordColumns:
    """Records of one partition, in order: `offset` and `timestamp` int64, `key` and `value` binary, null where null.

    `headers`: one list a record, None where none has any.
    """

    offset: Any
    timestamp: Any
    is_log_append_time: bool
    key: pa.BinaryArray
    value: pa.BinaryArray
    headers: list[list[Header]] | None

    def __len__(self) -> int:
        return len(self.offset)

    def slice(self, start: int, stop: int) -> "RecordColumns":
        """Records start to stop (not included); memory is shared."""
        return RecordColumns(
            self.offset[start:stop],
            self.timestamp[start:stop],
            self.is_log_append_time,
            self.key[start:stop],
            self.value[start:stop],
            None if self.headers is None else self.headers[start:stop],
        )


def batches(record_set: bytes | memoryview, position: int = 0) -> Iterator[RawBatch]:
    """The whole batches of a record set as a broker sends it (the last one may be cut), checked.

    Raises CorruptRecords that names the offset.
    """
    view = memoryview(record_set)
    for at, header in headers(view, position):
        raw = view[at : at + header.size]
        if not is_whole(view, header, at):
            raise CorruptRecords(f"the batch at offset {header.base_offset} is corrupt: its checksum does not fit")
        yield RawBatch(header, raw)


def read(
    batches: Iterable[RawBatch], first_offset: int, most: int = PIECE_RECORDS, rooms: Rooms | None = None
) -> Iterator[RecordColumns]:
    """The records from `first_offset` on, in pieces of at most so many, split where the type of timestamp changes.

    Rooms are taken from `rooms` and given back there; what is yielded holds on to none. Raises CorruptRecords.
    """
    free: Rooms = [] if rooms is None else rooms
    for run in _runs(batches, most):
        for columns in _columns(run, most, free):
            skipped = int(np.searchsorted(columns.offset, first_offset))
            if skipped < len(columns):
                yield columns.slice(skipped, len(columns)) if skipped else columns


def _runs(batches: Iterable[RawBatch], most: int) -> Iterator[list[RawBatch]]:
    """Batches that are read together: so many small ones that it is worth while, and of one type of timestamp."""
    run: list[RawBatch] = []
    records = 0
    for batch in batches:
        header = batch.header
        changes = bool(run) and run[-1].header.is_log_append_time != header.is_log_append_time
        if run and (changes or records + header.records > most):
            yield run
            run, records = [], 0
        run.append(batch)
        records += header.records
    if run:
        yield run


def _columns(run: list[RawBatch], most: int, rooms: Rooms) -> Iterator[RecordColumns]:
    room = rooms.pop() if rooms else bytearray()
    plain: Bytes = run[0].plain(room) if len(run) == 1 else b"".join([batch.plain() for batch in run])
    size = len(plain)
    if run[0].header.codec and isinstance(plain, memoryview) and isinstance(plain.obj, bytearray):
        plain = room = plain.obj  # from its first byte on; read faster than through the view
    try:
        yield from _pieces(run, plain, size, most)
    except (IndexError, OverflowError) as error:
        raise CorruptRecords(f"the batch at offset {run[0].header.base_offset} cannot be read: {error}") from error
    finally:
        rooms.append(room)


def _pieces(run: list[RawBatch], data: Bytes, size: int, most: int) -> Iterator[RecordColumns]:
    counts = [batch.header.records for batch in run]
    base = np.repeat([batch.header.base_offset for batch in run], counts)
    is_log_append_time = run[0].header.is_log_append_time
    times = [batch.header.max_timestamp if is_log_append_time else batch.header.first_timestamp for batch in run]
    time = np.repeat(times, counts)
    starts = _starts(data, size, counts)
    for first in range(0, len(base), most):
        fields = _Fields(data, starts[first : first + most + 1])
        delta_ms, delta = fields.number(), fields.number()
        key, value = fields.blob(), fields.blob()
        has_headers = bool(fields.number().any())
        if not has_headers:
            fields.expect_end()
        last = first + len(delta)
        yield RecordColumns(
            base[first:last] + delta,
            time[first:last] if is_log_append_time else time[first:last] + delta_ms,
            is_log_append_time,
            key,
            value,
            _headers(run)[first:last] if has_headers else None,
        )


def _starts(data: Bytes, end: int, counts: list[int]) -> Any:
    """Where each record begins, and where the last one ends. Raises CorruptRecords, IndexError."""
    starts: list[int] = []
    append, position = starts.append, 0
    for _ in range(sum(counts)):
        append(position)
        size = data[position]
        position += 1
        if size >= 0x80:
            following = data[position]
            position += 1
            size = (size & 0x7F) | (following & 0x7F) << 7
            shift = 14
            while following >= 0x80:
                following = data[position]
                position += 1
                size |= (following & 0x7F) << shift
                shift += 7
        position += size >> 1  # zigzag; an odd one would be negative, and does not come out at the end
    append(position)
    if position != end:
        raise CorruptRecords(f"{sum(counts)} records end at byte {position} of {end}")
    return np.array(starts, np.int64)


class _Fields:
    """A cursor in each record: `_at` is where its next field begins."""

    def __init__(self, data: Bytes, starts: Any) -> None:
        self._data = data
        self._bytes = np.frombuffer(data, np.uint8)
        self._at = starts[:-1]
        self._end = starts[1:]
        self.number()  # the length
        self._at = self._at + 1  # attributes, which mean nothing yet

    def number(self) -> Any:
        """The next field, a zigzag varint, as int64. Raises IndexError, OverflowError."""
        byte = self._bytes[self._at]
        value = (byte & 0x7F).astype(np.uint64)
        self._at = self._at + 1
        longer = np.flatnonzero(byte >= 0x80)
        shift = 7
        while len(longer):
            if shift >= 7 * MOST_VARINT_BYTES:
                raise OverflowError("a varint is too long")
            byte = self._bytes[self._at[longer]]
            value[longer] |= (byte & 0x7F).astype(np.uint64) << np.uint64(shift)
            self._at[longer] += 1
            longer = longer[byte >= 0x80]
            shift += 7
        return (value >> np.uint64(1)).astype(np.int64) ^ -(value & np.uint64(1)).astype(np.int64)

    def blob(self) -> pa.BinaryArray:
        """The next field, bytes with their length before them; null where that is -1. Raises IndexError."""
        size = self.number()
        null = size < 0
        start = self._at
        self._at = start + np.maximum(size, 0)
        if (self._at > self._end).any():
            raise IndexError("a field ends behind its record")
        if null.all():
            return pa.nulls(len(size), pa.binary())
        if len(self._bytes) >= 2**31:
            return pa.array([None if n < 0 else bytes(self._data[s : s + n]) for s, n in zip(start, size, strict=True)])
        bounds = np.empty(2 * len(start) + 1, np.int32)
        bounds[:-1:2] = start
        bounds[1::2] = self._at
        bounds[-1] = self._at[-1]
        pieces = pa.Array.from_buffers(
            pa.binary(), 2 * len(start), [None, pa.py_buffer(bounds), pa.py_buffer(self._data)]
        )
        rows = np.arange(0, 2 * len(start), 2)
        return pieces.take(pa.array(rows, mask=null) if null.any() else integers(rows))

    def expect_end(self) -> None:
        if not np.array_equal(self._at, self._end):
            raise IndexError("a record is longer than its fields")


def _headers(run: Iterable[RawBatch]) -> list[list[Header]]:
    """The headers of all records, read one by one: few records have any."""
    return [list(record.headers) for batch in run for record in read_batch(batch.raw)]
