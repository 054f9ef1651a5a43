"""ColumnProducer and ColumnSender: a source task's way into Kafka, in columns from the converter to the socket.

Thread rule: a task's thread sends and acknowledges; runs are reported on the producer's thread and go through a deque.
`Room` bounds what is on its way. Where the client settings say what only librdkafka understands, `TaskProducer` is the
way instead.
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
from confluent_kafka import KafkaError

from headrace.connect.api import ConnectError
from headrace.connect.client.accumulator import Failure, Run
from headrace.connect.client.batches import BatchMaker
from headrace.connect.client.network import not_expressible
from headrace.connect.client.partitioner import partitions_of
from headrace.connect.client.producer import RecordProducer
from headrace.connect.records.columns import NewRecords, byte_column
from headrace.connect.runtime.host.offset_tracker import OffsetTracker, Submission
from headrace.connect.runtime.host.producers import KafkaProducer, failure_of
from headrace.connect.runtime.host.room import Room
from headrace.connect.runtime.host.stopped import Stopped
from headrace.connect.runtime.host.task_producer import Payloads, TaskProducer
from headrace.connect.runtime.host.topic_admin import TopicAdmin
from headrace.kafka_client.settings import translate
from headrace.wire.errors import ErrorCode as E

log = logging.getLogger(__name__)

DEFAULTS: Final = {
    # A row of JSON repeats its schema: a tenth of the bytes, and of what every hop of them costs.
    "compression.type": "lz4",
    "queue.buffering.max.kbytes": 65_536,
}
MAX_ON_THE_WAY: Final = 1_000_000
"""Records; memory is bounded by their bytes long before, unless they are tiny."""


class ColumnProducer:
    """A producer of our own, shared by the source tasks whose client settings are equal."""

    def __init__(self, java_settings: Mapping[str, str]) -> None:
        """Raises ConfigError where a setting cannot be used."""
        settings: dict[str, Any] = DEFAULTS | translate("producer", java_settings)
        self.bootstrap = java_settings.get("bootstrap.servers", "")
        self.room = Room(int(settings["queue.buffering.max.kbytes"]) * 1024, MAX_ON_THE_WAY)
        self.topics = TopicAdmin(java_settings)
        self.records = RecordProducer(settings)

    @property
    def is_spoiled(self) -> bool:
        """Whether it has failed, for one partition or for all: not for new tasks."""
        return self.records.is_spoiled

    def close(self) -> None:
        self.records.close()


TaskProducers = ColumnProducer | KafkaProducer


def producer_of_tasks(java_settings: Mapping[str, str]) -> TaskProducers:
    """A producer for these settings: ours, or librdkafka where only that can be told them. Raises ConfigError."""
    foreign = not_expressible(translate("producer", java_settings))
    if foreign is None:
        return ColumnProducer(java_settings)
    log.info("The producer to %s is librdkafka's, which alone understands %s", java_settings.get(_SERVERS), foreign)
    return KafkaProducer(java_settings)


_SERVERS: Final = "bootstrap.servers"


Refused = Callable[[int, ConnectError], None]
"""Told, in the task's thread, which row of the payloads was not written, and why."""
_ERRORS: Final = "org.apache.kafka.common.errors"
_JAVA_CLASSES: Final[dict[int, str]] = {
    E.MESSAGE_TOO_LARGE: f"{_ERRORS}.RecordTooLargeException",
    E.RECORD_LIST_TOO_LARGE: f"{_ERRORS}.RecordBatchTooLargeException",
    E.INVALID_RECORD: "org.apache.kafka.common.InvalidRecordException",
    E.INVALID_TIMESTAMP: f"{_ERRORS}.InvalidTimestampException",
}


def _nobody(failure: Failure | None) -> None:
    """Hears of a run that has not been sent."""


