"""DeleteTopics (key 20): topics go by name or by id, and their names are free again."""

import time
import uuid
from typing import Any

import pytest
from kafka.protocol.admin.topics import DeleteTopicsRequest
from kafka.protocol.metadata import MetadataRequest

from tests.contract.data_client import batch, create_topic, fetch, produce
from tests.contract.wire_client import WireClient

UNKNOWN_TOPIC_OR_PARTITION = 3
INVALID_REQUEST = 42
UNKNOWN_TOPIC_ID = 100


def _delete(wire: WireClient, *names: str, version: int = 5) -> dict[str, Any]:
    if version >= 6:
        topics = [DeleteTopicsRequest.DeleteTopicState(name=name) for name in names]
        request = DeleteTopicsRequest(topics=topics, timeout_ms=20_000)
    else:
        request = DeleteTopicsRequest(topic_names=list(names), timeout_ms=20_000)
    return {result.name: result for result in wire.call(request, version).responses}


def _is_gone(wire: WireClient, name: str) -> bool:
    topic = MetadataRequest.MetadataRequestTopic(name=name)
    (found,) = wire.call(MetadataRequest(topics=[topic], allow_auto_topic_creation=False), 12).topics
    return bool(found.error_code == UNKNOWN_TOPIC_OR_PARTITION)


def _await_gone(wire: WireClient, name: str) -> None:
    deadline = time.monotonic() + 20
    while not _is_gone(wire, name):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("version", range(1, 7))
def test_every_version_deletes_what_is_there_and_says_what_is_not(
    wire: WireClient, topic_name: str, version: int
) -> None:
    create_topic(wire, topic_name)
    results = _delete(wire, topic_name, topic_name + "x", version=version)
    assert results[topic_name].error_code == 0
    unknown = results[topic_name + "x"]
    assert unknown.error_code == UNKNOWN_TOPIC_OR_PARTITION
    if version >= 5:
        assert unknown.error_message == "This server does not host this topic-partition."
    _await_gone(wire, topic_name)


def test_a_topic_made_again_is_empty_and_has_another_id(wire: WireClient, topic_name: str) -> None:
    first = create_topic(wire, topic_name).topic_id
    produce(wire, topic_name, batch(b"a"))
    _delete(wire, topic_name)
    _await_gone(wire, topic_name)
    assert create_topic(wire, topic_name).topic_id != first
    assert fetch(wire, topic_name).high_watermark == 0


def test_by_id_and_not_at_all(wire: WireClient, topic_name: str) -> None:
    topic_id = create_topic(wire, topic_name).topic_id
    state = DeleteTopicsRequest.DeleteTopicState
    asked = [state(topic_id=topic_id), state(topic_id=uuid.uuid4()), state(name="a", topic_id=uuid.uuid4()), state()]
    answer = wire.call(DeleteTopicsRequest(topics=asked, timeout_ms=20_000), 6)
    results = sorted((result.error_code, result.error_message) for result in answer.responses if result.error_code)
    assert results == [
        (INVALID_REQUEST, "Neither topic name nor id were specified."),
        (INVALID_REQUEST, "You may not specify both topic name and topic id."),
        (UNKNOWN_TOPIC_ID, "This server does not host this topic ID."),
    ]
    (deleted,) = [result for result in answer.responses if not result.error_code]
    assert (deleted.name, deleted.topic_id) == (topic_name, topic_id)


def test_a_name_given_twice_is_not_deleted(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name)
    results = _delete(wire, topic_name, topic_name, version=6)
    assert (results[topic_name].error_code, results[topic_name].error_message) == (
        INVALID_REQUEST,
        "Duplicate topic name.",
    )
    assert not _is_gone(wire, topic_name)
