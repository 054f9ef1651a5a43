"""Producers of a task host, shared by the source tasks whose client settings are equal.

Thread rule: a thread of each producer polls it, so delivery reports and errors come without a task's help; tasks call
`produce_batch` and `produce` from their own threads, which librdkafka allows.
Every producer loses and reorders nothing: with `enable.gapless.guarantee` a gap is fatal, so that the last
acknowledgement of a partition covers those before it, and `delivery.timeout.ms=0` leaves the deadline to the task.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from confluent_kafka import KafkaError, KafkaException, Producer

from headrace.connect.api import ConnectError
from headrace.connect.runtime.host.room import Room
from headrace.connect.runtime.host.topic_admin import TopicAdmin, make_client
from headrace.kafka_client.settings import translate

log = logging.getLogger(__name__)

DEFAULTS: Final = {
    # Short enough for five rows a second, long enough to fill a batch at two hundred thousand.
    "linger.ms": 5,
    # A row of JSON repeats its schema: a tenth of the bytes, and of what every hop of them costs.
    "compression.type": "lz4",
    "queue.buffering.max.kbytes": 65_536,
    "statistics.interval.ms": 0,
}
GUARANTEES: Final = {
    "enable.idempotence": True,
    "enable.gapless.guarantee": True,
    "delivery.timeout.ms": 0,
    "partitioner": "murmur2_random",  # Java's; librdkafka's own would put keys elsewhere
    "queue.buffering.max.messages": 0,  # none: `Room` bounds what is queued, and says why
    "queue.buffering.max.kbytes": 2**31 - 1,
}
MAX_QUEUED_MESSAGES: Final = 200_000
POLL_S: Final = 0.2
PARTITIONS_AGE_S: Final = 60.0
METADATA_S: Final = 10.0

Delivered = Callable[[KafkaError | None, Any], None]


class KafkaProducer:
    """One librdkafka producer, its polling thread, and what is known of the topics it writes."""

    def __init__(self, java_settings: Mapping[str, str]) -> None:
        """Raises ConfigError where a setting cannot be used."""
        self.fatal: KafkaError | None = None
        self.bootstrap = java_settings.get("bootstrap.servers", "")
        settings: dict[str, Any] = DEFAULTS | translate("producer", java_settings)
        self.room = Room(int(settings["queue.buffering.max.kbytes"]) * 1024, MAX_QUEUED_MESSAGES)
        self.rdkafka = make_client(Producer, {**settings, **GUARANTEES, "error_cb": self._on_error}, "producer")
        self.topics = TopicAdmin(java_settings)
        self._partitions: dict[str, tuple[int, float]] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="producer-poll", daemon=True)
        self._thread.start()

    @property
    def is_spoiled(self) -> bool:
        """Whether it has ended: not for new tasks."""
        return self.fatal is not None

    def _poll(self) -> None:
        while not self._closed.is_set():
            try:
                self.rdkafka.poll(POLL_S)
            except KafkaException as error:  # a fatal error, in every call from then on
                if self.fatal is None:
                    self._on_error(error.args[0])
                self._closed.wait(POLL_S)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self.fatal = error
            log.error("The producer to %s has ended: %s", self.bootstrap, error.str())
        else:
            log.warning("The producer to %s goes on after: %s", self.bootstrap, error.str())

    def partitions(self, topic: str) -> int | None:
        """How many partitions a topic has, looked up once a minute; None where it is not known yet."""
        count, until = self._partitions.get(topic, (None, 0.0))
        if time.monotonic() < until:
            return count
        found = self._look_up(topic)
        if found is not None:
            self._partitions[topic] = (found, time.monotonic() + PARTITIONS_AGE_S)
        return found or count

    def _look_up(self, topic: str) -> int | None:
        try:
            metadata = self.rdkafka.list_topics(topic, timeout=METADATA_S).topics.get(topic)
        except KafkaException as error:
            log.warning("No metadata of topic %s from %s: %s", topic, self.bootstrap, error.args[0].str())
            return None
        return len(metadata.partitions) or None if metadata is not None and metadata.error is None else None

    def close(self) -> None:
        """Stop polling; what is queued is dropped. Tasks have waited for theirs before."""
        self._closed.set()
        self._thread.join(POLL_S * 5)
        self.rdkafka.purge()


class Shared(Protocol):
    """A producer that tasks share."""

    @property
    def is_spoiled(self) -> bool: ...
    def close(self) -> None: ...


Producers = TypeVar("Producers", bound=Shared)


@dataclass(slots=True)
class _Lease:
    """A producer, what it was made of, and how many use it."""

    made_of: tuple[Any, ...]
    producer: Any
    users: int = 0


class ProducerRegistry:
    """The producers of a host, one for each kind and set of client settings, kept while tasks use it.

    One that is spoiled is kept for those who use it, and new tasks get another.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leases: list[_Lease] = []

    def lease(self, kind: Callable[[Mapping[str, str]], Producers], java_settings: Mapping[str, str]) -> Producers:
        """A producer that `kind` makes of these settings; give it back with `release`."""
        made_of = (kind, *sorted(java_settings.items()))
        with self._lock:
            known = (each for each in self._leases if each.made_of == made_of and not each.producer.is_spoiled)
            lease = next(known, None)
            if lease is None:
                lease = _Lease(made_of, kind(java_settings))
                self._leases.append(lease)
            lease.users += 1
            return lease.producer  # type: ignore[no-any-return]

    def release(self, producer: Shared) -> None:
        """The last user's release closes it."""
        with self._lock:
            lease = next((each for each in self._leases if each.producer is producer), None)
            if lease is None:
                return
            lease.users -= 1
            if lease.users:
                return
            self._leases.remove(lease)
        producer.close()


def failure(error: KafkaError, topic: str, bootstrap: str) -> ConnectError:
    """What a failed delivery, or a producer's fatal error, means to a person."""
    return failure_of(error.str(), topic, bootstrap)


def failure_of(text: str, topic: str, bootstrap: str) -> ConnectError:
    """The same of a failure in librdkafka's words."""
    advice = next((advice for words, advice in _ADVICE if words in text), "")
    return ConnectError(f"Records for topic {topic} were not written to {bootstrap}: {text}{advice}")


_ADVICE: Final = (
    (
        "nknown topic",
        (
            ". The topic does not exist and the broker creates none: create it, or set "
            "topic.creation.default.partitions and topic.creation.default.replication.factor in the connector"
        ),
    ),
    (
        "essage size too large",
        ". Raise producer.override.max.request.size in the connector and max.message.bytes of the topic",
    ),
    ("authorization failed", ". Grant WRITE on it to the worker's user"),
)
"""By librdkafka's words: a fatal error names its cause in its text alone."""
