"""What was inserted when, and how long it took to be seen in the target.

`Ledger` is written by the generator and settled by the watcher of the target, two threads: its entries are in a deque,
whose ends are safe to use from one thread each. `Latencies` belongs to the thread that settles.
"""

import math
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

RATE_WINDOW_S: Final = 2.0
GROWTH: Final = math.log(1.01)
"""Latencies are kept in buckets 1 % wide, so that a run of days needs no more memory than one of seconds."""


@dataclass(slots=True)
class Latencies:
    """A distribution of milliseconds, exact to 1 %."""

    _counts: Counter[int] = field(default_factory=Counter)
    total: int = 0

    def add(self, milliseconds: float, rows: int) -> None:
        self._counts[round(math.log(max(milliseconds, 0.01)) / GROWTH)] += rows
        self.total += rows

    def percentile(self, percent: float) -> float | None:
        """The latency that `percent` of the rows did not exceed; None without rows."""
        wanted = max(1, math.ceil(self.total * percent / 100))
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return math.exp(bucket * GROWTH)
        return None


@dataclass(slots=True)
class Ledger:
    """Runs of ids that are inserted and not yet seen; `inserted` and `seen` count rows since the beginning."""

    inserted: int = 0
    seen: int = 0
    latencies: Latencies = field(default_factory=Latencies)
    written: threading.Event = field(default_factory=threading.Event)
    _open: deque[tuple[int, int, float]] = field(default_factory=deque)

    def note(self, last_id: int, rows: int, at: float) -> None:
        """`rows` rows up to `last_id` are committed in the source; their insert began at `at` (monotonic seconds)."""
        self._open.append((last_id, rows, at))
        self.inserted += rows
        self.written.set()

    def settle(self, visible_id: int, at: float) -> None:
        """All rows up to `visible_id` were seen in the target at `at`."""
        while self._open and self._open[0][0] <= visible_id:
            _, rows, began = self._open.popleft()
            self.latencies.add((at - began) * 1000, rows)
            self.seen += rows

    @property
    def backlog(self) -> int:
        """How many rows are inserted and not yet seen."""
        return self.inserted - self.seen


class RateMeter:
    """Rows a second over the last two seconds."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()

    def rate(self, at: float, rows: int) -> float:
        """The rate, `rows` having arrived in total at `at` (seconds)."""
        self._points.append((at, rows))
        while len(self._points) > 2 and at - self._points[1][0] >= RATE_WINDOW_S:
            self._points.popleft()
        began, before = self._points[0]
        return (rows - before) / (at - began) if at > began else 0.0
