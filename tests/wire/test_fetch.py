"""Fetch answers by hand: two libraries read them as they were meant."""

from importlib import import_module
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.protocol.consumer.fetch import FetchResponse
from kio.serial import entity_reader

from headrace.wire.fetch import FetchedPartition, FetchedTopic, encode_fetch

PARTITIONS = st.lists(
    st.builds(
        FetchedPartition,
        st.integers(0, 1000),
        st.sampled_from([0, 1, 3, 100]),
        st.integers(-1, 2**60),
        st.integers(-1, 2**60),
        st.binary(max_size=300),
        st.none() | st.tuples(st.integers(0, 9), st.integers(0, 2**60)),
        st.booleans(),
    ),
    max_size=4,
)
TOPICS = st.lists(st.builds(FetchedTopic, st.text(max_size=20), st.uuids(version=4), PARTITIONS), max_size=3)


def _joined(topics: list[FetchedTopic], version: int, *, committed: bool = False) -> bytes:
    frame = b"".join(encode_fetch(topics, version, 77, committed=committed))
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    return frame[4:]


@given(st.integers(4, 18), TOPICS, st.booleans())
def test_the_library_reads_what_was_meant(version: int, topics: list[FetchedTopic], committed: bool) -> None:
    answer = FetchResponse.decode(_joined(topics, version, committed=committed), version=version, header=True)
    assert (answer.header.correlation_id, answer.error_code, answer.session_id) == (77, 0, 0)
    assert len(answer.responses) == len(topics)
    for found, topic in zip(answer.responses, topics, strict=True):
        assert (found.topic_id if version >= 13 else found.topic) == (topic.topic_id if version >= 13 else topic.name)
        for part, meant in zip(found.partitions, topic.partitions, strict=True):
            assert (part.partition_index, part.error_code) == (meant.partition, meant.error_code)
            assert part.high_watermark == part.last_stable_offset == meant.high_watermark
            assert part.log_start_offset == (meant.log_start_offset if version >= 5 else -1)
            assert bytes(part.records) == meant.records
            assert part.aborted_transactions == ([] if committed or meant.is_unknown else None)
            if version >= 12 and meant.diverging is not None:
                assert (part.diverging_epoch.epoch, part.diverging_epoch.end_offset) == meant.diverging


@pytest.mark.parametrize("version", range(4, 18))
def test_a_second_library_reads_it_to_its_last_byte(version: int) -> None:
    topics = [
        FetchedTopic(
            "t", UUID(int=7), [FetchedPartition(0, 0, 5, 1, b"bytes", (1, 4)), FetchedPartition(1, 1, -1, -1, b"")]
        ),
        FetchedTopic("u", UUID(int=8), []),
    ]
    module = import_module(f"kio.schema.fetch.v{version}.response")
    header_bytes = 5 if version >= 12 else 4
    buffer = _joined(topics, version)[header_bytes:]
    response, end = entity_reader(module.FetchResponse)(memoryview(buffer), 0)
    assert end == len(buffer)
    first, second = response.responses[0].partitions
    assert (first.high_watermark, first.records) == (5, b"bytes")
    assert (second.error_code, second.records) == (1, b"")


def test_record_bytes_are_not_copied_into_the_frame() -> None:
    records = b"r" * 1000
    pieces = encode_fetch([FetchedTopic("t", None, [FetchedPartition(0, 0, 5, 1, records)])], 12, 1)
    assert any(piece is records for piece in pieces)
