"""DescribeTopicPartitions (key 75): topics a page of partitions at a time."""

import uuid
from typing import Any

import pytest
from kafka.protocol.admin.topics import DescribeTopicPartitionsRequest

from headrace.wire.errors import ErrorCode
from tests.contract.data_client import create_topic
from tests.contract.wire_client import WireClient

ANYTHING_MAY_BE_DONE = sum(1 << operation for operation in (3, 4, 5, 6, 7, 8, 10, 11))


def _ask(wire: WireClient, names: list[str], limit: int = 2000, cursor: tuple[str, int] | None = None) -> Any:
    request = DescribeTopicPartitionsRequest
    at = None if cursor is None else request.Cursor(topic_name=cursor[0], partition_index=cursor[1])
    topics = [request.TopicRequest(name=name) for name in names]
    return wire.call(request(topics=topics, response_partition_limit=limit, cursor=at), 0)


def _page(
    wire: WireClient, names: list[str], limit: int = 2000, cursor: tuple[str, int] | None = None
) -> tuple[list[tuple[str, int, list[int]]], tuple[str, int] | None]:
    """(name, error, partitions) of each topic, and where the next page begins."""
    answer = _ask(wire, names, limit, cursor)
    told = [
        (topic.name, topic.error_code, [part.partition_index for part in topic.partitions]) for topic in answer.topics
    ]
    following = answer.next_cursor
    return told, None if following is None else (following.topic_name, following.partition_index)


@pytest.fixture
def topics(wire: WireClient) -> tuple[str, str]:
    """Two topics, of two and of three partitions, in the order of their names."""
    stem = uuid.uuid4().hex[:12]
    first, second = f"{stem}-a", f"{stem}-b"
    create_topic(wire, first, partitions=2)
    create_topic(wire, second, partitions=3)
    return first, second


def test_a_partition_has_its_one_replica(wire: WireClient, topics: tuple[str, str]) -> None:
    (topic,) = _ask(wire, [topics[0]]).topics
    assert topic.topic_id is not None
    assert (topic.is_internal, topic.topic_authorized_operations) == (False, ANYTHING_MAY_BE_DONE)
    part = topic.partitions[1]
    assert (part.error_code, part.leader_id, part.leader_epoch) == (0, 1, 0)
    assert (part.replica_nodes, part.isr_nodes, part.offline_replicas) == ([1], [1], [])
    assert (part.eligible_leader_replicas, part.last_known_elr) == ([], [])


def test_topics_come_in_order_and_once_with_what_is_not_there(wire: WireClient, topics: tuple[str, str]) -> None:
    first, second = topics
    told, following = _page(wire, [second, f"{first}-no", first, first, "~"])
    assert following is None
    assert sorted(told) == [
        (first, 0, [0, 1]),
        (f"{first}-no", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, []),
        (second, 0, [0, 1, 2]),
        ("~", ErrorCode.INVALID_TOPIC_EXCEPTION, []),
    ]


def test_a_page_ends_at_the_limit_and_the_cursor_says_where(wire: WireClient, topics: tuple[str, str]) -> None:
    first, second = topics
    both = [second, first]
    assert _page(wire, both, 3) == ([(first, 0, [0, 1]), (second, 0, [0])], (second, 1))
    assert _page(wire, both, 3, (second, 1)) == ([(second, 0, [1, 2])], None)
    assert _page(wire, both, 2) == ([(first, 0, [0, 1])], (second, 0))
    assert _page(wire, both, 1, (first, 1)) == ([(first, 0, [1])], (second, 0))
    assert _page(wire, both, 0) == ([(first, 0, [0])], (first, 1))


def test_no_names_ask_for_all_topics(wire: WireClient, topics: tuple[str, str]) -> None:
    told, _ = _page(wire, [], 5, (topics[0], 1))
    assert told[:2] == [(topics[0], 0, [1]), (topics[1], 0, [0, 1, 2])]


@pytest.mark.parametrize("cursor", [("no-such-topic", 0), (None, -1)])
def test_a_cursor_that_cannot_be_is_refused(
    wire: WireClient, topics: tuple[str, str], cursor: tuple[str | None, int]
) -> None:
    told, following = _page(wire, [topics[0]], 5, (cursor[0] or topics[0], cursor[1]))
    assert (told, following) == ([(topics[0], ErrorCode.INVALID_REQUEST, [])], None)
