"""The cleaner: looks at the compacted topics now and then, and compacts one log at a time in a thread.

Lives on the loop; `log.compaction` says what to do and does it.
"""

import logging
from collections.abc import Callable, Iterator
from functools import partial

from headrace.broker.partition import Partition
from headrace.broker.state import State
from headrace.broker.storage import Storage
from headrace.log import compaction
from headrace.log.compaction import Compacted, Plan

logger = logging.getLogger(__name__)


class Cleaner:
    """One round every `log.cleaner.backoff.ms`; within it, one log after the other."""

    def __init__(self, state: State, wall_ms: Callable[[], int]) -> None:
        self._state = state
        self._wall_ms = wall_ms

    def begin(self) -> None:
        """Start with the first round, where `log.cleaner.enable` says so."""
        if self._state.config.log_cleaner_enable:
            self._rest()

    def _rest(self) -> None:
        self._state.timers.after(self._state.config.log_cleaner_backoff_ms, lambda: self._next(self._dirty()))

    def _dirty(self) -> Iterator[tuple[Partition, Plan]]:
        for topic in list(self._state.topics.values()):
            for part in topic.partitions:
                if part.log.settings.compacts and part is self._state.partition(topic.name, part.index):
                    plan = compaction.plan(part.log, self._wall_ms())
                    if plan is not None:
                        yield part, plan

    def _next(self, dirty: Iterator[tuple[Partition, Plan]]) -> None:
        try:
            part, plan = next(dirty, (None, None))
        except OSError as error:
            logger.error("Cannot look for what to compact: %s.", error)
            part, plan = None, None
        if part is None or plan is None:
            self._rest()
            return
        self._state.disk.run(partial(compaction.compact, plan), partial(self._done, dirty, part, plan))

    def _done(
        self,
        dirty: Iterator[tuple[Partition, Plan]],
        part: Partition,
        plan: Plan,
        compacted: Compacted | None,
        error: Exception | None,
    ) -> None:
        try:
            if compacted is None:
                raise error or RuntimeError("no result")
            if part is self._state.partition(part.topic, part.index):
                stems = compaction.swap(part.log, plan, compacted)
                delay_ms = part.log.settings.file_delete_delay_ms
                remove = partial(self._state.disk.forget, partial(Storage.remove_segments, stems))
                self._state.timers.after(delay_ms, remove)
        except Exception as fault:
            logger.error("Cannot compact %s-%d: %s. The log stays as it is.", part.topic, part.index, fault)
        self._next(dirty)
