"""Records a second through our broker and through Apache Kafka, by confluent-kafka, in the same run.

    HEADRACE_KAFKA_LIBS=build/kafka/libs python -m benchmarks.broker [--records 400000] [--rounds 3]

Prints a line for each case and ends with one JSON object: for each case the median ratio ours / Apache Kafka of records
produced and consumed a second, and the CPU seconds of each broker for a million records both ways.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from confluent_kafka import Consumer, Producer, TopicPartition

sys.path.insert(0, str(Path(__file__).parent.parent))

_CASES: Final = (
    ("1 partition, 100 B", 1, 100, "none"),
    ("1 partition, 1 kB", 1, 1000, "none"),
    ("1 partition, 1 kB, lz4", 1, 1000, "lz4"),
    ("4 partitions, 100 B", 4, 100, "none"),
)
_CHUNK: Final = 10_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Records a second, and the broker's CPU seconds for all of them."""

    produced: float
    consumed: float
    cpu_s: float


@contextmanager
def _brokers(directory: Path) -> Iterator[dict[str, tuple[str, int]]]:
    """(bootstrap, pid) of ours and of Apache Kafka, both running."""
    from tests.contract.broker_process import broker_process
    from tests.kafka.cluster import kafka_node

    with broker_process(directory / "ours") as ours, kafka_node(directory / "kafka") as kafka:
        yield {
            "ours": (ours.bootstrap, _pid(ours)),
            "kafka": (kafka.bootstrap, _pid(kafka)),
        }


def _pid(server: Any) -> int:
    return int(server._process.pid)


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _produce(bootstrap: str, topic: str, records: int, size: int, codec: str) -> float:
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 20,
            "batch.size": 1_000_000,
            "compression.type": codec,
            "enable.idempotence": True,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    producer.list_topics(topic, 10)
    value = os.urandom(size // 2) + bytes(size - size // 2)
    begin = time.monotonic()
    left = records
    while left:
        messages: list[Any] = [{"value": value}] * min(left, _CHUNK)
        queued = producer.produce_batch(topic, messages)
        left -= queued
        if queued < len(messages):
            producer.poll(0.01)
    producer.flush(120)
    return records / (time.monotonic() - begin)


def _consume(bootstrap: str, topic: str, partitions: int, records: int) -> float:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "benchmark",
            "queued.min.messages": 1_000_000,
            "fetch.queue.backoff.ms": 1,
            "enable.auto.commit": False,
        }
    )
    consumer.assign([TopicPartition(topic, index, 0) for index in range(partitions)])
    begin, seen = time.monotonic(), 0
    while seen < records:
        seen += len(consumer.consume(_CHUNK, 1.0))
    rate = records / (time.monotonic() - begin)
    consumer.close()
    return rate


def _measure(bootstrap: str, pid: int, topic: str, records: int, case: tuple[str, int, int, str]) -> Figures:
    from confluent_kafka.admin import AdminClient, NewTopic

    _, partitions, size, codec = case
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(30)
    before = _cpu_s(pid)
    produced = _produce(bootstrap, topic, records, size, codec)
    consumed = _consume(bootstrap, topic, partitions, records)
    figures = Figures(produced, consumed, (_cpu_s(pid) - before) * 1e6 / records)
    admin.delete_topics([topic])[topic].result(30)
    return figures


def _run(records: int, rounds: int) -> dict[str, dict[str, float]]:
    result = {}
    with tempfile.TemporaryDirectory() as directory, _brokers(Path(directory)) as brokers:
        for kind, (bootstrap, pid) in brokers.items():
            _measure(bootstrap, pid, f"warm-{kind}", records, _CASES[0])
        for at, case in enumerate(_CASES):
            figures: dict[str, list[Figures]] = {"ours": [], "kafka": []}
            for turn in range(rounds):
                for kind, (bootstrap, pid) in brokers.items():
                    figures[kind].append(_measure(bootstrap, pid, f"case-{at}-{turn}", records, case))
            result[case[0]] = _ratios(case[0], figures)
    return result


def _ratios(name: str, figures: dict[str, list[Figures]]) -> dict[str, float]:
    ours, kafka = figures["ours"], figures["kafka"]
    medians = {
        "produced_per_s": statistics.median(figure.produced for figure in ours),
        "consumed_per_s": statistics.median(figure.consumed for figure in ours),
        "produce": statistics.median(a.produced / b.produced for a, b in zip(ours, kafka, strict=True)),
        "consume": statistics.median(a.consumed / b.consumed for a, b in zip(ours, kafka, strict=True)),
        "cpu_s": statistics.median(figure.cpu_s for figure in ours),
        "kafka_cpu_s": statistics.median(figure.cpu_s for figure in kafka),
    }
    print(
        f"{name:24} produce {medians['produced_per_s']:9.0f}/s ({medians['produce']:.2f} of Apache Kafka)  consume "
        f"{medians['consumed_per_s']:9.0f}/s ({medians['consume']:.2f})  broker CPU s a million {medians['cpu_s']:.2f} "
        f"(Apache Kafka {medians['kafka_cpu_s']:.2f})",
        flush=True,
    )
    return {key: round(value, 3) for key, value in medians.items()}


def main() -> None:
    """Run, print, and end with the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(json.dumps(_run(options.records, options.rounds)))


if __name__ == "__main__":
    main()
