"""A source task's sender on a real broker: columns in, acknowledgements out."""

import threading
import time
from collections.abc import Iterator

import pyarrow as pa
import pytest

from headrace.connect.api import ConnectError
from headrace.connect.runtime.host.column_producer import ColumnProducer, ColumnSender, producer_of_tasks
from headrace.connect.runtime.host.offset_tracker import OffsetTracker
from headrace.connect.runtime.host.producers import KafkaProducer, ProducerRegistry
from headrace.connect.runtime.host.stopped import Stopped
from headrace.connect.runtime.host.task_producer import Payloads
from tests.conftest import free_port
from tests.connect.runtime.pipeline import Cluster, eventually


@pytest.fixture
def producer(cluster: Cluster) -> Iterator[ColumnProducer]:
    made = ColumnProducer({"bootstrap.servers": cluster.bootstrap})
    yield made
    made.close()


class Task:
    """A sender with its tracker, and one submission."""

    def __init__(self, producer: ColumnProducer) -> None:
        self.stopped = threading.Event()
        self.tracker = OffsetTracker()
        self.sender = ColumnSender(producer, self.tracker, self.stopped.is_set)
        self._committed: list[object] = []
        self.submission = self.tracker.submit({"p": 1}, {"at": 1})

    def send(self, payloads: Payloads) -> None:
        self.sender.send(payloads, self.submission)

    def committable(self) -> bool:
        self.sender.acknowledge()
        self._committed += self.tracker.committable()
        return bool(self._committed)


def test_an_offset_is_committable_when_every_part_of_its_run_is_acknowledged(
    cluster: Cluster, producer: ColumnProducer
) -> None:
    topic, task = cluster.create(3), Task(producer)
    values = [b"%06d" % n for n in range(30_000)]
    task.send(Payloads(topic, pa.array(values), pa.array(values)))
    assert not task.committable()
    task.tracker.sent(task.submission)
    eventually(task.committable, True)
    assert sorted(message.value() for message in cluster.read(topic)) == values


def test_the_order_holds_while_there_is_little_room(cluster: Cluster) -> None:
    topic = cluster.create()
    small = ColumnProducer({"bootstrap.servers": cluster.bootstrap, "buffer.memory": str(1024 * 200)})
    task = Task(small)
    values = [f"{n:05} {'x' * 90}".encode() for n in range(60_000)]
    task.send(Payloads(topic, values))
    task.tracker.sent(task.submission)
    eventually(task.committable, True)
    assert [message.value() for message in cluster.read(topic)] == values
    small.close()


def test_headers_timestamps_partitions_and_nulls_arrive(cluster: Cluster, producer: ColumnProducer) -> None:
    topic, task = cluster.create(2), Task(producer)
    task.send(Payloads(topic, [b"v", None], [b"k", None], [1, 1], [1000, None], [[("h", b"x")], []]))
    eventually(lambda: len(cluster.read(topic)), 2)
    first, second = cluster.read(topic)
    assert (first.value(), first.key(), first.partition(), first.timestamp()[1]) == (b"v", b"k", 1, 1000)
    assert first.headers() == [("h", b"x")] and (second.value(), second.key(), second.headers()) == (None, None, None)
    assert abs(second.timestamp()[1] / 1000 - time.time()) < 60


def test_keyless_batches_spread_over_the_partitions(cluster: Cluster, producer: ColumnProducer) -> None:
    topic, task = cluster.create(3), Task(producer)
    for _ in range(50):
        task.send(Payloads(topic, [b"v"] * 3))
    eventually(lambda: len(cluster.read(topic)), 150)
    assert {message.partition() for message in cluster.read(topic)} == {0, 1, 2}


def test_rows_without_a_partition_go_by_their_key_beside_those_with_one(
    cluster: Cluster, producer: ColumnProducer
) -> None:
    topic, task = cluster.create(3), Task(producer)
    task.send(Payloads(topic, [b"a", b"b"], [b"key", b"key"], [None, 2]))
    task.send(Payloads(topic, [b"c"], [b"key"]))
    eventually(lambda: len(cluster.read(topic)), 3)
    by_value = {message.value(): message.partition() for message in cluster.read(topic)}
    assert by_value[b"b"] == 2 and by_value[b"a"] == by_value[b"c"]


def test_a_partition_that_the_topic_has_not_is_named(cluster: Cluster, producer: ColumnProducer) -> None:
    with pytest.raises(ConnectError, match=r"gives partition 5, and the topic has 2 \(0 to 1\)"):
        Task(producer).send(Payloads(cluster.create(2), [b"v"], None, [5]))


def test_an_invalid_topic_is_told_at_once(producer: ColumnProducer) -> None:
    with pytest.raises(ConnectError, match="Records for topic a b were not written"):
        Task(producer).send(Payloads("a b", [b"v"]))


def test_a_stop_ends_a_wait_for_a_broker_that_is_not_there() -> None:
    producer = ColumnProducer({"bootstrap.servers": f"127.0.0.1:{free_port()}"})
    task = Task(producer)
    threading.Timer(0.2, task.stopped.set).start()
    with pytest.raises(Stopped):
        task.send(Payloads("t", [b"v"]))
    producer.close()


def test_a_refused_record_fails_its_task_alone_and_later_ones_get_a_new_producer(cluster: Cluster) -> None:
    topic, good = cluster.create(**{"max.message.bytes": "100"}), cluster.create()
    registry = ProducerRegistry()
    settings = {"bootstrap.servers": cluster.bootstrap, "compression.type": "none"}
    producer = registry.lease(ColumnProducer, settings)
    assert registry.lease(ColumnProducer, settings) is producer
    failing, other = Task(producer), Task(producer)
    failing.send(Payloads(topic, [b"v" * 200]))
    with pytest.raises(ConnectError, match=r"too large.*max\.request\.size"):
        eventually(failing.committable, True)
    new = registry.lease(ColumnProducer, settings)
    assert new is not producer
    registry.release(producer)
    other.send(Payloads(good, [b"goes on"]))
    other.tracker.sent(other.submission)
    eventually(other.committable, True)
    for leased in (producer, new):
        registry.release(leased)


def test_settings_that_only_librdkafka_understands_get_its_producer(cluster: Cluster) -> None:
    made = producer_of_tasks({"bootstrap.servers": cluster.bootstrap, "ssl.cipher.suites": "ALL"})
    assert isinstance(made, KafkaProducer)
    made.close()
