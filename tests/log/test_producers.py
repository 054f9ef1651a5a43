"""Producer state: retries, gaps, epochs, and snapshots that keep all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.log.batch import BatchHeader, read_header
from headrace.log.errors import OutOfOrderSequence, ProducerFenced
from headrace.log.producers import CorruptSnapshot, Producers
from headrace.log.records import NewRecord, build_batch


def _header(producer: int, epoch: int, sequence: int, offset: int, records: int = 1) -> BatchHeader:
    plain = read_header(build_batch([NewRecord(b"k", b"v")] * records, 1000 + offset))
    return plain._replace(base_offset=offset, producer_id=producer, producer_epoch=epoch, base_sequence=sequence)


def _after(*headers: BatchHeader) -> Producers:
    producers = Producers()
    for header in headers:
        assert producers.check(header) is None
        producers.update(header)
    return producers


def test_a_retry_of_one_of_the_last_five_batches_is_known_by_its_offsets() -> None:
    producers = _after(*(_header(1, 0, at * 2, 100 + at * 2, records=2) for at in range(6)))
    for at in range(1, 6):
        seen = producers.check(_header(1, 0, at * 2, 0, records=2))
        assert seen is not None
        assert (seen.first_offset, seen.last_offset) == (100 + at * 2, 101 + at * 2)
    with pytest.raises(OutOfOrderSequence):
        producers.check(_header(1, 0, 0, 0, records=2))


def test_a_retry_with_another_number_of_records_is_no_retry() -> None:
    producers = _after(_header(1, 0, 0, 0, records=2))
    with pytest.raises(OutOfOrderSequence):
        producers.check(_header(1, 0, 0, 0, records=1))


def test_an_old_epoch_is_fenced_and_a_new_one_begins_at_zero() -> None:
    producers = _after(_header(1, 3, 0, 0))
    with pytest.raises(ProducerFenced):
        producers.check(_header(1, 2, 1, 1))
    with pytest.raises(OutOfOrderSequence):
        producers.check(_header(1, 4, 1, 1))
    assert producers.check(_header(1, 4, 0, 1)) is None


def test_producers_do_not_know_of_each_other() -> None:
    producers = _after(_header(1, 0, 0, 0), _header(2, 0, 0, 1))
    assert producers.check(_header(2, 0, 1, 2)) is None
    assert producers.check(_header(3, 0, 9, 2)) is None


def test_silent_producers_are_forgotten() -> None:
    producers = _after(_header(1, 0, 0, 0), _header(2, 0, 0, 500))
    producers.expire(older_than_ms=1400)
    assert len(producers) == 1
    assert producers.check(_header(1, 0, 7, 2)) is None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), max_size=40))
def test_a_snapshot_keeps_all_of_it(batches: list[tuple[int, int]]) -> None:
    producers, next_sequence, offset = Producers(), dict.fromkeys(range(5), 2**31 - 20), 0
    for producer, records in batches:
        producers.update(_header(producer, 7, next_sequence[producer], offset, records))
        next_sequence[producer] = (next_sequence[producer] + records) % 2**31
        offset += records
    assert Producers.load(producers.snapshot()) == producers


@given(st.data())
def test_a_damaged_snapshot_is_not_used(data: st.DataObject) -> None:
    content = bytearray(_after(_header(1, 0, 0, 0), _header(1, 0, 1, 1)).snapshot())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CorruptSnapshot):
        Producers.load(bytes(content[: data.draw(st.integers(at + 1, len(content)))]))
