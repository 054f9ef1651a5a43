"""What a worker has logged about each connector: the last lines, in memory. Read by `/headrace/connectors/NAME/log`.

A line belongs to a connector where its thread is one of the connector's or its tasks', or where its text has the
connector's name as a word. Task hosts send theirs to the worker (`messages.LogLine`); both also go to the log as ever.
Thread rule: any thread may add and read.
"""

import logging
import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from headrace.connect.runtime.messages import LogLine

LINES: Final = 500
"""As many are kept of each connector,"""
CONNECTORS: Final = 1_000
"""and of so many connectors, those first forgotten that have been silent longest."""
TEXT_CHARS: Final = 8_192

_THREAD: Final = re.compile(r"(?:task|calls)-(.+)-\d+(?:_\d+)?|connector-(.+)")


class ConnectorLogs:
    """The lines of every connector."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: OrderedDict[str, deque[LogLine]] = OrderedDict()

    def add(self, line: LogLine) -> None:
        with self._lock:
            if line.connector not in self._lines and len(self._lines) >= CONNECTORS:
                self._lines.popitem(last=False)
            self._lines.setdefault(line.connector, deque(maxlen=LINES)).append(line)
            self._lines.move_to_end(line.connector)

    def of(self, connector: str) -> list[LogLine]:
        """The last lines of a connector, in the order of their times."""
        with self._lock:
            return sorted(self._lines.get(connector, ()), key=lambda line: line.time)


class LogSender(logging.Handler):
    """Makes a LogLine of each record and hands it on; the connector is empty where the thread does not tell."""

    def __init__(self, send: Callable[[LogLine], None]) -> None:
        super().__init__(logging.INFO)
        self._send = send
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):  # as logging itself: a line that cannot be made is no reason to fail
            thread = record.threadName or ""
            text = self.format(record)[:TEXT_CHARS]
            level = record.levelname
            self._send(LogLine(connector_of_thread(thread), record.created, level, thread, record.name, text))


def connector_of_thread(thread: str) -> str:
    """The connector whose thread this is, by its name.

    >>> [connector_of_thread(name) for name in ("task-a-b-0", "calls-a-1_0", "connector-a-b", "herder")]
    ['a-b', 'a', 'a-b', '']
    """
    found = _THREAD.fullmatch(thread)
    return (found[1] or found[2]) if found else ""


def connectors_of(line: LogLine, names: Iterable[str]) -> list[str]:
    """Those that a line is about: by its thread, else every one of `names` that its text has as a word."""
    if line.connector:
        return [line.connector]
    return [name for name in names if name in line.text and _has_word(line.text, name)]


def _has_word(text: str, name: str) -> bool:
    # Between words; a task's id is the name, a dash and a number.
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?:-\d+)?(?![\w-]|\.\w)", text) is not None
