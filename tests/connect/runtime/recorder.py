"""A listener of a HostPool that keeps what it hears, for tests to wait for with a deadline."""

import threading
from collections.abc import Callable
from typing import Any

from headrace.connect.runtime.hosts import HostDied
from headrace.connect.runtime.messages import StateChanged, TaskId, ToWorker

Message = ToWorker | HostDied


class Recorder:
    """Call it with messages; `wait` for the first one that fits."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = threading.Condition()

    def __call__(self, message: Message) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def wait(self, fits: Callable[[Message], Any], timeout_s: float = 20) -> Any:
        """The first message that fits, now or later."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(map(fits, self.messages)), timeout_s):
                raise AssertionError(f"not heard within {timeout_s} s; heard: {self.messages}")
            return next(message for message in self.messages if fits(message))

    def state(self, id: TaskId, state: str, timeout_s: float = 20) -> StateChanged:
        """The first word that `id` is in `state`."""
        found: StateChanged = self.wait(
            lambda message: isinstance(message, StateChanged) and (message.id, message.state) == (id, state), timeout_s
        )
        return found

    def forget(self) -> None:
        with self._changed:
            self.messages.clear()
