"""Batches made of columns, read by others: the library's reader, and every real client."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.records.columns import NewRecords, byte_column, concat, lengths
from headrace.connect.records.compression import CODECS, compress
from headrace.connect.records.varint import rows_of_varints, varint, widths
from headrace.connect.records.writer import parts, write_batch
from headrace.log.batch import check_produced, read_header
from headrace.log.records import decompress, read_batch

payloads = st.one_of(st.none(), st.binary(max_size=40), st.binary(min_size=100, max_size=300))
headers = st.lists(st.tuples(st.text(max_size=5), st.one_of(st.none(), st.binary(max_size=5))), max_size=3)
rows = st.lists(st.tuples(payloads, payloads, st.integers(0, 2**41), headers), min_size=1, max_size=200)


def columns(rows: list[Any], *, keyed: bool = True, headed: bool = True) -> NewRecords:
    keys, values, timestamps, heads = zip(*rows, strict=True)
    return NewRecords(
        byte_column(values),
        np.array(timestamps, np.int64),
        byte_column(keys) if keyed else None,
        list(heads) if headed else None,
    )


@given(rows, st.booleans(), st.booleans(), st.sampled_from(sorted(CODECS)))
def test_every_record_is_read_back(rows: list[Any], keyed: bool, headed: bool, codec: str):
    batch = write_batch(columns(rows, keyed=keyed, headed=headed), CODECS[codec])
    encoded = batch.encode(7, 1, 5)
    assert len(encoded) == batch.size
    header = check_produced(memoryview(bytearray(encoded)), 1 << 30)
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (7, 1, 5)
    assert (header.records, header.codec) == (len(rows), CODECS[codec])
    assert header.max_timestamp == max(timestamp for _, _, timestamp, _ in rows)
    read = list(read_batch(encoded))
    assert [record.offset for record in read] == list(range(len(rows)))
    assert [(record.value, record.timestamp) for record in read] == [(row[1], row[2]) for row in rows]
    assert [record.key for record in read] == [row[0] if keyed else None for row in rows]
    assert [list(record.headers) for record in read] == [row[3] if headed else [] for row in rows]


@given(rows, st.data())
def test_slices_and_joined_slices_are_written_like_copies(rows: list[Any], data: st.DataObject):
    whole = columns(rows)
    start = data.draw(st.integers(0, len(rows) - 1))
    middle = data.draw(st.integers(start, len(rows)))
    part = concat([whole.slice(start, middle), whole.slice(middle, len(rows))])
    assert write_batch(part).encode() == write_batch(columns(rows[start:])).encode()


@given(rows, st.integers(1, 500), st.integers(1, 50))
def test_parts_hold_every_record_in_order_within_their_bounds(rows: list[Any], max_bytes: int, max_rows: int):
    whole = columns(rows)
    found = list(parts(whole, max_bytes, max_rows))
    assert all(0 < len(part) <= max_rows for part in found)
    assert all(len(part) == 1 or part.sizes().sum() <= max_bytes for part in found)
    assert write_batch(concat(found)).encode() == write_batch(whole).encode()


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1))
def test_varints_of_a_column_are_those_of_its_numbers(numbers: list[int]):
    column = np.array(numbers, np.int64)
    assert rows_of_varints([column, column]).to_pylist() == [varint(number) * 2 for number in numbers]
    assert widths(column).tolist() == [len(varint(number)) for number in numbers]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("size", [0, 1, 1 << 18, (1 << 18) + 1, 9_000_000])
def test_payloads_of_more_than_one_block_come_back(codec: str, size: int):
    chance = np.random.default_rng(1)
    for payload in (bytes(size), chance.bytes(size), b"a row of JSON repeats its schema" * (size // 32)):
        assert decompress(CODECS[codec], bytes(compress(CODECS[codec], payload))) == payload


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_a_level_is_obeyed(codec: str):
    payload = b"".join(b'{"id":%d,"name":"name of %d"}' % (n * n, n) for n in range(20_000))
    low, high = (bytes(compress(CODECS[codec], payload, level)) for level in (1, 9))
    assert len(high) != len(low)
    assert decompress(CODECS[codec], low) == decompress(CODECS[codec], high) == payload


def test_lz4_blocks_are_independent_and_random_bytes_are_stored():
    frame = bytes(compress(CODECS["lz4"], np.random.default_rng(1).bytes(6_000_000)))
    assert frame[4] & 0x20
    assert int.from_bytes(frame[7:11], "little") == 1 << 31 | 1 << 22


def test_a_column_beyond_two_gigabytes_of_addresses_is_written_too():
    wide = NewRecords(pa.array([b"a", None], pa.large_binary()), np.array([1, 2], np.int64))
    assert lengths(wide.values).tolist() == [1, -1]
    assert [record.value for record in read_batch(write_batch(wide).encode())] == [b"a", None]


def test_a_batch_without_a_producer_is_as_one_without_idempotence():
    header = read_header(write_batch(columns([(None, b"v", 5, [])])).encode())
    assert (header.producer_id, header.producer_epoch, header.base_sequence, header.first_timestamp) == (-1, -1, -1, 5)
