"""SinkConsumer: a sink task's consumer in the group `connect-NAME`.

librdkafka keeps the membership and commits offsets. Records are read as columns by a `Fetcher` of ours, an object a
record being what a sink's time would else go into; librdkafka's partitions are paused meanwhile. Where the settings are
beyond our own connection (`not_expressible`), librdkafka reads too.

Thread rule: the task's thread calls everything but `cut_off`, and rebalances are told in it, from within `gather` and
`close`. Another thread may only cut it off: the flag makes every later call raise, so that nothing is committed.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as RdPartition

from headrace.config import ConfigError
from headrace.connect.api import ConnectError, TopicPartition
from headrace.connect.client.fetcher import Fetcher, FetchSettings
from headrace.connect.client.link import Link
from headrace.connect.client.network import not_expressible
from headrace.connect.client.positions import UNKNOWN
from headrace.connect.runtime.host.consumed import Consumed, of_columns, of_messages
from headrace.connect.runtime.host.stopped import Stopped
from headrace.kafka_client.settings import librdkafka_log, translate

log = logging.getLogger(__name__)

MOST_RECORDS: Final = 10_000
DEFAULTS: Final = {
    "auto.offset.reset": "earliest",
    "isolation.level": "read_uncommitted",
    "allow.auto.create.topics": True,
    "queued.min.messages": 50_000,
    "queued.max.messages.kbytes": 16_384,
    # After a full queue has drained: librdkafka's own second would starve a fast sink.
    "fetch.queue.backoff.ms": 5,
    "fetch.error.backoff.ms": 100,
    # A killed task's membership ends so soon; heartbeats come from a thread of librdkafka, whatever the task does.
    "session.timeout.ms": 10_000,
}
OURS: Final = {"enable.auto.commit": False, "enable.auto.offset.store": False, "enable.partition.eof": False}
WATCHFUL_REFRESH_MS: Final = 1000
"""librdkafka would else wait up to five minutes for a topic made after the subscription."""
METADATA_S: Final = 5.0
COMMITTED_S: Final = 1.0
SERVE_S: Final = 0.05
"""How long a rebalance waits at most while records are waited for."""
_FATAL: Final = frozenset(
    (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError._AUTHENTICATION,
     KafkaError._AUTO_OFFSET_RESET, KafkaError.TOPIC_EXCEPTION)
)  # fmt: skip
_QUIET: Final = frozenset((KafkaError._PARTITION_EOF, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN))


class Listener(Protocol):
    """Is told of rebalances, in the task's thread."""

    def assigned(self, partitions: Sequence[TopicPartition]) -> None: ...
    def revoked(self, partitions: Sequence[TopicPartition], *, lost: bool) -> None: ...


