"""LZ4 frames, block by block, against the library's reader."""

import struct

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.log import lz4_blocks
from headrace.log.records import CorruptRecords, decompress

DATA = st.binary(max_size=200) | st.builds(
    lambda part, times: part * times, st.binary(max_size=30), st.integers(0, 9000)
)


def frame(data: bytes, *, linked: bool = False, checksum: bool = True, stored: bool = True) -> bytes:
    packer = cramjam.lz4.Compressor(level=1, content_checksum=checksum, block_linked=linked)
    packer.compress(data)
    return bytes(packer.finish())


@settings(max_examples=100)
@given(DATA, st.booleans())
def test_frames_of_independent_blocks_are_read(data: bytes, checksum: bool) -> None:
    assert lz4_blocks.decompress(frame(data, checksum=checksum)) == data


def test_frames_of_linked_blocks_are_left_to_the_library_s_reader() -> None:
    data = bytes(range(256)) * 2000
    made = frame(data, linked=True)
    assert lz4_blocks.decompress(made) is None
    assert decompress(3, made) == data


def test_a_block_that_is_stored_as_it_is_and_block_checksums_and_a_content_size_are_read() -> None:
    packed = bytes(cramjam.lz4.compress_block(b"a" * 100, store_size=False))
    blocks = struct.pack("<I", len(packed)) + packed + b"sum1" + struct.pack("<I", 0x80000003) + b"xyz" + b"sum2"
    made = (
        lz4_blocks.MAGIC + bytes([0x40 | 0x20 | 0x10 | 0x08, 0x40]) + struct.pack("<Q", 103) + b"h" + blocks + b"\0" * 4
    )
    assert lz4_blocks.decompress(made) == b"a" * 100 + b"xyz"


@pytest.mark.parametrize("broken", [b"", b"garbage", lz4_blocks.MAGIC, frame(b"abc" * 100)[:-9]])
def test_what_is_no_whole_frame_is_told(broken: bytes) -> None:
    with pytest.raises(CorruptRecords):
        decompress(3, broken)


def test_a_block_that_points_before_its_beginning_is_told() -> None:
    block = b"\x00\xff\xff\x00"
    made = lz4_blocks.MAGIC + bytes([0x60, 0x40, 0x82]) + struct.pack("<I", len(block)) + block + b"\0" * 4
    with pytest.raises(CorruptRecords):
        decompress(3, made)


def test_a_small_frame_that_claims_huge_blocks_takes_little_memory() -> None:
    blocks = (struct.pack("<I", 2) + b"\x10a") * 100_000
    made = lz4_blocks.MAGIC + bytes([0x60, 0x70, 0x73]) + blocks + b"\0" * 4
    assert lz4_blocks.decompress(made) == b"a" * 100_000
