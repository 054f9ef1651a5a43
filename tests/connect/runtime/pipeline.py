"""A worker's part, for tests: a pool whose GetOffsets the real offsets topic answers, and topics to look at."""

import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from headrace.connect.runtime.hosts import HostPool
from headrace.connect.runtime.messages import GetOffsets, Offsets, StartTask, StateChanged, TaskId
from tests.connect.runtime.recorder import Message as Heard
from tests.connect.runtime.recorder import Recorder

PLUGINS = Path(__file__).parent / "plugins"


class Cluster:
    """Topics of a running broker."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    def create(self, partitions: int = 1, **configs: str) -> str:
        """A new topic's name."""
        name = f"t-{uuid.uuid4().hex[:10]}"
        self.admin.create_topics([NewTopic(name, partitions, 1, config=configs)])[name].result(20)
        return name

    def write(self, topic: str, *values: str | bytes | None, partition: int = 0) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for value in values:
            producer.produce(topic, value, partition=partition)
        assert producer.flush(20) == 0

    def write_one(self, topic: str, value: bytes, **more: Any) -> None:
        """With a key, a timestamp, headers."""
        producer = Producer({"bootstrap.servers": self.bootstrap})
        producer.produce(topic, value, **more)
        assert producer.flush(20) == 0

    def read(self, topic: str) -> list[Message]:
        """All records of a topic, partition by partition."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "look", "fetch.wait.max.ms": 10})
        try:
            found: list[Message] = []
            for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
                place = TopicPartition(topic, partition, 0)
                low, high = consumer.get_watermark_offsets(place, timeout=10)
                place.offset = low
                consumer.assign([place])
                deadline, at = time.monotonic() + 20, low
                while at < high:
                    assert time.monotonic() < deadline, f"{topic}-{partition} ends at {high}, read up to {at}"
                    for message in consumer.consume(high - at, 0.05):
                        assert message.error() is None, message.error()
                        found.append(message)
                        at = message.offset() + 1
            return found
        finally:
            consumer.close()

    def values(self, topic: str) -> list[str | None]:
        return [None if message.value() is None else message.value().decode() for message in self.read(topic)]

    def committed(self, group: str, topic: str, partition: int = 0) -> int:
        """The committed offset, or -1."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group})
        try:
            (found,) = consumer.committed([TopicPartition(topic, partition)], timeout=10)
            return max(-1, found.offset)
        except KafkaException:
            return -1
        finally:
            consumer.close()


class Rig:
    """A pool on a cluster; the answer to a task's GetOffsets is what the offsets topic has."""

    def __init__(self, cluster: Cluster, **worker: str) -> None:
        self.cluster = cluster
        self.heard = Recorder()
        self.offsets_topic = cluster.create(4, **{"cleanup.policy": "compact"})
        properties = {
            "bootstrap.servers": cluster.bootstrap,
            "plugin.path": str(PLUGINS),
            "key.converter": "lines",
            "value.converter": "lines",
            "offset.storage.topic": self.offsets_topic,
            **worker,
        }
        self.pool = HostPool(properties, self._hear, size=2)

    def _hear(self, message: Heard) -> None:
        if isinstance(message, GetOffsets):
            known = self.offsets()
            answers = tuple(known.get(json.dumps([message.connector, part])) for part in message.partitions)
            self.pool.answer(Offsets(message.request, answers))
        self.heard(message)

    def offsets(self) -> dict[str, Mapping[str, Any] | None]:
        """The committed source offsets by the JSON of their key."""
        found = {}
        for message in self.cluster.read(self.offsets_topic):
            key = json.dumps(json.loads(message.key()))
            found[key] = None if message.value() is None else json.loads(message.value())
        return found

    def start(self, config: Mapping[str, str], number: int = 0, *, paused: bool = False) -> TaskId:
        """Start a task and wait until it runs (or is paused)."""
        id = self.start_unheard(config, number, paused=paused)
        self.heard.state(id, "PAUSED" if paused else "RUNNING")
        return id

    def start_unheard(self, config: Mapping[str, str], number: int = 0, *, paused: bool = False) -> TaskId:
        id = TaskId(config["name"], number)
        self.heard.forget()
        self.pool.start_task(StartTask(id, dict(config), dict(config), paused, 1))
        return id

    def stop(self, id: TaskId, deadline_ms: int = 10_000) -> StateChanged:
        self.pool.stop_task(id, deadline_ms)
        return self.heard.state(id, "UNASSIGNED", deadline_ms / 1000 + 5)


def eventually(look: Any, wanted: Any, timeout_s: float = 20) -> None:
    """Wait until `look()` gives `wanted`; the assertion shows the difference at the deadline."""
    deadline = time.monotonic() + timeout_s
    while look() != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    assert look() == wanted
