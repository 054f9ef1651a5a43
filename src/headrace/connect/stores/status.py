"""The status topic: the state of connectors and tasks, and the topics that connectors use.

`StatusState` is a pure fold over the topic's records; the functions make them. Sans-IO.
Thread rule: the herder's thread owns the state.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.connect.runtime.messages import TaskId
from headrace.connect.stores.codec import Record, decode_map, encode

log = logging.getLogger(__name__)

CONNECTOR: Final = "status-connector-"
TASK: Final = "status-task-"
TOPIC: Final = "status-topic-"
SEPARATOR: Final = ":connector-"


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a connector or task; `generation` is the group's when it was written."""

    state: str
    worker_id: str
    generation: int
    trace: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class TopicUse:
    """A topic that a connector's task was first seen to use."""

    topic: str
    connector: str
    task: int
    discovered_ms: int


def status_record(id: TaskId, status: Status | None) -> Record:
    """The status of a connector (task -1) or task; None removes it."""
    name = CONNECTOR + id.connector if id.task < 0 else f"{TASK}{id}"
    return name.encode(), None if status is None else _value(status)


def _value(status: Status) -> bytes:
    fields = {"state": status.state, "trace": status.trace, "worker_id": status.worker_id}
    return encode({**fields, "generation": status.generation, "version": status.version})


def topic_record(use: TopicUse) -> Record:
    fields = {"name": use.topic, "connector": use.connector, "task": use.task, "discoverTimestamp": use.discovered_ms}
    return _topic_key(use.connector, use.topic), encode({"topic": fields})


def topic_tombstone(connector: str, topic: str) -> Record:
    return _topic_key(connector, topic), None


def _topic_key(connector: str, topic: str) -> bytes:
    return f"{TOPIC}{topic}{SEPARATOR}{connector}".encode()


class StatusState:
    """What the status topic says."""

    def __init__(self) -> None:
        self._statuses: dict[TaskId, Status] = {}
        self._topics: dict[str, dict[str, TopicUse]] = {}

    def get(self, id: TaskId) -> Status | None:
        return self._statuses.get(id)

    def tasks(self, connector: str) -> list[TaskId]:
        """The tasks of a connector that have a status, in order."""
        return sorted(id for id in self._statuses if id.connector == connector and id.task >= 0)

    def connectors(self) -> set[str]:
        """Every connector of which there is a status, its own or a task's."""
        return {id.connector for id in self._statuses}

    def topics(self, connector: str) -> dict[str, TopicUse]:
        """The topics that a connector uses, by name."""
        return self._topics.get(connector, {})

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Fold one record. One that makes no sense is logged and skipped, as in Java."""
        name = (key or b"").decode("utf-8", "replace")
        try:
            content = decode_map(value)
            if name.startswith(CONNECTOR):
                self._status(TaskId(name.removeprefix(CONNECTOR), -1), content)
            elif name.startswith(TASK):
                connector, _, number = name.removeprefix(TASK).rpartition("-")
                self._status(TaskId(connector, int(number)), content)
            elif name.startswith(TOPIC):
                topic, _, connector = name.removeprefix(TOPIC).partition(SEPARATOR)
                self._topic(topic, connector, content)
            else:
                log.warning("Discarding status record with invalid key %s", name)
        except (ValueError, TypeError, KeyError) as error:
            log.warning("Ignoring status record %s: %s", name, error)

    def _status(self, id: TaskId, value: Mapping[str, Any] | None) -> None:
        if value is None:
            self._statuses.pop(id, None)
            if id.task < 0:
                for task in self.tasks(id.connector):
                    del self._statuses[task]
            return
        trace, version = value.get("trace"), value.get("version")
        status = Status(str(value["state"]), str(value["worker_id"]), int(value["generation"]), trace, version)
        if not self._stale(id, status):
            self._statuses[id] = status

    def _stale(self, id: TaskId, status: Status) -> bool:
        """Whether a task's UNASSIGNED comes late: another worker has said RUNNING since (KafkaStatusBackingStore)."""
        current = self._statuses.get(id)
        return (
            id.task >= 0
            and status.state == "UNASSIGNED"
            and current is not None
            and current.state == "RUNNING"
            and current.generation >= status.generation
        )

    def _topic(self, topic: str, connector: str, value: Mapping[str, Any] | None) -> None:
        uses = self._topics.setdefault(connector, {})
        if value is None:
            uses.pop(topic, None)
            return
        fields = value["topic"]
        uses[topic] = TopicUse(fields["name"], fields["connector"], fields["task"], fields["discoverTimestamp"])
