"""Producer state of one partition: which batches of idempotent producers are in the log.

The rules are those of `org.apache.kafka.storage.internals.log.ProducerAppendInfo`: the last five batches of a producer
are known and answered with their offsets when they come again; a gap in sequence numbers is refused; an old epoch is
fenced. Snapshots have the layout of Kafka's `.snapshot` files (which hold the last batch of each producer), followed by
the older batches, which Kafka's reader passes over: a retry is known after a clean restart too.
"""

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import crc32c

from headrace.log.batch import MAX_SEQUENCE, BatchHeader
from headrace.log.errors import OutOfOrderSequence, ProducerFenced

KEPT_BATCHES: Final = 5
_VERSION: Final = 1
_HEAD: Final = struct.Struct(">hIi")
_ENTRY: Final = struct.Struct(">qhiqiqiq")
_OLDER: Final = struct.Struct(">qiqiq")
_COUNT: Final = struct.Struct(">i")
_CRC_FROM: Final = 6


class SeenBatch(NamedTuple):
    """A batch in the log; sequence numbers and offsets include both ends."""

    first_sequence: int
    last_sequence: int
    first_offset: int
    last_offset: int
    timestamp: int


@dataclass(slots=True)
class Producer:
    """One producer id; its batches, oldest first, are all of its current epoch."""

    epoch: int
    batches: deque[SeenBatch] = field(default_factory=lambda: deque(maxlen=KEPT_BATCHES))
    last_timestamp: int = -1


class CorruptSnapshot(ValueError):
    """A snapshot file that cannot be used; recovery scans the log instead."""


class Producers:
    """The producers of one partition, by id."""

    __slots__ = ("_by_id",)

    def __init__(self) -> None:
        self._by_id: dict[int, Producer] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def check(self, header: BatchHeader) -> SeenBatch | None:
        """None where the batch is next in line; the batch in the log where this is a retry of it.

        Raises ProducerFenced and OutOfOrderSequence. Batches without a producer id pass.
        """
        producer = self._by_id.get(header.producer_id)
        if header.producer_id < 0 or producer is None:
            return None
        if header.producer_epoch == producer.epoch:
            for batch in producer.batches:
                if batch.first_sequence == header.base_sequence and batch.last_sequence == header.last_sequence:
                    return batch
        self._check_order(producer, header)
        return None

    @staticmethod
    def _check_order(producer: Producer, header: BatchHeader) -> None:
        if header.producer_epoch < producer.epoch:
            raise ProducerFenced(
                f"Epoch of producer {header.producer_id} is {header.producer_epoch}, which is smaller than the last "
                f"seen epoch {producer.epoch}"
            )
        if header.producer_epoch > producer.epoch:
            if header.base_sequence != 0:
                raise OutOfOrderSequence(
                    f"Invalid sequence number for new epoch {header.producer_epoch} of producer {header.producer_id}: "
                    f"{header.base_sequence} (request epoch)"
                )
            return
        last = producer.batches[-1].last_sequence if producer.batches else -1
        expected = 0 if last == MAX_SEQUENCE else last + 1
        if header.base_sequence != expected:
            raise OutOfOrderSequence(
                f"Out of order sequence number for producer {header.producer_id}: {header.base_sequence} (incoming "
                f"seq. number), {last} (current end sequence number)"
            )

    def update(self, header: BatchHeader) -> None:
        """A batch is in the log, at the offsets of its header."""
        if header.producer_id < 0:
            return
        producer = self._by_id.get(header.producer_id)
        if producer is None or producer.epoch != header.producer_epoch:
            producer = self._by_id[header.producer_id] = Producer(header.producer_epoch)
        producer.last_timestamp = max(producer.last_timestamp, header.max_timestamp)
        producer.batches.append(
            SeenBatch(
                header.base_sequence, header.last_sequence, header.base_offset, header.last_offset, header.max_timestamp
            )
        )

    def expire(self, older_than_ms: int) -> None:
        """Forget the producers whose last batch is older than that."""
        self._by_id = {pid: known for pid, known in self._by_id.items() if known.last_timestamp >= older_than_ms}

    def snapshot(self) -> bytes:
        """The content of a `.snapshot` file."""
        entries = b"".join(self._entries())
        older = [
            _OLDER.pack(pid, old.last_sequence, old.last_offset, old.last_offset - old.first_offset, old.timestamp)
            for pid, producer in self._by_id.items()
            for old in list(producer.batches)[:-1]
        ]
        body = _COUNT.pack(len(self._by_id)) + entries + _COUNT.pack(len(older)) + b"".join(older)
        return _HEAD.pack(_VERSION, crc32c.crc32c(body), len(self._by_id)) + body[_COUNT.size :]

    def _entries(self) -> Iterator[bytes]:
        for pid, producer in self._by_id.items():
            last = producer.batches[-1] if producer.batches else SeenBatch(-1, -1, -1, -1, -1)
            delta = last.last_offset - last.first_offset
            yield _ENTRY.pack(
                pid, producer.epoch, last.last_sequence, last.last_offset, delta, producer.last_timestamp, -1, -1
            )

    @classmethod
    def load(cls, content: bytes) -> "Producers":
        """Read what `snapshot`, or Apache Kafka, wrote. Raises CorruptSnapshot."""
        try:
            version, crc, count = _HEAD.unpack_from(content)
            if version != _VERSION or crc32c.crc32c(content[_CRC_FROM:]) != crc:
                raise CorruptSnapshot("version or checksum do not fit")
            older_at = _HEAD.size + count * _ENTRY.size
            entries = [_ENTRY.unpack_from(content, _HEAD.size + i * _ENTRY.size) for i in range(count)]
            older = list(_OLDER.iter_unpack(content[older_at + _COUNT.size :])) if len(content) > older_at else []
        except struct.error as error:
            raise CorruptSnapshot(str(error)) from error
        result = cls()
        for pid, epoch, _, _, _, timestamp, _, _ in entries:
            result._by_id[pid] = Producer(epoch, last_timestamp=timestamp)
        for pid, last_sequence, last_offset, delta, timestamp in older:
            result._remember(pid, last_sequence, last_offset, delta, timestamp)
        for pid, _, last_sequence, last_offset, delta, timestamp, _, _ in entries:
            if last_offset >= 0:
                result._remember(pid, last_sequence, last_offset, delta, timestamp)
        return result

    def _remember(self, pid: int, last_sequence: int, last_offset: int, delta: int, timestamp: int) -> None:
        first = (last_sequence - delta) % (MAX_SEQUENCE + 1)
        seen = SeenBatch(first, last_sequence, last_offset - delta, last_offset, timestamp)
        self._by_id[pid].batches.append(seen)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Producers) and self._by_id == other._by_id

    __hash__ = None  # type: ignore[assignment]
