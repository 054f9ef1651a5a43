"""confluent-kafka consumers that a test drives together, and one in a process of its own that can be killed."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

SESSION_MS = 6_000

_KILLABLE = """
import sys
from confluent_kafka import Consumer
bootstrap, group, topic, session_ms = sys.argv[1:]
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "session.timeout.ms": session_ms,
                     "heartbeat.interval.ms": 500, "auto.offset.reset": "earliest"})
consumer.subscribe([topic], on_assign=lambda _, parts: print(len(parts), flush=True))
while True:
    consumer.poll(0.1)
"""


def create_topic(bootstrap: str, name: str, partitions: int) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([NewTopic(name, partitions, 1)]).values():
        future.result(20)


def produce(bootstrap: str, topic: str, values: Sequence[str], partition: int | None = None) -> None:
    """Produce and wait for every acknowledgement."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    where: dict[str, int] = {} if partition is None else {"partition": partition}
    for value in values:
        producer.produce(topic, value.encode(), **where)
    assert producer.flush(20) == 0


def consumer(bootstrap: str, group: str, **settings: Any) -> Consumer:
    """A consumer that commits only when it is told to; setting names have underscores for dots."""
    named = {name.replace("_", "."): value for name, value in settings.items()}
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": SESSION_MS,
            "heartbeat.interval.ms": 500,
            **named,
        }
    )


def drive(
    consumers: Sequence[Consumer], done: Callable[[list[Message]], bool], deadline_s: float = 30
) -> list[Message]:
    """Poll all of them until `done(messages so far)`; gives the messages."""
    messages: list[Message] = []
    deadline = time.monotonic() + deadline_s
    while not done(messages):
        assert time.monotonic() < deadline, f"not done after {deadline_s} s; {len(messages)} messages came"
        for one in consumers:
            messages += [message for message in one.consume(500, 0.02) if message.error() is None]
    return messages


def shares(consumers: Sequence[Consumer]) -> list[int]:
    """How many partitions each has, the largest first."""
    return sorted((len(one.assignment()) for one in consumers), reverse=True)


@contextmanager
def killable_consumer(bootstrap: str, group: str, topic: str) -> Iterator["subprocess.Popen[str]"]:
    """A consumer in a process of its own; it prints how many partitions it is given."""
    command = [sys.executable, "-c", _KILLABLE, bootstrap, group, topic, str(SESSION_MS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