class SinkConsumer:
    """One member of a sink connector's group."""

    def __init__(self, java_settings: Mapping[str, str], group: str, listener: Listener) -> None:
        """Raises ConfigError where a setting cannot be used."""
        self._listener = listener
        self._limit = _limit(java_settings)
        self._settings = {"group.id": group} | DEFAULTS | translate("consumer", java_settings) | OURS
        self._reads_columns = not_expressible(self._settings) is None
        self._fetcher: Fetcher | None = None
        self.group = str(self._settings["group.id"])
        self._consumer: Any = None
        self._error: Exception | None = None
        self._committed: list[KafkaError | None] = []
        self._commits_awaited = 0
        self._told: set[str] = set()
        self._assignment: set[TopicPartition] = set()
        self._taken: set[TopicPartition] = set()
        self._paused: set[TopicPartition] = set()
        self._not_located: set[TopicPartition] = set()
        self._cut_off = threading.Event()

    def subscribe(self, topics: Sequence[str], regex: str) -> None:
        """Join the group for these topics, or for those that a regular expression matches as a whole."""
        names = [f"^({regex})$"] if regex else list(topics)
        settings = dict(self._settings)
        if regex or not self._all_exist(names):
            settings["topic.metadata.refresh.interval.ms"] = WATCHFUL_REFRESH_MS
        self._consumer = _make(settings, self._on_error, self._on_commit)
        if self._reads_columns:
            client_id = str(settings.get("client.id", self.group))
            self._fetcher = Fetcher(lambda: Link(settings, client_id=client_id), _fetch_settings(settings))
        self._consumer.subscribe(names, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost)

    def _all_exist(self, topics: Iterable[str]) -> bool:
        probe = _make(self._settings | {"allow.auto.create.topics": False}, self._on_error, self._on_commit)
        try:
            known = probe.list_topics(timeout=METADATA_S).topics
            return all(topic in known for topic in topics)
        except KafkaException:
            return False
        finally:
            probe.close()

    def gather(self, wait_s: float) -> list[Consumed]:
        """The records that are there, at most as many as one call may take; waits for the first.

        Raises ConnectError where reading cannot go on, and what the listener raised.
        """
        self._check()
        if self._fetcher is not None:
            return self._gather_columns(self._fetcher, time.monotonic() + wait_s)
        found = self._gather_messages(wait_s)
        return of_messages(found) if found else []

    def _gather_columns(self, fetcher: Fetcher, deadline: float) -> list[Consumed]:
        """What the fetcher gives is of partitions that are ours now: of those that went it gives nothing any more."""
        while True:
            self._serve(0)
            self._locate(fetcher)
            self._taken.clear()
            found = fetcher.take(self._limit, min(SERVE_S, max(0.0, deadline - time.monotonic())))
            self._check()
            if found or time.monotonic() >= deadline:
                return [of_columns(each.partition, each.columns) for each in found]

    def _serve(self, wait_s: float) -> None:
        """Let librdkafka tell of rebalances and errors; what it had read before it was paused is not asked for."""
        for message in self._consumer.consume(1, wait_s):
            self._is_record(message)
        if self._not_located:
            self._consumer.pause([RdPartition(*partition) for partition in self._not_located])
        self._check()

    def _locate(self, fetcher: Fetcher) -> None:
        """Begin to read new partitions at their committed offsets; where these cannot be had, the next turn tries."""
        if not self._not_located:
            return
        wanted = [RdPartition(*partition) for partition in self._not_located]
        try:
            found = self._consumer.committed(wanted, timeout=COMMITTED_S)
        except KafkaException as error:
            self._tell_once(f"committed offsets cannot be read yet: {error.args[0].str()}")
            return
        known = {TopicPartition(each.topic, each.partition): each.offset for each in found if each.error is None}
        fetcher.assign({partition: at if at >= 0 else UNKNOWN for partition, at in known.items()})
        fetcher.pause(self._paused.intersection(known), paused=True)
        self._not_located.difference_update(known)

    def _gather_messages(self, wait_s: float) -> list[Message]:
        found = self._consume(self._limit, 0)
        if not found:
            found = self._consume(1, wait_s)
            if found and self._limit > 1:
                found = self._with_more(found)
        self._check()
        if any(map(Message.error, found)):
            found = [message for message in found if self._is_record(message)]
        if self._taken:
            found = [message for message in found if _partition(message) in self._assignment]
            self._taken.clear()
        return list(found)

    def _consume(self, most: int, wait_s: float) -> list[Message]:
        """One call of librdkafka's; then `taken` is what went during it.

        Of a partition that went, librdkafka itself leaves out what it had gathered before. One that went and came back
        within the call, as in every eager rebalance, starts again at the committed offset: those records stay.
        """
        self._taken.clear()
        found: list[Message] = self._consumer.consume(most, wait_s)
        return found

    def _with_more(self, first: list[Message]) -> list[Message]:
        """`first` and what else is there; without those of `first` whose partition went meanwhile: they come again."""
        more = self._consume(self._limit - 1, 0)
        return [message for message in first if message.error() or _partition(message) not in self._taken] + more

    def idle(self, wait_s: float) -> None:
        """Keep the membership alive while every partition is paused: nothing is read."""
        self._check()
        self.pause(self._assignment)
        if self._fetcher is not None:
            self._serve(wait_s)
            return
        for message in self._consumer.consume(1, wait_s):
            # A record that was on its way when its partition was paused: read again from there.
            if self._is_record(message):
                self._consumer.seek(RdPartition(message.topic(), message.partition(), message.offset()))
        self._check()

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            self._tell_once(f"Topic {message.topic()} does not exist yet; waiting for it")
        elif error.fatal() or error.code() in _FATAL:
            raise ConnectError(f"Reading topic {message.topic()} failed: {error.str()}{_advice(error, self.group)}")
        elif error.code() not in _QUIET:
            log.warning("%s: %s", self.group, error.str())
        return False

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            log.info("%s: %s", self.group, text)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal() or error.code() in _FATAL:
            self._error = self._error or ConnectError(f"{error.str()}{_advice(error, self.group)}")
        else:
            self._tell_once(error.str())

    def _check(self) -> None:
        if self._cut_off.is_set():
            raise Stopped
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    # Rebalances. What a listener raises must not pass through librdkafka: it is kept for the caller of `gather`.

    def _on_assign(self, consumer: Any, partitions: Sequence[RdPartition]) -> None:
        given = [TopicPartition(part.topic, part.partition) for part in partitions]
        self._assignment.update(given)
        if self._fetcher is not None:
            self._not_located.update(given)
        self._tell_listener(lambda: self._listener.assigned(given))

    def _on_revoke(self, consumer: Any, partitions: Sequence[RdPartition]) -> None:
        self._taken_away(partitions, lost=False)

    def _on_lost(self, consumer: Any, partitions: Sequence[RdPartition]) -> None:
        self._taken_away(partitions, lost=True)

    def _taken_away(self, partitions: Sequence[RdPartition], *, lost: bool) -> None:
        taken = [TopicPartition(part.topic, part.partition) for part in partitions]
        self._tell_listener(lambda: self._listener.revoked(taken, lost=lost or self._cut_off.is_set()))
        self._assignment.difference_update(taken)
        self._taken.update(taken)
        self._paused.difference_update(taken)
        self._not_located.difference_update(taken)
        if self._fetcher is not None:
            self._fetcher.revoke(taken)

    def _tell_listener(self, tell: Any) -> None:
        try:
            tell()
        except Exception as error:
            self._error = self._error or error

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._assignment)

    @property
    def taken(self) -> frozenset[TopicPartition]:
        """The partitions taken away since the last `gather` began."""
        return frozenset(self._taken)

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        wanted = self._assignment.intersection(partitions) - self._paused
        if not wanted:
            return
        self._paused |= wanted
        if self._fetcher is not None:
            self._fetcher.pause(wanted, paused=True)
        else:
            self._consumer.pause([RdPartition(*partition) for partition in wanted])

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        wanted = self._assignment.intersection(partitions) & self._paused
        if not wanted:
            return
        self._paused -= wanted
        if self._fetcher is not None:
            self._fetcher.pause(wanted, paused=False)
        else:
            self._consumer.resume([RdPartition(*partition) for partition in wanted])

    # Offsets.

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit in the background; a failure is logged when it shows, and the next commit makes it good."""
        if offsets and not self._cut_off.is_set():
            self._consumer.commit(offsets=_positions(offsets), asynchronous=True)
            self._commits_awaited += 1

    def commit_in_rebalance(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit and wait, while the group waits for this member."""
        if not offsets or self._cut_off.is_set():
            return
        try:
            self._consumer.commit(offsets=_positions(offsets), asynchronous=False)
        except KafkaException as error:
            log.warning("%s: offsets could not be committed before a rebalance: %s", self.group, error.args[0].str())

    def wait_for_commits(self, deadline: float) -> None:
        """Until the commits on their way are answered, or the deadline."""
        while self._commits_awaited and time.monotonic() < deadline and not self._cut_off.is_set():
            self.idle(0.02)

    def _on_commit(self, error: KafkaError | None, partitions: Sequence[RdPartition]) -> None:
        self._commits_awaited = max(0, self._commits_awaited - 1)
        failed = error or next((part.error for part in partitions if part.error), None)
        if failed is not None and failed.code() != KafkaError._NO_OFFSET:
            log.warning("%s: offsets could not be committed: %s", self.group, failed.str())

    def cut_off(self) -> None:
        """By another thread: from now on nothing is read or committed."""
        self._cut_off.set()

    def close(self) -> None:
        """Leave the group; the listener is told that its partitions are taken."""
        if self._fetcher is not None:
            self._fetcher.close()
        if self._consumer is not None:
            self._consumer.close()


