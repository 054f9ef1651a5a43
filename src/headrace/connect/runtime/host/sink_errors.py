"""What becomes of a sink task's bad records: policy, error log, dead letter queue and the plug-in's own reports.

Thread rule: `report` is called in the plug-in's thread, everything else by the task's loop.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from threading import Lock

import numpy as np
import pyarrow as pa

from headrace.connect.api import Batch, ConnectError, SinkOrigin, TopicPartition
from headrace.connect.runtime.host.consumed import Consumed, ConsumedOrigin, ConsumedRow, consumed_row
from headrace.connect.runtime.host.dead_letters import DeadLetterQueue, Letterbox
from headrace.connect.runtime.host.error_log import policy_of
from headrace.connect.runtime.host.errors import ErrorPolicy, Stage, StageError
from headrace.connect.runtime.host.java_names import SINK_TASK
from headrace.connect.runtime.host.stages import Stages
from headrace.connect.runtime.messages import TaskId


class SinkErrors:
    """The errors of one sink task."""

    def __init__(self, task: TaskId, properties: Mapping[str, str], stages: Stages, box: Letterbox | None) -> None:
        """`box`: the way to the dead letter queue, where the connector has one. Raises ConfigError."""
        self.policy = policy_of(task, properties)
        settings = self.policy.settings
        self._letters: DeadLetterQueue | None = None
        if box is not None:
            self._letters = DeadLetterQueue(settings.letter_topic, task, box, self.policy.counts)
            if settings.letter_headers:
                self._letters.explain(self.policy.secrets)
            self.policy.reporters = [*self.policy.reporters, self._letters]
        self.reporter = RecordReporter(self.policy, stages) if settings.takes_reports else None

    def check(self) -> None:
        """Raises ConnectError where a letter was not written, or a report beyond what is tolerated was passed over."""
        if self._letters is not None:
            self._letters.check()
        if self.reporter is not None:
            self.reporter.check()

    def landed(self) -> None:
        """A `put` is through: what it reported it does not report again."""
        if self.reporter is not None:
            self.reporter.landed()

    def committable(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """These positions, but none beyond a dead letter that is not written yet."""
        return dict(positions) if self._letters is None else self._letters.committable(positions)

    def wait_for_letters(self, seconds: float, partitions: Sequence[TopicPartition] = ()) -> None:
        """At most so long, until those of these partitions, or all, are written."""
        if self._letters is not None:
            self._letters.wait(seconds, frozenset(partitions))


class RecordReporter:
    """The ErrantRecordReporter of a task's context (KIP-610)."""

    def __init__(self, policy: ErrorPolicy, stages: Stages) -> None:
        self._policy = policy
        self._stages = stages
        self._lock = Lock()
        self._reported: dict[tuple[TopicPartition, int], Future[None]] = {}
        self._beyond: ConnectError | None = None

    def report(self, batch: Batch, row: int, error: BaseException) -> "Future[None]":
        record = self._record(batch, row)
        place = (record.partition, record.offset)
        with self._lock:
            if place in self._reported:
                return self._reported[place]
        future = self._reject(record, error)
        with self._lock:
            self._reported[place] = future
        return future

    def _record(self, batch: Batch, row: int) -> ConsumedRow:
        if isinstance(batch.origin, ConsumedOrigin):
            return consumed_row(batch, row)
        return ConsumedRow(encoded(batch.slice(row, row + 1), self._stages), 0)

    def _reject(self, record: ConsumedRow, error: BaseException) -> "Future[None]":
        try:
            reports = self._policy.reject(record, StageError(Stage.TASK_PUT, SINK_TASK, error))
        except ConnectError as beyond:
            self._beyond = beyond
            raise
        if reports:
            return reports[0]
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def check(self) -> None:
        """Raises what `report` raised, where the task let it pass."""
        if self._beyond is not None:
            raise self._beyond

    def landed(self) -> None:
        with self._lock:
            self._reported.clear()


def encoded(batch: Batch, stages: Stages) -> Consumed:
    """One row that a task made itself, as it would stand in its topic: there is no record that it was consumed from."""
    if not isinstance(batch.origin, SinkOrigin):
        raise ConnectError(f"A record of topic {batch.topic} was reported without a SinkOrigin: where is it from?")
    topic, partition, offset = batch.kafka_position(0)
    key = stages.key.from_connect_column(topic, batch.key_schema, batch.key, None, 1)
    value = stages.value.from_connect_column(topic, batch.value_schema, batch.value, batch.tombstone, 1)
    stamp = None if batch.timestamp is None else batch.timestamp[0].as_py()
    return Consumed(
        topic,
        batch.origin.timestamp_type,
        np.array([partition], np.int32),
        np.array([offset], np.int64),
        np.array([-1 if stamp is None else stamp], np.int64),
        key.cast(pa.binary()),
        value.cast(pa.binary()),
        None if batch.headers is None else [stages.headers.from_connect(topic, batch.headers[0])],
    )
