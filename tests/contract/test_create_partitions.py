"""CreatePartitions (key 37): topics grow while they are in use."""

import time
from collections.abc import Callable

import pytest
from kafka.protocol.admin.topics import CreatePartitionsRequest
from kafka.protocol.metadata import MetadataRequest

from headrace.wire.errors import ErrorCode
from tests.contract.data_client import batch, create_topic, list_offset, produce
from tests.contract.wire_client import WireClient


def _topic(name: str, count: int, assignments: list[list[int]] | None = None) -> CreatePartitionsRequest:
    topic = CreatePartitionsRequest.CreatePartitionsTopic
    one = topic.CreatePartitionsAssignment
    assigned = None if assignments is None else [one(broker_ids=ids) for ids in assignments]
    return topic(name=name, count=count, assignments=assigned)


def _request(*topics: CreatePartitionsRequest, validate_only: bool = False) -> CreatePartitionsRequest:
    return CreatePartitionsRequest(topics=list(topics), timeout_ms=10_000, validate_only=validate_only)


def _grow(
    wire: WireClient, *topics: CreatePartitionsRequest, version: int = 3, validate_only: bool = False
) -> list[tuple[str, int, str | None]]:
    results = wire.call(_request(*topics, validate_only=validate_only), version).results
    return [(one.name, one.error_code, one.error_message if version >= 1 else None) for one in results]


def _partitions(wire: WireClient, name: str) -> int:
    topic = MetadataRequest.MetadataRequestTopic(name=name)
    (found,) = wire.call(MetadataRequest(topics=[topic], allow_auto_topic_creation=False), 12).topics
    return len(found.partitions)


def _await_partitions(wire: WireClient, name: str, count: int) -> None:
    """Apache Kafka answers before its broker leads the new partitions."""
    deadline = time.monotonic() + 20
    while _partitions(wire, name) != count or list_offset(wire, name, -1, partition=count - 1).error_code:
        assert time.monotonic() < deadline, f"{name} has {_partitions(wire, name)} partitions, not {count}"
        time.sleep(0.02)


@pytest.mark.parametrize("version", range(4))
def test_new_partitions_take_records_and_the_old_ones_keep_theirs(
    wire: WireClient, topic_name: str, version: int
) -> None:
    create_topic(wire, topic_name, partitions=2)
    assert produce(wire, topic_name, batch(b"old"), partition=1).error_code == 0
    assert _grow(wire, _topic(topic_name, 4), version=version) == [(topic_name, 0, None)]
    _await_partitions(wire, topic_name, 4)
    assert produce(wire, topic_name, batch(b"new"), partition=3).error_code == 0
    assert [list_offset(wire, topic_name, -1, partition=at).offset for at in range(4)] == [0, 1, 0, 1]


def test_validation_alone_makes_nothing(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name)
    assert _grow(wire, _topic(topic_name, 5), validate_only=True) == [(topic_name, 0, None)]
    assert _grow(wire, _topic(topic_name, 1), validate_only=True)[0][1] == ErrorCode.INVALID_PARTITIONS
    assert _partitions(wire, topic_name) == 1


def test_what_is_no_increase_is_refused(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name, partitions=2)
    refused = ErrorCode.INVALID_PARTITIONS
    assert _grow(wire, _topic(topic_name, 2)) == [(topic_name, refused, "Topic already has 2 partition(s).")]
    for count in (1, 0, -1):
        text = f"The topic {topic_name} currently has 2 partition(s); {count} would not be an increase."
        assert _grow(wire, _topic(topic_name, count)) == [(topic_name, refused, text)]


@pytest.mark.parametrize("name", ["no-such-topic", "", "a b"])
def test_a_topic_that_is_not_there(wire: WireClient, name: str) -> None:
    assert _grow(wire, _topic(name, 2)) == [(name, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, None)]


def test_a_topic_named_twice_is_refused_and_the_others_grow(wire: WireClient, topic_name: str) -> None:
    other = f"{topic_name}-2"
    create_topic(wire, topic_name)
    create_topic(wire, other)
    asked = (_topic(topic_name, 2), _topic(other, 2), _topic(topic_name, 3))
    assert sorted(_grow(wire, *asked)) == [
        (topic_name, ErrorCode.INVALID_REQUEST, "Duplicate topic name."),
        (other, 0, None),
    ]
    _await_partitions(wire, other, 2)
    assert _partitions(wire, topic_name) == 1


def test_nothing_asked_is_nothing_answered(wire: WireClient) -> None:
    assert _grow(wire) == []


@pytest.mark.parametrize(
    ("assignments", "text"),
    [
        ([[1]], "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified."),
        ([], "Attempted to add 2 additional partition(s), but only 0 assignment(s) were specified."),
        ([[1], [7]], "The manual partition assignment includes broker 7, but no such broker is registered."),
        ([[1, 1], [1]], "The manual partition assignment includes the broker 1 more than once."),
        ([[1], []], "The manual partition assignment includes an empty replica list."),
    ],
)
def test_an_assignment_that_cannot_be(
    wire: WireClient, topic_name: str, assignments: list[list[int]], text: str
) -> None:
    create_topic(wire, topic_name)
    answer = _grow(wire, _topic(topic_name, 3, assignments))
    assert answer == [(topic_name, ErrorCode.INVALID_REPLICA_ASSIGNMENT, text)]


def test_the_one_assignment_that_can_be_is_taken(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name)
    assert _grow(wire, _topic(topic_name, 3, [[1], [1]])) == [(topic_name, 0, None)]
    _await_partitions(wire, topic_name, 3)


def test_of_two_who_ask_at_once_the_second_is_told_what_the_first_has_made(
    connect: Callable[[], WireClient], topic_name: str
) -> None:
    first, second = connect(), connect()
    create_topic(first, topic_name)
    for wire in (first, second):
        wire.post(_request(_topic(topic_name, 3)), 3)
    errors = sorted(wire.receive().results[0].error_code for wire in (first, second))
    assert errors == [ErrorCode.NONE, ErrorCode.INVALID_PARTITIONS]
    _await_partitions(first, topic_name, 3)
