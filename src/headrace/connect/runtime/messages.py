"""What a worker and its task hosts say to each other over their pipe, named and versioned here.

Each message is a frozen dataclass, pickled by `multiprocessing.connection`. A request carries `request`, a number that
its answer repeats. The first message of a host is `Ready`, whose `version` must be VERSION.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

VERSION = 2
STANDALONE = "headrace.standalone"
"""A property that a standalone worker hands to its hosts: offsets are committed by WriteOffsets."""


class TaskId(NamedTuple):
    """A task, or with task -1 the connector itself, as Connect's assignments name them."""

    connector: str
    task: int

    def __str__(self) -> str:
        return f"{self.connector}-{self.task}"


# Worker to host.


@dataclass(frozen=True, slots=True)
class StartConnector:
    """Start a connector instance; answered by `StateChanged` of TaskId(connector, -1), and FAILED with its trace."""

    connector: str
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StopConnector:
    connector: str


@dataclass(frozen=True, slots=True)
class GetTaskConfigs:
    """Answered by TaskConfigs or Failed."""

    request: int
    connector: str
    max_tasks: int


@dataclass(frozen=True, slots=True)
class Validate:
    """Validate a config with the plug-in's class; answered by Validation or Failed.

    `connect`: whether the plug-in may ask the outside system.
    """

    request: int
    config: Mapping[str, Any]
    connect: bool


@dataclass(frozen=True, slots=True)
class DefineStage:
    """The keys of a converter, transformation or predicate; answered by Definition or Failed."""

    request: int
    plugin: str


@dataclass(frozen=True, slots=True)
class ListPlugins:
    """Answered by Plugins."""

    request: int


@dataclass(frozen=True, slots=True)
class StartTask:
    """Start a task; answered by `StateChanged` (RUNNING, PAUSED, or FAILED with its trace).

    `generation`: the group's, written with every status of this task.
    """

    id: TaskId
    connector_config: Mapping[str, str]
    task_config: Mapping[str, str]
    paused: bool
    generation: int


@dataclass(frozen=True, slots=True)
class StopTask:
    """Stop a task within `deadline_ms`, then cancel it; answered by `StateChanged` to UNASSIGNED."""

    id: TaskId
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class PauseTask:
    id: TaskId
    paused: bool


@dataclass(frozen=True, slots=True)
class Offsets:
    """Answer to GetOffsets: one offset (or None) a partition asked for."""

    request: int
    offsets: tuple[Mapping[str, Any] | None, ...]


@dataclass(frozen=True, slots=True)
class OffsetsWritten:
    """Answer to WriteOffsets; `error` says why they are not, and is empty where they are."""

    request: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Stop all within `deadline_ms` and exit."""

    deadline_ms: int


# Host to worker.


@dataclass(frozen=True, slots=True)
class Ready:
    pid: int
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class StateChanged:
    """A connector or task is now RUNNING, PAUSED, FAILED (the `trace` begins with the sentence) or UNASSIGNED."""

    id: TaskId
    state: str
    trace: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class TaskConfigs:
    request: int
    configs: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Validation:
    """`configs`: (definition, value) as REST shows them; `connector_type` is source or sink."""

    request: int
    name: str
    connector_type: str
    configs: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """`keys`: definitions as REST shows them."""

    request: int
    keys: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Plugins:
    """`plugins`: class, type and version of each, as `/connector-plugins` shows them."""

    request: int
    plugins: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The request could not be answered; `message` is for a person, `errors` by key where the config is at fault."""

    request: int
    message: str
    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReconfigurationRequested:
    """The connector asks that its task configs be made anew."""

    connector: str


@dataclass(frozen=True, slots=True)
class GetOffsets:
    """A source task asks for the committed offsets of its source partitions, as the offsets topic has them now.

    Answered by Offsets. `request` is made by `request_of_host`: the answer finds its host by it.
    """

    request: int
    connector: str
    partitions: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class WriteOffsets:
    """A source task of a standalone worker commits an offset; other tasks write to the offsets topic by themselves.

    Answered by OffsetsWritten. `request` is made by `request_of_host`.
    """

    request: int
    connector: str
    partition: Mapping[str, Any]
    offset: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogLine:
    """What a host has logged about a connector; `time` is in seconds of the epoch."""

    connector: str
    time: float
    level: str
    thread: str
    logger: str
    text: str


@dataclass(frozen=True, slots=True)
class TopicUsed:
    """A connector has written to or read from a topic for the first time in this host (the status topic records it)."""

    connector: str
    topic: str


_HOST_BITS = 32


def request_of_host(host: int, count: int) -> int:
    """The number of a request that host number `host` makes."""
    return (host << _HOST_BITS) | count


def host_of_request(request: int) -> int:
    """The number of the host that made a request.

    >>> host_of_request(request_of_host(3, 17))
    3
    """
    return request >> _HOST_BITS


ToHost = (
    StartConnector
    | StopConnector
    | GetTaskConfigs
    | Validate
    | DefineStage
    | ListPlugins
    | StartTask
    | StopTask
    | PauseTask
    | Offsets
    | OffsetsWritten
    | Shutdown
)
ToWorker = (
    Ready
    | StateChanged
    | TaskConfigs
    | Validation
    | Definition
    | Plugins
    | Failed
    | ReconfigurationRequested
    | GetOffsets
    | WriteOffsets
    | LogLine
    | TopicUsed
)
