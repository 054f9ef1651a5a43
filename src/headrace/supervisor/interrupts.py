"""The signals that ask a command to stop, counted: the first stops in order, a second one shortens every deadline."""

import signal
import time
from types import FrameType, TracebackType
from typing import Any, Self

ASKS_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL_S = 0.02


class Interrupted(Exception):
    """A signal asked to stop while something was being waited for."""


class Interrupts:
    """A context manager, in the main thread; `count` is how many signals came."""

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in ASKS_TO_STOP:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        # A counter and nothing else: a handler that takes a lock may find it held by the code it interrupts.
        self.count += 1

    @property
    def asked(self) -> bool:
        return self.count > 0

    @property
    def hurried(self) -> bool:
        return self.count > 1

    def raise_if_asked(self) -> None:
        if self.asked:
            raise Interrupted

    def sleep(self, seconds: float) -> bool:
        """Sleep until a signal asks to stop; whether one did."""
        deadline = time.monotonic() + seconds
        while not self.asked and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(POLL_S, left))
        return self.asked
