"""KafkaBasedLog: compacted topics that are read from their beginning and then followed, and written to.

Thread rule: one thread reads, and keeps what came until the owner of the state takes it (`take`); `wake` tells the
owner that there is something. Every other method is called by the owner.
As Java's it writes with acks=all, one request at a time and no idempotence: nothing is reordered, nothing is fatal, and
a record written twice folds to the same. Keys go to partitions by Java's murmur2.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from headrace.config import ConfigError

log = logging.getLogger(__name__)

REQUEST_S: Final = 30.0
"""How long a write and its reading back may take, as in Java (READ_WRITE_TOTAL_TIMEOUT_MS)."""
WAITING_S: Final = 3.0
FOLLOW_S: Final = 0.5


class LogError(Exception):
    """The topics could not be read or written in time; the text says which, and why."""


class LogTimeout(LogError):
    """It took too long."""


class RecordTooLarge(LogError):
    """A record is larger than the brokers, or librdkafka's `message.max.bytes`, take."""


@dataclass(frozen=True, slots=True)
class InternalTopic:
    """One topic of the log; `key` is the start of its configuration keys, such as `config.storage`."""

    name: str
    key: str
    partitions: int
    replication_factor: int
    settings: Mapping[str, str]
    replication_key: str = ""
    """The configuration key of the replication factor, where it is not `key` with that name behind it."""
    at_most_brokers: bool = False
    """Whether fewer brokers than the replication factor will do, for as many copies."""

    @property
    def configuration(self) -> dict[str, str]:
        return {"cleanup.policy": "compact", **self.settings}


class LogRecord(NamedTuple):
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


Position = tuple[str, int]
Record = tuple[bytes, bytes | None]
"""A key and a value to be written; no value is a tombstone."""


def wait_for_broker(admin: AdminClient, servers: str, stopping: threading.Event) -> tuple[str, int] | None:
    """The id of the cluster and how many brokers it has, once one answers; says that it waits. None at a stop."""
    while not stopping.is_set():
        try:
            found = admin.list_topics(timeout=WAITING_S)
            return found.cluster_id or "", len(found.brokers)
        except KafkaException as error:
            log.warning("Waiting for a broker at %s: %s", servers, error.args[0].str())
            stopping.wait(WAITING_S)
    return None


