"""LZ4 frames of independent blocks, as Kafka's clients write them, decompressed block by block.

Several times as fast as a streaming reader, which copies each block once more and hashes what it gives: a batch's CRC
has been checked already. The format is https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md.
"""

from typing import Final

import cramjam

MAGIC: Final = b"\x04\x22\x4d\x18"
_VERSION_MASK, _VERSION = 0xC0, 0x40
_INDEPENDENT, _BLOCK_CHECKSUM, _CONTENT_SIZE, _DICTIONARY = 0x20, 0x10, 0x08, 0x01
_STORED: Final = 0x8000_0000
_MOST_RATIO: Final = 255
"""A byte of LZ4 stands for no more bytes than that."""


def decompress(payload: bytes | memoryview, room: bytearray | None = None) -> memoryview | None:
    """What the frame holds, in `room` where that is large enough; None where the frame is of another kind.

    Raises cramjam.DecompressionError where a block is broken.
    """
    if len(payload) < 7 or payload[:4] != MAGIC:
        return None
    flags, most = payload[4], 1 << (8 + 2 * (payload[5] >> 4 & 0x07))
    if flags & _VERSION_MASK != _VERSION or not flags & _INDEPENDENT or flags & _DICTIONARY or most < 1 << 16:
        return None
    header = 15 if flags & _CONTENT_SIZE else 7
    blocks = _blocks(payload, header, 4 if flags & _BLOCK_CHECKSUM else 0)
    return None if blocks is None else _joined(memoryview(payload), blocks, most, room)


def _blocks(payload: bytes | memoryview, position: int, behind: int) -> list[tuple[int, int, bool]] | None:
    """(position, size, whether it is stored as it is) of each block; None where the frame is cut."""
    found: list[tuple[int, int, bool]] = []
    while position + 4 <= len(payload):
        size = int.from_bytes(payload[position : position + 4], "little")
        position += 4
        if size == 0:
            return found
        stored = bool(size & _STORED)
        size &= _STORED - 1
        if position + size + behind > len(payload):
            return None
        found.append((position, size, stored))
        position += size + behind
    return None


def _joined(payload: memoryview, blocks: list[tuple[int, int, bool]], most: int, room: bytearray | None) -> memoryview:
    sizes = [size if stored else min(most, size * _MOST_RATIO) for _, size, stored in blocks]
    enough = room is not None and len(room) >= sum(sizes)
    plain = memoryview(room if room is not None and enough else bytearray(sum(sizes)))
    end = 0
    for (position, size, stored), most_bytes in zip(blocks, sizes, strict=True):
        block = payload[position : position + size]
        if stored:
            plain[end : end + size] = block
            end += size
        else:
            end += cramjam.lz4.decompress_block_into(block, plain[end : end + most_bytes], output_len=most_bytes)
    return plain[:end]
