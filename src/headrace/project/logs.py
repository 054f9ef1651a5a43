"""The logs of a project's services, each line after the name of its service, as Docker Compose shows them."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headrace.project.folder import ProjectFolder
from headrace.supervisor.interrupts import Interrupts

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)
BLOCK_BYTES = 1 << 20
POLL_S = 0.05


@dataclass(slots=True)
class _Log:
    """One file, and how far it was shown; `rest` is a line whose end is still to be written."""

    prefix: str
    file: Path
    at: int = 0
    rest: bytes = b""

    def read(self) -> list[str]:
        """The whole lines that were added."""
        try:
            with self.file.open("rb") as stream:
                stream.seek(self.at)
                added = stream.read(BLOCK_BYTES)
        except FileNotFoundError:
            self.at, self.rest = 0, b""
            return []
        self.at += len(added)
        *lines, self.rest = (self.rest + added).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def skip_to_last(self, count: int | None) -> list[str]:
        """The last `count` lines of what is there (None is all); later reads go on after them."""
        lines: list[str] = []
        while more := self.read():
            lines += more
        return lines if count is None else lines[len(lines) - min(count, len(lines)) :]


@dataclass(slots=True)
class Follower:
    """Shows what is added to logs; from their start, or from now on."""

    folder: ProjectFolder
    services: Sequence[str]
    from_start: bool = True
    prefixes: bool = True
    show: Callable[[str], object] = field(default=print)
    _logs: list[_Log] = field(init=False)

    def __post_init__(self) -> None:
        width = max((len(name) for name in self.services), default=0)
        self._logs = [
            _Log(self._prefix(number, name, width), self.folder.log(name)) for number, name in enumerate(self.services)
        ]
        if not self.from_start:
            for log in self._logs:
                log.skip_to_last(0)

    def show_last(self, count: int | None) -> None:
        """Show the last `count` lines of each log; None is all of them."""
        for log in self._logs:
            self._show(log, log.skip_to_last(count))

    def show_new(self) -> None:
        """Show what was added since the last look."""
        for log in self._logs:
            self._show(log, log.read())
        sys.stdout.flush()

    def follow(self, interrupts: Interrupts, goes_on: Callable[[], bool]) -> None:
        """Show what is added until a signal comes or nothing more can be."""
        while goes_on() and not interrupts.asked:
            self.show_new()
            time.sleep(POLL_S)
        self.show_new()

    def _show(self, log: _Log, lines: list[str]) -> None:
        for line in lines:
            self.show(f"{log.prefix}{line}")

    def _prefix(self, number: int, name: str, width: int) -> str:
        if not self.prefixes:
            return ""
        text = f"{name:<{width}}  | "
        return f"\x1b[{COLOURS[number % len(COLOURS)]}m{text}\x1b[0m" if sys.stdout.isatty() else text
