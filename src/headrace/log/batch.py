"""A record batch's header (magic 2): read, checked, and patched in place. Records are never looked at.

Layout and checks are those of `org.apache.kafka.common.record.DefaultRecordBatch` and `LogValidator`.
Base offset and leader epoch lie before what the CRC covers, so patching them costs nothing.
"""

import mmap
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

import crc32c

from headrace.log.errors import BatchTooLarge, CorruptBatch, IncompleteBatch, InvalidBatch, UnsupportedCompression

HEADER: Final = struct.Struct(">qiibIhiqqqhii")
HEADER_BYTES: Final = HEADER.size
OVERHEAD_BYTES: Final = 12
"""Base offset and length, which the length does not count."""
_CRC_FROM: Final = 21
_BASE_OFFSET: Final = struct.Struct(">q")
_LEADER_EPOCH_AT: Final = 12
_INT: Final = struct.Struct(">i")
_CRC: Final = struct.Struct(">I")
_CRC_AT: Final = 17
_ATTRIBUTES: Final = struct.Struct(">h")
_MAX_TIMESTAMP_AT: Final = 35
_APPEND_TIME: Final = 0x08
_LONG: Final = struct.Struct(">q")
MAX_SEQUENCE: Final = 2**31 - 1

Buffer: TypeAlias = bytes | bytearray | memoryview | mmap.mmap


class BatchHeader(NamedTuple):
    """The 61 bytes before the records."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records: int

    @property
    def size(self) -> int:
        """Bytes of the whole batch."""
        return self.length + OVERHEAD_BYTES

    @property
    def last_offset(self) -> int:
        return self.base_offset + self.last_offset_delta

    @property
    def codec(self) -> int:
        """0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd."""
        return self.attributes & 0x07

    @property
    def is_log_append_time(self) -> bool:
        return bool(self.attributes & _APPEND_TIME)

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & 0x10)

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & 0x20)

    @property
    def last_sequence(self) -> int:
        """The sequence number of the last record; numbers wrap to 0 after the largest int32."""
        if self.base_sequence < 0:
            return self.base_sequence
        return (self.base_sequence + self.last_offset_delta) & MAX_SEQUENCE


def read_header(buffer: Buffer, position: int = 0) -> BatchHeader:
    """The header at `position`; needs HEADER_BYTES there."""
    return BatchHeader._make(HEADER.unpack_from(buffer, position))


def check_produced(records: memoryview, max_bytes: int) -> BatchHeader:
    """The header of what a producer sent for one partition: exactly one batch, whole and valid.

    Raises IncompleteBatch, InvalidBatch, BatchTooLarge, UnsupportedCompression or CorruptBatch, as Apache Kafka would.
    """
    if len(records) < HEADER_BYTES:
        raise IncompleteBatch("Produce requests must have at least one record batch per partition")
    header = read_header(records)
    if header.magic != 2:
        raise IncompleteBatch("Produce requests are only allowed to contain record batches with magic version 2")
    if header.length < HEADER_BYTES - OVERHEAD_BYTES or header.size > len(records):
        raise IncompleteBatch(f"Record batch of {header.size} bytes in a record set of {len(records)} bytes")
    if header.size < len(records):
        raise IncompleteBatch("Produce requests are only allowed to contain exactly one record batch per partition")
    if header.size > max_bytes:
        raise BatchTooLarge(
            f"The record batch size is {header.size} bytes which exceeds the maximum configured value of {max_bytes}: "
            "raise max.message.bytes of the topic or message.max.bytes of the broker"
        )
    if crc32c.crc32c(records[_CRC_FROM:]) != header.crc:
        raise CorruptBatch(f"Record is corrupt (stored crc = {header.crc})")
    _check_fields(header)  # of bytes that are what the producer meant
    return header


def _check_fields(header: BatchHeader) -> None:
    if header.base_offset != 0:
        raise InvalidBatch(f"The base offset of the record batch should be 0, but it is {header.base_offset}")
    if header.records <= 0 or header.records != header.last_offset_delta + 1:
        raise InvalidBatch(
            f"Inconsistent batch: {header.records} records, last offset delta {header.last_offset_delta}"
        )
    if header.codec > 4:
        raise UnsupportedCompression(f"Compression codec {header.codec} is not known")
    if header.is_control:
        raise InvalidBatch("Clients are not allowed to write control records")
    if header.producer_id >= 0 and header.base_sequence < 0:
        raise InvalidBatch(f"Invalid sequence number {header.base_sequence} in record batch with producer id")


def place(batch: bytearray | memoryview, base_offset: int, leader_epoch: int) -> None:
    """Give a checked batch its place in the log."""
    _BASE_OFFSET.pack_into(batch, 0, base_offset)
    _INT.pack_into(batch, _LEADER_EPOCH_AT, leader_epoch)


def stamp(batch: bytearray | memoryview, header: BatchHeader, now_ms: int) -> BatchHeader:
    """Make it carry the time of its append (`message.timestamp.type=LogAppendTime`); its CRC is computed anew."""
    return _rewrite(batch, header, header.attributes | _APPEND_TIME, now_ms)


def unstamp(batch: bytearray | memoryview, header: BatchHeader) -> BatchHeader:
    """Make it carry its producer's time, whatever the producer said it was; its CRC is computed anew."""
    return _rewrite(batch, header, header.attributes & ~_APPEND_TIME, header.max_timestamp)


def _rewrite(batch: bytearray | memoryview, header: BatchHeader, attributes: int, timestamp: int) -> BatchHeader:
    _ATTRIBUTES.pack_into(batch, _CRC_FROM, attributes)
    _LONG.pack_into(batch, _MAX_TIMESTAMP_AT, timestamp)
    crc = crc32c.crc32c(memoryview(batch)[_CRC_FROM:])
    _CRC.pack_into(batch, _CRC_AT, crc)
    return header._replace(attributes=attributes, max_timestamp=timestamp, crc=crc)


def is_whole(buffer: Buffer, header: BatchHeader, position: int) -> bool:
    """Whether the batch at `position` is all there and its checksum fits: what recovery asks of a tail."""
    if header.magic != 2 or header.length < HEADER_BYTES - OVERHEAD_BYTES:
        return False
    end = position + header.size
    if end > len(buffer) or header.last_offset_delta < 0:
        return False
    with memoryview(buffer) as view, view[position + _CRC_FROM : end] as covered:
        return bool(crc32c.crc32c(covered) == header.crc)


def headers(buffer: Buffer, position: int = 0) -> Iterator[tuple[int, BatchHeader]]:
    """(position, header) of each whole batch from `position` on; stops before one that is cut. Checks no CRC."""
    end = len(buffer)
    while position + HEADER_BYTES <= end:
        header = read_header(buffer, position)
        if header.length < HEADER_BYTES - OVERHEAD_BYTES or position + header.size > end:
            return
        yield position, header
        position += header.size
