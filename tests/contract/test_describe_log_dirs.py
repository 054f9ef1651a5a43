"""DescribeLogDirs (key 35): the one directory, with what is in it."""

from typing import Any

import pytest
from kafka.protocol.admin.cluster import DescribeLogDirsRequest

from tests.contract.data_client import batch, create_topic, produce
from tests.contract.wire_client import WireClient


def _describe(wire: WireClient, topics: dict[str, list[int]] | None, version: int = 5) -> Any:
    """The result for the one directory."""
    one = DescribeLogDirsRequest.DescribableLogDirTopic
    asked = None if topics is None else [one(topic=name, partitions=parts) for name, parts in topics.items()]
    answer = wire.call(DescribeLogDirsRequest(topics=asked), version)
    if version >= 3:
        assert answer.error_code == 0
    (result,) = answer.results
    assert result.error_code == 0
    return result


def _sizes(result: Any) -> dict[str, dict[int, int]]:
    return {
        topic.name: {one.partition_index: one.partition_size for one in topic.partitions} for topic in result.topics
    }


@pytest.mark.parametrize("version", range(1, 6))
def test_a_partition_is_as_large_as_what_was_written(wire: WireClient, topic_name: str, version: int) -> None:
    create_topic(wire, topic_name, partitions=3)
    records = batch(b"a" * 100)
    produce(wire, topic_name, records, partition=1)
    result = _describe(wire, {topic_name: [0, 1, 7]}, version)
    assert _sizes(result) == {topic_name: {0: 0, 1: len(records)}}
    (topic,) = result.topics
    assert {(one.offset_lag, one.is_future_key) for one in topic.partitions} == {(0, False)}
    assert result.log_dir.startswith("/")
    if version >= 4:
        assert 0 < result.usable_bytes < result.total_bytes


def test_null_asks_for_all_topics_and_nothing_for_none(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name, partitions=2)
    assert _sizes(_describe(wire, None))[topic_name] == {0: 0, 1: 0}
    assert _describe(wire, {}).topics == []


def test_what_is_not_there_is_left_out(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name)
    assert _describe(wire, {"no-such-topic": [0], topic_name: []}).topics == []
