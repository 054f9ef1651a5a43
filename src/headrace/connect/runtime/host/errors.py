"""What a failure looks like to a person, and the one place that decides what a failed record means.

A trace begins with the sentence; the stack follows without locals and with the config's secrets hidden (invariant 7).
"""

import logging
import re
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from headrace.connect.api import ConfigError, ConnectError, Password
from headrace.connect.runtime.host.error_settings import ErrorSettings
from headrace.connect.runtime.host.retries import Retries
from headrace.connect.runtime.host.stopped import Stopped

log = logging.getLogger(__name__)
Result = TypeVar("Result")

_SECRET_KEY: Final = re.compile(r"password|secret|token|credential|jaas|private|passphrase|basic\.auth", re.IGNORECASE)
_SHORTEST_SECRET: Final = 3
_MOST_CAUSES: Final = 6


def secrets_of(properties: Mapping[str, Any]) -> list[str]:
    """The values of the keys that look like secrets, longest first."""
    values = {str(value) for key, value in properties.items() if _SECRET_KEY.search(key) and value}
    return sorted((value for value in values if len(value) >= _SHORTEST_SECRET), key=len, reverse=True)


def hide(text: str, secrets: Iterable[str]) -> str:
    """`text` with each of `secrets` replaced, where it stands as a word of its own."""
    for secret in secrets:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", Password.HIDDEN, text)
    return text


