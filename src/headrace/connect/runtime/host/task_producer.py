"""TaskProducer: a source task's way into Kafka, and the acknowledgements that come back.

Thread rule: the task's thread sends; delivery reports come on the producer's polling thread and go through a deque.
`produce_batch` takes rows without headers, timestamps or partitions of their own: it drops headers and ignores a
message's partition WITHOUT an error, so rows with a partition are grouped under its own `partition=`, and rows with
headers or timestamps go by `produce`. Only the last message of a call reports its delivery where all go to one
partition: the reports of the others would cost a fifth of the whole path.
"""

import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

from headrace.connect.runtime.host.offset_tracker import OffsetTracker, Submission
from headrace.connect.runtime.host.producers import Delivered, KafkaProducer, failure

log = logging.getLogger(__name__)

QUEUE_WAIT_S: Final = 0.01
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Payloads:
    """A run of encoded records for one topic; a column that no row needs is None."""

    topic: str
    values: Sequence[bytes | None]
    keys: Sequence[bytes | None] | None = None
    partitions: Sequence[int | None] | None = None
    timestamps: Sequence[int | None] | None = None
    headers: Sequence[list[tuple[str, bytes | None]]] | None = None

    def __len__(self) -> int:
        return len(self.values)


class TaskProducer:
    """Sends a task's records and tells the tracker what has been acknowledged."""

    def __init__(self, producer: KafkaProducer, tracker: OffsetTracker, stopped: Callable[[], bool]) -> None:
        self._producer = producer
        self._tracker = tracker
        self._stopped = stopped
        self._reports: deque[tuple[Submission, KafkaError | None, str]] = deque()
        self._last_topic = ""
        self.cancelled = False

    def send(self, payloads: Payloads, submission: Submission) -> None:
        """Queue the records, waiting for room. Raises ConnectError where one is refused."""
        self._last_topic = payloads.topic
        if payloads.headers is not None or payloads.timestamps is not None:
            self._send_one_by_one(payloads, submission)
        elif payloads.partitions is not None:
            self._send_by_partition(payloads, submission)
        else:
            self._send_run(payloads, submission)

    def acknowledge(self) -> None:
        """Hand what was reported to the tracker. Raises ConnectError where a delivery failed."""
        reports = self._reports
        while reports:
            submission, error, topic = reports.popleft()
            if error is not None:
                raise failure(self._producer.fatal or error, topic, self._producer.bootstrap)
            self._tracker.acknowledge(submission)
        self._check_producer(self._last_topic)

    def _check_producer(self, topic: str) -> None:
        if self._producer.fatal is not None:
            raise failure(self._producer.fatal, topic, self._producer.bootstrap)

    def _report(self, submission: Submission, topic: str) -> Delivered:
        reports = self._reports
        return lambda error, message: reports.append((submission, error, topic))

    def _send_run(self, payloads: Payloads, submission: Submission) -> None:
        """Rows whose partition librdkafka would choose: by key, or any one for rows without a key."""
        messages = _messages(payloads)
        partition = self._one_partition(payloads)
        if partition is None:
            self._enqueue(
                payloads.topic, messages, {"on_delivery": self._report(submission, payloads.topic)}, submission
            )
        else:
            self._enqueue_marked(payloads.topic, messages, partition, submission)

    def _one_partition(self, payloads: Payloads) -> int | None:
        """The partition that all rows may go to; None where the keys, or a broker not heard of yet, decide."""
        count = self._producer.partitions(payloads.topic)
        if count is None:
            return None
        if count == 1:
            return 0
        # As Java's and librdkafka's sticky partitioning: a batch of keyless records goes to one partition.
        return random.randrange(count) if payloads.keys is None else None

    def _send_by_partition(self, payloads: Payloads, submission: Submission) -> None:
        assert payloads.partitions is not None
        rows_of: dict[int | None, list[int]] = {}
        for row, partition in enumerate(payloads.partitions):
            rows_of.setdefault(partition, []).append(row)
        for partition, rows in rows_of.items():
            keys = None if payloads.keys is None else [payloads.keys[row] for row in rows]
            part = Payloads(payloads.topic, [payloads.values[row] for row in rows], keys)
            if partition is None:
                self._send_run(part, submission)
            else:
                self._enqueue_marked(part.topic, _messages(part), partition, submission)

    def _enqueue_marked(self, topic: str, messages: list[Message], partition: int, submission: Submission) -> None:
        """All to one partition: the last one's delivery tells of all."""
        messages[-1]["callback"] = self._report(submission, topic)
        self._tracker.expect(submission)
        self._enqueue(topic, messages, {"partition": partition}, None)

    def _enqueue(self, topic: str, messages: list[Message], options: Message, counted: Submission | None) -> None:
        """`produce_batch` until all are queued: of a full queue the refused tail goes again after a wait."""
        if counted is not None:
            self._tracker.expect(counted, len(messages))
        produce_batch = self._producer.rdkafka.produce_batch
        while messages:
            self._check(topic)
            if produce_batch(topic, messages, **options) == len(messages):
                return
            messages = self._refused(topic, messages)
            self._producer.rdkafka.poll(QUEUE_WAIT_S)

    def _refused(self, topic: str, messages: list[Message]) -> list[Message]:
        refused = [message for message in messages if "_error" in message]
        for message in refused:
            error = message.pop("_error")
            if error.code() != KafkaError._QUEUE_FULL:
                raise failure(error, topic, self._producer.bootstrap)
        return refused

    def _send_one_by_one(self, payloads: Payloads, submission: Submission) -> None:
        delivered = self._report(submission, payloads.topic)
        for row in range(len(payloads)):
            options = {"value": payloads.values[row], "key": _at(payloads.keys, row), "on_delivery": delivered}
            for name, column in (("partition", payloads.partitions), ("timestamp", payloads.timestamps)):
                if _at(column, row) is not None:
                    options[name] = _at(column, row)
            headers = _at(payloads.headers, row)
            if headers:
                options["headers"] = headers
            self._produce(payloads.topic, options)
            self._tracker.expect(submission)

    def _produce(self, topic: str, options: Message) -> None:
        while True:
            self._check(topic)
            try:
                self._producer.rdkafka.produce(topic, **options)
                return
            except BufferError:
                self._producer.rdkafka.poll(QUEUE_WAIT_S)
            except KafkaException as error:
                raise failure(error.args[0], topic, self._producer.bootstrap) from error

    def _check(self, topic: str) -> None:
        """Nothing is sent for a task that was cancelled, or after its producer's end."""
        if self.cancelled or self._stopped():
            raise Stopped
        self._check_producer(topic)


class Stopped(Exception):
    """The task was told to stop while it waited: no failure."""


def _messages(payloads: Payloads) -> list[Message]:
    if payloads.keys is None:
        return [{"value": value} for value in payloads.values]
    return [{"key": key, "value": value} for key, value in zip(payloads.keys, payloads.values, strict=True)]


def _at(column: Sequence[Any] | None, row: int) -> Any:
    return None if column is None else column[row]
