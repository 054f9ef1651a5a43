"""The flusher: forces logs to the disk where `flush.ms` asks for it, in a thread.

Lives on the loop. It looks as often as the shortest `flush.ms` of all topics asks for, so that no record waits for
twice that; where no topic has one it only looks whether that has changed.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from headrace.broker.partition import Partition
from headrace.broker.state import State
from headrace.log.settings import MAX_LONG

logger = logging.getLogger(__name__)

_SHORTEST_MS: Final = 10
_LONGEST_MS: Final = 1000


class Flusher:
    """Begun once, it looks again and again."""

    def __init__(self, state: State, wall_ms: Callable[[], int]) -> None:
        self._state = state
        self._wall_ms = wall_ms

    def begin(self) -> None:
        """Look for the first time after a while."""
        asked = [topic.partitions[0].log.settings.flush_ms for topic in self._state.topics.values()]
        interval_ms = min(max(_SHORTEST_MS, min(asked, default=_LONGEST_MS)), _LONGEST_MS)
        self._state.timers.after(interval_ms, self._look)

    def _look(self) -> None:
        now_ms = self._wall_ms()
        for topic in self._state.topics.values():
            if topic.partitions[0].log.settings.flush_ms < MAX_LONG:
                for part in topic.partitions:
                    if part.log.is_flush_due(now_ms):
                        self._state.disk.run(part.log.flush_job(), partial(_flushed, part))
        self.begin()


def _flushed(part: Partition, _: None, error: Exception | None) -> None:
    """What a failed flush has lost nobody knows, so nothing is appended behind it."""
    if error is not None:
        part.log.failure = f"{part.topic}-{part.index} takes no more writes: it could not be flushed: {error}"
        logger.error("%s. Restart the broker when the disk works again.", part.log.failure)
