"""Leader epochs of one partition: at which offset each began (`leader-epoch-checkpoint`, in Kafka's format).

The epoch rises at each unclean start, so that a reader that had seen bytes which a crash took away can find out
(KIP-101, KIP-320).
"""

from pathlib import Path
from typing import Final

from headrace.log.files import replace_file

FILE_NAME: Final = "leader-epoch-checkpoint"
UNDEFINED: Final = (-1, -1)


class LeaderEpochs:
    """(epoch, start offset), both growing; never empty."""

    __slots__ = ("_entries",)

    def __init__(self, entries: list[tuple[int, int]] | None = None) -> None:
        self._entries = entries or [(0, 0)]

    @property
    def latest(self) -> int:
        return self._entries[-1][0]

    def raise_at(self, start_offset: int) -> None:
        """Begin the next epoch at `start_offset`; epochs that had no records are forgotten."""
        epoch = self.latest + 1
        self._entries = [entry for entry in self._entries if entry[1] < start_offset]
        self._entries.append((epoch, start_offset))

    def truncate_from_start(self, start_offset: int) -> None:
        """The log begins at `start_offset` now."""
        kept = [entry for entry in self._entries if entry[1] > start_offset]
        before = [entry for entry in self._entries if entry[1] <= start_offset]
        if before:
            kept.insert(0, (before[-1][0], start_offset))
        self._entries = kept

    def at(self, offset: int) -> int:
        """The epoch of the record at `offset`; -1 where that is before all."""
        return max((epoch for epoch, start in self._entries if start <= offset), default=-1)

    def end_of(self, epoch: int, log_end_offset: int) -> tuple[int, int]:
        """(epoch, end offset) of the largest epoch up to `epoch`; UNDEFINED where it is not known.

        As `LeaderEpochFileCache.endOffsetFor`.
        """
        if epoch == self.latest:
            return epoch, log_end_offset
        higher = next((start for known, start in self._entries if known > epoch), None)
        if epoch < 0 or higher is None:
            return UNDEFINED
        floor = max((known for known, _ in self._entries if known <= epoch), default=epoch)
        return floor, higher

    def save(self, directory: Path, *, sync: bool = True) -> None:
        """Write the checkpoint: for threads. Without `sync` a power cut may lose it, which the first epoch survives."""
        lines = [f"{epoch} {start}" for epoch, start in self._entries]
        replace_file(directory / FILE_NAME, "\n".join(["0", str(len(lines)), *lines, ""]).encode(), sync=sync)

    @classmethod
    def load(cls, directory: Path) -> "LeaderEpochs":
        """Read the checkpoint; the first epoch where there is none or it cannot be read."""
        try:
            lines = (directory / FILE_NAME).read_text().split("\n")
            entries = [(int(epoch), int(start)) for epoch, start in map(str.split, lines[2 : 2 + int(lines[1])])]
        except (OSError, ValueError, IndexError):
            return cls()
        return cls(sorted(entries))
