"""When work that ended with its task host is started again: after a back-off that doubles. Sans-IO."""

from dataclasses import dataclass, field
from typing import Final

from headrace.connect.runtime.messages import TaskId

FORGIVEN_AFTER: Final = 5
"""Work that has run for so many times the longest back-off begins anew with the shortest."""


@dataclass(slots=True)
class RestartPolicy:
    """How often each task or connector has lost its host of late. Times are in seconds of any steady clock."""

    first_s: float = 1.0
    longest_s: float = 60.0
    _losses: dict[TaskId, tuple[int, float]] = field(default_factory=dict)

    def lost(self, id: TaskId, now: float) -> float:
        """Note a loss; gives how long to wait before the next start.

        >>> policy = RestartPolicy(1.0, 3.0)
        >>> [policy.lost(TaskId("c", 0), now) for now in (0, 2, 5, 9)]
        [1.0, 2.0, 3.0, 3.0]
        """
        count, last = self._losses.get(id, (0, now))
        if now - last > FORGIVEN_AFTER * self.longest_s:
            count = 0
        self._losses[id] = (count + 1, now)
        return float(min(self.first_s * 2**count, self.longest_s))

    def forget(self, id: TaskId) -> None:
        self._losses.pop(id, None)