def sentence(error: BaseException) -> str:
    """The one line that a person reads first."""
    text = str(error).strip()
    if isinstance(error, (ConnectError, ConfigError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def trace(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """The sentence, then where it came from, then what caused it."""
    lines = [sentence(error), *_at(error)]
    for cause in causes(error)[1:]:
        lines += [f"Caused by: {type(cause).__name__}: {cause}", *_at(cause)]
    return hide("\n".join(lines), list(secrets))


def causes(error: BaseException) -> list[BaseException]:
    """The error, what caused it, what caused that, and so on: as many as help a reader."""
    found = [error]
    while len(found) < _MOST_CAUSES:
        last = found[-1]
        cause = last.__cause__ or (None if last.__suppress_context__ else last.__context__)
        if cause is None or cause in found:
            break
        found.append(cause)
    return found


def frames(error: BaseException) -> list[str]:
    """The stack, innermost first, without source lines: a line of source may hold a secret, its number does not."""
    # Not by extract_tb, which reads the files: a flood of bad records would take seconds.
    codes = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return [f"{code.co_name} ({code.co_filename}:{line})" for code, line in reversed(codes)]


def _at(error: BaseException) -> list[str]:
    return [f"\tat {frame}" for frame in frames(error)]


class Stage:
    """Where a record failed, by Kafka Connect's names."""

    TRANSFORMATION: Final = "TRANSFORMATION"
    KEY_CONVERTER: Final = "KEY_CONVERTER"
    VALUE_CONVERTER: Final = "VALUE_CONVERTER"
    HEADER_CONVERTER: Final = "HEADER_CONVERTER"
    KAFKA_PRODUCE: Final = "KAFKA_PRODUCE"
    TASK_PUT: Final = "TASK_PUT"


class StageError(Exception):
    """Something that records pass through has failed. `executing` is the class at work, or its Java name."""

    def __init__(self, stage: str, executing: type | str, error: BaseException) -> None:
        super().__init__(f"{stage}: {error}")
        self.stage = stage
        self.executing = executing
        self.error = error


@contextmanager
def at_stage(stage: str, plugin: object) -> Iterator[None]:
    """What a plug-in raises is told with where it happened: as in Java, whatever it is, it is the record's failure."""
    try:
        yield
    except (StageError, Stopped):
        raise
    except Exception as error:
        raise StageError(stage, type(plugin), error) from error


class FailedRecord(Protocol):
    """One record that could not be handled."""

    def describe(self) -> str:
        """Which one it is, without what it holds: the beginning of a sentence."""
        ...

    def details(self) -> str:
        """The same as Java's LogReporter writes it, where `errors.log.include.messages` asks for it."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """A record, and what it failed of."""

    record: Any
    """A FailedRecord."""
    at: StageError


class Reporter(Protocol):
    """Is told of each record that failed: a log, a dead letter queue."""

    def report(self, failure: Failure) -> "Future[None] | None":
        """The future is done when the report is safe; None where it is at once."""
        ...


@dataclass(slots=True)
class ErrorCounts:
    """What became of a task's records, as the metrics of `task-error-metrics` count it."""

    failures: int = 0
    """Operations that failed, those that were tried again among them."""
    errors: int = 0
    """Records that failed for good."""
    skipped: int = 0
    retries: int = 0
    logged: int = 0
    letters: int = 0
    letters_failed: int = 0

    def __str__(self) -> str:
        """Those that are not 0, for a person."""
        told = {
            "failed": self.errors,
            "skipped": self.skipped,
            "dead-lettered": self.letters - self.letters_failed,
            "not taken by the dead letter queue": self.letters_failed,
            "logged": self.logged,
        }
        parts = [f"{count} {word}" for word, count in told.items() if count]
        return ", ".join(parts) + (f"; {self.retries} times something was tried again" if self.retries else "")


@dataclass
class ErrorPolicy:
    """Decides what a record that cannot be handled means: it is tried again, reported, skipped, or fails the task.

    The one place for it (invariant 5), and for the counts. Sans-IO: reporters, clock and waiting are handed in. Used by
    a task's loop, and by the thread of its plug-in where that hands over records.
    """

    task: str
    settings: ErrorSettings = field(default_factory=ErrorSettings)
    secrets: Sequence[str] = ()
    reporters: Sequence[Reporter] = ()
    retries: Retries = field(default_factory=Retries)
    counts: ErrorCounts = field(default_factory=ErrorCounts)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def needs_payloads(self) -> bool:
        """Whether a rejected record's bytes are wanted, as they were consumed."""
        return bool(self.settings.letter_topic)

    def reject(self, record: FailedRecord, at: StageError) -> "list[Future[None]]":
        """Report one record and skip it, or raise ConnectError that names it; gives the reports on their way."""
        with self._lock:
            self.counts.failures += 1
            self.counts.errors += 1
        failure = Failure(record, at)
        reported = [reporter.report(failure) for reporter in self.reporters]
        text = f"{record.describe()} failed in {at.stage}: {hide(sentence(at.error), self.secrets)}"
        if not self.settings.tolerant:
            raise ConnectError(f"{text} (errors.tolerance=all would skip it)") from at.error
        self._skip(text)
        return [future for future in reported if future is not None]

    def tell(self) -> None:
        """At a task's end: what became of the records that were not like the others."""
        if self.counts.errors or self.counts.retries:
            log.info("%s ends; records: %s", self.task, self.counts)

    def _skip(self, text: str) -> None:
        with self._lock:
            self.counts.skipped += 1
            skipped = self.counts.skipped
        # Each power of two: never silent, never a flood. The error log tells of each one.
        if not self.settings.log_each and skipped & (skipped - 1) == 0:
            log.error("%s: %s; skipped, %d so far", self.task, text, skipped)

    def guard(
        self, batch: Any, work: Callable[[Any], Result], record: Callable[[Any, int], FailedRecord]
    ) -> list[Result]:
        """`work(batch)`; where it raises StageError, of ever smaller parts until only the bad records are out.

        `record` gives the record of a row.
        """
        parts = self.parts(
            len(batch),
            lambda start, stop: work(batch.slice(start, stop)),
            lambda row, error: self.reject(record(batch, row), error),
        )
        return [result for _, result in parts]

    def parts(
        self, length: int, work: Callable[[int, int], Result], reject: Callable[[int, StageError], object]
    ) -> list[tuple[int, Result]]:
        """The same of rows by their numbers: (start, `work(start, stop)`) of each part that went well, in order."""
        found: list[tuple[int, Result]] = []
        # Not by a function that calls itself: it and what it knows would be a cycle, and wait for the collector.
        todo = [(0, length)]
        tries = None
        while todo:
            start, stop = todo.pop()
            try:
                found.append((start, work(start, stop)))
                continue
            except StageError as error:
                tries = tries or self.retries.begin()
                if tries.again(error.error):
                    self._count_retry()
                    todo.append((start, stop))
                elif stop - start == 1:
                    reject(start, error)
                else:
                    middle = (start + stop) // 2
                    todo += [(middle, stop), (start, middle)]
        return found

    def _count_retry(self) -> None:
        with self._lock:
            self.counts.failures += 1
            self.counts.retries += 1
