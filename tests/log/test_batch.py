"""Batch headers: read, checked, patched."""

import struct

import crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.log import batch as batches
from headrace.log.errors import (
    BatchRefused,
    BatchTooLarge,
    CorruptBatch,
    IncompleteBatch,
    InvalidBatch,
    UnsupportedCompression,
)
from headrace.log.records import NewRecord, build_batch, read_batch

LARGEST = 1 << 20


def _batch(count: int = 3) -> bytearray:
    return build_batch([NewRecord(b"k", b"value")] * count, 1000)


def _with(records: bytearray, at: int, layout: str, value: int) -> bytearray:
    struct.pack_into(layout, records, at, value)
    struct.pack_into(">I", records, 17, crc32c.crc32c(bytes(records[21:])))
    return records


def test_the_header_is_read_as_it_was_written() -> None:
    header = batches.check_produced(memoryview(_batch(3)), LARGEST)
    assert (header.base_offset, header.magic, header.records, header.last_offset_delta) == (0, 2, 3, 2)
    assert (header.first_timestamp, header.max_timestamp) == (1000, 1000)
    assert (header.producer_id, header.codec, header.size) == (-1, 0, len(_batch(3)))


@given(st.integers(0, len(_batch()) * 8 - 1))
def test_no_flipped_bit_behind_the_leader_epoch_is_taken(bit: int) -> None:
    records = _batch()
    records[bit // 8] ^= 1 << (bit % 8)
    outside = bit // 8 in range(12, 16)  # the leader epoch, which the broker writes itself
    if outside:
        batches.check_produced(memoryview(records), LARGEST)
    else:
        with pytest.raises(BatchRefused):
            batches.check_produced(memoryview(records), LARGEST)


@given(st.integers(0, len(_batch()) - 1))
def test_no_cut_batch_is_taken(size: int) -> None:
    with pytest.raises(IncompleteBatch):
        batches.check_produced(memoryview(_batch())[:size], LARGEST)


@pytest.mark.parametrize(
    ("records", "error"),
    [
        (_batch() + _batch(), IncompleteBatch),
        (_with(_batch(), 16, ">b", 1), IncompleteBatch),
        (_with(_batch(), 23, ">i", 5), InvalidBatch),
        (_with(_batch(), 57, ">i", 0), InvalidBatch),
        (_with(_batch(), 0, ">q", 5), InvalidBatch),
        (_with(_batch(), 21, ">h", 0x20), InvalidBatch),
        (_with(_batch(), 43, ">q", 5), InvalidBatch),
        (_with(_batch(), 21, ">h", 5), UnsupportedCompression),
    ],
)
def test_what_contradicts_itself_is_refused(records: bytearray, error: type[BatchRefused]) -> None:
    with pytest.raises(error):
        batches.check_produced(memoryview(records), LARGEST)


def test_the_limit_is_named_with_its_key() -> None:
    with pytest.raises(BatchTooLarge, match=r"max\.message\.bytes"):
        batches.check_produced(memoryview(_batch()), 50)


def test_a_place_in_the_log_leaves_the_checksum_right() -> None:
    records = _batch(2)
    batches.place(records, 77, 5)
    header = batches.read_header(records)
    assert (header.base_offset, header.last_offset, header.leader_epoch) == (77, 78, 5)
    assert batches.is_whole(records, header, 0)


def test_a_stamp_rewrites_time_and_checksum() -> None:
    records = _batch(2)
    header = batches.stamp(records, batches.read_header(records), 5000)
    assert batches.is_whole(records, batches.read_header(records), 0)
    assert header == batches.read_header(records)
    assert [record.timestamp for record in read_batch(records)] == [5000, 5000]
    back = batches.unstamp(records, header)
    assert not back.is_log_append_time
    assert batches.is_whole(records, batches.read_header(records), 0)


def test_sequence_numbers_wrap_after_the_largest() -> None:
    header = batches.read_header(_batch(3))
    assert header._replace(base_sequence=2**31 - 2).last_sequence == 0
    assert header._replace(base_sequence=-1).last_sequence == -1


def test_headers_stop_before_a_batch_that_is_cut() -> None:
    content = _batch(1) + _batch(2) + _batch(3)[:-1]
    assert [header.records for _, header in batches.headers(content)] == [1, 2]


def test_a_wrong_checksum_is_corrupt_and_not_whole() -> None:
    records = _batch()
    records[-1] ^= 1
    with pytest.raises(CorruptBatch):
        batches.check_produced(memoryview(records), LARGEST)
    assert not batches.is_whole(records, batches.read_header(records), 0)
