"""OffsetForLeaderEpoch (key 23): where an epoch ends."""

from typing import Any

import pytest
from kafka.protocol.consumer.offsets import OffsetForLeaderEpochRequest

from tests.contract.data_client import batch, create_topic, produce
from tests.contract.wire_client import WireClient

UNKNOWN_TOPIC_OR_PARTITION = 3
UNKNOWN_LEADER_EPOCH = 75


def _end_of(
    wire: WireClient, topic: str, epoch: int, *, current: int = -1, partition: int = 0, version: int = 4
) -> Any:
    asked = OffsetForLeaderEpochRequest.OffsetForLeaderTopic
    part = asked.OffsetForLeaderPartition(partition=partition, current_leader_epoch=current, leader_epoch=epoch)
    request = OffsetForLeaderEpochRequest(replica_id=-1, topics=[asked(topic=topic, partitions=[part])])
    return wire.call(request, version).topics[0].partitions[0]


@pytest.fixture
def topic(wire: WireClient, topic_name: str) -> str:
    create_topic(wire, topic_name)
    produce(wire, topic_name, batch(b"a", b"b"))
    return topic_name


@pytest.mark.parametrize("version", [2, 3, 4])
def test_the_current_epoch_ends_at_the_end_of_the_log(wire: WireClient, topic: str, version: int) -> None:
    part = _end_of(wire, topic, 0, current=0, version=version)
    assert (part.error_code, part.leader_epoch, part.end_offset) == (0, 0, 2)


def test_epochs_that_were_never_are_undefined(wire: WireClient, topic: str) -> None:
    for epoch in (5, -1):
        part = _end_of(wire, topic, epoch)
        assert (part.error_code, part.leader_epoch, part.end_offset) == (0, -1, -1)


def test_a_current_epoch_from_the_future_is_unknown(wire: WireClient, topic: str) -> None:
    part = _end_of(wire, topic, 0, current=7)
    assert (part.error_code, part.leader_epoch, part.end_offset) == (UNKNOWN_LEADER_EPOCH, -1, -1)


def test_a_partition_that_is_not_there_is_unknown(wire: WireClient, topic: str) -> None:
    for part in (_end_of(wire, topic, 0, partition=9), _end_of(wire, topic + "x", 0)):
        assert (part.error_code, part.end_offset) == (UNKNOWN_TOPIC_OR_PARTITION, -1)
