"""Records inside a batch: built for internal topics, read back from them, looked up by timestamp or by key.

The only importer of `kafka.record`. Nothing on the data path of a client's produce or fetch comes through here.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cramjam
import crc32c
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.util import decode_varint

from headrace.log import lz4_blocks

_HEADER_BYTES: Final = 61
_ATTRIBUTES_AT: Final = 21
_LENGTH_AT: Final = 8
_CRC_AT: Final = 17
_COUNT_AT: Final = 57
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


@dataclass(frozen=True, slots=True)
class RawRecord:
    """What compaction must know of a record: its offset, its key, and whether it is a tombstone; `raw` is all of it."""

    offset: int
    key: bytes | None
    is_tombstone: bool
    raw: bytes


def raw_records(batch: bytes) -> list[RawRecord]:
    """The records of one whole batch, as they are written. Raises CorruptRecords."""
    plain = bytes(_plain(batch))
    base_offset = int.from_bytes(plain[:8], "big")
    count = int.from_bytes(plain[_COUNT_AT:_HEADER_BYTES], "big")
    records, position = [], _HEADER_BYTES
    try:
        for _ in range(count):
            begin = position
            length, position = decode_varint(plain, position)
            end = position + length
            _, at = decode_varint(plain, position + 1)  # attributes, then the timestamp
            delta, at = decode_varint(plain, at)
            key_size, at = decode_varint(plain, at)
            key = plain[at : at + key_size] if key_size >= 0 else None
            value_size, _ = decode_varint(plain, at + max(key_size, 0))
            records.append(RawRecord(base_offset + delta, key, value_size < 0, plain[begin:end]))
            position = end
    except (IndexError, ValueError) as error:
        raise CorruptRecords(f"a record batch cannot be read: {error}") from error
    return records


def with_records(batch: bytes, kept: Sequence[RawRecord]) -> bytes:
    """The same batch with only some of its records: same offsets, same codec, a new checksum."""
    codec = batch[_ATTRIBUTES_AT + 1] & _CODEC_MASK
    payload = b"".join(record.raw for record in kept)
    result = bytearray(batch[:_HEADER_BYTES]) + (compress(codec, payload) if codec else payload)
    struct.pack_into(">i", result, _LENGTH_AT, len(result) - _LENGTH_AT - 4)
    struct.pack_into(">i", result, _COUNT_AT, len(kept))
    struct.pack_into(">I", result, _CRC_AT, crc32c.crc32c(memoryview(result)[_ATTRIBUTES_AT:]))
    return bytes(result)


def compress(codec: int, payload: bytes) -> bytes:
    """What `decompress` reads; snappy in the framing of Java's writers."""
    match codec:
        case 1:
            return bytes(cramjam.gzip.compress(payload))
        case 2:
            block = bytes(cramjam.snappy.compress_raw(payload))
            return _XERIAL_MAGIC + struct.pack(">iii", 1, 1, len(block)) + block
        case 3:
            packer = cramjam.lz4.Compressor(level=4, block_linked=False)  # Java reads no linked blocks
            packer.compress(payload)
            return bytes(packer.finish())
        case 4:
            return bytes(cramjam.zstd.compress(payload))
    raise CorruptRecords(f"compression codec {codec} is not known")


def decompress(codec: int, payload: bytes | memoryview, room: bytearray | None = None) -> bytes | memoryview:
    """The payload of a batch by the codec of its attributes: 1 gzip, 2 snappy, 3 lz4, 4 zstd. Raises CorruptRecords.

    `room`, where it is large enough and the codec can use it, is what the answer is a view of.
    """
    try:
        match codec:
            case 1:
                return bytes(cramjam.gzip.decompress(payload))
            case 2:
                return _snappy(payload)
            case 3:
                plain = lz4_blocks.decompress(payload, room)
                return bytes(cramjam.lz4.decompress(payload)) if plain is None else plain
            case 4:
                return bytes(cramjam.zstd.decompress(payload))
    except cramjam.DecompressionError as error:
        raise CorruptRecords(f"the payload of a batch does not decompress (codec {codec}): {error}") from error
    raise CorruptRecords(f"compression codec {codec} is not known")


def _snappy(payload: bytes | memoryview) -> bytes:
    """Raw snappy, or the framing of xerial's SnappyOutputStream, which Java's producer writes."""
    if payload[: len(_XERIAL_MAGIC)] != _XERIAL_MAGIC:
        return bytes(cramjam.snappy.decompress_raw(payload))
    pieces, position = [], _XERIAL_HEADER_BYTES
    while position < len(payload):
        size = int.from_bytes(payload[position : position + 4], "big")
        position += 4
        pieces.append(bytes(cramjam.snappy.decompress_raw(payload[position : position + size])))
        position += size
    return b"".join(pieces)
