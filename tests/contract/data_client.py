"""Topics and records for contract tests, over the bare wire: what a test sends, byte for byte."""

import struct
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import crc32c
from kafka.protocol.admin.topics import CreateTopicsRequest
from kafka.protocol.consumer.fetch import FetchRequest
from kafka.protocol.consumer.offsets import ListOffsetsRequest
from kafka.protocol.metadata import MetadataRequest
from kafka.protocol.producer import ProduceRequest
from kafka.record.default_records import DefaultRecordBatchBuilder

from tests.contract.wire_client import WireClient

_CRC_AT, _ATTRIBUTES_AT, _LAST_DELTA_AT, _PRODUCER_AT = 17, 21, 23, 43


def now_ms() -> int:
    return int(time.time() * 1000)


def batch(*values: bytes | None, key: bytes | None = b"k", timestamps: Sequence[int] | None = None) -> bytearray:
    """One plain record batch; all records have the same key, and the time of now unless told."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 30)
    times = timestamps or [now_ms()] * len(values)
    for delta, value in enumerate(values):
        builder.append(delta, times[delta], key, value, [])
    return bytearray(builder.build())


def from_producer(records: bytearray, producer_id: int, epoch: int, sequence: int) -> bytearray:
    """The same batch as an idempotent producer sends it."""
    struct.pack_into(">qhi", records, _PRODUCER_AT, producer_id, epoch, sequence)
    return with_checksum(records)


def with_attributes(records: bytearray, bits: int) -> bytearray:
    """The same batch with more bits in its attributes."""
    (old,) = struct.unpack_from(">h", records, _ATTRIBUTES_AT)
    struct.pack_into(">h", records, _ATTRIBUTES_AT, old | bits)
    return with_checksum(records)


def with_last_delta(records: bytearray, delta: int) -> bytearray:
    """The same batch with another last offset delta than its records have."""
    struct.pack_into(">i", records, _LAST_DELTA_AT, delta)
    return with_checksum(records)


def with_checksum(records: bytearray) -> bytearray:
    """The batch with the checksum that its bytes have now."""
    struct.pack_into(">I", records, _CRC_AT, crc32c.crc32c(bytes(records[_ATTRIBUTES_AT:])))
    return records


def create_topic(
    wire: WireClient, name: str, partitions: int = 1, configs: dict[str, str] | None = None, **more: Any
) -> Any:
    """CreateTopics at version 7; the result of the one topic."""
    topic = CreateTopicsRequest.CreatableTopic
    fields = {
        "name": name,
        "num_partitions": partitions,
        "replication_factor": 1,
        "assignments": [],
        "configs": [topic.CreatableTopicConfig(name=key, value=value) for key, value in (configs or {}).items()],
    }
    asked = CreateTopicsRequest(topics=[topic(**{**fields, **more})], timeout_ms=20_000)
    (result,) = wire.call(asked, 7).topics
    if result.error_code == 0:
        _wait_until_led(wire, name)
    return result


def _wait_until_led(wire: WireClient, name: str) -> None:
    """Apache Kafka answers before its broker leads the partitions."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        topic = MetadataRequest.MetadataRequestTopic(name=name)
        (found,) = wire.call(MetadataRequest(topics=[topic], allow_auto_topic_creation=False), 12).topics
        indexes = [part.partition_index for part in found.partitions]
        if found.error_code == 0 and all(list_offset(wire, name, -1, partition=at).error_code == 0 for at in indexes):
            return
        time.sleep(0.02)
    raise AssertionError(f"topic {name} has no leader")


def list_offset(wire: WireClient, topic: str, timestamp: int, *, version: int = 11, **more: Any) -> Any:
    """ListOffsets: the answer for one partition; `more` are its fields, and `partition`."""
    asked = ListOffsetsRequest.ListOffsetsTopic
    part = asked.ListOffsetsPartition(
        partition_index=more.pop("partition", 0), timestamp=timestamp, **{"current_leader_epoch": -1, **more}
    )
    request = ListOffsetsRequest(
        replica_id=-1, isolation_level=0, timeout_ms=5000, topics=[asked(name=topic, partitions=[part])]
    )
    return wire.call(request, version).topics[0].partitions[0]


def produce_request(
    topic: str | UUID, records: bytes | bytearray | None, *, partition: int = 0, acks: int = -1
) -> ProduceRequest:
    """One batch for one partition; a topic's id for version 13, its name for those before."""
    data = ProduceRequest.TopicProduceData
    named = {"topic_id": topic} if isinstance(topic, UUID) else {"name": topic}
    part = data.PartitionProduceData(index=partition, records=None if records is None else bytes(records))
    return ProduceRequest(
        transactional_id=None, acks=acks, timeout_ms=10_000, topic_data=[data(**named, partition_data=[part])]
    )


def produce(
    wire: WireClient, topic: str | UUID, records: bytes | bytearray | None, *, version: int = 12, **more: Any
) -> Any:
    """The answer for the one partition."""
    answer = wire.call(produce_request(topic, records, **more), version)
    return answer.responses[0].partition_responses[0]


def fetch_request(topic: str | UUID, offset: int, partitions: Sequence[int] = (0,), **more: Any) -> FetchRequest:
    """From `offset` of each partition; `more` are fields of the request or of its partitions."""
    named = {"topic_id": topic} if isinstance(topic, UUID) else {"topic": topic}
    per_partition = {
        "current_leader_epoch": -1,
        "fetch_offset": offset,
        "last_fetched_epoch": -1,
        "log_start_offset": -1,
        "partition_max_bytes": 1 << 20,
    }
    per_partition.update({key: more.pop(key) for key in list(more) if key in per_partition})
    parts = [FetchRequest.FetchTopic.FetchPartition(partition=index, **per_partition) for index in partitions]
    fields = {
        "replica_id": -1,
        "max_wait_ms": 0,
        "min_bytes": 1,
        "max_bytes": 1 << 20,
        "isolation_level": 0,
        "session_id": 0,
        "session_epoch": -1,
        "forgotten_topics_data": [],
        "rack_id": "",
    }
    return FetchRequest(topics=[FetchRequest.FetchTopic(**named, partitions=parts)], **{**fields, **more})


def fetch(wire: WireClient, topic: str | UUID, offset: int = 0, *, version: int = 12, **more: Any) -> Any:
    """The answer for the one partition."""
    return wire.call(fetch_request(topic, offset, **more), version).responses[0].partitions[0]