class ColumnSender:
    """Sends a task's records and tells the tracker what has been acknowledged."""

    def __init__(self, producer: ColumnProducer, tracker: OffsetTracker, stopped: Callable[[], bool]) -> None:
        self._producer = producer
        self._tracker = tracker
        self._stopped = stopped
        self._reports: deque[Callable[[], None]] = deque()
        self._last_topic = ""
        self._maker = BatchMaker(producer.records.settings)
        self.cancelled = False

    def send(self, payloads: Payloads, submission: Submission, refused: Refused | None = None) -> None:
        """Give the records to the producer, waiting for room. Raises ConnectError where they cannot be written.

        With `refused` the others go on without a record that the broker does not take: `acknowledge` tells its row.
        """
        self._last_topic = payloads.topic
        room = self._producer.room
        for partition, records, rows in self._by_partition(payloads):
            at = 0
            # Several parts have room at once, so that the producer is never idle between them.
            for part, batch in self._maker.make(records, room.max_bytes // 4, room.max_messages // 4):
                run = Run(part, _nobody, lambda: self.cancelled, batch)
                if refused is not None:
                    run.refused = self._refused(refused, payloads.topic, at, rows)
                self._send(payloads.topic, partition, run, submission)
                at += len(part)

    def _refused(self, refused: Refused, topic: str, start: int, rows: Any) -> Callable[[int, Failure], None]:
        """What the producer's thread is to call: row numbers of a run become those of the payloads."""

        def tell(row: int, failure: Failure) -> None:
            at = start + row if rows is None else int(rows[start + row])
            self._reports.append(lambda: refused(at, self._error(failure, topic)))

        return tell

    def acknowledge(self) -> None:
        """Hand what was reported to the tracker. Raises ConnectError where records were not written."""
        while self._reports:
            self._reports.popleft()()
        self._check_producer()

    def _acknowledged(self, submission: Submission, topic: str, failure: Failure | None) -> None:
        if failure is not None:
            raise self._error(failure, topic)
        self._tracker.acknowledge(submission)

    def _send(self, topic: str, partition: int, run: Run, submission: Submission) -> None:
        length, room, reports = len(run.records), self._producer.room, self._reports
        size = int(run.records.sizes().sum())

        def done(failure: Failure | None) -> None:
            room.give(size, length)
            reports.append(lambda: self._acknowledged(submission, topic, failure))

        run.done = done
        room.take(size, length, self._check)
        self._tracker.expect(submission)
        self._producer.records.add(topic, partition, run)

    def _check(self) -> None:
        """Nothing is sent for a task that was cancelled, or after its producer's end."""
        if self.cancelled or self._stopped():
            raise Stopped
        self._check_producer()

    def _check_producer(self) -> None:
        if self._producer.records.fatal is not None:
            raise self._error(self._producer.records.fatal, self._last_topic)

    def _error(self, failure: Failure, topic: str) -> ConnectError:
        text = KafkaError(failure.code).str() + (f" ({failure.text})" if failure.text else "")
        error = failure_of(text, topic, self._producer.bootstrap)
        if failure.code in _JAVA_CLASSES:
            error.java_class = _JAVA_CLASSES[failure.code]
        return error

    # Partitions.

    def _by_partition(self, payloads: Payloads) -> Iterator[tuple[int, NewRecords, Any]]:
        """Partition, its records, and their rows in the payloads (None: all of them)."""
        records = _records(payloads)
        count = self._partition_count(payloads.topic)
        chosen = self._partitions(payloads, records, count)
        if isinstance(chosen, int):
            yield chosen, records, None
            return
        for partition in np.unique(chosen).tolist():
            rows = np.flatnonzero(chosen == partition)
            yield partition, records.take(rows), rows

    def _partitions(self, payloads: Payloads, records: NewRecords, count: int) -> Any:
        """The partition of all rows, or an array of each row's."""
        # As Java's sticky partitioning: the records of a batch that have no key go to one partition.
        keyless = random.randrange(count)
        if payloads.partitions is None:
            if count == 1 or records.keys is None:
                return keyless
            return partitions_of(records.keys, count, keyless)
        given = _array(payloads.partitions, pa.int32()).cast(pa.int64())
        self._check_partitions(payloads.topic, given, count)
        wanted = given.fill_null(-1).to_numpy()
        if not given.null_count:
            return wanted
        free = keyless if records.keys is None else partitions_of(records.keys, count, keyless)
        return np.where(wanted < 0, free, wanted)

    def _check_partitions(self, topic: str, given: Any, count: int) -> None:
        wrong = next((each for each in given.unique().to_pylist() if each is not None and not 0 <= each < count), None)
        if wrong is not None:
            raise ConnectError(
                f"Records for topic {topic} were not written to {self._producer.bootstrap}: a transformation or the "
                f"connector gives partition {wrong}, and the topic has {count} (0 to {count - 1}): add partitions"
            )

    def _partition_count(self, topic: str) -> int:
        known = self._producer.records.topic(topic, self._check)
        if known.error_code != 0:
            raise self._error(Failure(known.error_code), topic)
        return len(known.partitions)


def sender_of(
    producer: TaskProducers, tracker: OffsetTracker, stopped: Callable[[], bool]
) -> ColumnSender | TaskProducer:
    """A task's sender by this producer."""
    if isinstance(producer, ColumnProducer):
        return ColumnSender(producer, tracker, stopped)
    return TaskProducer(producer, tracker, stopped)


def _records(payloads: Payloads) -> NewRecords:
    """The payloads in columns; a row without a time of its own has now's."""
    now = time.time_ns() // 1_000_000
    if payloads.timestamps is None:
        times = np.full(len(payloads), now, np.int64)
    else:
        times = _array(payloads.timestamps, pa.int64()).fill_null(now).to_numpy()
    keys = None if payloads.keys is None else byte_column(payloads.keys)
    return NewRecords(byte_column(payloads.values), times, keys, payloads.headers)


def _array(column: Any, kind: Any) -> Any:
    return column if isinstance(column, pa.Array) else pa.array(column, kind)
