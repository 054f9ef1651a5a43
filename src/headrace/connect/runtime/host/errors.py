"""What a failure looks like to a person, and the one place that decides what a failed record means.

A trace begins with the sentence; the stack follows without locals and with the config's secrets hidden (invariant 7).
"""

import logging
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from headrace.connect.api import Batch, ConfigError, ConnectError, DataError, Password, SinkOrigin, SourceOrigin

log = logging.getLogger(__name__)
Result = TypeVar("Result")

_SECRET_KEY: Final = re.compile(r"password|secret|token|credential|jaas|private|passphrase|basic\.auth", re.IGNORECASE)
_SHORTEST_SECRET: Final = 3


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
    secrets = list(secrets)
    parts = [sentence(error), _frames(error)]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while cause is not None and len(parts) < 12:
        parts += [f"Caused by: {type(cause).__name__}: {cause}", _frames(cause)]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return hide("\n".join(part for part in parts if part), secrets)


def _frames(error: BaseException) -> str:
    """The stack without source lines: a line of source may hold a secret, its number does not."""
    stack = traceback.extract_tb(error.__traceback__)
    return "\n".join(f"\tat {frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(stack))


class Stage:
    """Where a record failed, by Kafka Connect's names."""

    TRANSFORMATION: Final = "TRANSFORMATION"
    KEY_CONVERTER: Final = "KEY_CONVERTER"
    VALUE_CONVERTER: Final = "VALUE_CONVERTER"
    HEADER_CONVERTER: Final = "HEADER_CONVERTER"
    TASK_PUT: Final = "TASK_PUT"


class ErrorPolicy:
    """Decides what a record that cannot be handled means: the task fails, or the record is skipped, counted and logged.

    The one place for it (invariant 5). Owned by a task's thread.
    """

    def __init__(self, task: str, connector: Mapping[str, Any]) -> None:
        self._task = task
        self._tolerant = _flag(connector, "errors.tolerance", "none") == "all"
        self._log_each = _flag(connector, "errors.log.enable", "false") == "true"
        self._secrets = secrets_of(connector)
        self.skipped = 0

    def reject(self, stage: str, record: str, error: DataError) -> None:
        """Skip one record, or raise ConnectError that names it. `record` says which one, without its content."""
        text = f"{record} failed in {stage}: {hide(sentence(error), self._secrets)}"
        if not self._tolerant:
            raise ConnectError(f"{text} (errors.tolerance=all would skip it)") from error
        self.skipped += 1
        if self._log_each or self.skipped & (self.skipped - 1) == 0:  # each power of two: never silent, never a flood
            log.error("%s: %s; skipped, %d so far", self._task, text, self.skipped)

    def guard(self, stage: str, batch: Batch, work: Callable[[Batch], Result]) -> list[Result]:
        """`work(batch)`; where it raises DataError, of ever smaller parts until only the bad records are out."""
        try:
            return [work(batch)]
        except DataError as error:
            if len(batch) <= 1:
                self.reject(stage, describe(batch), error)
                return []
        middle = len(batch) // 2
        first = self.guard(stage, batch.slice(0, middle), work)
        return first + self.guard(stage, batch.slice(middle, len(batch)), work)


def describe(batch: Batch) -> str:
    """Which record the first row of a batch is: where it was consumed from, or its source offset."""
    if isinstance(batch.origin, SinkOrigin):
        topic, partition, offset = batch.kafka_position(0)
        return f"The record at topic {topic}, partition {partition}, offset {offset}"
    if isinstance(batch.origin, SourceOrigin):
        return f"The record of {dict(batch.origin.partition)} at {dict(batch.source_offset(0))} for topic {batch.topic}"
    return f"A record for topic {batch.topic}"


def _flag(properties: Mapping[str, Any], key: str, default: str) -> str:
    return str(properties.get(key) or default).strip().lower()
