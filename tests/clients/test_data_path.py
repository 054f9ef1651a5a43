"""Producing and consuming with real clients on our broker: confluent-kafka, kafka-python, kcat, Java's tools."""

import subprocess
import time
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from kafka import KafkaConsumer, KafkaProducer
from tests.conftest import need
from tests.contract.broker_process import BrokerProcess
from tests.kafka.cluster import run_tool

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def _produce(bootstrap: str, topic: str, values: list[bytes], **settings: Any) -> list[int]:
    """Offsets in the order of the values."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, **settings})
    offsets: dict[int, int] = {}

    def note(number: int) -> Any:
        def delivered(error: KafkaError | None, message: Any) -> None:
            assert error is None, error
            offsets[number] = message.offset()

        return delivered

    for number, value in enumerate(values):
        producer.produce(topic, value, key=b"k", partition=0, headers=[("h", b"1")], on_delivery=note(number))
        producer.poll(0)
    assert producer.flush(30) == 0
    return [offsets[number] for number in range(len(values))]


def _consume(bootstrap: str, topic: str, count: int, **settings: Any) -> list[Any]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", **settings})
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages: list[Any] = []
    deadline = time.monotonic() + 30
    while len(messages) < count and time.monotonic() < deadline:
        messages += consumer.consume(count - len(messages), 1.0)
    consumer.close()
    return messages


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("acks", ["1", "all"])
def test_librdkafka_gets_back_what_it_wrote_in_every_codec(
    broker: BrokerProcess, topic: str, codec: str, acks: str
) -> None:
    values = [b"value %d " % number * 20 for number in range(2000)]
    settings = {"compression.type": codec, "acks": acks, "enable.idempotence": acks == "all"}
    assert _produce(broker.bootstrap, topic, values, **settings) == list(range(2000))
    messages = _consume(broker.bootstrap, topic, 2000, **{"check.crcs": True})
    assert [message.value() for message in messages] == values
    assert messages[7].headers() == [("h", b"1")]


def test_librdkafka_without_acknowledgement(broker: BrokerProcess, topic: str) -> None:
    _produce(broker.bootstrap, topic, [b"first"], acks="all")
    producer = Producer({"bootstrap.servers": broker.bootstrap, "acks": 0})
    for number in range(100):
        producer.produce(topic, b"%d" % number, partition=0)
    producer.flush(30)
    assert len(_consume(broker.bootstrap, topic, 101)) == 101


@pytest.mark.parametrize("codec", [None, "gzip"])
def test_kafka_python_gets_back_what_it_wrote(broker: BrokerProcess, topic: str, codec: str | None) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type=codec)
    futures = [producer.send(topic, b"v%d" % number, key=b"k") for number in range(300)]
    assert [future.get(30).offset for future in futures] == list(range(300))
    producer.close()
    consumer = KafkaConsumer(
        topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    found = [next(consumer).value for _ in range(300)]
    consumer.close()
    assert found == [b"v%d" % number for number in range(300)]


def test_kcat_writes_reads_and_lists(broker: BrokerProcess, topic: str) -> None:
    kcat = need("kcat", "apt-get install kcat")
    lines = "".join(f"line {number}\n" for number in range(200))
    subprocess.run([kcat, "-b", broker.bootstrap, "-P", "-t", topic, "-z", "zstd"], input=lines, text=True, check=True)
    read = [kcat, "-b", broker.bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q"]
    assert subprocess.run(read, capture_output=True, text=True, check=True, timeout=30).stdout == lines
    listed = subprocess.run([kcat, "-b", broker.bootstrap, "-L"], capture_output=True, text=True, check=True).stdout
    assert f'topic "{topic}" with 1 partitions' in listed


def test_offsets_for_times(broker: BrokerProcess, topic: str) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    now = int(time.time() * 1000)
    for number in range(10):
        producer.produce(topic, b"v", partition=0, timestamp=now - 1000 + number * 10)
    producer.flush(30)
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "times"})
    (found,) = consumer.offsets_for_times([TopicPartition(topic, 0, now - 1000 + 35)], timeout=10)
    assert found.offset == 4
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10) == (0, 10)
    consumer.close()


def test_a_transactional_producer_is_refused_at_once_and_for_good(broker: BrokerProcess) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": "tx", "log_level": 0})
    before = time.monotonic()
    with pytest.raises(KafkaException) as refused:
        producer.init_transactions(20)
    assert refused.value.args[0].fatal()
    assert time.monotonic() - before < 10


def test_admin_makes_and_deletes_topics_and_is_told_why_not(broker: BrokerProcess, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(topic, 4, 1, config={"retention.ms": "60000"})])[topic].result(20)
    assert len(admin.list_topics(topic, 10).topics[topic].partitions) == 4
    with pytest.raises(KafkaException, match="use Apache Kafka"):
        admin.create_topics([NewTopic(topic + "-replicated", 1, 3)])[topic + "-replicated"].result(20)
    admin.delete_topics([topic])[topic].result(20)
    assert topic not in admin.list_topics(timeout=10).topics


@pytest.mark.kafka
def test_javas_console_tools(broker: BrokerProcess, topic: str) -> None:
    lines = "".join(f"line {number}\n" for number in range(100))
    run_tool(
        "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", broker.bootstrap, "--topic", topic, stdin=lines
    )
    said = run_tool(
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *("--bootstrap-server", broker.bootstrap, "--topic", topic),
        *("--from-beginning", "--max-messages", "100", "--timeout-ms", "30000"),
    )
    assert said == lines


@pytest.mark.kafka
def test_javas_topic_command(broker: BrokerProcess, topic: str) -> None:
    command = ("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", broker.bootstrap)
    run_tool(*command, "--create", "--topic", topic, "--partitions", "3", "--replication-factor", "1")
    assert topic in run_tool(*command, "--list").split()
