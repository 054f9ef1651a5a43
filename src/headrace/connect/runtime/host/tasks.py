"""TaskRunner: the tasks of a host, each a thread.

Thread rule: the host's main thread calls `start`, `stop`, `pause` and `offsets_came`, which never wait; a task's own
thread makes, runs and closes everything of it. A task that outlives its stop's deadline is cancelled by a timer.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from headrace.config import name_thread
from headrace.connect.api import SinkTask, SourceTask
from headrace.connect.runtime import messages
from headrace.connect.runtime.host.column_producer import producer_of_tasks
from headrace.connect.runtime.host.contexts import BaseContext, SinkContext, SourceContext
from headrace.connect.runtime.host.error_settings import ErrorSettings
from headrace.connect.runtime.host.errors import hide, secrets_of, sentence, trace
from headrace.connect.runtime.host.letterbox import LetterProducer, make_letter_topic
from headrace.connect.runtime.host.plugins import connector_class
from headrace.connect.runtime.host.producers import KafkaProducer, ProducerRegistry, Producers, Shared
from headrace.connect.runtime.host.sink_errors import SinkErrors
from headrace.connect.runtime.host.sink_task import SinkTaskLoop
from headrace.connect.runtime.host.source_offsets import OffsetRequests, OffsetsTopic, WorkerOffsets
from headrace.connect.runtime.host.source_task import OffsetCommits, SourceTaskLoop
from headrace.connect.runtime.host.stages import make_stages
from headrace.connect.runtime.host.stopped import Stopped
from headrace.connect.runtime.host.topic_admin import TopicAdmin
from headrace.connect.runtime.messages import STANDALONE, StartTask, TaskId, ToWorker
from headrace.kafka_client.settings import java_settings, worker_settings

log = logging.getLogger(__name__)

FAILED_FINISH_S: Final = 5.0
"""How long a failed task may bring home what is acknowledged."""
STOP_MARGIN_S: Final = 0.3
"""A stop's last waits end so long before its deadline, at which the task is cancelled."""
Send = Callable[[ToWorker], None]


class Loop(Protocol):
    """A source or sink task's loop."""

    def start(self, task_config: Mapping[str, str]) -> None: ...
    def iteration(self, *, paused: bool = False) -> None: ...
    def finish(self, *, failed: bool, deadline: float) -> None: ...
    def cancel(self) -> None: ...


class HostEnvironment:
    """What the tasks of a host share: the worker's properties, producers, offsets, the way to the worker."""

    def __init__(self, properties: Mapping[str, str], send: Send, next_request: Callable[[], int]) -> None:
        self.worker_properties = properties
        self.send = send
        self.producers = ProducerRegistry()
        self.offset_requests = OffsetRequests(send, next_request)
        self.worker_offsets = WorkerOffsets(send, next_request)
        self._used: set[tuple[str, str]] = set()

    def committed_offset(
        self, connector: str, partition: Mapping[str, Any], stopping: threading.Event
    ) -> Mapping[str, Any] | None:
        return self.offset_requests.ask(connector, partition, stopping)

    def topic_used(self, connector: str, topic: str) -> None:
        if (connector, topic) not in self._used:
            self._used.add((connector, topic))
            self.send(messages.TopicUsed(connector, topic))

    def forget_connector(self, connector: str) -> None:
        """Its topics are told anew: they may have been reset meanwhile."""
        self._used -= {used for used in self._used if used[0] == connector}

    def number(self, key: str, default: int) -> int:
        """A number of the worker's properties."""
        return int(self.worker_properties.get(key) or default)


