"""OffsetTracker: which source offsets may be committed.

Sans-IO, owned by a source task's thread. A source offset is committable only when every record submitted up to it, of
its source partition, is acknowledged (invariant 2); a submission whose records were all dropped is acknowledged in its
turn (invariant 4). As `org.apache.kafka.connect.runtime.SubmittedRecords`, with a run of records as the unit.
"""

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

Fields = Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Submission:
    """A run of records of one source partition, whose last one has `offset`; open until `sent` is called."""

    partition: Fields
    offset: Fields
    unacknowledged: int = 0
    open: bool = True

    @property
    def done(self) -> bool:
        return not self.open and self.unacknowledged == 0


class OffsetTracker:
    """Submissions in order, by source partition."""

    def __init__(self) -> None:
        self._partitions: dict[Hashable, deque[Submission]] = {}
        self.unacknowledged = 0
        """Acknowledgements awaited now."""

    def submit(self, partition: Fields, offset: Fields) -> Submission:
        """Take the next run of a source partition; add to it what is sent, then say `sent`."""
        submission = Submission(partition, offset)
        self._partitions.setdefault(_key(partition), deque()).append(submission)
        return submission

    def expect(self, submission: Submission, acknowledgements: int = 1) -> None:
        """So many acknowledgements more must come before the submission is done."""
        submission.unacknowledged += acknowledgements
        self.unacknowledged += acknowledgements

    def sent(self, submission: Submission) -> None:
        """All of the submission's records are sent, or dropped."""
        submission.open = False

    def acknowledge(self, submission: Submission) -> None:
        """One of the awaited acknowledgements has come."""
        if submission.unacknowledged == 0:
            raise ValueError("an acknowledgement that nothing awaits")
        submission.unacknowledged -= 1
        self.unacknowledged -= 1

    def committable(self) -> list[tuple[Fields, Fields]]:
        """(partition, newest offset that may be committed) of each partition with a new one; each is given once."""
        found = []
        for key, submissions in list(self._partitions.items()):
            last = None
            while submissions and submissions[0].done:
                last = submissions.popleft()
            if last is not None:
                found.append((last.partition, last.offset))
            if not submissions:
                del self._partitions[key]
        return found


def _key(partition: Fields) -> Hashable:
    return tuple((name, repr(value)) for name, value in sorted(partition.items()))
