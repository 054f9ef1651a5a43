"""Produce by hand: what the library writes is read the same, and record sets are not copied."""

import contextlib
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.protocol.producer import ProduceRequest

from headrace.wire.frame import MalformedFrame, parse_header
from headrace.wire.produce import ProduceData, parse_produce

PARTITIONS = st.lists(st.tuples(st.integers(0, 2**31 - 1), st.none() | st.binary(max_size=300)), max_size=4)
TOPICS = st.lists(st.tuples(st.text(max_size=20), st.uuids(version=4), PARTITIONS), max_size=4)


def _frame(
    version: int, topics: list[tuple[str, UUID, list[tuple[int, bytes | None]]]], transactional_id: str | None = None
) -> bytearray:
    data = ProduceRequest.TopicProduceData
    topic_data = [
        data(
            name=name,
            topic_id=topic_id,
            partition_data=[data.PartitionProduceData(index=index, records=records) for index, records in partitions],
        )
        for name, topic_id, partitions in topics
    ]
    request = ProduceRequest(
        version=version, transactional_id=transactional_id, acks=-1, timeout_ms=1500, topic_data=topic_data
    )
    request.with_header(5, "producer")
    return bytearray(request.encode(header=True))


def _parse(frame: bytes | bytearray | memoryview) -> ProduceData:
    view = memoryview(frame)
    return parse_produce(parse_header(view), view)


@given(st.integers(3, 13), TOPICS, st.none() | st.text(max_size=9))
def test_every_version_is_read_as_the_library_writes_it(
    version: int, topics: list[tuple[str, UUID, list[tuple[int, bytes | None]]]], transactional_id: str | None
) -> None:
    request = _parse(_frame(version, topics, transactional_id))
    assert (request.transactional_id, request.acks, request.timeout_ms) == (transactional_id, -1, 1500)
    found = [
        (
            topic.name,
            topic.topic_id,
            [(p.partition, None if p.records is None else bytes(p.records)) for p in topic.partitions],
        )
        for topic in request.topics
    ]
    by_id = version >= 13
    assert found == [(None if by_id else name, tid if by_id else None, parts) for name, tid, parts in topics]


@pytest.mark.parametrize("version", [3, 8, 9, 12, 13])
def test_no_cut_and_no_longer_frame_is_taken(version: int) -> None:
    frame = _frame(version, [("t", uuid4(), [(0, b"records"), (1, None)])])
    for size in range(12 + len("producer"), len(frame)):
        with pytest.raises(MalformedFrame):
            _parse(frame[:size])
    with pytest.raises(MalformedFrame):
        _parse(frame + b"\x00")


def test_record_sets_are_slices_of_the_frame() -> None:
    frame = _frame(12, [("t", uuid4(), [(0, b"records")])])
    records = _parse(frame).topics[0].partitions[0].records
    assert records is not None
    records[0:1] = b"R"
    assert b"Records" in frame


@given(st.integers(3, 13), st.binary(max_size=80))
def test_whatever_comes_is_read_or_malformed(version: int, body: bytes) -> None:
    frame = bytearray(_frame(version, []))[: 10 + len("producer") + (version >= 9)] + body
    with contextlib.suppress(MalformedFrame):
        _parse(frame)
