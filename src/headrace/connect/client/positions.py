"""Where a reader is in each of its partitions, and what it has to ask for next. Sans-IO; time is handed in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from headrace.connect.api import TopicPartition

RETRY_S: Final = 0.1
UNKNOWN: Final = -1
"""An offset to be looked up by the policy for readers without one; a leader that is not known."""


@dataclass(eq=False, slots=True)
class Position:
    """One partition that is read. A new one is made at each assignment, so that what an old one asked for is told."""

    partition: TopicPartition
    offset: int
    leader: int = UNKNOWN
    paused: bool = False
    asked: bool = False
    buffered_bytes: int = 0
    not_before: float = 0.0

    def is_due(self, now: float) -> bool:
        return not self.asked and now >= self.not_before


@dataclass(slots=True)
class Positions:
    """The partitions of one reader, and how many bytes may wait for it."""

    most_bytes: int
    _held: dict[TopicPartition, Position] = field(default_factory=dict)

    def assign(self, offsets: Mapping[TopicPartition, int]) -> None:
        for partition, offset in offsets.items():
            self._held[partition] = Position(partition, offset)

    def revoke(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._held.pop(partition, None)

    def pause(self, partitions: Iterable[TopicPartition], *, paused: bool) -> None:
        for partition in partitions:
            if partition in self._held:
                self._held[partition].paused = paused

    def holds(self, position: Position) -> bool:
        """Whether this very position is still ours."""
        return self._held.get(position.partition) is position

    def is_readable(self, position: Position) -> bool:
        return self.holds(position) and not position.paused

    def __iter__(self) -> Iterator[Position]:
        return iter(list(self._held.values()))

    def without_leader(self, now: float) -> list[Position]:
        return [each for each in self if each.leader == UNKNOWN and each.is_due(now)]

    def without_offset(self, now: float) -> list[Position]:
        return [each for each in self if each.leader != UNKNOWN and each.offset == UNKNOWN and each.is_due(now)]

    def to_fetch(self, now: float) -> dict[int, list[Position]]:
        """By leader, what may be fetched now: partitions whose last fetch has been taken, while there is room."""
        if sum(each.buffered_bytes for each in self._held.values()) >= self.most_bytes:
            return {}
        found: dict[int, list[Position]] = {}
        for each in self:
            ready = each.leader != UNKNOWN and each.offset != UNKNOWN and not each.paused
            if ready and each.buffered_bytes < self.most_bytes // 2 and each.is_due(now):
                found.setdefault(each.leader, []).append(each)
        return found

    def fetched(self, position: Position) -> None:
        """Its turn is over: it goes to the end, so that no partition of many is starved by those before it."""
        if self.holds(position):
            self._held[position.partition] = self._held.pop(position.partition)

    @staticmethod
    def again(position: Position, now: float, *, leader_changed: bool = False) -> None:
        """Try once more, a moment later."""
        position.asked = False
        position.not_before = now + RETRY_S
        if leader_changed:
            position.leader = UNKNOWN
