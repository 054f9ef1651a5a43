"""What was altered while a broker ran is there after it was killed, and holds."""

import time
from pathlib import Path

from kafka.protocol.admin.topics import CreatePartitionsRequest, DeleteRecordsRequest, DeleteTopicsRequest
from kafka.protocol.metadata import MetadataRequest

from headrace.wire.errors import ErrorCode
from tests.contract.broker_process import broker_process
from tests.contract.config_client import BROKER, OF_CLUSTER, SET, TOPIC, alter, seen
from tests.contract.data_client import batch, create_topic, list_offset, produce
from tests.contract.wire_client import WireClient


def _grow(wire: WireClient, topic: str, count: int) -> int:
    asked = CreatePartitionsRequest.CreatePartitionsTopic(name=topic, count=count, assignments=None)
    request = CreatePartitionsRequest(topics=[asked], timeout_ms=10_000, validate_only=False)
    error: int = wire.call(request, 3).results[0].error_code
    return error


def test_configuration_and_new_partitions_outlive_a_kill(tmp_path: Path) -> None:
    with broker_process(tmp_path) as broker:
        with WireClient(broker.bootstrap) as wire:
            create_topic(wire, "small")
            create_topic(wire, "other")
            assert alter(wire, (TOPIC, "small", [("max.message.bytes", SET, "300")])) == [(0, None)]
            assert alter(wire, (BROKER, "", [("log.message.timestamp.type", SET, "LogAppendTime")])) == [(0, None)]
            assert alter(wire, (BROKER, "1", [("log.retention.ms", SET, "86400000")])) == [(0, None)]
            assert _grow(wire, "small", 3) == 0
            assert produce(wire, "small", batch(b"a"), partition=2).error_code == 0
        broker.kill()
        broker.start()
        with WireClient(broker.bootstrap) as wire:
            topic = MetadataRequest.MetadataRequestTopic(name="small")
            assert len(wire.call(MetadataRequest(topics=[topic]), 12).topics[0].partitions) == 3
            assert list_offset(wire, "small", -1, partition=2).offset == 1
            assert produce(wire, "small", batch(b"x" * 500)).error_code == ErrorCode.MESSAGE_TOO_LARGE
            assert produce(wire, "other", batch(b"a", timestamps=[1])).log_append_time_ms > 1
            kind = seen(wire, TOPIC, "other", "message.timestamp.type")
            assert kind is not None
            assert (kind.value, kind.source) == ("LogAppendTime", OF_CLUSTER)
            retention = seen(wire, BROKER, "1", "log.retention.ms")
            assert retention is not None
            assert retention.value == "86400000"


def test_what_the_properties_say_is_static_and_goes_behind_what_was_set(tmp_path: Path) -> None:
    with (
        broker_process(tmp_path, {"log.retention.hours": "24", "min.insync.replicas": "1"}) as broker,
        WireClient(broker.bootstrap) as wire,
    ):
        create_topic(wire, "t")
        hours = seen(wire, BROKER, "1", "log.retention.hours")
        assert hours == ("24", 4, [("log.retention.hours", "24", 4), ("log.retention.hours", "168", 5)])
        retention = seen(wire, TOPIC, "t", "retention.ms")
        assert retention == ("86400000", 5, [])
        alter(wire, (BROKER, "1", [("log.retention.ms", SET, "5")]))
        synonyms = [("log.retention.ms", "5", 2), ("log.retention.hours", "24", 4), ("log.retention.hours", "168", 5)]
        assert seen(wire, TOPIC, "t", "retention.ms") == ("5", 2, synonyms)


def test_retention_and_the_size_of_segments_are_acted_on_once_they_are_altered(tmp_path: Path) -> None:
    settings = {"log.retention.check.interval.ms": "50", "log.segment.delete.delay.ms": "0"}
    with broker_process(tmp_path, settings) as broker, WireClient(broker.bootstrap) as wire:
        create_topic(wire, "t")
        produce(wire, "t", batch(b"old", timestamps=[1_000]))
        assert alter(wire, (TOPIC, "t", [("segment.bytes", SET, "1048576")])) == [(0, None)]
        for _ in range(3):
            assert produce(wire, "t", batch(b"x" * 600_000)).error_code == 0
        assert len(list((tmp_path / "data" / "t-0").glob("*.log"))) >= 3
        assert alter(wire, (TOPIC, "t", [("retention.ms", SET, "1")])) == [(0, None)]
        deadline = time.monotonic() + 20
        while list_offset(wire, "t", -2).offset != 4:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_topic_deleted_while_it_grows_is_gone_with_its_new_partitions(tmp_path: Path) -> None:
    with (
        broker_process(tmp_path, {"log.segment.delete.delay.ms": "0"}) as broker,
        WireClient(broker.bootstrap) as one,
        WireClient(broker.bootstrap) as two,
    ):
        create_topic(one, "t")
        asked = CreatePartitionsRequest.CreatePartitionsTopic(name="t", count=50, assignments=None)
        one.post(CreatePartitionsRequest(topics=[asked], timeout_ms=10_000, validate_only=False), 3)
        two.post(DeleteTopicsRequest(topics=[DeleteTopicsRequest.DeleteTopicState(name="t")], timeout_ms=20_000), 6)
        assert two.receive().responses[0].error_code == 0
        assert one.receive().results[0].error_code in (0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        create_topic(one, "t", partitions=2)
        assert produce(one, "t", batch(b"a"), partition=1).base_offset == 0
        assert "stray" not in broker.log


def test_deleted_records_stay_deleted_after_a_kill_and_their_files_go(tmp_path: Path) -> None:
    settings = {"log.retention.check.interval.ms": "50", "log.segment.delete.delay.ms": "0"}
    with broker_process(tmp_path, settings) as broker:
        with WireClient(broker.bootstrap) as wire:
            create_topic(wire, "t", partitions=2)
            for _ in range(4):
                produce(wire, "t", batch(b"a", b"b"), partition=1)
            assert _delete_before(wire, "t", 1, 3) == 3
        broker.kill()
        broker.start()
        with WireClient(broker.bootstrap) as wire:
            assert list_offset(wire, "t", -2, partition=1).offset == 3
            assert list_offset(wire, "t", -1, partition=1).offset == 8
            assert _delete_before(wire, "t", 1, -1) == 8
            old, new = (tmp_path / "data" / "t-1" / f"{offset:020d}.log" for offset in (0, 8))
            deadline = time.monotonic() + 20
            while old.exists() or not new.exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert produce(wire, "t", batch(b"c"), partition=1).base_offset == 8


def _delete_before(wire: WireClient, topic: str, partition: int, offset: int) -> int:
    asked = DeleteRecordsRequest.DeleteRecordsTopic
    part = asked.DeleteRecordsPartition(partition_index=partition, offset=offset)
    request = DeleteRecordsRequest(topics=[asked(name=topic, partitions=[part])], timeout_ms=10_000)
    result = wire.call(request, 2).topics[0].partitions[0]
    assert result.error_code == 0
    low_watermark: int = result.low_watermark
    return low_watermark
