"""Configuration that changes while the broker runs: it holds at once, and is on the disk before the answer.

Owned by the loop. Where the disk refuses, what was before holds again, unless it has been changed once more.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from headrace.broker.metadata import MetadataStore
from headrace.broker.partition import Topic
from headrace.wire.errors import ErrorCode

if TYPE_CHECKING:
    from headrace.broker.state import State

logger = logging.getLogger(__name__)

CLUSTER: Final = ""
"""The name under which configuration of all brokers is kept; a broker's own is kept under its id."""
MIN_INSYNC_REPLICAS: Final = "min.insync.replicas"

Done = Callable[[ErrorCode], None]


class Reconfiguration:
    """Changes `state.layers` and the configuration of topics."""

    def __init__(self, state: "State", store: MetadataStore) -> None:
        self._state = state
        self._store = store

    def load(self) -> None:
        """At start, before topics are opened: what was set while a broker ran. Raises ConfigError.

        `min.insync.replicas` is always set for all brokers, as Apache Kafka sees to since KIP-966.
        """
        cluster = self._store.broker_configs(CLUSTER)
        if MIN_INSYNC_REPLICAS not in cluster:
            cluster[MIN_INSYNC_REPLICAS] = str(self._state.config.values[MIN_INSYNC_REPLICAS])
            self._store.set_broker_configs(CLUSTER, cluster)
        own = self._store.broker_configs(str(self._state.config.node_id))
        self._state.layers = replace(self._state.layers, cluster=cluster, broker=own)
        self._state.config = self._state.layers.effective()

    def set_topic(self, topic: Topic, configs: Mapping[str, str], done: Done) -> None:
        """Give a topic this configuration of its own, which has been checked; `done` is called on the loop, later."""
        before, topic.configs = topic.configs, configs
        self._state.configure(topic)

        def undo() -> None:
            if topic.configs is configs:
                topic.configs = before
                self._state.configure(topic)

        self._keep(lambda: self._store.set_topic_configs(topic.topic_id, configs), undo, done)

    def set_broker(self, name: str, configs: Mapping[str, str], done: Done) -> None:
        """Set this for all brokers (CLUSTER) or for this one; it has been checked. `done` is called later."""
        before = self._state.layers.of(name)
        self._apply(name, configs)

        def undo() -> None:
            if self._state.layers.of(name) is configs:
                self._apply(name, before)

        self._keep(lambda: self._store.set_broker_configs(name, configs), undo, done)

    def _apply(self, name: str, configs: Mapping[str, str]) -> None:
        state = self._state
        state.layers = state.layers.with_set(name, configs)
        state.config = state.layers.effective()
        for topic in state.topics.values():
            state.configure(topic)

    def _keep(self, job: Callable[[], None], undo: Callable[[], None], done: Done) -> None:
        def kept(_: None, error: Exception | None) -> None:
            if error is not None:
                logger.error("Cannot keep a change of configuration: %s.", error)
                undo()
            done(ErrorCode.NONE if error is None else ErrorCode.KAFKA_STORAGE_ERROR)

        self._state.disk.run_in_order(job, kept)