class KafkaBasedLog:
    """Some compacted topics. `open` once, `close` once."""

    def __init__(
        self,
        topics: Sequence[InternalTopic],
        client: Mapping[str, Any],
        wake: Callable[[], None],
        message_timeout_ms: int = 0,
    ) -> None:
        """`client` are librdkafka's settings: where the brokers are, and how to be let in.

        A record that is not written within `message_timeout_ms` is given up (0: never).
        """
        self.topics = {topic.name: topic for topic in topics}
        self.cluster_id = ""
        self._client = {**client, "logger": log}
        self._wake = wake
        self._message_timeout_ms = message_timeout_ms
        self._brokers = 0
        self._admin = AdminClient({**self._client})
        self._stopping = threading.Event()
        self._interrupted = threading.Event()
        self._changed = threading.Condition()
        self._taken_by_owner: list[LogRecord] = []
        self._positions: dict[Position, int] = {}
        self._thread: threading.Thread | None = None

    def wait_for_broker(self, stopping: threading.Event) -> bool:
        """Wait until a broker answers, saying so each few seconds; false where the stop came first."""
        found = wait_for_broker(self._admin, self._client["bootstrap.servers"], stopping)
        if found is not None:
            self.cluster_id, self._brokers = found
        return found is not None

    def open(self) -> None:
        """Make the topics that are missing and start reading. Raises ConfigError where the brokers refuse one."""
        self._create_missing()
        self._check_policies()
        self._positions = self._offsets(self._partitions(), OffsetSpec.earliest(), time.monotonic() + REQUEST_S)
        self._producer = Producer(
            {
                **self._client,
                "acks": "all",
                "enable.idempotence": False,
                "max.in.flight": 1,
                "message.timeout.ms": self._message_timeout_ms,
                "linger.ms": 0,
                "partitioner": "murmur2_random",
            }
        )
        self._consumer = Consumer(
            {
                **self._client,
                "group.id": "unused, for no group is joined and no offset is committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 100,
            }
        )
        # Offsets, not OFFSET_BEGINNING, which takes librdkafka a second to look up.
        self._consumer.assign([TopicPartition(*at, offset) for at, offset in self._positions.items()])
        self._thread = threading.Thread(target=self._follow, name="internal-topics", daemon=True)
        self._thread.start()

    def interrupt(self) -> None:
        """End every wait for the brokers with a LogError, now and from now on; called by any thread."""
        self._interrupted.set()
        with self._changed:
            self._changed.notify_all()

    def close(self, deadline_s: float) -> None:
        """Write what is still to be written and stop reading, at the latest at the deadline (invariant 6)."""
        if self._thread is not None:
            left = self._producer.flush(deadline_s)
            if left:
                log.error("%d records of %s could not be written before the end", left, ", ".join(self.topics))
            self._stopping.set()
            self._thread.join(2 * FOLLOW_S)
            self._consumer.close()

    # Reading.

    def take(self) -> list[LogRecord]:
        """The records that came since the last call, in the order of each partition."""
        with self._changed:
            records, self._taken_by_owner = self._taken_by_owner, []
        return records

    def read_to_end(self, topics: Collection[str], deadline_s: float = REQUEST_S) -> None:
        """Wait until all that the topics hold now has come. Raises LogError at the deadline."""
        deadline = time.monotonic() + deadline_s
        ends = self._offsets([at for at in self._positions if at[0] in topics], OffsetSpec.latest(), deadline)
        with self._changed:
            self._changed.wait_for(
                lambda: self._interrupted.is_set() or self._reached(ends), max(0.0, deadline - time.monotonic())
            )
            if not self._reached(ends):
                raise LogTimeout(f"{', '.join(topics)} could not be read to the end{self._why(deadline_s)}")

    def _reached(self, ends: Mapping[Position, int]) -> bool:
        return all(self._positions.get(at, 0) >= end for at, end in ends.items())

    def _why(self, deadline_s: float) -> str:
        return ": the worker stops" if self._interrupted.is_set() else f" within {deadline_s:g} s"

    def _offsets(self, partitions: Iterable[Position], which: OffsetSpec, deadline: float) -> dict[Position, int]:
        wanted = {TopicPartition(*at): which for at in partitions}
        while True:
            left = min(5.0, max(0.1, deadline - time.monotonic()))
            try:
                found = self._admin.list_offsets(
                    wanted, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=left
                )
                return {(at.topic, at.partition): answer.result().offset for at, answer in found.items()}
            except KafkaException as error:
                if time.monotonic() > deadline or self._interrupted.is_set():
                    raise LogTimeout(
                        f"The offsets of {', '.join(self.topics)} are not known: {error.args[0]}"
                    ) from error
                time.sleep(0.2)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            first = self._consumer.poll(FOLLOW_S)
            self._producer.poll(0)
            if first is not None:
                self._note([first, *self._consumer.consume(1000, timeout=0)])

    def _note(self, messages: Iterable[Message]) -> None:
        records: list[LogRecord] = []
        with self._changed:
            for message in messages:
                error = message.error()
                if error is None:
                    at = (message.topic(), message.partition())
                    records.append(LogRecord(*at, message.offset(), message.key(), message.value()))
                    self._positions[at] = message.offset() + 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    self._positions[message.topic(), message.partition()] = message.offset()
                else:
                    log.warning("Reading %s: %s", ", ".join(self.topics), error.str())
            self._taken_by_owner += records
            self._changed.notify_all()
        if records:
            self._wake()

    # Writing.

    def send(self, topic: str, record: Record) -> None:
        """Write a record some time soon; it is tried until it is written."""

        def report(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                log.error("Failed to write to %s: %s", topic, error.str())

        self._produce(topic, record, report)

    def write(self, topic: str, records: Sequence[Record], deadline_s: float = REQUEST_S) -> None:
        """Write records, in order, and wait until they are acknowledged. Raises LogError where they are not."""
        outcomes: list[KafkaError | None] = []
        for record in records:
            self._produce(topic, record, lambda error, _: outcomes.append(error))
        deadline = time.monotonic() + deadline_s
        while len(outcomes) < len(records) and time.monotonic() < deadline and not self._interrupted.is_set():
            self._producer.flush(0.2)
        failed = [error for error in outcomes if error is not None]
        if failed:
            raise _failure(topic, failed[0])
        if len(outcomes) < len(records):
            raise LogTimeout(
                f"Failed to write to {topic}{self._why(deadline_s)}; this may be due to a transient error and the "
                f"request can be safely retried"
            )

    def _produce(self, topic: str, record: Record, on_delivery: Callable[[KafkaError | None, Message], None]) -> None:
        key, value = record
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=on_delivery)
                return
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                raise _failure(topic, error.args[0]) from error

    # Topics.

    def _partitions(self) -> list[Position]:
        found: list[Position] = []
        for name in self.topics:
            described = self._admin.list_topics(name, timeout=REQUEST_S).topics[name]
            if described.error is not None:
                raise LogError(f"Topic {name} cannot be read: {described.error.str()}")
            found += [(name, number) for number in sorted(described.partitions)]
            wanted = self.topics[name]
            if wanted.partitions == 1 and len(described.partitions) > 1:
                raise ConfigError(
                    f"The topic {name} ({wanted.key}.topic) must have a single partition in order to guarantee "
                    f"consistency, but it has {len(described.partitions)}: give another topic"
                )
        return found

    def _check_policies(self) -> None:
        """Refuse a topic that forgets old records by age: a worker would lose what was configured long ago."""
        resources = {ConfigResource(ResourceType.TOPIC, name): topic for name, topic in self.topics.items()}
        for resource, answer in self._admin.describe_configs(list(resources), request_timeout=REQUEST_S).items():
            topic = resources[resource]
            try:
                policy = answer.result(REQUEST_S)["cleanup.policy"].value
            except (KafkaException, KeyError) as error:
                log.info("Whether the topic %s is compacted could not be seen: %s", topic.name, error)
                continue
            if policy != "compact":
                raise ConfigError(
                    f"The topic {topic.name} ({topic.key}.topic) has cleanup.policy={policy}, so what is in it would "
                    f"be lost in time: set cleanup.policy=compact on it, or give another topic"
                )

    def _create_missing(self) -> None:
        known = self._admin.list_topics(timeout=REQUEST_S).topics
        missing = [topic for topic in self.topics.values() if topic.name not in known]
        for topic in missing:
            self._create(topic)

    def _create(self, topic: InternalTopic) -> None:
        copies = topic.replication_factor
        if topic.at_most_brokers and copies > max(1, self._brokers):
            copies = max(1, self._brokers)
            log.warning("Topic %s gets %d copies, for there are no more brokers", topic.name, copies)
        new = NewTopic(
            topic.name,
            num_partitions=topic.partitions,
            replication_factor=copies,
            config=topic.configuration,
        )
        created: Future[None] = self._admin.create_topics([new], request_timeout=REQUEST_S)[topic.name]
        try:
            created.result(REQUEST_S)
            log.info("Created the compacted topic %s with %d partitions", topic.name, topic.partitions)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise _refusal(topic, error.args[0]) from error
        self._wait_until_known(topic.name)

    def _wait_until_known(self, name: str) -> None:
        """A new topic is known to its broker a moment after it was made."""
        deadline = time.monotonic() + REQUEST_S
        while time.monotonic() < deadline:
            described = self._admin.list_topics(name, timeout=REQUEST_S).topics[name]
            if described.error is None and described.partitions and _all_led(described.partitions.values()):
                return
            time.sleep(0.02)
        raise LogError(f"Topic {name} was made but has no leader after {REQUEST_S:g} s")


_FAILURES: Final = {
    KafkaError._MSG_TIMED_OUT: LogTimeout,
    KafkaError.MSG_SIZE_TOO_LARGE: RecordTooLarge,
}


def _failure(topic: str, error: KafkaError) -> LogError:
    kind = _FAILURES.get(error.code(), LogError)
    return kind(f"Failed to write to {topic}: {error.str()}")


def _all_led(partitions: Iterable[Any]) -> bool:
    return all(partition.leader >= 0 for partition in partitions)


def _refusal(topic: InternalTopic, error: KafkaError) -> ConfigError:
    text = f"The topic {topic.name} ({topic.key}.topic) could not be created: {error.str().rstrip('.')}"
    if error.code() in (KafkaError.INVALID_REPLICATION_FACTOR, KafkaError._INVALID_ARG):
        key = topic.replication_key or f"{topic.key}.replication.factor"
        text += f". {key} is {topic.replication_factor}: with fewer brokers than that, set {key} to 1 or -1"
    return ConfigError(text)
