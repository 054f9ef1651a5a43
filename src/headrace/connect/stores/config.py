"""The config topic: connectors, their tasks and target states, restart requests, session keys and logger levels.

`ConfigState` is a pure fold over the topic's records, as `KafkaConfigBackingStore` of Java's Connect folds them; the
functions make the records that it writes. `ConfigBackingStore` joins the two with a log. Sans-IO.
Thread rule: the herder's thread owns the state.
"""

import base64
import enum
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.connect.runtime.messages import TaskId
from headrace.connect.stores.codec import Record, decode_map, encode, text_map

log = logging.getLogger(__name__)

TARGET_STATE: Final = "target-state-"
CONNECTOR: Final = "connector-"
TASK: Final = "task-"
COMMIT: Final = "commit-"
RESTART: Final = "restart-connector-"
TASK_COUNT: Final = "tasks-fencing-"
LOGGER: Final = "logger-cluster-"
SESSION_KEY: Final = "session-key"


class TargetState(enum.Enum):
    """What a connector shall be, as its user wants it."""

    STARTED = "STARTED"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The key that workers sign their requests to each other with."""

    key: bytes = field(repr=False)
    algorithm: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """A restart of a connector, and of its tasks where `include_tasks`."""

    connector: str
    only_failed: bool = False
    include_tasks: bool = False

    @property
    def impact(self) -> int:
        """How much it restarts; of two requests for one connector the one with the higher impact is done."""
        return 2 * self.include_tasks + (not self.only_failed)


# What a record changed.


@dataclass(frozen=True, slots=True)
class ConnectorUpdated:
    connector: str
    new: bool


@dataclass(frozen=True, slots=True)
class ConnectorRemoved:
    connector: str


@dataclass(frozen=True, slots=True)
class TasksUpdated:
    """A connector's task configs were committed; `tasks` are those that came with it."""

    connector: str
    tasks: tuple[TaskId, ...]


@dataclass(frozen=True, slots=True)
class TargetStateChanged:
    connector: str


@dataclass(frozen=True, slots=True)
class SessionKeyUpdated:
    key: SessionKey


@dataclass(frozen=True, slots=True)
class LoggerLevelUpdated:
    namespace: str
    level: str


Update = (
    ConnectorUpdated
    | ConnectorRemoved
    | TasksUpdated
    | TargetStateChanged
    | SessionKeyUpdated
    | LoggerLevelUpdated
    | RestartRequest
)


# The records.


def connector_record(connector: str, config: Mapping[str, str] | None) -> Record:
    """The config of a connector; None deletes it."""
    key = (CONNECTOR + connector).encode()
    return key, None if config is None else encode({"properties": dict(config)})


def task_record(id: TaskId, config: Mapping[str, str]) -> Record:
    return f"{TASK}{id}".encode(), encode({"properties": dict(config)})


def commit_record(connector: str, tasks: int) -> Record:
    return (COMMIT + connector).encode(), encode({"tasks": tasks})


def target_state_record(connector: str, state: TargetState | None) -> Record:
    """The target state; None deletes it. Workers before 3.5 know no STOPPED and read `state` (KIP-875)."""
    key = (TARGET_STATE + connector).encode()
    if state is None:
        return key, None
    known = TargetState.PAUSED if state is TargetState.STOPPED else state
    return key, encode({"state": known.value, "state.v2": state.value})


def restart_record(request: RestartRequest) -> Record:
    value = {"include-tasks": request.include_tasks, "only-failed": request.only_failed}
    return (RESTART + request.connector).encode(), encode(value)


def session_key_record(key: SessionKey) -> Record:
    text = base64.b64encode(key.key).decode()
    return SESSION_KEY.encode(), encode({"key": text, "algorithm": key.algorithm, "creation-timestamp": key.created_ms})


def logger_record(namespace: str, level: str) -> Record:
    return (LOGGER + namespace).encode(), encode({"level": level})


def task_count_record(connector: str, tasks: int) -> Record:
    return (TASK_COUNT + connector).encode(), encode({"task-count": tasks})


