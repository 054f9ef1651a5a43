"""What waits for one partition and what is on its way there, in order. Sans-IO.

A batch keeps its sequence numbers until it is acknowledged, and is sent again with the same bytes. It is sent while
every older one is on its way to the same broker and no newer one is: so batches arrive in order, and after a failure
all that follow it are answered, then sent again from the oldest on. At most five are on their way, for the broker
remembers five to tell a repeated one by (`org.apache.kafka.storage.internals.log.ProducerStateEntry`); and one, unless
more are asked for, since a broker that stops and starts again remembers the last one only.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from headrace.connect.records.columns import NewRecords, concat
from headrace.connect.records.writer import RecordBatch, parts, write_batch
from headrace.log.batch import MAX_SEQUENCE
from headrace.wire.errors import ErrorCode

IN_FLIGHT: Final = 1
MAX_IN_FLIGHT: Final = 5
BATCH_BYTES: Final = 8_000_000
"""Before compression: ten thousand rows of JSON with their schema."""
BATCH_ROWS: Final = 10_000
REQUEST_BYTES: Final = 1_000_000
"""After compression: below `max.message.bytes` (1,048,588) as brokers come."""
LARGEST_BYTES: Final = 100_000_000
"""After compression: a broker drops the connection of a larger request (`socket.request.max.bytes`)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why records were not written: Kafka's error code, and the broker's own words where it gave some."""

    code: int
    text: str = ""


TOO_LARGE: Final = Failure(ErrorCode.MESSAGE_TOO_LARGE)


@dataclass(frozen=True, slots=True)
class Settings:
    """How batches are made. `linger_s`: how long a batch that is not full waits for more."""

    codec: int = 0
    level: int | None = None
    linger_s: float = 0.0
    batch_bytes: int = BATCH_BYTES
    request_bytes: int = REQUEST_BYTES
    largest_bytes: int = LARGEST_BYTES
    max_in_flight: int = IN_FLIGHT


@dataclass(slots=True, eq=False)
class Run:
    """Records of one partition as a task gave them; `done` is called once, when all are written or one is not.

    `batch` is what they make where the task has made a batch of them already, as it does of many.
    `abandoned` says whether the task has gone: what of it is not on its way yet is then dropped.
    `refused`, where the task goes on without a record that the broker does not take, is told its row, before `done`.
    """

    records: NewRecords
    done: Callable[[Failure | None], None]
    abandoned: Callable[[], bool] = lambda: False
    batch: RecordBatch | None = None
    since: float = 0.0
    refused: Callable[[int, Failure], None] | None = None
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = len(self.records)

    def written(self, rows: int) -> None:
        """So many of its rows are acknowledged, or dropped."""
        before, self.left = self.left, self.left - rows
        if before > 0 and self.left <= 0:
            self.done(None)

    def refuse_oldest(self, failure: Failure) -> bool:
        """Go on without the oldest row that is left; false where the task does not."""
        if self.refused is None:
            return False
        self.refused(len(self.records) - self.left, failure)
        self.written(1)
        return True

    def fail(self, failure: Failure) -> None:
        if self.left > 0:
            self.left = 0
            self.done(failure)


Pieces = Sequence[tuple[Run, int]]
"""Runs, and how many rows of each."""


@dataclass(slots=True, eq=False)
class Sent:
    """A batch with its place in the sequence; `node` is where it is on its way to, None where it is to be sent."""

    batch: RecordBatch
    records: NewRecords
    pieces: Pieces
    sequence: int
    node: int | None = None


class PartitionQueue:
    """One partition's records, from the task's hand to the acknowledgement."""

    def __init__(self, topic: str, partition: int, settings: Settings) -> None:
        self.topic, self.partition = topic, partition
        self.failure: Failure | None = None
        self.retry_at = 0.0
        self.failures = 0
        self.unknown_since: float | None = None
        self._settings = settings
        self._waiting: deque[tuple[Run, NewRecords]] = deque()
        self._waiting_bytes = self._waiting_rows = 0
        self._sent: list[Sent] = []
        self._sequence = 0
        self._limit = settings.request_bytes
        self._ratio = 1.0

    @property
    def is_idle(self) -> bool:
        return not self._sent and not self._waiting

    def add(self, run: Run) -> None:
        if self.failure is not None:
            run.fail(self.failure)
            return
        self._waiting.append((run, run.records))
        self._count(run.records, 1)

    def next(self, node: int, now: float) -> Sent | None:
        """The batch that goes to `node`, the partition's leader, now; it is on its way then."""
        if now < self.retry_at:
            return None
        at = next((at for at, sent in enumerate(self._sent) if sent.node is None), len(self._sent))
        if any(sent.node != node for sent in self._sent[:at]) or any(sent.node is not None for sent in self._sent[at:]):
            return None
        if at >= self._settings.max_in_flight:
            return None
        while at < len(self._sent) or self._make(now):
            if not (self._is_beyond(self._sent[at]) and self.refuse(self._sent[at], TOO_LARGE)):
                break
        else:
            return None
        self._sent[at].node = node
        return self._sent[at]

    def due_at(self) -> float:
        """The time before which nothing is sent; after it, events decide."""
        linger = self._waiting[0][0].since + self._settings.linger_s if self._waiting and not self._sent else 0.0
        return max(self.retry_at, linger)

    # Making batches.

    def _make(self, now: float) -> bool:
        """Put the next batch at the end of those to be sent, if it is time for one."""
        while self._waiting and self._waiting[0][0].abandoned():
            run, records = self._waiting.popleft()
            self._count(records, -1)
            run.written(len(records))
        if not self._waiting or not (self._is_full() or self._is_due(now)):
            return False
        run, records = self._waiting[0]
        if run.batch is not None:
            self._waiting.popleft()
            self._count(records, -1)
            self._append(run.batch, records, [(run, len(records))])
        else:
            records, pieces = self._take()
            self._append(self._write(records), records, pieces)
        return bool(self._sent)

    def _write(self, records: NewRecords) -> RecordBatch:
        batch = write_batch(records, self._settings.codec, self._settings.level)
        self._ratio = max(1.5 * batch.size / max(1, batch.plain_bytes), 0.5 * self._ratio)
        return batch

    def _is_due(self, now: float) -> bool:
        return not self._sent and now >= self._waiting[0][0].since + self._settings.linger_s

    def _is_full(self) -> bool:
        if self._waiting[0][0].batch is not None:
            return True
        return self._waiting_rows >= BATCH_ROWS or self._waiting_bytes >= self._most_bytes()

    def _count(self, records: NewRecords, sign: int) -> None:
        self._waiting_rows += sign * len(records)
        self._waiting_bytes += sign * int(records.sizes().sum())

    def _most_bytes(self) -> int:
        """What compresses to one request, as far as the last batches tell."""
        return min(self._settings.batch_bytes, int(self._limit / self._ratio))

    def _take(self) -> tuple[NewRecords, Pieces]:
        most = self._most_bytes()
        taken: list[NewRecords] = []
        pieces: list[tuple[Run, int]] = []
        rows = size = 0
        while self._waiting and rows < BATCH_ROWS:
            run, records = self._waiting[0]
            if taken and (size >= most or run.batch is not None or not records.joins(taken[0])):
                break
            part = next(parts(records, most - size, BATCH_ROWS - rows))
            part_size = int(part.sizes().sum())
            if taken and size + part_size > most:
                break
            self._waiting.popleft()
            if len(part) < len(records):
                self._waiting.appendleft((run, records.slice(len(part), len(records))))
            taken.append(part)
            pieces.append((run, len(part)))
            rows, size = rows + len(part), size + part_size
        self._waiting_bytes -= size
        self._waiting_rows -= rows
        return concat(taken), pieces

    def _append(self, batch: RecordBatch, records: NewRecords, pieces: Pieces) -> None:
        sent = Sent(batch, records, pieces, self._sequence)
        self._sequence = (self._sequence + batch.records) & MAX_SEQUENCE
        self._sent.append(sent)
        if batch.size > self._limit:
            self._split(sent)
        tolerates = self._settings.max_in_flight == 1 and all(run.refused is not None for run, _ in pieces)
        if not tolerates and any(map(self._is_beyond, self._sent)):
            self.fail(TOO_LARGE)

    def _is_beyond(self, sent: Sent) -> bool:
        """Whether no broker is to be sent it."""
        return sent.batch.size > self._settings.largest_bytes

    def _split(self, sent: Sent) -> bool:
        """Halves, with the same sequence numbers, in the place of a batch; false where it is one record."""
        if sent.batch.records == 1:
            return False
        at, middle = self._sent.index(sent), sent.batch.records // 2
        halves = []
        for start, stop in ((0, middle), (middle, sent.batch.records)):
            records = sent.records.slice(start, stop)
            batch = write_batch(records, self._settings.codec, self._settings.level)
            sequence = (sent.sequence + start) & MAX_SEQUENCE
            halves.append(Sent(batch, records, _part(sent.pieces, start, stop), sequence))
        self._sent[at : at + 1] = halves
        for half in halves:
            if half.batch.size > self._limit:
                self._split(half)
        return True

    # What became of them.

    def acknowledge(self, sent: Sent) -> None:
        if sent in self._sent:
            self._sent.remove(sent)
            self.failures, self.unknown_since = 0, None
            for run, rows in sent.pieces:
                run.written(rows)

    def again(self, sent: Sent, retry_at: float) -> None:
        """It was not written, or that is not known: send it once more, at the earliest at that time."""
        sent.node = None
        self.retry_at = max(self.retry_at, retry_at)

    def is_oldest(self, sent: Sent) -> bool:
        return bool(self._sent) and self._sent[0] is sent

    def too_large(self, sent: Sent) -> bool:
        """The broker takes no batch of this size: smaller ones go in its place; false where there are none."""
        if sent not in self._sent:
            return True
        sent.node = None
        if sent.batch.records > 1:
            self._limit = min(self._limit, max(1, sent.batch.size // 2))
        return self._split(sent)

    def narrow(self, sent: Sent, failure: Failure) -> bool:
        """The broker takes no batch with such a record in it: look for it, and go on without; false where not."""
        if sent not in self._sent:
            return True
        if any(run.refused is None for run, _ in sent.pieces):
            return False
        sent.node = None
        return self._split(sent) or self.refuse(sent, failure)

    def refuse(self, sent: Sent, failure: Failure) -> bool:
        """Leave out one record, where its task goes on without. False also where later ones are on their way: their
        numbers tell of it, and a broker that has none of ours yet would take them as they are."""
        others = [each for each in self._sent if each is not sent]
        if sent.batch.records > 1 or not self.is_oldest(sent) or any(each.node is not None for each in others):
            return False
        ((run, _),) = sent.pieces
        if not run.refuse_oldest(failure):
            return False
        self._sent = others
        for each in others:
            each.sequence = (each.sequence - 1) & MAX_SEQUENCE
        self._sequence = (self._sequence - 1) & MAX_SEQUENCE
        self.failures = 0
        return True

    def fail(self, failure: Failure) -> None:
        """Nothing that waits or is on its way is written any more, as far as the tasks are told; nor what comes."""
        self.failure = failure
        runs = [run for sent in self._sent for run, _ in sent.pieces] + [run for run, _ in self._waiting]
        self._sent.clear()
        self._waiting.clear()
        self._waiting_bytes = self._waiting_rows = 0
        for run in runs:
            run.fail(failure)


def _part(pieces: Pieces, start: int, stop: int) -> Pieces:
    """The pieces of rows start to stop."""
    found, at = [], 0
    for run, rows in pieces:
        inside = min(stop, at + rows) - max(start, at)
        if inside > 0:
            found.append((run, inside))
        at += rows
    return found
