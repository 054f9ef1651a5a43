"""Record batches to columns: what the library's reader gives, record by record."""

import struct

import crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatchBuilder

from headrace.connect.records.reader import RecordColumns, batches, read
from headrace.log.records import CorruptRecords, compress

PAYLOADS = st.none() | st.binary(max_size=300)
HEADERS = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=2)
RECORDS = st.tuples(st.integers(0, 2**40), PAYLOADS, PAYLOADS, st.just([]) | HEADERS)
Row = tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]


def batch(
    records: list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]], base: int = 0
) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 30)
    for delta, (timestamp, key, value, headers) in enumerate(records):
        builder.append(delta, timestamp, key, value, headers)
    return struct.pack(">q", base) + bytes(builder.build())[8:]


def compressed(plain: bytes, codec: int) -> bytes:
    made = bytearray(plain[:61]) + compress(codec, plain[61:])
    made[22] |= codec
    struct.pack_into(">i", made, 8, len(made) - 12)
    struct.pack_into(">I", made, 17, crc32c.crc32c(bytes(made[21:])))
    return bytes(made)


def log_append_time(plain: bytes) -> bytes:
    made = bytearray(plain)
    made[22] |= 0x08
    struct.pack_into(">I", made, 17, crc32c.crc32c(bytes(made[21:])))
    return bytes(made)


def rows(columns: list[RecordColumns]) -> list[Row]:
    return [
        row
        for part in columns
        for row in zip(
            part.offset.tolist(),
            part.timestamp.tolist(),
            part.key.to_pylist(),
            part.value.to_pylist(),
            part.headers or [[] for _ in range(len(part))],
            strict=True,
        )
    ]


@settings(max_examples=150)
@given(
    st.lists(st.lists(RECORDS, min_size=1, max_size=8), min_size=1, max_size=3),
    st.integers(0, 4),
    st.integers(0, 12),
)
def test_the_columns_hold_what_the_batches_hold(made: list, codec: int, first: int) -> None:
    expected, record_set, base = [], b"", 5
    for records in made:
        plain = batch(records, base)
        record_set += compressed(plain, codec) if codec else plain
        expected += [(base + delta, *record) for delta, record in enumerate(records)]
        base += len(records) + 2  # compaction leaves gaps
    found = list(read(batches(record_set), first, most=5))
    assert all(0 < len(part) <= 5 for part in found)
    assert rows(found) == [row for row in expected if row[0] >= first]


def test_a_batch_that_the_broker_cut_is_left_for_the_next_fetch() -> None:
    whole = batch([(7, None, b"a", [])])
    assert rows(list(read(batches(whole + whole[:-1]), 0))) == [(0, 7, None, b"a", [])]
    assert rows(list(read(batches(whole[:40]), 0))) == []


def test_append_time_is_the_batch_s_and_ends_a_run() -> None:
    created = batch([(5, None, b"a", []), (9, None, b"b", [])])
    appended = log_append_time(batch([(5, None, b"c", []), (9, None, b"d", [])], 2))
    first, second = read(batches(created + appended), 0)
    assert (first.is_log_append_time, first.timestamp.tolist()) == (False, [5, 9])
    assert (second.is_log_append_time, second.timestamp.tolist(), second.offset.tolist()) == (True, [9, 9], [2, 3])


def test_a_flipped_bit_is_found() -> None:
    made = bytearray(batch([(7, b"key", b"value", [])], 41))
    made[-3] ^= 1
    with pytest.raises(CorruptRecords, match="offset 41"):
        list(batches(bytes(made)))


@settings(max_examples=200)
@given(st.lists(RECORDS, min_size=1, max_size=4), st.data())
def test_garbage_under_a_right_checksum_is_told_never_read_beyond_its_record(
    records: list, data: st.DataObject
) -> None:
    made = bytearray(batch(records))
    at = data.draw(st.integers(61, len(made) - 1))
    made[at] = data.draw(st.integers(0, 255))
    struct.pack_into(">I", made, 17, crc32c.crc32c(bytes(made[21:])))
    try:
        found = list(read(batches(bytes(made)), 0))
    except CorruptRecords:
        return
    assert sum(map(len, found)) <= len(records)


def test_large_columns_keep_every_byte() -> None:
    records = [(1000 + n, b"%d" % n if n % 3 else None, b"v" * (n % 700), []) for n in range(20_000)]
    found = list(read(batches(compressed(batch(records), 3)), 100))
    assert [len(part) for part in found] == [9_900, 10_000]
    assert rows(found) == [(n, *records[n]) for n in range(100, 20_000)]


@pytest.mark.parametrize("codec", [0, 3])
def test_batches_that_are_read_by_turns_do_not_share_a_room(codec: int) -> None:
    """Fails where one batch's records are decompressed over those of another that is not read to its end."""
    rooms: list[bytearray] = []
    made = [batch([(1, None, b"%d %d " % (which, n) * 9, []) for n in range(50)]) for which in range(3)]
    sets = [bytearray(compressed(each, codec) if codec else each) for each in made]
    readers = [read(batches(each), 0, most=10, rooms=rooms) for each in sets]
    found: list[list[bytes]] = [[], [], []]
    for turn in range(5):
        for which, reader in enumerate(readers):
            if turn >= which:
                found[which] += next(reader).value.to_pylist()
    for which, reader in enumerate(readers):
        found[which] += [value for part in reader for value in part.value.to_pylist()]
        assert found[which] == [b"%d %d " % (which, n) * 9 for n in range(50)]
    assert len(rooms) == 3


def test_a_room_is_used_again() -> None:
    rooms: list[bytearray] = []
    record_set = compressed(batch([(1, None, b"value" * 100, [])] * 100), 3)
    list(read(batches(record_set), 0, rooms=rooms))
    (room,) = rooms
    list(read(batches(record_set), 0, rooms=rooms))
    assert rooms[0] is room
