"""Topics and partitions as the loop has them: a log, and those who wait for it to grow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from headrace.log.batch import BatchHeader, read_header
from headrace.log.partition_log import Appended, PartitionLog
from headrace.log.records import NewRecord, Record, build_batch, read_batch


class Waiter(Protocol):
    """Somebody who waits for records; told of each append until it leaves."""

    def appended(self, size: int) -> None: ...

    def removed(self) -> None: ...


class Partition:
    """One partition; its topic's name and its index are how it is called."""

    __slots__ = ("_waiters", "index", "log", "topic")

    def __init__(self, topic: str, index: int, log: PartitionLog) -> None:
        self.topic = topic
        self.index = index
        self.log = log
        self._waiters: set[Waiter] = set()

    def append(self, batch: bytearray | memoryview, header: BatchHeader, now_ms: int) -> Appended:
        """Append one checked batch and tell who waits. Raises BatchRefused and StorageError."""
        appended = self.log.append(batch, header, now_ms)
        if self._waiters and not appended.duplicate:
            for waiter in tuple(self._waiters):
                waiter.appended(header.size)
        return appended

    def append_records(self, records: Sequence[NewRecord], now_ms: int) -> int:
        """Append records of the broker's own as one batch; its base offset. Raises StorageError."""
        batch = build_batch(records, now_ms)
        return self.append(batch, read_header(batch), now_ms).base_offset

    def read_records(self) -> Iterator[Record]:
        """All records there are, oldest first, read on the loop."""
        for batch in self.log.read_from(self.log.start_offset):
            yield from read_batch(batch)

    def wait(self, waiter: Waiter) -> None:
        """Tell `waiter` of appends."""
        self._waiters.add(waiter)

    def leave(self, waiter: Waiter) -> None:
        """Tell it no more."""
        self._waiters.discard(waiter)

    def remove(self) -> None:
        """The topic is deleted: whoever waits will find that out."""
        for waiter in tuple(self._waiters):
            waiter.removed()


@dataclass(slots=True)
class Topic:
    """A topic with its partitions, by index; `configs` are its own, not the defaults."""

    name: str
    topic_id: UUID
    configs: Mapping[str, str]
    partitions: list[Partition] = field(default_factory=list)

    @property
    def is_internal(self) -> bool:
        return self.name in INTERNAL_TOPICS


CONSUMER_OFFSETS = "__consumer_offsets"
INTERNAL_TOPICS = frozenset({CONSUMER_OFFSETS, "__transaction_state"})
