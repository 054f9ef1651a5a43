"""Retries: how long and how often an operation that failed in passing is tried again (errors.retry.*). Sans-IO."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from headrace.connect.api import RetriableError

FIRST_DELAY_MS: Final = 300
"""As `RetryWithToleranceOperator`: doubled with each try; above the longest delay, any time below that."""
FOR_EVER: Final = -1


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


@dataclass
class Retries:
    """The rule. `wait` waits so many seconds, and raises where the task stops meanwhile."""

    timeout_ms: int = 0
    max_delay_ms: int = 60_000
    wait: Callable[[float], None] = _sleep
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random

    def begin(self) -> "Tries":
        """The tries of an operation that has just failed for the first time."""
        return Tries(self)


class Tries:
    """The tries of one operation on a batch; its parts share the time, so that many bad records take no longer."""

    def __init__(self, rule: Retries) -> None:
        self._rule = rule
        self._made = 0
        self._until = float("inf") if rule.timeout_ms == FOR_EVER else rule.clock() + rule.timeout_ms / 1000

    def again(self, error: BaseException) -> bool:
        """Whether to try again after `error`; waits before."""
        now = self._rule.clock()
        if not isinstance(error, RetriableError) or now >= self._until:
            return False
        self._made += 1
        self._rule.wait(min(self._delay_s(), self._until - now))
        return True

    def _delay_s(self) -> float:
        delay_ms = FIRST_DELAY_MS << min(self._made - 1, 40)
        if delay_ms > self._rule.max_delay_ms:
            delay_ms = int(self._rule.chance() * self._rule.max_delay_ms)
        return delay_ms / 1000
