"""DeadLetterQueue: records that a sink could not handle, written as they were consumed to a topic of their own.

As Java's DeadLetterQueueReporter, but that nothing is lost with it: no offset from a dead letter on is committed before
the topic has it (invariant 3), and a letter that cannot be written fails the task (invariant 5).
Thread rule: the task's loop and its plug-in's thread report; the producer's thread says what is written.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Protocol

from headrace.connect.api import ConnectError, TopicPartition
from headrace.connect.runtime.host.consumed import ConsumedRow
from headrace.connect.runtime.host.errors import ErrorCounts, Failure, StageError, hide
from headrace.connect.runtime.host.java_names import exception_class, executing_class, stack_trace
from headrace.connect.runtime.messages import TaskId

PREFIX: Final = "__connect.errors."
Headers = list[tuple[str, bytes | None]]
Done = Callable[[str], None]
"""Told why a letter was not written; with nothing where it was."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One record for the dead letter queue; `timestamp` in milliseconds, -1 for none."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int


class Letterbox(Protocol):
    """Takes letters to the topic."""

    def send(self, letter: Letter, done: Done) -> None: ...


class DeadLetterQueue:
    """The reporter that writes, and what is on its way."""

    def __init__(self, topic: str, task: TaskId, box: Letterbox, counts: ErrorCounts) -> None:
        self.topic = topic
        self._task = task
        self._box = box
        self._counts = counts
        self._with_headers = False
        self._secrets: Sequence[str] = ()
        self._changed = threading.Condition()
        self._on_the_way: dict[TopicPartition, list[int]] = {}
        self._failure = ""

    def explain(self, secrets: Sequence[str]) -> None:
        """Give letters headers that say what went wrong, without these secrets."""
        self._with_headers = True
        self._secrets = secrets

    def report(self, failure: Failure) -> "Future[None]":
        """Send one record; the future is done when the topic has it."""
        record: ConsumedRow = failure.record
        place, offset = record.partition, record.offset
        future: Future[None] = Future()
        with self._changed:
            self._counts.letters += 1
            self._on_the_way.setdefault(place, []).append(offset)

        def done(why: str) -> None:
            self._written(place, offset, why)
            if why:
                future.set_exception(ConnectError(self._sentence(why)))
            else:
                future.set_result(None)

        self._box.send(self._letter(record, failure.at), done)
        return future

    def _letter(self, record: ConsumedRow, at: StageError) -> Letter:
        consumed, row = record.consumed, record.row
        headers: Headers = list((consumed.headers[row] or ()) if consumed.headers is not None else ())
        if self._with_headers:
            headers += context_headers(record, at, self._task, self._secrets)
        return Letter(consumed.key[row].as_py(), consumed.value[row].as_py(), headers, int(consumed.timestamp[row]))

    def _written(self, place: TopicPartition, offset: int, why: str) -> None:
        with self._changed:
            if why:
                # Its offset stays held back: what was not written must not be passed over.
                self._counts.letters_failed += 1
                self._failure = self._failure or why
            else:
                self._on_the_way[place].remove(offset)
            self._changed.notify_all()

    def _sentence(self, why: str) -> str:
        return f"A record for the dead letter queue {self.topic} was not written: {why}"

    def check(self) -> None:
        """Raises ConnectError where a letter could not be written."""
        with self._changed:
            if self._failure:
                raise ConnectError(self._sentence(self._failure))

    def committable(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """These positions, but none beyond a letter that is on its way."""
        with self._changed:
            oldest = {place: min(offsets) for place, offsets in self._on_the_way.items() if offsets}
        return {place: min(at, oldest.get(place, at)) for place, at in positions.items()}

    def wait(self, seconds: float, partitions: frozenset[TopicPartition] = frozenset()) -> None:
        """Until the letters of these partitions, or all, are written, or one cannot be, at most so long."""

        def home() -> bool:
            wanted = (offsets for place, offsets in self._on_the_way.items() if not partitions or place in partitions)
            return bool(self._failure) or not any(wanted)

        with self._changed:
            self._changed.wait_for(home, max(0.0, seconds))


def context_headers(record: ConsumedRow, at: StageError, task: TaskId, secrets: Sequence[str] = ()) -> Headers:
    """What Java's DeadLetterQueueReporter says of a failed record."""
    message = str(at.error)
    values: dict[str, Any] = {
        "topic": record.partition.topic,
        "partition": record.partition.partition,
        "offset": record.offset,
        "connector.name": task.connector,
        "task.id": task.task,
        "stage": at.stage,
        "class.name": executing_class(at.executing),
        "exception.class.name": exception_class(at.error),
        "exception.message": hide(message, secrets) if message else None,
        "exception.stacktrace": stack_trace(at.error, secrets),
    }
    return [(PREFIX + name, None if value is None else str(value).encode()) for name, value in values.items()]
