"""The sink's consumer in rebalances: what is read while partitions come and go is delivered once."""

import threading
from collections import Counter
from collections.abc import Sequence

from confluent_kafka import Producer

from headrace.connect.api import TopicPartition
from headrace.connect.runtime.host.consumer import SinkConsumer
from tests.connect.runtime.pipeline import Cluster
from tests.supervisor.processes import wait_until


class Member(threading.Thread):
    """A member of the group that notes what it was given, and commits it when its partitions are taken."""

    def __init__(self, cluster: Cluster, topic: str, delivered: Counter[int]) -> None:
        super().__init__()
        settings = {"bootstrap.servers": cluster.bootstrap, "heartbeat.interval.ms": "50"}
        self.consumer = SinkConsumer(settings, f"group-of-{topic}", self)
        self.delivered, self.topic, self.stopping = delivered, topic, threading.Event()
        self.joined, self.positions = threading.Event(), dict[TopicPartition, int]()

    def run(self) -> None:
        self.consumer.subscribe([self.topic], "")
        while not self.stopping.is_set():
            for consumed in self.consumer.gather(0.2):
                self.delivered.update(consumed.offset.tolist())
                self.positions |= consumed.positions()
        self.consumer.close()

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.joined.set()

    def revoked(self, partitions: Sequence[TopicPartition], *, lost: bool) -> None:
        self.consumer.commit_in_rebalance({tp: self.positions.pop(tp) for tp in partitions if tp in self.positions})

    def leave(self) -> None:
        self.stopping.set()
        self.join(20)


def test_records_read_while_members_come_and_go_are_delivered_once(cluster: Cluster) -> None:
    """Fails where what was read after a partition came back is taken for what was read before it went."""
    topic, delivered, done = cluster.create(), Counter[int](), threading.Event()
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "linger.ms": 0})
    written = 0

    def write() -> None:
        nonlocal written
        while not done.wait(0.01):
            producer.produce(topic, b"x")
            producer.poll(0)
            written += 1
        assert producer.flush(20) == 0

    writer = threading.Thread(target=write)
    stays = Member(cluster, topic, delivered)
    stays.start()
    writer.start()
    try:
        for _ in range(8):
            guest = Member(cluster, topic, delivered)
            guest.start()
            assert guest.joined.wait(20)
            guest.leave()
        done.set()
        writer.join(20)
        assert wait_until(lambda: len(delivered) >= written, 20), (len(delivered), written)
    finally:
        done.set()
        stays.leave()
    assert delivered == dict.fromkeys(range(written), 1)
