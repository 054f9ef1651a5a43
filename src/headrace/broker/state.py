"""What the broker knows, owned by its one loop: topics, partitions, timers, and the coordinator of groups.

Handlers get the State and may touch anything in it, since nothing else runs meanwhile. Work that waits for a disk goes
to `state.disk` and comes back as a call on the loop.

How the coordinator of groups plugs in
--------------------------------------
`headrace.broker.groups.plug(state)` is called once, when all logs are open and before any listener is; it sets
`state.groups` and reads back what `__consumer_offsets` holds. Its handlers live in `broker/groups/handlers/`, one file
per API key, registered by `@api` like all others.

- The topic: `state.topics.get("__consumer_offsets")` is None until somebody asks for a coordinator. Create it with
  `state.create_topic(NewTopic(name, partitions, configs), now_ms, done)`; `done(error, topic)` is called on the loop,
  later; `state.new_topic("__consumer_offsets")` has its partitions and configs.
- Append: `topic.partitions[p].append_records([NewRecord(key, value), ...], now_ms)` -> base offset; it is on disk
  (page cache) when it returns, so the reply may be given at once (invariant 1). Raises `headrace.log.StorageError`
  (disk full, I/O error): answer COORDINATOR_NOT_AVAILABLE.
- Read back: `for record in topic.partitions[p].read_records(): ...` gives `headrace.log.records.Record`s, oldest first.
- Timers: `timer = state.timers.after(delay_ms, callback)`; `timer.cancel()`. Delayed joins, heartbeats, syncs. A
  waiter is a `Later` that the handler returned and the coordinator keeps; call `later.answer(Reply(...))`.
- Deleted topics: `state.groups.topics_deleted(names, now_ms)` is called after DeleteTopics.
- The end: `state.groups.stop()` is called before the logs are closed.
"""

import logging
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

from headrace.broker.config import BrokerConfig, Listener
from headrace.broker.disk import Disk
from headrace.broker.growth import Growth
from headrace.broker.layers import Layers
from headrace.broker.metadata import MetadataStore, TopicRow, new_id
from headrace.broker.partition import CONSUMER_OFFSETS, Partition, Topic
from headrace.broker.reconfiguration import Reconfiguration
from headrace.broker.storage import Storage
from headrace.broker.timers import Timers
from headrace.log import StorageError
from headrace.wire.errors import ErrorCode

logger = logging.getLogger(__name__)

TopicMade: TypeAlias = Callable[[ErrorCode, Topic | None], None]

_LEGAL_NAME: Final = re.compile(r"[a-zA-Z0-9._-]+")
_LONGEST_NAME: Final = 249


