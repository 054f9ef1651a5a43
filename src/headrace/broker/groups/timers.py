"""Deadlines by key, without a thread: the owner of the loop asks for the next one and says when it has come."""

import heapq
import itertools
from collections.abc import Callable, Hashable
from typing import Protocol

Action = Callable[[], None]


class Clock(Protocol):
    """Where time comes from; tests hand in one that they turn by hand."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970, as written into records."""

    def monotonic_ms(self) -> int:
        """Milliseconds of a clock that never jumps, for deadlines."""


class Timers:
    """One action a key; scheduling a key again moves its deadline."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Hashable]] = []
        self._live: dict[Hashable, tuple[int, int, Action]] = {}
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._live)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._live

    def schedule(self, key: Hashable, delay_ms: int, action: Action) -> None:
        """Run `action` once, `delay_ms` from now, unless the key is cancelled or scheduled again before."""
        deadline_ms = self._clock.monotonic_ms() + delay_ms
        ticket = next(self._order)
        self._live[key] = (deadline_ms, ticket, action)
        heapq.heappush(self._heap, (deadline_ms, ticket, key))

    def cancel(self, key: Hashable) -> None:
        self._live.pop(key, None)

    def next_deadline_ms(self) -> int | None:
        """The earliest deadline on the monotonic clock; None where nothing waits."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def run_due(self) -> None:
        """Run every action whose deadline has come, earliest first, those scheduled meanwhile as well."""
        while (deadline_ms := self.next_deadline_ms()) is not None and deadline_ms <= self._clock.monotonic_ms():
            _, _, key = heapq.heappop(self._heap)
            _, _, action = self._live.pop(key)
            action()

    def _drop_stale(self) -> None:
        while self._heap:
            _, ticket, key = self._heap[0]
            live = self._live.get(key)
            if live is not None and live[1] == ticket:
                return
            heapq.heappop(self._heap)
