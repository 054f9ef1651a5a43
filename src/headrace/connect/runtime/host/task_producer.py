"""TaskProducer: a source task's way into Kafka by librdkafka, and the acknowledgements that come back.

Used where the client settings are such that only librdkafka understands them; `ColumnSender` is the usual way.

Thread rule: the task's thread sends; delivery reports come on the producer's polling thread and go through a deque.
`produce_batch` takes rows without headers, timestamps or partitions of their own: it drops headers and ignores a
message's partition WITHOUT an error, so rows with a partition are grouped under its own `partition=`, and rows with
headers or timestamps go by `produce`. Only the last message of a call reports its delivery where all go to one
partition: the reports of the others would cost a fifth of the whole path. librdkafka never refuses a message for want
of room: `Room` says why.
"""

import logging
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

from headrace.connect.runtime.host.offset_tracker import OffsetTracker, Submission
from headrace.connect.runtime.host.producers import Delivered, KafkaProducer, failure
from headrace.connect.runtime.host.room import Room
from headrace.connect.runtime.host.stopped import Stopped

log = logging.getLogger(__name__)

PART_MESSAGES: Final = 10_000
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Payloads:
    """A run of encoded records for one topic, in Arrow's columns or in lists; a column that no row needs is None."""

    topic: str
    values: Any
    keys: Any = None
    partitions: Any = None
    timestamps: Any = None
    headers: Sequence[list[tuple[str, bytes | None]]] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def in_lists(self) -> "Payloads":
        """The same with a list for each column."""
        columns: tuple[Any, ...] = (self.values, self.keys, self.partitions, self.timestamps, self.headers)
        lists = (column.to_pylist() if hasattr(column, "to_pylist") else column for column in columns)
        return Payloads(self.topic, *lists)

    def slice(self, start: int, stop: int) -> "Payloads":
        """Rows start to stop (not included)."""
        columns = (self.values, self.keys, self.partitions, self.timestamps, self.headers)
        return Payloads(self.topic, *(None if column is None else column[start:stop] for column in columns))

    def size(self) -> int:
        """Bytes of keys and values."""
        return sum(len(payload) for column in (self.values, self.keys or ()) for payload in column if payload)


