"""What connectors and tasks get from the runtime (`headrace.connect.api.connector.Context` and those below it)."""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from headrace.connect.api import ErrantRecordReporter, TopicPartition
from headrace.connect.runtime.messages import TaskId


class Environment(Protocol):
    """What a host offers to its tasks' contexts."""

    worker_properties: Mapping[str, str]

    def committed_offset(
        self, connector: str, partition: Mapping[str, Any], stopping: threading.Event
    ) -> Mapping[str, Any] | None: ...

    def topic_used(self, connector: str, topic: str) -> None: ...


class BaseContext:
    """The name, the stop, and waiting that a stop ends."""

    def __init__(self, connector: str) -> None:
        self.connector = connector
        self.stopping = threading.Event()

    def wait(self, seconds: float) -> bool:
        return self.stopping.wait(seconds)


class InstanceContext(BaseContext):
    """A connector instance's context."""

    def __init__(self, connector: str, request_reconfiguration: Callable[[], None]) -> None:
        super().__init__(connector)
        self._request_reconfiguration = request_reconfiguration

    def request_task_reconfiguration(self) -> None:
        self._request_reconfiguration()


class SourceContext(BaseContext):
    """A source task's context."""

    def __init__(self, id: TaskId, environment: Environment) -> None:
        super().__init__(id.connector)
        self.id = str(id)
        self.task = id.task
        self.worker_properties = environment.worker_properties
        self._environment = environment

    def offset(self, partition: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return self._environment.committed_offset(self.connector, partition, self.stopping)

    def topic_used(self, topic: str) -> None:
        self._environment.topic_used(self.connector, topic)


class Assigned(Protocol):
    """What of a consumer a sink task may see and steer."""

    @property
    def assignment(self) -> frozenset[TopicPartition]: ...
    def pause(self, partitions: Iterable[TopicPartition]) -> None: ...
    def resume(self, partitions: Iterable[TopicPartition]) -> None: ...


class SinkContext(BaseContext):
    """A sink task's context."""

    def __init__(self, id: TaskId, environment: Environment) -> None:
        super().__init__(id.connector)
        self.id = str(id)
        self.task = id.task
        self.worker_properties = environment.worker_properties
        self.paused: frozenset[TopicPartition] = frozenset()
        self.commit_requested = False
        self.consumer: Assigned | None = None
        self.errant_record_reporter: ErrantRecordReporter | None = None
        self._environment = environment

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset() if self.consumer is None else self.consumer.assignment

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused |= set(partitions)
        if self.consumer is not None:
            self.consumer.pause(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.paused -= set(partitions)
        if self.consumer is not None:
            self.consumer.resume(partitions)

    def request_commit(self) -> None:
        self.commit_requested = True

    def topic_used(self, topic: str) -> None:
        self._environment.topic_used(self.connector, topic)