def _make(settings: Mapping[str, Any], on_error: Any, on_commit: Any) -> Any:
    try:
        return Consumer({**settings, "error_cb": on_error, "on_commit": on_commit}, logger=librdkafka_log)
    except (KafkaException, TypeError, ValueError) as error:
        cause = error.args[0] if error.args else error
        text = cause.str() if isinstance(cause, KafkaError) else str(cause)
        raise ConfigError(f"The consumer cannot be made of its settings: {text}") from error


def _limit(java_settings: Mapping[str, str]) -> int:
    text = java_settings.get("max.poll.records")
    if text is None:
        return MOST_RECORDS
    if not text.strip().isdigit() or not 0 < int(text) <= 1_000_000:
        raise ConfigError(f"max.poll.records={text}: a number from 1 to 1000000 is needed")
    return int(text)


def _fetch_settings(settings: Mapping[str, Any]) -> FetchSettings:
    """librdkafka's settings of reading; its defaults where it has the same."""
    resets = {"smallest": "earliest", "beginning": "earliest", "largest": "latest", "end": "latest"}
    reset = str(settings["auto.offset.reset"])
    defaults = FetchSettings()
    return FetchSettings(
        wait_ms=int(settings.get("fetch.wait.max.ms", defaults.wait_ms)),
        min_bytes=int(settings.get("fetch.min.bytes", defaults.min_bytes)),
        max_bytes=int(settings.get("fetch.max.bytes", defaults.max_bytes)),
        max_partition_bytes=int(settings.get("max.partition.fetch.bytes", defaults.max_partition_bytes)),
        read_committed=settings["isolation.level"] == "read_committed",
        reset=resets.get(reset, reset),
        most_buffered_bytes=int(settings["queued.max.messages.kbytes"]) * 1024,
    )


def _partition(message: Message) -> TopicPartition:
    return TopicPartition(message.topic(), message.partition())


def _positions(offsets: Mapping[TopicPartition, int]) -> list[RdPartition]:
    return [RdPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


def _advice(error: KafkaError, group: str) -> str:
    match error.code():
        case KafkaError.GROUP_AUTHORIZATION_FAILED:
            return f". Grant READ on group {group} to the worker's user"
        case KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return ". Grant READ on the topic to the worker's user"
        case KafkaError._AUTHENTICATION:
            return ". Look at consumer.sasl.* and consumer.ssl.* of the worker, or consumer.override.* of the connector"
        case KafkaError._AUTO_OFFSET_RESET:
            return ". The offset to go on from is no longer there; set consumer.override.auto.offset.reset to earliest"
    return ""
