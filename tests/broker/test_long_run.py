"""What the broker does by itself over time, and for peers that are slow: real processes, short intervals."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.contract.broker_process import BrokerProcess, broker_process
from tests.contract.data_client import batch, create_topic, fetch, fetch_request, list_offset, now_ms, produce
from tests.contract.wire_client import WireClient

MB = 1 << 20
WITHIN_S = 30


def _await(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_retention_lets_go_of_old_segments_and_tells_where_the_log_begins(tmp_path: Path) -> None:
    settings = {"log.retention.check.interval.ms": "100", "log.segment.delete.delay.ms": "100"}
    with broker_process(tmp_path, settings) as broker, WireClient(broker.bootstrap) as wire:
        create_topic(wire, "t", configs={"segment.bytes": str(MB), "retention.ms": "3600000"})
        old = now_ms() - 7_200_000
        for timestamp in (old, old, now_ms()):
            assert produce(wire, "t", batch(b"v" * 700_000, timestamps=[timestamp])).error_code == 0
        _await(lambda: list_offset(wire, "t", -2).offset == 2, "the first two segments go")
        assert fetch(wire, "t", 0).error_code == 1
        assert fetch(wire, "t", 2).error_code == 0
        directory = tmp_path / "data" / "t-0"
        _await(lambda: len(list(directory.glob("*.deleted"))) == 0, "their files go")
        assert len(list(directory.glob("*.log"))) == 1
        broker.kill()
        broker.start()
    with broker_process(tmp_path, settings) as broker, WireClient(broker.bootstrap) as wire:
        assert (list_offset(wire, "t", -2).offset, list_offset(wire, "t", -1).offset) == (2, 3)


def test_a_compacted_topic_shrinks_while_it_is_written_and_read(tmp_path: Path) -> None:
    settings = {"log.cleaner.backoff.ms": "50", "log.segment.delete.delay.ms": "100"}
    with broker_process(tmp_path, settings) as broker:
        with WireClient(broker.bootstrap) as wire:
            create_topic(wire, "t", configs={"segment.bytes": str(MB), "cleanup.policy": "compact"})
        producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 5, "batch.size": 100_000})
        consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "g", "check.crcs": True})
        consumer.assign([TopicPartition("t", 0, 0)])
        seen: dict[bytes, bytes] = {}
        for number in range(20_000):
            producer.produce("t", b"%06d" % number + b"v" * 400, key=b"key %d" % (number % 100))
            if number % 2000 == 0:
                producer.flush(10)
                for message in consumer.consume(500, 0.1):
                    assert message.error() is None
        producer.flush(10)
        log = tmp_path / "data" / "t-0"
        _await(lambda: sum(path.stat().st_size for path in log.glob("*.log")) < 3 * MB, "the log shrinks")
        consumer.seek(TopicPartition("t", 0, 0))
        offsets = []
        while not offsets or offsets[-1] < 19_999:
            for message in consumer.consume(1000, 5):
                assert message.error() is None
                offsets.append(message.offset())
                seen[message.key()] = message.value()[:6]
        consumer.close()
        assert "Traceback" not in broker.log and "Cannot" not in broker.log
    assert seen == {b"key %d" % at: b"%06d" % (19_900 + at) for at in range(100)}
    assert sorted(offsets) == offsets


@pytest.fixture
def full_topic(tmp_path: Path) -> Any:
    """A broker with 8 MB in one topic."""
    with broker_process(tmp_path) as broker:
        with WireClient(broker.bootstrap) as wire:
            create_topic(wire, "t")
            for _ in range(8):
                produce(wire, "t", batch(b"v" * 1_000_000))
        yield broker


def _resident_mb(broker: BrokerProcess) -> float:
    assert broker._process is not None
    return float(psutil.Process(broker._process.pid).memory_info().rss / MB)


def test_a_reader_that_does_not_read_costs_no_memory_and_gets_all_in_the_end(full_topic: BrokerProcess) -> None:
    requests = 200
    with WireClient(full_topic.bootstrap) as wire, WireClient(full_topic.bootstrap) as other:
        before = _resident_mb(full_topic)
        for _ in range(requests):
            wire.post(fetch_request("t", 0, max_bytes=4 * MB, partition_max_bytes=4 * MB), 12)
        assert fetch(other, "t", 7).error_code == 0  # others are served meanwhile
        assert _resident_mb(full_topic) < before + 60
        sizes = {len(wire.receive().responses[0].partitions[0].records) for _ in range(requests)}
    assert sizes == {4 * MB}


def test_many_idle_readers_cost_little_memory(full_topic: BrokerProcess) -> None:
    before = _resident_mb(full_topic)
    clients = [WireClient(full_topic.bootstrap) for _ in range(200)]
    for client in clients:
        client.post(fetch_request("t", 8, max_wait_ms=20_000), 12)
    with WireClient(full_topic.bootstrap) as wire:
        assert _resident_mb(full_topic) < before + 20
        produce(wire, "t", batch(b"for all"))
    assert all(client.receive().responses[0].partitions[0].high_watermark == 9 for client in clients)
    for client in clients:
        client.close()
