"""Metadata (key 3): brokers, topics, and topics that are made by being asked for."""

import time
import uuid
from typing import Any

import pytest
from kafka.protocol.metadata import MetadataRequest

from tests.contract.data_client import create_topic
from tests.contract.wire_client import WireClient

UNKNOWN_TOPIC_OR_PARTITION = 3
LEADER_NOT_AVAILABLE = 5
INVALID_TOPIC = 17
UNKNOWN_TOPIC_ID = 100
INVALID_REQUEST = 42
UNKNOWN_SERVER_ERROR = -1
TOPIC_OPERATIONS = {3, 4, 5, 6, 7, 8, 10, 11}
CLUSTER_OPERATIONS = {5, 7, 8, 9, 10, 11, 12}


def _ask(wire: WireClient, *names: str, version: int = 12, **more: Any) -> Any:
    topics = [MetadataRequest.MetadataRequestTopic(name=name) for name in names]
    fields = {"allow_auto_topic_creation": False, **more} if version >= 4 else more
    return wire.call(MetadataRequest(topics=topics, **fields), version)


@pytest.fixture
def topic(wire: WireClient, topic_name: str) -> str:
    create_topic(wire, topic_name, partitions=3)
    return topic_name


@pytest.mark.parametrize("version", range(14))
def test_every_version_names_the_broker_and_the_partitions(wire: WireClient, topic: str, version: int) -> None:
    answer = _ask(wire, topic, version=version)
    (broker,) = answer.brokers
    (found,) = answer.topics
    assert (broker.node_id, broker.host) == (1, "127.0.0.1")
    assert (found.error_code, found.name, bool(found.is_internal)) == (0, topic, False)
    parts = sorted(found.partitions, key=lambda part: part.partition_index)
    assert [part.partition_index for part in parts] == [0, 1, 2]
    assert all((part.leader_id, part.replica_nodes, part.isr_nodes) == (1, [1], [1]) for part in parts)
    assert all(part.leader_epoch == (0 if version >= 7 else -1) for part in parts)
    if version >= 1:
        assert answer.controller_id == 1
    if version >= 2:
        assert answer.cluster_id


def test_all_topics_are_asked_for_by_null_and_at_version_0_by_an_empty_list(wire: WireClient, topic: str) -> None:
    everything = wire.call(MetadataRequest(topics=None), 12)
    assert topic in {found.name for found in everything.topics}
    assert topic in {found.name for found in wire.call(MetadataRequest(topics=[]), 0).topics}
    assert wire.call(MetadataRequest(topics=[]), 12).topics == []


def test_topics_can_be_asked_for_by_id(wire: WireClient, topic_name: str) -> None:
    topic_id = create_topic(wire, topic_name).topic_id
    asked = [MetadataRequest.MetadataRequestTopic(name=None, topic_id=wanted) for wanted in (topic_id, uuid.uuid4())]
    answer = wire.call(MetadataRequest(topics=asked, allow_auto_topic_creation=False), 12)
    by_id = {found.topic_id: found for found in answer.topics}
    assert by_id.pop(topic_id).name == topic_name
    (unknown,) = by_id.values()
    assert (unknown.error_code, unknown.name, unknown.partitions) == (UNKNOWN_TOPIC_ID, None, [])


@pytest.mark.parametrize(
    ("version", "error"), [(10, INVALID_REQUEST), (11, INVALID_REQUEST), (12, UNKNOWN_SERVER_ERROR)]
)
def test_a_topic_without_name_and_id_is_an_error(wire: WireClient, version: int, error: int) -> None:
    nameless = MetadataRequest.MetadataRequestTopic(name=None)
    (found,) = wire.call(MetadataRequest(topics=[nameless], allow_auto_topic_creation=False), version).topics
    assert (found.error_code, found.name, found.partitions) == (error, "", [])


def test_what_is_not_there_and_what_cannot_be(wire: WireClient, topic_name: str) -> None:
    answer = _ask(wire, topic_name, "bad name")
    errors = {found.name: found.error_code for found in answer.topics}
    assert errors == {topic_name: UNKNOWN_TOPIC_OR_PARTITION, "bad name": INVALID_TOPIC}


@pytest.mark.parametrize("version", [0, 7, 12])
def test_a_topic_asked_for_twice_is_answered_once(wire: WireClient, topic: str, version: int) -> None:
    assert [one.name for one in _ask(wire, topic, topic, version=version).topics] == [topic]


def test_a_topic_is_made_by_being_asked_for(wire: WireClient, topic_name: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        (found,) = _ask(wire, topic_name, allow_auto_topic_creation=True).topics
        if found.error_code == 0:
            break
        assert found.error_code in (UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE)
        time.sleep(0.02)
    assert [part.partition_index for part in found.partitions] == [0]
    assert _ask(wire, topic_name).topics[0].error_code == 0


@pytest.mark.parametrize("version", [8, 10, 12])
def test_operations_are_told_where_they_are_asked_for(wire: WireClient, topic: str, version: int) -> None:
    more = {"include_cluster_authorized_operations": True} if version <= 10 else {}
    answer = _ask(wire, topic, topic + "x", version=version, include_topic_authorized_operations=True, **more)
    assert [found.authorized_operations for found in answer.topics] == [TOPIC_OPERATIONS] * 2
    assert answer.authorized_operations == (CLUSTER_OPERATIONS if version <= 10 else None)
    assert _ask(wire, topic, version=version).topics[0].authorized_operations is None
