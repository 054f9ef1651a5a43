"""Records inside a batch: built for internal topics, read back from them, looked up by timestamp or by key.

The only importer of `kafka.record`. Nothing on the data path of a client's produce or fetch comes through here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cramjam
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

_HEADER_BYTES: Final = 61
_ATTRIBUTES_AT: Final = 21
_CODEC_MASK: Final = 0x07
_XERIAL_MAGIC: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES: Final = 16


class CorruptRecords(ValueError):
    """A batch whose payload does not decompress or whose records cannot be read."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `timestamp` in Unix milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


@dataclass(frozen=True, slots=True)
class NewRecord:
    """One record to be written; a value of None is a tombstone."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


def build_batch(records: Sequence[NewRecord], now_ms: int) -> bytearray:
    """One uncompressed batch of at least one record, as a producer without idempotence would send it."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 31,
    )
    for delta, record in enumerate(records):
        builder.append(delta, now_ms, record.key, record.value, list(record.headers))
    return bytearray(builder.build())


def read_batch(batch: bytes | bytearray | memoryview) -> Iterator[Record]:
    """The records of one whole batch, decompressed. Raises CorruptRecords."""
    try:
        for record in DefaultRecordBatch(_plain(batch)):
            yield Record(record.offset, record.timestamp, record.key, record.value, record.headers)
    except CorruptRecords:
        raise
    except Exception as error:  # the library raises errors of many kinds on what is no record
        raise CorruptRecords(f"a record batch cannot be read: {error}") from error


def _plain(batch: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
    """The batch as it would be without compression; its CRC is not kept up."""
    codec = batch[_ATTRIBUTES_AT + 1] & _CODEC_MASK
    if codec == 0:
        return batch
    header = bytearray(batch[:_HEADER_BYTES])
    header[_ATTRIBUTES_AT + 1] &= ~_CODEC_MASK & 0xFF
    return header + decompress(codec, bytes(batch[_HEADER_BYTES:]))


def decompress(codec: int, payload: bytes) -> bytes:
    """The payload of a batch by the codec of its attributes: 1 gzip, 2 snappy, 3 lz4, 4 zstd. Raises CorruptRecords."""
    try:
        match codec:
            case 1:
                return bytes(cramjam.gzip.decompress(payload))
            case 2:
                return _snappy(payload)
            case 3:
                return bytes(cramjam.lz4.decompress(payload))
            case 4:
                return bytes(cramjam.zstd.decompress(payload))
    except cramjam.DecompressionError as error:
        raise CorruptRecords(f"the payload of a batch does not decompress (codec {codec}): {error}") from error
    raise CorruptRecords(f"compression codec {codec} is not known")


def _snappy(payload: bytes) -> bytes:
    """Raw snappy, or the framing of xerial's SnappyOutputStream, which Java's producer writes."""
    if not payload.startswith(_XERIAL_MAGIC):
        return bytes(cramjam.snappy.decompress_raw(payload))
    pieces, position = [], _XERIAL_HEADER_BYTES
    while position < len(payload):
        size = int.from_bytes(payload[position : position + 4], "big")
        position += 4
        pieces.append(bytes(cramjam.snappy.decompress_raw(payload[position : position + size])))
        position += size
    return b"".join(pieces)
