"""LetterProducer: dead letters into Kafka by librdkafka, made when the first one comes; and the topic, made at start.

Thread rule: any thread sends; `done` is called by the producer's polling thread, or at once where a letter is refused.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from headrace.connect.api import ConnectError
from headrace.connect.runtime.host.dead_letters import Done, Letter
from headrace.connect.runtime.host.producers import KafkaProducer
from headrace.connect.runtime.host.stopped import Stopped
from headrace.connect.runtime.host.topic_admin import TopicAdmin
from headrace.connect.runtime.topic_creation import NewTopicSettings

log = logging.getLogger(__name__)


class LetterProducer:
    """The Letterbox of one task. `make` gives its producer, `stopped` says whether the task is to stop."""

    def __init__(self, topic: str, make: Callable[[], KafkaProducer], stopped: Callable[[], bool]) -> None:
        self._topic = topic
        self._make = make
        self._stopped = stopped
        self._lock = threading.Lock()
        self._producer: KafkaProducer | None = None

    def send(self, letter: Letter, done: Done) -> None:
        """Queue a letter, waiting for room. Raises Stopped."""
        producer = self._made()
        size = len(letter.key or b"") + len(letter.value or b"")
        producer.room.take(size, 1, self._check)

        def delivered(error: KafkaError | None, message: object) -> None:
            producer.room.give(size, 1)
            done(_why(producer.fatal or error))

        try:
            producer.rdkafka.produce(self._topic, letter.value, letter.key, on_delivery=delivered, **_options(letter))
        except (KafkaException, BufferError) as error:
            delivered(error.args[0], None)

    def _made(self) -> KafkaProducer:
        with self._lock:
            if self._producer is None:
                self._producer = self._make()
            return self._producer

    def _check(self) -> None:
        if self._stopped():
            raise Stopped


def _options(letter: Letter) -> dict[str, Any]:
    options: dict[str, Any] = {"headers": letter.headers} if letter.headers else {}
    return options | ({"timestamp": letter.timestamp} if letter.timestamp > 0 else {})


def _why(error: KafkaError | None) -> str:
    if error is None:
        return ""
    text = str(error.str())
    if "essage size too large" in text:
        return f"{text}. Raise max.message.bytes of the topic and producer.override.max.request.size"
    return text


def make_letter_topic(admin: TopicAdmin, topic: str, replication_factor: int) -> None:
    """Create the dead letter topic where it is missing. Raises ConnectError that says what to set."""
    try:
        if not admin.exists(topic) and admin.create_topic(topic, NewTopicSettings("", 1, replication_factor)):
            log.info("Created the dead letter queue %s with replication factor %d", topic, replication_factor)
    except ConnectError as error:
        raise ConnectError(f"Could not initialize dead letter queue with topic={topic}: {error}") from error
