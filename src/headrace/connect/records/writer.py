"""Columns to record batches (magic 2), without a Python object a record.

Layout: `org.apache.kafka.common.record.DefaultRecord` and `DefaultRecordBatch`. A record is a varint of its length,
attributes (0), the deltas of timestamp and offset, key, value and headers, each with its length before it (-1 is null).
All varints of a row that follow one another are one column of bytes, and one join puts the rows together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import crc32c
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.records.columns import Headers, NewRecords, lengths
from headrace.connect.records.compression import Buffer, compress
from headrace.connect.records.varint import rows_of_varints, varint, widths
from headrace.log.batch import HEADER, HEADER_BYTES, OVERHEAD_BYTES

_MAGIC: Final = 2
_CRC_FROM: Final = 21
_CRC_AT: Final = 17
_NO_HEADERS: Final = pa.scalar(b"\x00", pa.binary())
_EMPTY: Final = pa.scalar(b"", pa.binary())


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """A batch but for its producer's id, epoch and sequence. `plain_bytes`: its size before compression."""

    records: int
    payload: Buffer
    codec: int
    base_timestamp: int
    max_timestamp: int
    plain_bytes: int

    @property
    def size(self) -> int:
        """Bytes of the whole batch."""
        return HEADER_BYTES + len(self.payload)

    def encode(self, producer_id: int = -1, epoch: int = -1, sequence: int = -1) -> bytes:
        """The whole batch as this producer sends it."""
        header = bytearray(
            HEADER.pack(
                *(0, self.size - OVERHEAD_BYTES, -1, _MAGIC, 0, self.codec, self.records - 1),
                *(self.base_timestamp, self.max_timestamp, producer_id, epoch, sequence, self.records),
            )
        )
        crc = crc32c.crc32c(self.payload, crc32c.crc32c(memoryview(header)[_CRC_FROM:]))
        header[_CRC_AT:_CRC_FROM] = crc.to_bytes(4, "big")
        return b"".join((header, self.payload))


def write_batch(records: NewRecords, codec: int = 0, level: int | None = None) -> RecordBatch:
    """One batch of at least one record."""
    base = int(records.timestamps[0])
    plain = _payload(records, base)
    return RecordBatch(
        records=len(records),
        payload=compress(codec, plain, level),
        codec=codec,
        base_timestamp=base,
        max_timestamp=int(records.timestamps.max()),
        plain_bytes=len(plain),
    )


def parts(records: NewRecords, max_bytes: int, max_rows: int) -> Iterator[NewRecords]:
    """The records in order, in runs of at most so many bytes and rows; one larger record goes alone."""
    ends = np.cumsum(records.sizes())
    start = 0
    while start < len(records):
        before = int(ends[start - 1]) if start else 0
        fit = int(np.searchsorted(ends, before + max_bytes, side="right"))
        stop = min(max(fit, start + 1), start + max_rows, len(records))
        yield records.slice(start, stop)
        start = stop


def _payload(records: NewRecords, base_timestamp: int) -> memoryview:
    """All records, one after the other."""
    deltas = np.arange(len(records), dtype=np.int64)
    times = records.timestamps - base_timestamp
    values = lengths(records.values)
    nulls = np.full(len(records), -1, np.int64)
    keys = nulls if records.keys is None else lengths(records.keys)
    sizes = 1 + widths(times) + widths(deltas) + _field(keys) + _field(values)
    tail: Any = _NO_HEADERS
    if records.headers is None:
        sizes += 1
    else:
        tail = pa.array([_headers(headers) for headers in records.headers], pa.binary())
        sizes += lengths(tail)
    zeros = np.zeros(len(records), np.int64)  # a varint of 0 is the byte 0, as the attributes are
    head = [sizes, zeros, times, deltas, keys]
    if records.keys is None:
        pieces = [rows_of_varints([*head, values]), records.values, tail]
    else:
        pieces = [rows_of_varints(head), records.keys, rows_of_varints([values]), records.values, tail]
    return _joined(pieces)


def _field(sizes: Any) -> Any:
    """Bytes of a field with its length before it."""
    return widths(sizes) + np.maximum(sizes, 0)


def _joined(pieces: Sequence[Any]) -> memoryview:
    small = [piece.cast(pa.binary()) if piece.type != pa.binary() else piece for piece in pieces]
    joined = pc.binary_join_element_wise(*small, _EMPTY, null_handling="replace", null_replacement="")
    offsets = np.frombuffer(joined.buffers()[1], np.int32)[joined.offset : joined.offset + len(joined) + 1]
    return memoryview(joined.buffers()[2])[offsets[0] : offsets[-1]]


def _headers(headers: Headers) -> bytes:
    pieces = [varint(len(headers))]
    for name, value in headers:
        encoded = name.encode()
        pieces += (varint(len(encoded)), encoded, varint(-1 if value is None else len(value)), value or b"")
    return b"".join(pieces)
