"""The broker's deadlines by key: scheduling a key again moves its deadline."""

from collections.abc import Callable, Hashable

from headrace.broker.timers import Timer, Timers


class KeyedTimers:
    """One action a key, run on the broker's loop."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._live: dict[Hashable, Timer] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._live

    def schedule(self, key: Hashable, delay_ms: int, action: Callable[[], None]) -> None:
        """Run `action` once, `delay_ms` from now, unless the key is cancelled or scheduled again before."""
        self.cancel(key)

        def fire() -> None:
            del self._live[key]
            action()

        self._live[key] = self._timers.after(delay_ms, fire)

    def cancel(self, key: Hashable) -> None:
        timer = self._live.pop(key, None)
        if timer is not None:
            timer.cancel()

    def cancel_all(self) -> None:
        for key in list(self._live):
            self.cancel(key)
