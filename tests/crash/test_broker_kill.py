"""kill -9 of the broker in mid-stream: every acknowledged record is readable, once, in its order (invariant 1).

The mutation that makes this fail: in `PartitionLog._write`, keep batches in a Python list and write them later
(or leave out `Producers.update` in recovery, and a retry after the kill is appended twice).
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from tests.contract.broker_process import BrokerProcess, broker_process

KILLS = 4


def _producer(bootstrap: str) -> Producer:
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "linger.ms": 2,
            "reconnect.backoff.max.ms": 100,
            "retry.backoff.ms": 20,
            "log_level": 0,
        }
    )


class _Writer(threading.Thread):
    """Produces numbers as fast as they are acknowledged, until told to stop; `acknowledged` are their offsets."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: dict[int, int] = {}
        self.failed: list[KafkaError] = []
        self._producer = _producer(bootstrap)
        self._topic = topic
        self._stop_asked = threading.Event()

    def run(self) -> None:
        number = 0
        while not self._stop_asked.is_set():
            try:
                self._producer.produce(self._topic, str(number).encode(), partition=0, on_delivery=self._note(number))
                number += 1
            except BufferError:
                self._producer.poll(0.05)
            if number % 100 == 0:
                self._producer.poll(0)
                time.sleep(0.001)
        self._producer.flush(30)

    def stop(self) -> None:
        self._stop_asked.set()
        self.join(40)

    def _note(self, number: int) -> Callable[[KafkaError | None, Message], None]:
        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self.acknowledged[number] = message.offset()
            else:
                self.failed.append(error)

        return delivered


def _read_all(broker: BrokerProcess, topic: str) -> list[tuple[int, int]]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "reader", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for message in consumer.consume(10_000, 1.0):
            if message.error() is not None:
                assert message.error().code() == KafkaError._PARTITION_EOF
                consumer.close()
                return found
            found.append((message.offset(), int(message.value())))
    raise AssertionError("the end of the partition was not reached")


def _await_progress(writer: _Writer, more: int) -> None:
    target, deadline = len(writer.acknowledged) + more, time.monotonic() + 30
    while len(writer.acknowledged) < target:
        assert time.monotonic() < deadline, f"no progress at {len(writer.acknowledged)}"
        time.sleep(0.01)


@pytest.mark.crash
def test_every_acknowledged_record_survives_kill_9_once_and_in_order(tmp_path: Path) -> None:
    with broker_process(tmp_path, {"log.segment.bytes": "1048576"}) as broker:
        writer = _Writer(broker.bootstrap, "stream")
        writer.start()
        for _ in range(KILLS):
            _await_progress(writer, 3000)
            broker.kill()
            broker.start()
        _await_progress(writer, 3000)
        writer.stop()
        assert writer.failed == []
        found = _read_all(broker, "stream")
    by_offset = dict(found)
    assert all(by_offset[offset] == number for number, offset in writer.acknowledged.items())
    assert [number for _, number in found] == sorted({number for _, number in found})
    assert len(writer.acknowledged) == len(found)
