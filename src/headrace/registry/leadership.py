"""Which registry writes: the one that a consumer group has given the topic's only partition.

Two registries that both wrote would give one id to two schemas. The group's members are told apart by a static id (host
and port), so a registry that is killed and started again has the partition back at once; another one gets it when the
first has been away for longer than the session timeout. A group of Java's registries is of another protocol, which the
broker does not mix: beside them this registry never writes.

Thread rule: one thread polls; `state` and `wait` may be called by any.
"""

import enum
import logging
import threading
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, TopicPartition

log = logging.getLogger(__name__)

SESSION_TIMEOUT_MS: Final = 10_000
POLL_S: Final = 0.5


class Leader(enum.Enum):
    """Whether this registry writes."""

    UNKNOWN = "not yet known"
    SELF = "this one"
    OTHER = "another one"


class Leadership:
    """A membership in the group. `start` once, `stop` once."""

    def __init__(self, client: Mapping[str, Any], group: str, instance: str, topic: str) -> None:
        self._settings = {
            **client,
            "group.id": group,
            "group.instance.id": instance,
            "session.timeout.ms": SESSION_TIMEOUT_MS,
            "heartbeat.interval.ms": SESSION_TIMEOUT_MS // 5,
            # Who has the partition keeps it when another registry joins.
            "partition.assignment.strategy": "cooperative-sticky",
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            "logger": log,
        }
        self._topic = topic
        self._changed = threading.Condition()
        self._leader = Leader.UNKNOWN
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="leadership", daemon=True)
        self._thread.start()

    def stop(self, deadline_s: float) -> None:
        """Leave the group, at the latest at the deadline (invariant 6)."""
        with self._changed:
            self._stopping.set()
            self._leader = Leader.OTHER
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(deadline_s)

    def wait(self, deadline_s: float) -> Leader:
        """Who writes; waits for a first answer of the group."""
        with self._changed:
            self._changed.wait_for(lambda: self._leader is not Leader.UNKNOWN, deadline_s)
            return self._leader

    def _run(self) -> None:
        consumer = Consumer({**self._settings})
        consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        while not self._stopping.is_set():
            message = consumer.poll(POLL_S)
            error = message.error() if message is not None else None
            if error is not None:
                self._failed(error)
                if error.fatal():
                    break
        consumer.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Nothing is read by this consumer: the partition is a token.
        consumer.incremental_assign(partitions)
        if partitions:
            consumer.pause(partitions)
        # What is assigned is what is new: the partition that was kept is not among it.
        self._set(Leader.SELF if consumer.assignment() else Leader.OTHER)

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        if partitions:
            self._set(Leader.UNKNOWN)

    def _failed(self, error: KafkaError) -> None:
        if error.fatal() or error.code() == KafkaError.INCONSISTENT_GROUP_PROTOCOL:
            self._set(Leader.OTHER)
        log.warning("The group of the registries: %s", error.str())

    def _set(self, leader: Leader) -> None:
        with self._changed:
            if leader is self._leader or self._stopping.is_set():
                return
            log.info("The registry that writes is %s", leader.value)
            self._leader = leader
            self._changed.notify_all()
