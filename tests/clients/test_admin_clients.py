"""Admin clients of confluent-kafka and kafka-python against our broker; consumers and producers see what they do."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)
from kafka.admin import ConfigResource as PythonResource
from kafka.admin import ConfigResourceType as PythonType

from kafka import KafkaAdminClient
from tests.contract.broker_process import BrokerProcess

_WAIT_S = 20


@pytest.fixture
def admin(broker: BrokerProcess) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker.bootstrap})


@pytest.fixture
def made(admin: AdminClient, topic: str) -> str:
    """A topic of one partition."""
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(_WAIT_S)
    return topic


@pytest.fixture
def consumer(broker: BrokerProcess, group: str) -> Iterator[Consumer]:
    """Looks for new partitions often."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "topic.metadata.refresh.interval.ms": 200,
        }
    )
    yield consumer
    consumer.close()


def _produce(broker: BrokerProcess, topic: str, partition: int, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 0})
    for value in values:
        producer.produce(topic, value, partition=partition)
    assert producer.flush(_WAIT_S) == 0


def _config(admin: AdminClient, topic: str, key: str) -> tuple[str, bool]:
    """Value, and whether it is a default."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    entry = admin.describe_configs([resource])[resource].result(_WAIT_S)[key]
    return entry.value, entry.is_default


def test_a_group_reads_partitions_that_are_new(
    broker: BrokerProcess, admin: AdminClient, made: str, consumer: Consumer
) -> None:
    consumer.subscribe([made])
    _produce(broker, made, 0, b"before")
    assert _next(consumer) == (0, b"before")
    admin.create_partitions([NewPartitions(made, 3)])[made].result(_WAIT_S)
    _produce(broker, made, 2, b"after")
    assert _next(consumer) == (2, b"after")
    assert sorted(part.partition for part in consumer.assignment()) == [0, 1, 2]


def _next(consumer: Consumer) -> tuple[int, bytes]:
    message = consumer.poll(_WAIT_S)
    assert message is not None
    assert message.error() is None
    return message.partition(), message.value()


def test_configuration_is_altered_step_by_step(admin: AdminClient, made: str) -> None:
    set_it = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
    append = ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND)
    resource = ConfigResource(ResourceType.TOPIC, made, incremental_configs=[set_it, append])
    admin.incremental_alter_configs([resource])[resource].result(_WAIT_S)
    assert _config(admin, made, "retention.ms") == ("1000", False)
    assert _config(admin, made, "cleanup.policy") == ("delete,compact", False)
    wrong = ConfigEntry("retention.ms", "soon", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, made, incremental_configs=[wrong])
    with pytest.raises(KafkaException, match="Not a number of type LONG"):
        admin.incremental_alter_configs([resource])[resource].result(_WAIT_S)


def test_records_before_an_offset_are_deleted(
    broker: BrokerProcess, admin: AdminClient, made: str, consumer: Consumer
) -> None:
    _produce(broker, made, 0, b"a", b"b", b"c")
    part = TopicPartition(made, 0, 2)
    assert admin.delete_records([part])[part].result(_WAIT_S).low_watermark == 2
    first = admin.list_offsets({TopicPartition(made, 0): OffsetSpec.earliest()})
    assert [future.result(_WAIT_S).offset for future in first.values()] == [2]
    consumer.subscribe([made])
    assert _next(consumer) == (0, b"c")


def test_a_groups_offsets_are_altered_and_the_group_deleted(
    broker: BrokerProcess, admin: AdminClient, made: str, group: str
) -> None:
    _produce(broker, made, 0, b"a", b"b")
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(made, 0, 1)])
    (altered,) = admin.alter_consumer_group_offsets([wanted]).values()
    assert [part.error for part in altered.result(_WAIT_S).topic_partitions] == [None]
    (listed,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    assert [part.offset for part in listed.result(_WAIT_S).topic_partitions] == [1]
    admin.delete_consumer_groups([group])[group].result(_WAIT_S)
    with pytest.raises(KafkaException, match="group"):
        admin.delete_consumer_groups([group])[group].result(_WAIT_S)


def test_kafka_pythons_admin_reads_the_brokers_configuration(broker: BrokerProcess, made: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    try:
        asked = [PythonResource(PythonType.BROKER, "1"), PythonResource(PythonType.TOPIC, made)]
        described = admin.describe_configs(asked, config_filter="all")
        assert described["broker"]["1"]["log.retention.hours"]["value"] == "168"
        assert described["topic"][made]["segment.bytes"]["value"] == "1073741824"
    finally:
        admin.close()