class TaskProducer:
    """Sends a task's records and tells the tracker what has been acknowledged."""

    def __init__(self, producer: KafkaProducer, tracker: OffsetTracker, stopped: Callable[[], bool]) -> None:
        self._producer = producer
        self._tracker = tracker
        self._stopped = stopped
        self._reports: deque[tuple[Submission, KafkaError | None, str]] = deque()
        self._last_topic = ""
        self.cancelled = False

    def send(self, payloads: Payloads, submission: Submission, refused: object = None) -> None:
        """Queue the records, waiting for room. Raises ConnectError where one is refused: `refused`, which would have
        the others go on, is not called, for librdkafka ends with a gap."""
        payloads = payloads.in_lists()
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

    def _report(self, submission: Submission, topic: str, size: int, messages: int) -> Delivered:
        """A delivery report that gives back the room of `messages`, and is one acknowledgement of the submission."""
        reports, room = self._reports, self._producer.room

        def delivered(error: KafkaError | None, message: object) -> None:
            room.give(size, messages)
            reports.append((submission, error, topic))

        return delivered

    def _send_run(self, payloads: Payloads, submission: Submission) -> None:
        """Rows whose partition librdkafka would choose: by key, or any one for rows without a key."""
        partition = self._one_partition(payloads)
        for part in _parts(payloads, self._producer.room):
            if partition is None:
                self._send_by_key(part, submission)
            else:
                self._send_marked(part, partition, submission)

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
            run = Payloads(payloads.topic, [payloads.values[row] for row in rows], keys)
            if partition is None:
                self._send_run(run, submission)
            else:
                for part in _parts(run, self._producer.room):
                    self._send_marked(part, partition, submission)

    def _send_marked(self, payloads: Payloads, partition: int, submission: Submission) -> None:
        """All to one partition: the last one's delivery tells of all."""
        size, messages = self._take_room(payloads), _messages(payloads)
        messages[-1]["callback"] = self._report(submission, payloads.topic, size, len(messages))
        self._tracker.expect(submission)
        self._queue(payloads.topic, messages, {"partition": partition})

    def _send_by_key(self, payloads: Payloads, submission: Submission) -> None:
        """Each to the partition of its key: each delivery is told."""
        size, messages = self._take_room(payloads), _messages(payloads)
        delivered = self._report(submission, payloads.topic, size // len(messages), 1)
        self._producer.room.give(size % len(messages), 0)
        self._tracker.expect(submission, len(messages))
        self._queue(payloads.topic, messages, {"on_delivery": delivered})

    def _take_room(self, payloads: Payloads) -> int:
        """Wait for room for a part; gives its bytes."""
        size = payloads.size()
        self._producer.room.take(size, len(payloads), lambda: self._check(payloads.topic))
        return size

    def _queue(self, topic: str, messages: list[Message], options: Message) -> None:
        """`produce_batch`, all of it at once. Raises ConnectError where librdkafka refuses a message."""
        self._check(topic)
        if self._producer.rdkafka.produce_batch(topic, messages, **options) != len(messages):
            refused = next(message["_error"] for message in messages if "_error" in message)
            raise failure(refused, topic, self._producer.bootstrap)

    def _send_one_by_one(self, payloads: Payloads, submission: Submission) -> None:
        for part in _parts(payloads, self._producer.room):
            size = self._take_room(part)
            delivered = self._report(submission, payloads.topic, size // len(part), 1)
            self._producer.room.give(size % len(part), 0)
            for row in range(len(part)):
                self._produce(part.topic, _options(part, row) | {"on_delivery": delivered})
                self._tracker.expect(submission)

    def _produce(self, topic: str, options: Message) -> None:
        self._check(topic)
        try:
            self._producer.rdkafka.produce(topic, **options)
        except (KafkaException, BufferError) as error:
            raise failure(error.args[0], topic, self._producer.bootstrap) from error

    def _check(self, topic: str) -> None:
        """Nothing is sent for a task that was cancelled, or after its producer's end."""
        if self.cancelled or self._stopped():
            raise Stopped
        self._check_producer(topic)


def _messages(payloads: Payloads) -> list[Message]:
    if payloads.keys is None:
        return [{"value": value} for value in payloads.values]
    return [{"key": key, "value": value} for key, value in zip(payloads.keys, payloads.values, strict=True)]


def _parts(payloads: Payloads, room: Room) -> Iterator[Payloads]:
    """Parts small enough that several have room at once, so that the producer is never idle between them."""
    most = max(1, min(PART_MESSAGES, room.max_messages // 4))
    if len(payloads) <= most:
        yield from _halves(payloads, room.max_bytes // 4)
        return
    for start in range(0, len(payloads), most):
        yield from _halves(payloads.slice(start, start + most), room.max_bytes // 4)


def _halves(payloads: Payloads, most_bytes: int) -> Iterator[Payloads]:
    if len(payloads) == 1 or payloads.size() <= most_bytes:
        yield payloads
        return
    middle = len(payloads) // 2
    yield from _halves(payloads.slice(0, middle), most_bytes)
    yield from _halves(payloads.slice(middle, len(payloads)), most_bytes)


def _options(payloads: Payloads, row: int) -> Message:
    """The arguments of `produce` for one row; what it has not is left out."""
    columns = (("key", payloads.keys), ("partition", payloads.partitions), ("timestamp", payloads.timestamps))
    options: Message = {name: column[row] for name, column in columns if column is not None and column[row] is not None}
    if payloads.headers is not None and payloads.headers[row]:
        options["headers"] = payloads.headers[row]
    return {"value": payloads.values[row], **options}
