"""Fetch (API key 1): bytes of the log, from an offset on, as they are in the file.

Behaviour: waits until `min_bytes` are there, or `max_wait_ms` are over, or something is wrong with a partition; at
least one whole batch where there is one, however large; otherwise at most `max_bytes`, and `partition_max_bytes` each,
the last batch possibly cut. Sessions are answered with id 0, as Apache Kafka does when its cache is full (KIP-227).
What lies behind the last segment is read in a thread.
Versions: 4-18. 5 log start offset; 7 sessions; 9 leader epoch; 12 flexible, diverging epoch (KIP-595); 13 topic ids;
15-18 replicas' fields, of no meaning here.
Not offered: fetching from followers (there are none), tiered offsets.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from headrace.broker.dispatch import FETCH, Context, api
from headrace.broker.handlers.offset_for_leader_epoch import epoch_fault
from headrace.broker.outcome import Frame, Later, Outcome
from headrace.broker.partition import Partition, Topic
from headrace.broker.state import State
from headrace.broker.timers import Timer
from headrace.log import StorageError
from headrace.log.epochs import UNDEFINED
from headrace.log.errors import OffsetOutOfRange
from headrace.log.partition_log import Slice
from headrace.wire.errors import ErrorCode
from headrace.wire.fetch import FetchedPartition, FetchedTopic, encode_fetch
from headrace.wire.messages import Message

_COMMITTED: Final = 1
_NOT_THERE: Final = (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID)
"""Such a partition does not end the wait for the others, as in Apache Kafka."""


@api(FETCH, versions=(4, 18))
def handle(request: Message, context: Context, state: State) -> Outcome:
    if request.session_epoch > 0:
        error = ErrorCode.FETCH_SESSION_ID_NOT_FOUND
        return Frame(encode_fetch([], context.api_version, context.correlation_id, error))
    return _Fetch(request, context, state).begin()


@dataclass(slots=True)
class _Read:
    """What one pass found for one partition."""

    index: int
    error: ErrorCode = ErrorCode.NONE
    part: Partition | None = None
    piece: Slice | None = None
    diverging: tuple[int, int] | None = None


class _Fetch:
    """One request: planned, perhaps waiting, answered. It is also the waiter of its partitions."""

    def __init__(self, request: Message, context: Context, state: State) -> None:
        self._request = request
        self._context = context
        self._state = state
        self._later: Later | None = None
        self._timer: Timer | None = None
        self._missing_bytes = 0

    def begin(self) -> Outcome:
        reads, size, is_final = self._plan()
        if is_final or size >= self._request.min_bytes or self._request.max_wait_ms <= 0:
            return self._answer(reads)
        self._missing_bytes = self._request.min_bytes - size
        self._later = Later(on_gone=self._leave)
        for part in self._partitions():
            part.wait(self)
        self._timer = self._state.timers.after(self._request.max_wait_ms, self._finish)
        return self._later

    def appended(self, size: int) -> None:
        self._missing_bytes -= size
        if self._missing_bytes <= 0:
            self._leave()
            self._state.soon(self._finish)

    def removed(self) -> None:
        self._leave()
        self._state.soon(self._finish)

    def _leave(self) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
        for part in self._partitions():
            part.leave(self)

    def _finish(self) -> None:
        self._leave()
        if self._later is None or self._later.done:
            return
        self._later.follow(self._answer(self._plan()[0]))

    def _topic(self, asked: Message) -> Topic | None:
        if self._context.api_version >= 13:
            return self._state.topics_by_id.get(asked.topic_id)
        return self._state.topics.get(asked.topic)

    def _partitions(self) -> Iterable[Partition]:
        for asked_topic in self._request.topics:
            topic = self._topic(asked_topic)
            for asked in asked_topic.partitions if topic is not None else ():
                if topic is not None and 0 <= asked.partition < len(topic.partitions):
                    yield topic.partitions[asked.partition]

    def _plan(self) -> tuple[list[list[_Read]], int, bool]:
        """What each partition has to give, how many bytes that is, and whether to answer whatever that is."""
        left = min(self._request.max_bytes, self._state.config.fetch_max_bytes)
        reads, total, is_final, is_first, is_empty = [], 0, False, True, True
        for asked_topic in self._request.topics:
            topic = self._topic(asked_topic)
            of_topic = []
            for asked in asked_topic.partitions:
                read = self._read(topic, asked, min(left, asked.partition_max_bytes), is_first=is_first)
                size = read.piece.size if read.piece is not None else 0
                is_first = is_first and size == 0
                left, total = max(0, left - size), total + size
                if read.error not in _NOT_THERE:
                    is_empty = False
                    is_final = is_final or read.error is not ErrorCode.NONE or read.diverging is not None
                of_topic.append(read)
            reads.append(of_topic)
        return reads, total, is_final or is_empty

    def _read(self, topic: Topic | None, asked: Message, max_bytes: int, *, is_first: bool) -> _Read:
        if topic is None:
            by_id = self._context.api_version >= 13
            unknown = ErrorCode.UNKNOWN_TOPIC_ID if by_id else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            return _Read(asked.partition, unknown)
        part = topic.partitions[asked.partition] if 0 <= asked.partition < len(topic.partitions) else None
        error = epoch_fault(part, asked.current_leader_epoch)
        if part is None or error:
            return _Read(asked.partition, error)
        try:
            diverging = _diverging(part, asked)
            piece = None if diverging else _locate(part, asked.fetch_offset, max_bytes, is_first=is_first)
        except OffsetOutOfRange:
            return _Read(asked.partition, ErrorCode.OFFSET_OUT_OF_RANGE)
        except StorageError:
            return _Read(asked.partition, ErrorCode.KAFKA_STORAGE_ERROR)
        return _Read(asked.partition, ErrorCode.NONE, part, piece, diverging)

    def _answer(self, reads: list[list[_Read]]) -> Frame | Later:
        pieces = [read.piece for of_topic in reads for read in of_topic if read.piece is not None]
        if all(piece.is_hot for piece in pieces):
            return self._encode(reads, {})
        later = Later()

        def done(contents: dict[Slice, bytes] | None, error: Exception | None) -> None:
            if _is_stale(reads):
                later.follow(self._answer(self._plan()[0]))
            else:
                later.answer(self._encode(reads, contents or {}))

        self._state.disk.run(lambda: _read_files(pieces), done)
        return later

    def _encode(self, reads: list[list[_Read]], contents: dict[Slice, bytes]) -> Frame:
        topics = [
            FetchedTopic(asked.topic, asked.topic_id, [_fetched(read, contents) for read in of_topic])
            for asked, of_topic in zip(self._request.topics, reads, strict=True)
        ]
        committed = self._request.isolation_level == _COMMITTED
        return Frame(encode_fetch(topics, self._context.api_version, self._context.correlation_id, committed=committed))


def _diverging(part: Partition, asked: Message) -> tuple[int, int] | None:
    """The epoch and offset from which the log differs from what the reader saw last (KIP-595)."""
    if asked.last_fetched_epoch < 0:
        return None
    epoch, end = part.log.epochs.end_of(asked.last_fetched_epoch, part.log.next_offset)
    if (epoch, end) == UNDEFINED:
        raise OffsetOutOfRange("the last fetched epoch is not known")
    return (epoch, end) if epoch < asked.last_fetched_epoch or end < asked.fetch_offset else None


def _locate(part: Partition, offset: int, max_bytes: int, *, is_first: bool) -> Slice | None:
    piece = part.log.locate(offset, max_bytes)
    if piece is None or piece.size >= piece.first_batch_size:
        return piece
    if not is_first:
        return None
    return Slice(piece.segment, piece.position, piece.first_batch_size, piece.first_batch_size, piece.is_hot)


def _is_stale(reads: list[list[_Read]]) -> bool:
    """Whether a file that was read has been replaced or deleted meanwhile, by compaction or by retention."""
    pieces = [(read.part, read.piece) for of_topic in reads for read in of_topic]
    return any(part and piece and not part.log.holds(piece.segment) for part, piece in pieces)


def _read_files(pieces: list[Slice]) -> dict[Slice, bytes]:
    contents = {}
    for piece in pieces:
        descriptor = os.open(piece.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            contents[piece] = os.pread(descriptor, piece.size, piece.position)
        finally:
            os.close(descriptor)
    return contents


def _fetched(read: _Read, contents: dict[Slice, bytes]) -> FetchedPartition:
    if read.part is None:
        return FetchedPartition(read.index, read.error, -1, -1, b"", is_unknown=read.error in _NOT_THERE)
    log, records = read.part.log, b""
    try:
        if read.piece is not None:
            records = contents[read.piece] if contents or not read.piece.is_hot else log.read_hot(read.piece)
    except (StorageError, KeyError):
        return FetchedPartition(read.index, ErrorCode.KAFKA_STORAGE_ERROR, -1, -1, b"")
    return FetchedPartition(read.index, ErrorCode.NONE, log.next_offset, log.start_offset, records, read.diverging)