class ConfigState:
    """What the config topic says, up to `offset`: the one behind the last record, -1 before the first."""

    def __init__(self) -> None:
        self.offset = -1
        self.connectors: dict[str, dict[str, str]] = {}
        self.target_states: dict[str, TargetState] = {}
        self.task_counts: dict[str, int] = {}
        self.task_configs: dict[TaskId, dict[str, str]] = {}
        self.applied: dict[str, dict[str, str]] = {}
        """The connector's config when its tasks were last committed."""
        self.inconsistent: set[str] = set()
        """Connectors whose tasks are not all known, since compaction took some: their configs must be made anew."""
        self.task_count_records: dict[str, int] = {}
        self.pending_fencing: set[str] = set()
        self.session_key: SessionKey | None = None
        self._deferred: dict[str, dict[TaskId, dict[str, str]]] = {}

    def tasks(self, connector: str) -> list[TaskId]:
        """The tasks of a connector, none where they are inconsistent."""
        if connector in self.inconsistent:
            return []
        return [TaskId(connector, number) for number in range(self.task_counts.get(connector, 0))]

    def target_state(self, connector: str) -> TargetState:
        return self.target_states.get(connector, TargetState.STARTED)

    def apply(self, offset: int, key: bytes | None, value: bytes | None) -> Update | None:
        """Fold one record; gives what it changed. A record that makes no sense is logged and skipped, as in Java."""
        self.offset = offset + 1
        name = (key or b"").decode("utf-8", "replace")
        try:
            content = decode_map(value)
            for prefix, fold in self._folds.items():
                if name.startswith(prefix):
                    return fold(self, name.removeprefix(prefix), content)
            log.error("Discarding config record with invalid key: %s", name)
        except (ValueError, TypeError, KeyError) as error:
            log.error("Ignoring config record %s: %s", name, error)
        return None

    def _target_state(self, connector: str, value: dict[str, Any] | None) -> Update | None:
        if value is None:
            self.target_states.pop(connector, None)
            return None
        state = TargetState(value.get("state.v2") or value["state"])
        changed = self.target_states.get(connector) is not state
        self.target_states[connector] = state
        return TargetStateChanged(connector) if changed and connector in self.connectors else None

    def _connector(self, connector: str, value: dict[str, Any] | None) -> Update | None:
        if value is None:
            known = connector in self.connectors
            self._remove(connector)
            return ConnectorRemoved(connector) if known else None
        new = connector not in self.connectors
        self.connectors[connector] = text_map(value.get("properties"), "'properties'")
        return ConnectorUpdated(connector, new)

    def _task(self, name: str, value: dict[str, Any] | None) -> Update | None:
        if value is None:
            raise ValueError("it is unexpectedly null")
        connector, dash, number = name.rpartition("-")
        if not dash:
            raise ValueError("its key names no task")
        config = text_map(value.get("properties"), "'properties'")
        self._deferred.setdefault(connector, {})[TaskId(connector, int(number))] = config
        return None

    def _commit(self, connector: str, value: dict[str, Any] | None) -> Update | None:
        if connector not in self.connectors:
            self._remove(connector)
            return None
        count = int((value or {})["tasks"])
        fresh = self._deferred.pop(connector, {})
        if {TaskId(connector, number) for number in range(count)} <= fresh.keys():
            self.task_configs.update(fresh)
            self.inconsistent.discard(connector)
            self.applied[connector] = self.connectors[connector]
        else:
            self.inconsistent.add(connector)
        self.task_counts[connector] = count
        self.pending_fencing.add(connector)
        return TasksUpdated(connector, tuple(sorted(fresh)))

    def _restart(self, connector: str, value: dict[str, Any] | None) -> Update | None:
        fields = value or {}
        return RestartRequest(connector, bool(fields.get("only-failed")), bool(fields.get("include-tasks")))

    def _task_count(self, connector: str, value: dict[str, Any] | None) -> Update | None:
        self.task_count_records[connector] = int((value or {})["task-count"])
        self.pending_fencing.discard(connector)
        return None

    def _session_key(self, rest: str, value: dict[str, Any] | None) -> Update | None:
        fields = value or {}
        key = base64.b64decode(fields["key"])
        self.session_key = SessionKey(key, str(fields["algorithm"]), int(fields["creation-timestamp"]))
        return SessionKeyUpdated(self.session_key)

    def _logger(self, namespace: str, value: dict[str, Any] | None) -> Update | None:
        return LoggerLevelUpdated(namespace, str((value or {})["level"]))

    def _remove(self, connector: str) -> None:
        for by_name in (self.connectors, self.task_counts, self.applied, self._deferred):
            by_name.pop(connector, None)
        for id in [id for id in self.task_configs if id.connector == connector]:
            del self.task_configs[id]
        self.inconsistent.discard(connector)

    _folds: Final[Mapping[str, Callable[["ConfigState", str, dict[str, Any] | None], Update | None]]] = {
        TARGET_STATE: _target_state,
        CONNECTOR: _connector,
        TASK_COUNT: _task_count,
        TASK: _task,
        COMMIT: _commit,
        RESTART: _restart,
        LOGGER: _logger,
        SESSION_KEY: _session_key,
    }


def create_records(connector: str, config: Mapping[str, str], initial_state: TargetState | None) -> Sequence[Record]:
    """The records that create or change a connector: the target state first, where one is given (KIP-980)."""
    state = [] if initial_state is None else [target_state_record(connector, initial_state)]
    return [*state, connector_record(connector, config)]


def delete_records(connector: str) -> Sequence[Record]:
    """The records that delete a connector; those of its tasks stay, as in Java."""
    return [connector_record(connector, None), target_state_record(connector, None)]


def task_records(connector: str, configs: Iterable[Mapping[str, str]]) -> Sequence[Record]:
    """The configs of all tasks of a connector, and their commit."""
    tasks = [task_record(TaskId(connector, number), config) for number, config in enumerate(configs)]
    return [*tasks, commit_record(connector, len(tasks))]
