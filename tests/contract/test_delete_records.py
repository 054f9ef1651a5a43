"""DeleteRecords (key 21): a log that starts later."""

import pytest
from kafka.protocol.admin.topics import DeleteRecordsRequest

from headrace.wire.errors import ErrorCode
from tests.contract.data_client import batch, create_topic, fetch, list_offset, now_ms, produce
from tests.contract.group_client import await_coordinator
from tests.contract.wire_client import WireClient

EARLIEST, LATEST = -2, -1


def _delete(wire: WireClient, topic: str, offsets: dict[int, int], version: int = 2) -> dict[int, tuple[int, int]]:
    """(error, low watermark) by partition."""
    asked = DeleteRecordsRequest.DeleteRecordsTopic
    parts = [asked.DeleteRecordsPartition(partition_index=index, offset=offset) for index, offset in offsets.items()]
    answer = wire.call(DeleteRecordsRequest(topics=[asked(name=topic, partitions=parts)], timeout_ms=10_000), version)
    assert [one.name for one in answer.topics] == [topic]
    return {one.partition_index: (one.error_code, one.low_watermark) for one in answer.topics[0].partitions}


@pytest.fixture
def topic(wire: WireClient, topic_name: str) -> str:
    """Two partitions; the first has five batches of two records, ten milliseconds apart."""
    create_topic(wire, topic_name, partitions=2)
    start = now_ms()
    for at in range(5):
        assert produce(wire, topic_name, batch(b"a", b"b", timestamps=[start + 10 * at] * 2)).error_code == 0
    return topic_name


@pytest.mark.parametrize("version", range(3))
def test_the_log_starts_where_it_is_told_to_also_inside_a_batch(wire: WireClient, topic: str, version: int) -> None:
    assert _delete(wire, topic, {0: 3, 1: 0}, version) == {0: (0, 3), 1: (0, 0)}
    assert list_offset(wire, topic, EARLIEST).offset == 3
    assert list_offset(wire, topic, LATEST).offset == 10
    below, inside = fetch(wire, topic, 2), fetch(wire, topic, 3)
    assert below.error_code == ErrorCode.OFFSET_OUT_OF_RANGE
    assert (inside.error_code, inside.log_start_offset, inside.high_watermark) == (0, 3, 10)
    assert produce(wire, topic, batch(b"c")).log_start_offset == 3


def test_a_start_before_the_one_there_is_changes_nothing(wire: WireClient, topic: str) -> None:
    _delete(wire, topic, {0: 5})
    assert _delete(wire, topic, {0: 2}) == {0: (0, 5)}


def test_minus_one_is_the_end_and_records_that_follow_are_read(wire: WireClient, topic: str) -> None:
    assert _delete(wire, topic, {0: -1}) == {0: (0, 10)}
    assert list_offset(wire, topic, EARLIEST).offset == 10
    assert list_offset(wire, topic, 0).offset == -1
    assert produce(wire, topic, batch(b"c")).base_offset == 10
    assert list_offset(wire, topic, 0).offset == 10


def test_by_timestamp_only_what_is_left_is_found(wire: WireClient, topic: str) -> None:
    _delete(wire, topic, {0: 3})
    assert list_offset(wire, topic, 0).offset == 3


@pytest.mark.parametrize("offset", [11, -2])
def test_offsets_that_are_not_there(wire: WireClient, topic: str, offset: int) -> None:
    assert _delete(wire, topic, {0: offset}) == {0: (ErrorCode.OFFSET_OUT_OF_RANGE, -1)}
    assert list_offset(wire, topic, EARLIEST).offset == 0


def test_partitions_that_are_not_there(wire: WireClient, topic: str) -> None:
    assert _delete(wire, topic, {0: 1, 7: 0}) == {0: (0, 1), 7: (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1)}
    assert _delete(wire, "no-such-topic", {0: 0}) == {0: (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1)}


@pytest.mark.parametrize(("policy", "error"), [("compact", ErrorCode.POLICY_VIOLATION), ("compact,delete", 0), ("", 0)])
def test_a_log_that_is_only_compacted_keeps_its_start(
    wire: WireClient, topic_name: str, policy: str, error: int
) -> None:
    create_topic(wire, topic_name, configs={"cleanup.policy": policy})
    produce(wire, topic_name, batch(b"a"))
    assert _delete(wire, topic_name, {0: 1}) == {0: (error, -1 if error else 1)}


def test_internal_topics_keep_their_records(wire: WireClient, group_name: str) -> None:
    await_coordinator(wire, group_name)
    assert _delete(wire, "__consumer_offsets", {0: 0}) == {0: (ErrorCode.INVALID_TOPIC_EXCEPTION, -1)}