class TaskThread:
    """One task from start to stop; also what is left of a failed one until it is stopped."""

    def __init__(self, message: StartTask, environment: HostEnvironment, before: "TaskThread | None") -> None:
        self.id = message.id
        self._message = message
        self._environment = environment
        self._before = before
        self._secrets = secrets_of(message.connector_config) + secrets_of(message.task_config)
        self._context: BaseContext | None = None
        self._loop: Loop | None = None
        self._leases: list[Shared] = []
        self._stopping = threading.Event()
        self._paused = message.paused
        self._deadline = float("inf")
        self._cancelled = False
        self._timer: threading.Timer | None = None
        self.failed = False
        self._end_lock = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=f"task-{self.id}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        name_thread()
        if self._before is not None:
            self._before.join(FAILED_FINISH_S)
        try:
            self._work()
        except Stopped:
            pass
        except BaseException as error:  # a Rust library's panic is no Exception
            self._fail(error)
        self._finish()
        with self._end_lock:
            self._ended = True
            stopped = self._stopping.is_set()
        if stopped:
            self._report("UNASSIGNED")

    def _work(self) -> None:
        self._loop = self._make_loop()
        self._loop.start(self._message.task_config)
        paused = None
        while not self._stopping.is_set():
            if paused != self._paused:
                paused = self._paused
                self._report("PAUSED" if paused else "RUNNING")
            self._loop.iteration(paused=paused)

    def _make_loop(self) -> Loop:
        connector = self._message.connector_config
        plugin = connector_class(connector.get("connector.class", ""))
        task = plugin.task_class()()
        return self._make_sink(task) if isinstance(task, SinkTask) else self._make_source(task)

    def _make_source(self, task: SourceTask) -> Loop:
        worker, connector = self._environment.worker_properties, self._message.connector_config
        context = SourceContext(self.id, self._environment)
        self._share_stop(context)
        stages = make_stages(worker, connector)
        producer = self._lease(producer_of_tasks, java_settings("producer", worker, connector))
        interval_s = self._environment.number("offset.flush.interval.ms", 60_000) / 1000
        offsets = OffsetCommits(self.id.connector, self._offsets_of(worker), interval_s, time.monotonic)
        return SourceTaskLoop(task, context, connector, stages, producer, offsets)

    def _offsets_of(self, worker: Mapping[str, str]) -> OffsetsTopic | WorkerOffsets:
        """Where source offsets are written to: a standalone worker, which has no topics, writes them itself."""
        if STANDALONE in worker:
            return self._environment.worker_offsets
        producer = self._lease(KafkaProducer, worker_settings(worker))
        return OffsetsTopic(producer, worker.get("offset.storage.topic", "connect-offsets"))

    def _make_sink(self, task: SinkTask) -> Loop:
        worker, connector = self._environment.worker_properties, self._message.connector_config
        context = SinkContext(self.id, self._environment)
        self._share_stop(context)
        stages = make_stages(worker, connector)
        errors = SinkErrors(self.id, connector, stages, self._letterbox(worker, connector))
        return SinkTaskLoop(task, context, connector, stages, errors, java_settings("consumer", worker, connector))

    def _letterbox(self, worker: Mapping[str, str], connector: Mapping[str, str]) -> LetterProducer | None:
        """The way to the dead letter queue, which is made where it is missing. Raises ConnectError."""
        settings = ErrorSettings.of(connector)
        if not settings.letter_topic:
            return None
        admin = TopicAdmin(java_settings("admin", worker, connector))
        make_letter_topic(admin, settings.letter_topic, settings.letter_replication)
        # A producer of its own, as in Java: a letter that the broker refuses ends no other task's producer.
        producer = {"client.id": f"connector-dlq-producer-{self.id}", **java_settings("producer", worker, connector)}
        return LetterProducer(
            settings.letter_topic, lambda: self._lease(KafkaProducer, producer), self._stopping.is_set
        )

    def _share_stop(self, context: BaseContext) -> None:
        """The context's stop is the task's."""
        context.stopping = self._stopping
        self._context = context

    def _lease(self, kind: Callable[[Mapping[str, str]], Producers], settings: Mapping[str, str]) -> Producers:
        producer = self._environment.producers.lease(kind, settings)
        self._leases.append(producer)
        return producer

    def _report(self, state: str, text: str = "") -> None:
        self._environment.send(messages.StateChanged(self.id, state, text))

    def _fail(self, error: BaseException) -> None:
        if self._stopping.is_set():
            log.warning("%s failed while it stopped: %s", self.id, hide(sentence(error), self._secrets))
            return
        text = trace(error, self._secrets)
        log.error("%s failed: %s", self.id, text)
        self.failed = True
        self._report("FAILED", text)

    def _finish(self) -> None:
        """Close everything, and never longer than the deadline allows."""
        limit = time.monotonic() + FAILED_FINISH_S
        deadline = min(limit, self._deadline) if self.failed else self._deadline - STOP_MARGIN_S
        try:
            if self._loop is not None:
                self._loop.finish(failed=self.failed or self._cancelled, deadline=deadline)
        except BaseException as error:
            log.warning("%s failed while it closed: %s", self.id, hide(trace(error), self._secrets))
        for producer in self._leases:
            self._environment.producers.release(producer)
        if self._timer is not None:
            self._timer.cancel()

    def stop(self, deadline: float) -> None:
        """Stop by `deadline`, then cancel; UNASSIGNED is reported when it is done."""
        self._deadline = deadline
        with self._end_lock:
            self._stopping.set()
            ended = self._ended
        if ended:
            self._report("UNASSIGNED")
            return
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self.cancel)
        self._timer.daemon = True
        self._timer.start()

    def pause(self, *, paused: bool) -> None:
        self._paused = paused

    def cancel(self) -> None:
        """From another thread: cut the task off from Kafka and from its own system."""
        self._cancelled = True
        self._stopping.set()
        if not self._thread.is_alive():
            return
        log.error("%s did not stop in time and is cancelled", self.id)
        try:
            if self._loop is not None:
                self._loop.cancel()
        except Exception as error:
            log.warning("%s failed while it was cancelled: %s", self.id, hide(sentence(error), self._secrets))

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; whether it has come."""
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()


class TaskRunner:
    """The tasks of a host by id."""

    def __init__(self, properties: Mapping[str, str], send: Send, next_request: Callable[[], int]) -> None:
        self._environment = HostEnvironment(properties, send, next_request)
        self._tasks: dict[TaskId, TaskThread] = {}

    def start(self, message: StartTask) -> None:
        before = self._tasks.get(message.id)
        if before is not None and not before.failed:
            log.warning("%s is started while it runs: it is stopped first", message.id)
            before.cancel()
        self._environment.forget_connector(message.id.connector)
        self._tasks[message.id] = TaskThread(message, self._environment, before)

    def stop(self, id: TaskId, deadline_ms: int) -> None:
        task = self._tasks.pop(id, None)
        if task is None:
            self._environment.send(messages.StateChanged(id, "UNASSIGNED"))
        else:
            task.stop(time.monotonic() + deadline_ms / 1000)

    def pause(self, id: TaskId, *, paused: bool) -> None:
        if id in self._tasks:
            self._tasks[id].pause(paused=paused)

    def offsets_came(self, request: int, offsets: tuple[Mapping[str, Any] | None, ...]) -> None:
        self._environment.offset_requests.answer(request, offsets)

    def offsets_written(self, request: int, error: str) -> None:
        self._environment.worker_offsets.answer(request, error)

    def stop_all(self, deadline: float) -> None:
        """Stop all and wait for their ends, at the latest until the deadline."""
        for task in self._tasks.values():
            task.stop(deadline)
        for task in self._tasks.values():
            task.join(deadline - time.monotonic())

    def abandon(self) -> None:
        """The worker has gone: cut every task off at once, and give the clients a moment to say good-bye."""
        for task in self._tasks.values():
            task.cancel()
        until = time.monotonic() + 1.0
        for task in self._tasks.values():
            task.join(until - time.monotonic())
