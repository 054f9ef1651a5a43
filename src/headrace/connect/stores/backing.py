"""The three backing stores of a worker: what the config, offset and status topics say, over one log.

Thread rule: the herder's thread owns the states and calls everything here, but for `read_to_end`, which any thread may
wait in.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from headrace.connect.runtime.messages import TaskId
from headrace.connect.stores import status as statuses
from headrace.connect.stores.codec import Record
from headrace.connect.stores.config import ConfigState, Update
from headrace.connect.stores.offset import OffsetState, offset_record
from headrace.connect.stores.status import Status, StatusState, TopicUse
from headrace.kafka_client.kafka_log import REQUEST_S, InternalTopic, LogRecord


class Log(Protocol):
    """What the stores need of a `KafkaBasedLog`."""

    def open(self) -> None: ...

    def interrupt(self) -> None: ...

    def close(self, deadline_s: float) -> None: ...

    def take(self) -> list[LogRecord]: ...

    def read_to_end(self, topics: Collection[str], deadline_s: float = REQUEST_S) -> None: ...

    def send(self, topic: str, record: Record) -> None: ...

    def write(self, topic: str, records: Sequence[Record], deadline_s: float = REQUEST_S) -> None: ...


class BackingStores:
    """ConfigBackingStore, OffsetBackingStore and StatusBackingStore in one, since they share a log."""

    def __init__(self, log: Log, topics: Mapping[str, InternalTopic]) -> None:
        """`topics`: the topic of `config`, `offset` and `status`."""
        self._log = log
        self._names = {kind: topic.name for kind, topic in topics.items()}
        self.config = ConfigState()
        self.offset = OffsetState()
        self.status = StatusState()

    def open(self) -> None:
        """Make what is missing and read all there is. Raises ConfigError or LogError."""
        self._log.open()
        self._log.read_to_end(list(self._names.values()))
        self.fold()

    def interrupt(self) -> None:
        """End every wait for the brokers; called by any thread."""
        self._log.interrupt()

    def close(self, deadline_s: float) -> None:
        self._log.close(deadline_s)

    def fold(self) -> list[Update]:
        """Fold what has come; gives what it changed in the config."""
        updates: list[Update] = []
        for record in self._log.take():
            if record.topic == self._names["config"]:
                update = self.config.apply(record.offset, record.key, record.value)
                updates += [] if update is None else [update]
            elif record.topic == self._names["offset"]:
                self.offset.apply(record.key, record.value)
            else:
                self.status.apply(record.key, record.value)
        return updates

    def read_to_end(self, kind: str) -> None:
        """Wait until all of a topic has come; `fold` then takes it in. Raises LogError."""
        self._log.read_to_end([self._names[kind]])

    def write_config(self, records: Sequence[Record]) -> None:
        """Write, and wait until it can be read back. Raises LogError."""
        self._log.write(self._names["config"], records)
        self.read_to_end("config")

    def write_offsets(
        self, connector: str, offsets: Sequence[tuple[Mapping[str, Any], Mapping[str, Any] | None]]
    ) -> None:
        """Write source offsets, None to reset one, and wait until they can be read back. Raises LogError."""
        self._log.write(self._names["offset"], [offset_record(connector, *each) for each in offsets])
        self.read_to_end("offset")

    def put_status(self, id: TaskId, status: Status | None) -> None:
        """Write a status some time soon; None removes it."""
        self._log.send(self._names["status"], statuses.status_record(id, status))

    def put_topic(self, use: TopicUse) -> None:
        self._log.send(self._names["status"], statuses.topic_record(use))

    def forget_topic(self, connector: str, topic: str) -> None:
        self._log.send(self._names["status"], statuses.topic_tombstone(connector, topic))
