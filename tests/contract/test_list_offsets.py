"""ListOffsets (key 2): the ends of a partition, and offsets by timestamp."""

import pytest
from kafka.protocol.consumer.offsets import ListOffsetsRequest

from tests.contract.data_client import batch, create_topic, list_offset, now_ms, produce
from tests.contract.wire_client import WireClient

UNKNOWN_TOPIC_OR_PARTITION = 3
UNSUPPORTED_VERSION = 35
INVALID_REQUEST = 42
UNKNOWN_LEADER_EPOCH = 75
LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, PENDING_UPLOAD = -1, -2, -3, -4, -5, -6
SINCE = {LATEST: 1, EARLIEST: 1, MAX_TIMESTAMP: 7, EARLIEST_LOCAL: 8, LATEST_TIERED: 9, PENDING_UPLOAD: 11}


@pytest.fixture
def times() -> list[int]:
    """Timestamps of the six records, the largest not the last."""
    now = now_ms()
    return [now - 1000, now - 900, now - 800, now + 50, now - 700, now - 600]


@pytest.fixture
def topic(wire: WireClient, topic_name: str, times: list[int]) -> str:
    """Two partitions; in the first three batches of two records each, the second one empty."""
    create_topic(wire, topic_name, partitions=2)
    for at in (0, 2, 4):
        produce(wire, topic_name, batch(b"a", b"b", timestamps=times[at : at + 2]))
    return topic_name


@pytest.mark.parametrize("version", range(1, 12))
def test_every_special_offset_at_every_version(wire: WireClient, topic: str, times: list[int], version: int) -> None:
    expected = {
        LATEST: (-1, 6, 0),
        EARLIEST: (-1, 0, 0),
        MAX_TIMESTAMP: (times[3], 3, 0),
        EARLIEST_LOCAL: (-1, 0, 0),
        LATEST_TIERED: (-1, -1, -1),
        PENDING_UPLOAD: (-1, -1, -1),
    }
    for timestamp, (when, offset, epoch) in expected.items():
        part = list_offset(wire, topic, timestamp, version=version)
        if version < SINCE[timestamp]:
            assert (part.error_code, part.offset) == (UNSUPPORTED_VERSION, -1)
            continue
        assert (part.error_code, part.timestamp, part.offset) == (0, when, offset)
        assert part.leader_epoch == (epoch if version >= 4 else -1)


def test_other_negative_timestamps_are_not_supported(wire: WireClient, topic: str) -> None:
    for timestamp in (-7, -100):
        assert list_offset(wire, topic, timestamp).error_code == UNSUPPORTED_VERSION


def test_the_first_record_that_is_not_older(wire: WireClient, topic: str, times: list[int]) -> None:
    for asked, offset in ((0, 0), (times[0], 0), (times[0] + 1, 1), (times[2], 2), (times[2] + 1, 3), (times[3], 3)):
        part = list_offset(wire, topic, asked)
        assert (part.error_code, part.offset, part.timestamp, part.leader_epoch) == (0, offset, times[offset], 0)


def test_nothing_is_younger_than_the_youngest(wire: WireClient, topic: str, times: list[int]) -> None:
    part = list_offset(wire, topic, times[3] + 1)
    assert (part.error_code, part.offset, part.timestamp, part.leader_epoch) == (0, -1, -1, -1)


def test_an_empty_partition_has_ends_and_no_timestamps(wire: WireClient, topic: str) -> None:
    for timestamp, offset in ((LATEST, 0), (EARLIEST, 0), (MAX_TIMESTAMP, -1), (0, -1)):
        part = list_offset(wire, topic, timestamp, partition=1)
        assert (part.error_code, part.offset, part.timestamp) == (0, offset, -1)


def test_unknown_partitions_and_epochs(wire: WireClient, topic: str) -> None:
    assert list_offset(wire, topic, LATEST, partition=9).error_code == UNKNOWN_TOPIC_OR_PARTITION
    assert list_offset(wire, topic + "x", LATEST).error_code == UNKNOWN_TOPIC_OR_PARTITION
    assert list_offset(wire, topic, LATEST, current_leader_epoch=9).error_code == UNKNOWN_LEADER_EPOCH


def test_a_partition_asked_for_twice_is_an_invalid_request(wire: WireClient, topic: str) -> None:
    asked = ListOffsetsRequest.ListOffsetsTopic
    part = asked.ListOffsetsPartition(partition_index=0, current_leader_epoch=-1, timestamp=LATEST)
    request = ListOffsetsRequest(
        replica_id=-1, isolation_level=0, timeout_ms=5000, topics=[asked(name=topic, partitions=[part, part])]
    )
    (answered,) = wire.call(request, 11).topics[0].partitions
    assert (answered.error_code, answered.offset) == (INVALID_REQUEST, -1)


@pytest.mark.parametrize(("version", "error"), [(1, 0), (2, -1), (7, -1), (11, -1)])
def test_an_isolation_level_that_does_not_exist(wire: WireClient, topic: str, version: int, error: int) -> None:
    asked = ListOffsetsRequest.ListOffsetsTopic
    part = asked.ListOffsetsPartition(partition_index=0, timestamp=-1, current_leader_epoch=-1)
    topics = [asked(name=topic, partitions=[part])]
    request = ListOffsetsRequest(replica_id=-1, isolation_level=7, timeout_ms=5000, topics=topics)
    assert wire.call(request, version).topics[0].partitions[0].error_code == error
