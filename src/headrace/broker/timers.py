"""Deadlines of the broker's loop: a heap that somebody with a clock drives.

Sans-IO. The server calls `run(now_ms)` with the monotonic clock when the earliest is due; a test calls `advance`.
Handlers and coordinators use `after(delay_ms, callback)` and `Timer.cancel()`, and know no clock. Delays are
monotonic; a wall clock that jumps moves no deadline.
"""

import heapq
from collections.abc import Callable


class Timer:
    """One deadline; `cancel` before it is due, and it never fires."""

    __slots__ = ("_timers", "callback", "due_ms")

    def __init__(self, timers: "Timers", due_ms: int, callback: Callable[[], None]) -> None:
        self._timers = timers
        self.due_ms = due_ms
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Never fire; harmless where it has fired."""
        if self.callback is not None:
            self.callback = None
            self._timers.cancelled()


class Timers:
    """All deadlines, earliest first; those due at the same millisecond fire in the order they were made."""

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms
        self.on_earlier: Callable[[int], None] = lambda due_ms: None
        """Called with the due time when a new deadline is earlier than all others: the server re-arms its one timer."""
        self._heap: list[tuple[int, int, Timer]] = []
        self._made = 0
        self._cancelled = 0

    def after(self, delay_ms: int, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the loop once `delay_ms` have passed."""
        timer = Timer(self, self.now_ms + max(0, delay_ms), callback)
        self._made += 1
        heapq.heappush(self._heap, (timer.due_ms, self._made, timer))
        if self._heap[0][2] is timer:
            self.on_earlier(timer.due_ms)
        return timer

    def next_due_ms(self) -> int | None:
        """When the earliest is due; None where there is none."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def run(self, now_ms: int) -> None:
        """Fire what is due at `now_ms`, and what that makes due at once."""
        self.now_ms = max(now_ms, self.now_ms)
        while (due := self.next_due_ms()) is not None and due <= self.now_ms:
            timer = heapq.heappop(self._heap)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()

    def advance(self, delay_ms: int) -> None:
        """Let `delay_ms` pass, firing each deadline at its own time: the clock of tests."""
        end = self.now_ms + delay_ms
        while (due := self.next_due_ms()) is not None and due <= end:
            self.run(due)
        self.now_ms = end

    def cancelled(self) -> None:
        """A timer was cancelled: rebuild the heap once most of it is dead, so that long polls leave no garbage."""
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0
