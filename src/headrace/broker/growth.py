"""More partitions for a topic that is there: their logs are made in a thread, then the topic has them.

Owned by the loop. One change of a topic at a time: whatever else would change its partitions waits for it.
"""

import logging
from collections.abc import Callable
from functools import partial

from headrace.broker.disk import Disk
from headrace.broker.metadata import MetadataStore, TopicRow
from headrace.broker.partition import Partition, Topic
from headrace.broker.storage import Storage
from headrace.wire.errors import ErrorCode

logger = logging.getLogger(__name__)


class Growth:
    """Topics that are growing, and who waits until they have grown."""

    def __init__(self, disk: Disk, store: MetadataStore, storage: Storage) -> None:
        self._disk = disk
        self._store = store
        self._storage = storage
        self._waiting: dict[str, list[Callable[[], None]]] = {}

    def is_growing(self, topic: str) -> bool:
        return topic in self._waiting

    def afterwards(self, topic: str, call: Callable[[], None]) -> None:
        """Call back on the loop once a topic that is growing has grown; who was first is called first."""
        self._waiting[topic].append(call)

    def begin(self, topic: Topic, count: int, done: Callable[[ErrorCode], None]) -> None:
        """Give a topic that is not growing `count` partitions in all; `done` is called on the loop, later."""
        self._waiting[topic.name] = []
        row = TopicRow(topic.name, topic.topic_id, count, topic.configs)
        new, settings = range(len(topic.partitions), count), topic.partitions[0].log.settings

        def make() -> list[Partition]:
            made = self._storage.create_partitions(row, new, settings)
            self._store.set_partitions(topic.topic_id, count)
            return made

        self._disk.run_in_order(make, partial(self._made, topic, done))

    def _made(
        self,
        topic: Topic,
        done: Callable[[ErrorCode], None],
        partitions: list[Partition] | None,
        error: Exception | None,
    ) -> None:
        waiting = self._waiting.pop(topic.name)
        if partitions is None:
            logger.error("Cannot make more partitions of topic %s: %s.", topic.name, error)
        else:
            for part in partitions:
                # The configuration may have changed meanwhile.
                part.log.settings = topic.partitions[0].log.settings
            topic.partitions.extend(partitions)
        done(ErrorCode.NONE if partitions is not None else ErrorCode.KAFKA_STORAGE_ERROR)
        self._call(topic.name, waiting)

    def _call(self, name: str, waiting: list[Callable[[], None]]) -> None:
        """The first that lets the topic grow again has the others behind it."""
        while waiting:
            if name in self._waiting:
                self._waiting[name] += waiting
                return
            waiting.pop(0)()
