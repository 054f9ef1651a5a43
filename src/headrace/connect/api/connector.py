"""SourceConnector, SourceTask, SinkConnector, SinkTask: what a connector plug-in implements.

Thread rule: the methods of one connector or task are called by one thread, one at a time; `context.stopping` may be set
by another, and every wait in a plug-in is `context.wait(seconds)`, which a stop ends (invariant 6).
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, ClassVar, NamedTuple, Protocol

from headrace.config import ConfigDef, ConfigValue
from headrace.connect.api.batch import Batch


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class Context(Protocol):
    """What every connector and task gets from the runtime."""

    connector: str
    """The connector's name."""
    stopping: threading.Event

    def wait(self, seconds: float) -> bool:
        """Wait that long or until the stop; true where the stop came."""
        ...


class ConnectorContext(Context, Protocol):
    def request_task_reconfiguration(self) -> None:
        """Ask the runtime to call `task_configs` again, since what there is to copy has changed."""
        ...


class TaskContext(Context, Protocol):
    task: int
    """The task's number, from 0."""


class SourceTaskContext(TaskContext, Protocol):
    def offset(self, partition: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The committed source offset of a source partition, or None."""
        ...


class ErrantRecordReporter(Protocol):
    """Takes records that a sink task cannot write, so that it goes on with the others (KIP-610)."""

    def report(self, batch: Batch, row: int, error: BaseException) -> "Future[None]":
        """Hand over row `row` of a batch that `put` was given: logged, counted, dead-lettered, as the connector asks.

        At once; the future is done when the dead letter queue has the record, and no offset from it on is committed
        before (invariant 3), so a task need not wait. To be called by the task's methods, and best after the good rows
        are safe: a `put` that is made again reports again. Raises ConnectError, which is to be let through, where
        errors are not tolerated.
        """
        ...


class SinkTaskContext(TaskContext, Protocol):
    errant_record_reporter: ErrantRecordReporter | None
    """None where the connector sets neither errors.tolerance=all nor a dead letter queue nor an error log."""

    def assignment(self) -> frozenset[TopicPartition]: ...

    def pause(self, *partitions: TopicPartition) -> None: ...

    def resume(self, *partitions: TopicPartition) -> None: ...

    def request_commit(self) -> None:
        """Commit offsets as soon as this `put` has returned."""
        ...


class Connector(ABC):
    """Plans the work: checks the configuration and splits it among tasks. Lives in a task host, never in the worker."""

    connector_type: ClassVar[str]
    """`source` or `sink`."""
    version: ClassVar[str] = ""

    @classmethod
    @abstractmethod
    def config_def(cls) -> ConfigDef: ...

    @classmethod
    @abstractmethod
    def task_class(cls) -> "type[SourceTask | SinkTask]": ...

    @classmethod
    def java_task_class(cls, connector_class: str) -> str:
        """The name under which Java's workers know the task of `connector_class`, for the task configs in the topic."""
        return connector_class.removesuffix("Connector") + "Task"

    @classmethod
    def validate(cls, properties: Mapping[str, Any], *, connect: bool = False) -> list[ConfigValue]:
        """The keys of `config_def` with values and errors, and checks across keys.

        With `connect` the plug-in may also ask the outside system (`/config/validate` does); a POST never does.
        """
        return cls.config_def().validate(properties)

    @abstractmethod
    def start(self, context: ConnectorContext, properties: Mapping[str, str]) -> None: ...

    @abstractmethod
    def task_configs(self, max_tasks: int) -> list[dict[str, str]]: ...

    @abstractmethod
    def stop(self) -> None: ...


class SourceConnector(Connector):
    connector_type: ClassVar[str] = "source"


class SinkConnector(Connector):
    connector_type: ClassVar[str] = "sink"


class SourceTask(ABC):
    @abstractmethod
    def start(self, context: SourceTaskContext, properties: Mapping[str, str]) -> None: ...

    @abstractmethod
    def poll(self) -> Sequence[Batch]:
        """The next batches, in order; empty where there is nothing now. Waits at most about a second when idle.

        Each batch has a SourceOrigin. The runtime calls `poll` again at once.
        """

    def commit(self, partition: Mapping[str, Any], offset: Mapping[str, Any]) -> None:
        """The offset of a source partition that has been committed (called in the task's thread)."""
        return

    @abstractmethod
    def stop(self) -> None:
        """Release what was taken; called in the task's thread, after the last `poll`, also after a failure."""

    def cancel(self) -> None:
        """Called by ANOTHER thread when a stop has outlived its deadline: cut connections, wait for nothing."""
        return


class SinkTask(ABC):
    @abstractmethod
    def start(self, context: SinkTaskContext, properties: Mapping[str, str]) -> None: ...

    def open(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions that were given to this task."""
        return

    def close(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions that were taken from this task."""
        return

    @abstractmethod
    def put(self, batches: Sequence[Batch]) -> None:
        """Write these batches, in order. On return all of it is safely in the target, or kept until `flush`.

        Each batch has a SinkOrigin. Raises RetriableError to be called again with the same batches, DataError for
        records that cannot be written (nothing of the call written then), ConnectError to fail the task.
        """

    def flush(self, offsets: Mapping[TopicPartition, int]) -> Mapping[TopicPartition, int]:
        """Make durable what was put; gives the offsets (next to be read) that may be committed (invariant 3)."""
        return offsets

    @abstractmethod
    def stop(self) -> None:
        """Release what was taken; called in the task's thread, also after a failure."""

    def cancel(self) -> None:
        """Called by ANOTHER thread when a stop has outlived its deadline: cut connections, wait for nothing."""
        return