class Groups(Protocol):
    """What the broker asks of the coordinator of groups."""

    def topics_deleted(self, names: Collection[str], now_ms: int) -> None:
        """Forget the committed offsets of these topics."""

    def stop(self) -> None:
        """The broker is about to end: no answer comes from here any more."""


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic to be made; `configs` as the client wrote them."""

    name: str
    partitions: int
    configs: dict[str, str] = field(default_factory=dict)


class State:
    """Everything the loop owns. `soon` calls back on the loop once what runs now is done."""

    def __init__(
        self, config: BrokerConfig, timers: Timers, disk: Disk, store: MetadataStore, storage: Storage
    ) -> None:
        self.config = config
        self.layers = Layers(config, {}, {})
        self.timers = timers
        self.disk = disk
        self.cluster_id = store.cluster_id()
        self.topics: dict[str, Topic] = {}
        self.topics_by_id: dict[UUID, Topic] = {}
        self.growth = Growth(disk, store, storage)
        self.reconfiguration = Reconfiguration(self, store)
        self.listeners: dict[str, Listener] = {}
        self.groups: Any = None
        self.soon: Callable[[Callable[[], None]], Any] = lambda call: timers.after(0, call)
        self._store = store
        self._storage = storage
        self._making: dict[str, list[TopicMade]] = {}
        self._producer_ids: list[int] = []

    def add(self, topic: Topic) -> None:
        """A topic whose logs are open."""
        self.topics[topic.name] = topic
        self.topics_by_id[topic.topic_id] = topic

    def configure(self, topic: Topic) -> None:
        """Have a topic's logs act on its configuration, after it or the broker's has changed."""
        settings = self.config.log_settings(topic.configs)
        for part in topic.partitions:
            part.log.settings = settings

    def partition(self, topic: str, index: int) -> Partition | None:
        """The partition; None where there is none."""
        known = self.topics.get(topic)
        return known.partitions[index] if known is not None and 0 <= index < len(known.partitions) else None

    def is_known(self, name: str) -> bool:
        """Whether a topic of that name is there or being made."""
        return name in self.topics or name in self._making

    def new_topic(self, name: str) -> NewTopic:
        """What is made where a topic is missing and nobody said how it should be."""
        if name == CONSUMER_OFFSETS:
            configs = {
                "cleanup.policy": "compact",
                "compression.type": "producer",
                "segment.bytes": str(self.config.offsets_topic_segment_bytes),
            }
            return NewTopic(name, self.config.offsets_topic_num_partitions, configs)
        return NewTopic(name, self.config.num_partitions)

    def create_topic(self, topic: NewTopic, now_ms: int, done: TopicMade) -> None:
        """Make a topic; `done(error, topic)` is called on the loop, later, with the topic None where there is an error.

        Where it is there already `done` gets TOPIC_ALREADY_EXISTS and the topic, once it is really there.
        """
        if topic.name in self.topics:
            self.soon(partial(done, ErrorCode.TOPIC_ALREADY_EXISTS, self.topics[topic.name]))
            return
        if topic.name in self._making:
            self._making[topic.name].append(lambda error, made: done(error or ErrorCode.TOPIC_ALREADY_EXISTS, made))
            return
        self._making[topic.name] = [done]
        row = TopicRow(topic.name, new_id(), topic.partitions, topic.configs)
        settings = self.config.log_settings(topic.configs)

        def make() -> Topic:
            made = self._storage.create(row, settings)
            self._store.add_topic(row)
            return made

        self.disk.run_in_order(make, partial(self._made, topic.name))

    def _made(self, name: str, topic: Topic | None, error: Exception | None) -> None:
        code = ErrorCode.NONE
        if topic is not None:
            self.configure(topic)
            self.add(topic)
        else:
            logger.error("Cannot make topic %s: %s.", name, error)
            code = ErrorCode.KAFKA_STORAGE_ERROR
        for done in self._making.pop(name):
            done(code, topic)

    def delete_topic(self, topic: Topic, now_ms: int, done: Callable[[ErrorCode], None]) -> None:
        """Take a topic away at once, and for good once `done` is called on the loop; its files go later.

        A topic that is growing is taken away once it has grown.
        """
        if self.growth.is_growing(topic.name):
            self.growth.afterwards(topic.name, partial(self.delete_topic, topic, now_ms, done))
            return
        if self.topics.get(topic.name) is not topic:
            self.soon(partial(done, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
            return
        del self.topics[topic.name]
        del self.topics_by_id[topic.topic_id]
        self._making[topic.name] = []
        for part in topic.partitions:
            part.remove()
            self._storage.close_handles(part.log)
        if self.groups is not None:
            self.groups.topics_deleted([topic.name], now_ms)

        def delete() -> None:
            self._store.delete_topic(topic.topic_id)
            self._storage.retire(topic)

        def deleted(_: None, error: Exception | None) -> None:
            self._deleted(topic, error, done)

        self.disk.run_in_order(delete, deleted)

    def _deleted(self, topic: Topic, error: Exception | None, done: Callable[[ErrorCode], None]) -> None:
        waiting = self._making.pop(topic.name)
        if error is not None:
            logger.error("Cannot delete topic %s: %s.", topic.name, error)
            self.add(topic)
        for again in waiting:
            again(ErrorCode.REQUEST_TIMED_OUT, None)
        done(ErrorCode.NONE if error is None else ErrorCode.KAFKA_STORAGE_ERROR)
        if error is None:
            delay = topic.partitions[0].log.settings.file_delete_delay_ms if topic.partitions else 0
            self.timers.after(delay, lambda: self._remove_files(topic))

    def _remove_files(self, topic: Topic) -> None:
        def remove() -> None:
            self._storage.remove(topic.topic_id)
            self._store.directories_removed(topic.topic_id)

        def removed(_: None, error: Exception | None) -> None:
            if error is not None:
                logger.error("Cannot remove the files of topic %s: %s.", topic.name, error)

        self.disk.run_in_order(remove, removed)

    def producer_id(self, done: Callable[[int | None], None]) -> None:
        """A producer id that nobody had before; None where the disk refuses to remember it. May call back at once."""
        if self._producer_ids:
            done(self._producer_ids.pop())
            return

        def taken(block: range | None, error: Exception | None) -> None:
            if block is None:
                logger.error("Cannot give out producer ids: %s.", error)
                done(None)
                return
            self._producer_ids.extend(reversed(block))
            done(self._producer_ids.pop())

        self.disk.run_in_order(self._store.take_producer_ids, taken)

    def keep_start_offsets(self, parts: Collection[Partition], done: Callable[[ErrorCode], None]) -> None:
        """Remember where these logs start now; `done` is called on the loop, later."""
        offsets = {(self.topics[part.topic].topic_id, part.index): part.log.start_offset for part in parts}

        def kept(_: None, error: Exception | None) -> None:
            if error is not None:
                logger.error("Cannot keep where logs start: %s.", error)
            done(ErrorCode.NONE if error is None else ErrorCode.KAFKA_STORAGE_ERROR)

        self.disk.run_in_order(partial(self._store.set_start_offsets, offsets), kept)

    def enforce_retention(self, now_ms: int) -> None:
        """Let go of what retention lets go, and of producers that have been silent; files go in a thread."""
        for topic in self.topics.values():
            for part in topic.partitions:
                part.log.producers.expire(now_ms - self.config.producer_id_expiration_ms)
                try:
                    expired = part.log.expired(now_ms)
                except StorageError as error:
                    logger.error("Retention of %s-%d: %s.", topic.name, part.index, error)
                    continue
                if expired:
                    stems = [segment.stem for segment in expired]
                    self.disk.forget(partial(self._storage.retire_segments, stems))
                    self.timers.after(part.log.settings.file_delete_delay_ms, partial(self._remove_segments, stems))

    def _remove_segments(self, stems: list[str]) -> None:
        self.disk.forget(partial(self._storage.remove_segments, stems))


def name_fault(name: str) -> str | None:
    """Why `name` cannot be a topic's, in Apache Kafka's words; None where it can."""
    if not name:
        return "Topic name is invalid: the empty string is not allowed"
    if name in (".", ".."):
        return f"Topic name is invalid: '{name}' is not allowed"
    if len(name) > _LONGEST_NAME:
        return f"Topic name is invalid: the length of '{name}' is longer than the max allowed length {_LONGEST_NAME}"
    if _LEGAL_NAME.fullmatch(name) is None:
        return (
            f"Topic name is invalid: '{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' "
            "and '-'"
        )
    return None
