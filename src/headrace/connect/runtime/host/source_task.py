"""The loop of a source task: poll -> transformations -> converters -> producer, and its offsets.

Owned by the task's thread; `iteration` is one turn. A source offset is written only when every record up to it is
acknowledged, in order (invariant 2), and a dropped record advances it in its turn (invariant 4).
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from confluent_kafka import KafkaError

from headrace.connect.api import Batch, ConnectError, RetriableError, SourceOrigin, SourceTask
from headrace.connect.runtime.host.column_producer import TaskProducers, sender_of
from headrace.connect.runtime.host.contexts import SourceContext
from headrace.connect.runtime.host.error_log import policy_of
from headrace.connect.runtime.host.errors import Stage, StageError, at_stage, hide, secrets_of, sentence
from headrace.connect.runtime.host.java_names import SOURCE_TASK
from headrace.connect.runtime.host.offset_tracker import OffsetTracker, Submission
from headrace.connect.runtime.host.source_offsets import OffsetsTopic, WorkerOffsets
from headrace.connect.runtime.host.source_records import SourceRow
from headrace.connect.runtime.host.stages import Stages
from headrace.connect.runtime.host.stopped import Stopped
from headrace.connect.runtime.host.task_producer import Payloads
from headrace.connect.runtime.messages import TaskId
from headrace.connect.runtime.topic_creation import TopicCreation

log = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 0.1
LAST_RETRY_S: Final = 10.0
IDLE_S: Final = 0.1
Fields = Mapping[str, Any]


class SourceTaskLoop:
    """One source task and what its records pass through."""

    def __init__(
        self,
        task: SourceTask,
        context: SourceContext,
        properties: Mapping[str, str],
        stages: Stages,
        producer: TaskProducers,
        offsets: "OffsetCommits",
    ) -> None:
        self._task = task
        self._context = context
        self._properties = properties
        self._stages = stages
        self._topic_admin = producer.topics
        self._offsets = offsets
        self._errors = policy_of(TaskId(context.connector, context.task), properties)
        self._errors.retries.wait = self._wait
        self._tracker = OffsetTracker()
        self._sender = sender_of(producer, self._tracker, context.stopping.is_set)
        self._creation = TopicCreation(context.worker_properties, properties)
        self._topics: set[str] = set()
        self._retry_s = FIRST_RETRY_S
        self._started = False

    def start(self, task_config: Mapping[str, str]) -> None:
        self._started = True
        self._task.start(self._context, task_config)

    def iteration(self, *, paused: bool = False) -> None:
        """One turn; paused, it only brings acknowledgements and offsets home."""
        self._sender.acknowledge()
        self._offsets.turn(self._tracker, self._task, now=paused)
        if paused:
            self._context.wait(IDLE_S)
            return
        for batch in self._poll():
            self._submit(batch)

    def _poll(self) -> Sequence[Batch]:
        try:
            batches = self._task.poll()
        except RetriableError as error:
            text = hide(sentence(error), secrets_of(self._properties))
            log.warning("%s: %s; tried again in %.1f s", self._context.id, text, self._retry_s)
            self._context.wait(self._retry_s)
            self._retry_s = min(LAST_RETRY_S, self._retry_s * 2)
            return []
        self._retry_s = FIRST_RETRY_S
        return batches

    def _submit(self, batch: Batch) -> None:
        if not len(batch):
            return
        if not isinstance(batch.origin, SourceOrigin):
            raise ConnectError(f"{type(self._task).__name__} gave a batch for {batch.topic} without a SourceOrigin")
        submission = self._tracker.submit(batch.origin.partition, batch.source_offset(len(batch) - 1))
        for transformed in self._errors.guard(batch, self._stages.transform, SourceRow):
            for part in transformed:
                self._send(part, submission, batch)
        self._tracker.sent(submission)

    def _send(self, batch: Batch, submission: Submission, polled: Batch) -> None:
        if batch.topic not in self._topics:
            self._first_use(batch.topic)
        for part, payloads in self._errors.guard(batch, self._encode, lambda part, row: _polled(polled, part, row)):
            self._sender.send(payloads, submission, self._refused(part, polled))

    def _refused(self, part: Batch, polled: Batch) -> Callable[[int, ConnectError], None] | None:
        """What becomes of a row that the broker does not take, where the others go on without it."""
        settings = self._errors.settings
        if not settings.tolerant:
            return None
        # What is on its way is kept in memory no longer than its bytes, but where a log is to show the record.
        source, kept = (polled, part) if settings.log_records else (_without_payloads(part), None)

        def reject(row: int, error: ConnectError) -> None:
            record = SourceRow(source, row) if kept is None else _polled(source, kept, row)
            self._errors.reject(record, StageError(Stage.KAFKA_PRODUCE, SOURCE_TASK, error))

        return reject

    def _encode(self, batch: Batch) -> tuple[Batch, Payloads]:
        """Raises StageError."""
        stages, topic, length = self._stages, batch.topic, len(batch)
        keys = headers = None
        if batch.headers is not None:
            with at_stage(Stage.HEADER_CONVERTER, stages.headers.converter):
                headers = [stages.headers.from_connect(topic, row) for row in batch.headers]
        if batch.key is not None or batch.key_schema is not None:
            with at_stage(Stage.KEY_CONVERTER, stages.key):
                keys = stages.key.from_connect_column(topic, batch.key_schema, batch.key, None, length)
        with at_stage(Stage.VALUE_CONVERTER, stages.value):
            values = stages.value.from_connect_column(topic, batch.value_schema, batch.value, batch.tombstone, length)
        return batch, Payloads(topic, values, keys, batch.partition, batch.timestamp, headers)

    def _wait(self, seconds: float) -> None:
        """Before an operation on records is tried again. Raises Stopped."""
        if self._context.wait(seconds):
            raise Stopped

    def _first_use(self, topic: str) -> None:
        """Create the topic where the connector asks for that, and tell the worker that it is used."""
        if self._creation.enabled and not self._topic_admin.exists(topic):
            settings = self._creation.settings(topic)
            if self._topic_admin.create_topic(topic, settings):
                log.info("%s: created topic %s: %s", self._context.id, topic, settings)
        self._topics.add(topic)
        self._context.topic_used(topic)

    def finish(self, *, failed: bool, deadline: float) -> None:
        """Wait for what is on its way, commit what is acknowledged, release everything."""
        try:
            if self._started:
                self._drain(deadline)
                self._offsets.last(self._tracker, self._task, deadline)
        finally:
            self._errors.tell()
            try:
                if self._started:
                    self._task.stop()
            finally:
                self._stages.close()

    def _drain(self, deadline: float) -> None:
        """Until all that was sent is acknowledged; what is not by the deadline is not committed either."""
        while self._tracker.unacknowledged and time.monotonic() < deadline and not self._sender.cancelled:
            try:
                self._sender.acknowledge()
            except ConnectError as error:
                log.warning("%s: %s", self._context.id, sentence(error))
                return
            time.sleep(0.005)

    def cancel(self) -> None:
        """By another thread: nothing more is sent or committed for this task."""
        self._sender.cancelled = True
        self._offsets.cancelled = True
        self._task.cancel()


def _without_payloads(batch: Batch) -> Batch:
    return replace(batch, key=None, value=None, tombstone=None, headers=None)


def _polled(polled: Batch, part: Batch, row: int) -> SourceRow:
    """The record, as the connector gave it, that a row was made of."""
    return SourceRow(polled, part.origin_row(row)) if polled.origin_index is None else SourceRow(part, row)


class OffsetCommits:
    """Writes a task's committable offsets every `interval_s`, one round at a time.

    Owned by the task's thread, but for the reports that the producer's thread appends.
    """

    def __init__(
        self, connector: str, topic: OffsetsTopic | WorkerOffsets, interval_s: float, clock: Callable[[], float]
    ) -> None:
        self._connector = connector
        self._topic = topic
        self._interval_s = interval_s
        self._clock = clock
        self._due = clock() + interval_s
        self._reports: deque[tuple[Fields, Fields, KafkaError | None]] = deque()
        self._awaited = 0
        self.cancelled = False

    def turn(self, tracker: OffsetTracker, task: SourceTask, *, now: bool = False) -> None:
        """Begin a round where one is due, and end one whose writes are all reported. Raises ConnectError."""
        self._reported(task)
        if self._awaited or self.cancelled or not (now or self._clock() >= self._due):
            return
        self._due = self._clock() + self._interval_s
        for partition, offset in tracker.committable():
            self._awaited += 1
            self._topic.write(self._connector, partition, offset, self._on_written(partition, offset))

    def _on_written(self, partition: Fields, offset: Fields) -> Callable[[KafkaError | None, Any], None]:
        return lambda error, message: self._reports.append((partition, offset, error))

    def _reported(self, task: SourceTask) -> None:
        while self._reports:
            partition, offset, error = self._reports.popleft()
            self._awaited -= 1
            if error is not None:
                raise ConnectError(f"Source offsets could not be written to {self._topic.topic}: {error.str()}")
            task.commit(partition, offset)

    def last(self, tracker: OffsetTracker, task: SourceTask, deadline: float) -> None:
        """The rounds at a task's end: what is on its way, then what is left."""
        while not self.cancelled:
            self.turn(tracker, task, now=True)
            if not self._awaited:
                return
            if time.monotonic() >= deadline:
                log.error("%s: source offsets were not acknowledged before the stop's deadline", self._connector)
                return
            time.sleep(0.005)
