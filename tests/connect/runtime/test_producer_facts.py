"""What the source path relies on in confluent-kafka's producer, each held by a test on a real broker."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from headrace.connect.runtime.host.offset_tracker import OffsetTracker
from headrace.connect.runtime.host.producers import KafkaProducer
from headrace.connect.runtime.host.task_producer import Payloads, TaskProducer
from headrace.kafka_client.settings import librdkafka_log
from tests.connect.runtime.pipeline import Cluster, eventually


@pytest.fixture
def producer(cluster: Cluster) -> Iterator[KafkaProducer]:
    made = KafkaProducer({"bootstrap.servers": cluster.bootstrap})
    yield made
    made.close()


def test_produce_batch_drops_headers_without_a_word(cluster: Cluster, producer: KafkaProducer) -> None:
    topic = cluster.create()
    messages: list[dict[str, Any]] = [{"value": b"v", "headers": [("h", b"x")]}]
    assert producer.rdkafka.produce_batch(topic, messages) == 1
    eventually(lambda: [(m.value(), m.headers()) for m in cluster.read(topic)], [(b"v", None)])


def test_produce_batch_ignores_a_messages_partition_without_a_word(cluster: Cluster, producer: KafkaProducer) -> None:
    topic = cluster.create(2)
    messages: list[dict[str, Any]] = [{"value": b"v", "key": b"k", "partition": n} for n in (0, 1) * 20]
    producer.rdkafka.produce_batch(topic, messages)
    eventually(lambda: len(cluster.read(topic)), 40)
    assert len({message.partition() for message in cluster.read(topic)}) == 1


def test_produce_batch_refuses_timestamps(cluster: Cluster, producer: KafkaProducer) -> None:
    with pytest.raises(NotImplementedError, match="timestamps"):
        producer.rdkafka.produce_batch(cluster.create(), [{"value": b"v", "timestamp": 5}])


def test_produce_batch_takes_its_own_partition(cluster: Cluster, producer: KafkaProducer) -> None:
    topic = cluster.create(2)
    producer.rdkafka.produce_batch(topic, [{"value": b"a"}, {"value": b"b"}], partition=1)
    eventually(lambda: [(m.partition(), m.value()) for m in cluster.read(topic)], [(1, b"a"), (1, b"b")])


def test_the_order_holds_while_the_queue_is_full_and_drains(cluster: Cluster) -> None:
    topic = cluster.create()
    small = KafkaProducer({"bootstrap.servers": cluster.bootstrap, "buffer.memory": str(1024 * 200)})
    tracker = OffsetTracker()
    sender = TaskProducer(small, tracker, lambda: False)
    values = [f"{n:05} {'x' * 90}".encode() for n in range(60_000)]
    submission = tracker.submit({"p": 1}, {"at": 1})
    sender.send(Payloads(topic, values), submission)
    tracker.sent(submission)
    eventually(lambda: [m.value() for m in cluster.read(topic)] == values, True)
    sender.acknowledge()
    assert tracker.committable() == [({"p": 1}, {"at": 1})]
    small.close()


def test_headers_timestamps_and_nulls_arrive_by_produce(cluster: Cluster, producer: KafkaProducer) -> None:
    topic = cluster.create(2)
    tracker = OffsetTracker()
    sender = TaskProducer(producer, tracker, lambda: False)
    submission = tracker.submit({"p": 1}, {"at": 1})
    payloads = Payloads(topic, [b"v", None], [b"k", None], [1, 1], [1000, None], [[("h", b"x")], []])
    sender.send(payloads, submission)
    tracker.sent(submission)
    eventually(lambda: len(cluster.read(topic)), 2)
    first, second = cluster.read(topic)
    assert (first.value(), first.key(), first.partition(), first.timestamp()[1]) == (b"v", b"k", 1, 1000)
    assert first.headers() == [("h", b"x")] and (second.value(), second.key(), second.headers()) == (None, None, None)


def test_keyless_batches_spread_over_the_partitions(cluster: Cluster, producer: KafkaProducer) -> None:
    topic = cluster.create(3)
    tracker = OffsetTracker()
    sender = TaskProducer(producer, tracker, lambda: False)
    submission = tracker.submit({"p": 1}, {"at": 1})
    for _ in range(50):
        sender.send(Payloads(topic, [b"v"] * 3), submission)
    eventually(lambda: len(cluster.read(topic)), 150)
    assert {message.partition() for message in cluster.read(topic)} == {0, 1, 2}


def test_librdkafkas_line_on_gapless_is_muted_and_its_others_are_ours(cluster: Cluster) -> None:
    heard: list[str] = []
    came = threading.Event()

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())
            came.set()

    handler = Keep()
    librdkafka_log.addHandler(handler)
    try:
        producer = KafkaProducer({"bootstrap.servers": "127.0.0.1:1"})
        assert came.wait(20)
        producer.close()
    finally:
        librdkafka_log.removeHandler(handler)
    assert not any("gapless" in line for line in heard)
    assert any("127.0.0.1:1" in line for line in heard)
