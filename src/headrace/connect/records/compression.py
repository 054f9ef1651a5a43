"""A batch's records compressed, in the framings that every client reads.

Snappy goes in xerial's framing and LZ4 in frames of independent blocks, as Java writes them: Java refuses frames whose
blocks refer to each other, which is what the frame compressors of Arrow and cramjam make of more than one block.
"""

import struct
from typing import Any, Final

import cramjam
import pyarrow as pa

CODECS: Final = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
"""Kafka's `compression.type` and the codec in a batch's attributes."""

_XERIAL_HEADER: Final = b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1)
_SNAPPY_BLOCK_BYTES: Final = 1 << 18
_LZ4_BLOCK_BYTES: Final = 1 << 22
"""The largest that there is: between blocks, other threads may take the interpreter for a while."""
# Magic; version 1, independent blocks, no checksums, no size; blocks of at most 4 MB; the checksum of these two.
_LZ4_HEADER: Final = bytes.fromhex("04224d18607073")
_LZ4_END: Final = bytes(4)
_NOT_COMPRESSED: Final = 1 << 31
_LENGTH: Final = struct.Struct("<I")
_BIG_LENGTH: Final = struct.Struct(">i")

Buffer = Any
"""Bytes, a memoryview or an Arrow buffer."""


def compress(codec: int, payload: Buffer, level: int | None = None) -> Buffer:
    """The payload by a codec of `CODECS`; codec 0 gives it back as it is."""
    match codec:
        case 0:
            return payload
        case 1:
            return bytes(cramjam.gzip.compress(payload, level))
        case 2:
            return b"".join((_XERIAL_HEADER, *_snappy_blocks(memoryview(payload))))
        case 3:
            return _lz4(memoryview(payload)) if level is None else _lz4_at(payload, level)
        case 4:
            return pa.Codec("zstd", level if level is not None else 3).compress(payload, asbytes=True)
    raise ValueError(f"compression codec {codec} is not known")


def _snappy_blocks(payload: memoryview) -> list[bytes]:
    pieces: list[Buffer] = []
    for start in range(0, len(payload), _SNAPPY_BLOCK_BYTES):
        block = pa.compress(payload[start : start + _SNAPPY_BLOCK_BYTES], codec="snappy", asbytes=True)
        pieces += (_BIG_LENGTH.pack(len(block)), block)
    return pieces


def _lz4(payload: memoryview) -> bytes:
    pieces: list[Buffer] = [_LZ4_HEADER]
    for start in range(0, len(payload), _LZ4_BLOCK_BYTES):
        plain = payload[start : start + _LZ4_BLOCK_BYTES]
        block = pa.compress(plain, codec="lz4_raw", asbytes=True)
        if len(block) < len(plain):
            pieces += (_LENGTH.pack(len(block)), block)
        else:
            pieces += (_LENGTH.pack(len(plain) | _NOT_COMPRESSED), plain)
    return b"".join((*pieces, _LZ4_END))


def _lz4_at(payload: Buffer, level: int) -> bytes:
    """Slower, and smaller from level 3 on."""
    packer = cramjam.lz4.Compressor(level=level, block_linked=False)
    packer.compress(payload)
    return bytes(packer.finish())
