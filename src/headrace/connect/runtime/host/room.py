"""Room: how much a producer may have on its way, bounded by us and not by librdkafka.

librdkafka's own bound refuses single messages of a `produce_batch`, goes on with the rest, and takes later ones as soon
as others have left: what was refused then follows what came after it, and the acknowledgement of a later message no
longer covers it (invariant 2). So its queue is unbounded and room is taken here before anything is queued.

Thread rule: tasks take, the producer's polling thread gives back.
"""

import threading
from collections.abc import Callable
from typing import Final

LOOK_S: Final = 0.05


class Room:
    """Bytes and messages that may be on their way at once; one run that is larger than all of it goes alone."""

    def __init__(self, max_bytes: int, max_messages: int) -> None:
        self.max_bytes = max_bytes
        self.max_messages = max_messages
        self._bytes = 0
        self._messages = 0
        self._changed = threading.Condition()

    def take(self, size: int, messages: int, check: Callable[[], None]) -> None:
        """Wait until there is room. `check` is called while waiting, and ends the wait by what it raises."""
        with self._changed:
            while self._messages and not self._fits(size, messages):
                check()
                self._changed.wait(LOOK_S)
            self._bytes += size
            self._messages += messages

    def _fits(self, size: int, messages: int) -> bool:
        return self._bytes + size <= self.max_bytes and self._messages + messages <= self.max_messages

    def give(self, size: int, messages: int) -> None:
        """Room that deliveries, or failures, have made."""
        with self._changed:
            self._bytes -= size
            self._messages -= messages
            self._changed.notify_all()
