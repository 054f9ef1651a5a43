"""Produce answers by hand: the library reads them as they were meant."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.protocol.producer import ProduceResponse

from headrace.wire.produced import ProducedPartition, ProducedTopic, encode_produced

PARTITIONS = st.lists(
    st.builds(
        ProducedPartition,
        st.integers(0, 1000),
        st.sampled_from([0, 2, 45, 87]),
        st.integers(-1, 2**60),
        st.integers(-1, 2**60),
        st.integers(-1, 2**60),
        st.none() | st.text(max_size=200),
        st.lists(st.tuples(st.integers(0, 99), st.text(max_size=20)), max_size=3),
    ),
    max_size=4,
)
TOPICS = st.lists(st.builds(ProducedTopic, st.text(max_size=20), st.uuids(version=4), PARTITIONS), max_size=3)


@given(st.integers(3, 13), TOPICS)
def test_the_library_reads_what_was_meant(version: int, topics: list[ProducedTopic]) -> None:
    frame = encode_produced(topics, version, 77)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    answer = ProduceResponse.decode(frame[4:], version=version, header=True)
    assert (answer.header.correlation_id, answer.throttle_time_ms) == (77, 0)
    assert bytes(ProduceResponse.encode(answer)) == frame[9 if version >= 9 else 8 :]
    for found, topic in zip(answer.responses, topics, strict=True):
        assert (found.topic_id or found.name) == (topic.topic_id if version >= 13 else topic.name)
        for part, meant in zip(found.partition_responses, topic.partitions, strict=True):
            assert (part.index, part.error_code, part.base_offset) == meant[:3]
            assert part.log_append_time_ms == meant.append_time
            assert part.log_start_offset == (meant.log_start_offset if version >= 5 else -1)
            assert part.error_message == (meant.message if version >= 8 else None)
            errors = [(error.batch_index, error.batch_index_error_message) for error in part.record_errors or []]
            assert errors == (meant.record_errors if version >= 8 else [])
