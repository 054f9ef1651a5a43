"""Fetcher: fetches partitions ahead of its owner, who takes their records as columns.

Thread rule: a thread of its own drives the link; the owner's thread assigns, pauses and takes, and what it takes it
checks, decompresses and reads itself: two threads of one interpreter that share that work take one and a half times as
long for it. What both touch is guarded by one condition. What was asked for a partition that has gone, or that went and
came back, is dropped (`Positions.holds`).
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from headrace.config import name_thread
from headrace.connect.api import ConnectError, TopicPartition
from headrace.connect.client.isolation import Aborted, visible
from headrace.connect.client.link import AuthenticationError, Link, TopicMetadata
from headrace.connect.client.positions import UNKNOWN, Position, Positions
from headrace.connect.records.reader import RecordColumns, Rooms, batches, read
from headrace.log.batch import headers
from headrace.log.records import CorruptRecords
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import FetchRequest, ListOffsetsRequest

log = logging.getLogger(__name__)

NEWEST_BY_NAME: Final = 12
"""Fetch 13 and later name topics by id, which say nothing to a reader that a name does not."""
IDLE_S: Final = 0.5
METADATA_AGE_S: Final = 300.0
_LEADER_CHANGED: Final = frozenset(
    (
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.LEADER_NOT_AVAILABLE,
        ErrorCode.NOT_LEADER_OR_FOLLOWER,
        ErrorCode.REPLICA_NOT_AVAILABLE,
        ErrorCode.KAFKA_STORAGE_ERROR,
        ErrorCode.FENCED_LEADER_EPOCH,
        ErrorCode.UNKNOWN_LEADER_EPOCH,
    )
)
_RESET_TO: Final = {"earliest": -2, "latest": -1}


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Under librdkafka's names; `reset` is earliest, latest or error."""

    wait_ms: int = 500
    min_bytes: int = 1
    max_bytes: int = 52_428_800
    max_partition_bytes: int = 1_048_576
    read_committed: bool = False
    reset: str = "earliest"
    most_buffered_bytes: int = 16 << 20
    """As they came, compressed."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Records of one partition, as the owner takes them."""

    partition: TopicPartition
    columns: RecordColumns


class _Chunk:
    """What one answer held for a partition, read as it is taken."""

    def __init__(self, position: Position, records: bytes, aborted: Sequence[Aborted] | None, rooms: Rooms) -> None:
        self.position = position
        self.nbytes = len(records)
        self._pieces = read(visible(batches(records), aborted), position.offset, rooms=rooms)
        self._rest: RecordColumns | None = None

    def take(self, most: int) -> RecordColumns | None:
        """The next records, at most so many; None at the end. Raises ConnectError."""
        topic, partition = self.position.partition
        try:
            piece = next(self._pieces, None) if self._rest is None else self._rest
        except CorruptRecords as error:
            raise ConnectError(f"Topic {topic}, partition {partition} cannot be read: {error}") from error
        self._rest = None
        if piece is not None and len(piece) > most:
            self._rest, piece = piece.slice(most, len(piece)), piece.slice(0, most)
        return piece


class Fetcher:
    """Reads what it was assigned until it is closed."""

    def __init__(self, link: Callable[[], Link], settings: FetchSettings) -> None:
        self._make_link = link
        self._settings = settings
        self._changed = threading.Condition()
        self._positions = Positions(settings.most_buffered_bytes)
        self._ready: deque[_Chunk] = deque()
        self._rooms: Rooms = []
        self._error: Exception | None = None
        self._link: Link | None = None
        self._asked_nodes: set[int] = set()
        self._asked_metadata = False
        self._refreshed = time.monotonic()
        self._told: set[str] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="fetcher", daemon=True)
        self._thread.start()

    # The owner's side.

    def assign(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read these too, from these offsets on; UNKNOWN is decided by the reset policy."""
        with self._changed:
            self._positions.assign(offsets)
        self._wake()

    def revoke(self, partitions: Iterable[TopicPartition]) -> None:
        """Read these no more; nothing of them is given from now on."""
        with self._changed:
            self._positions.revoke(partitions)
            self._ready = deque(each for each in self._ready if self._positions.holds(each.position))

    def pause(self, partitions: Iterable[TopicPartition], *, paused: bool) -> None:
        with self._changed:
            self._positions.pause(partitions, paused=paused)
        if not paused:
            self._wake()

    def take(self, most: int, wait_s: float) -> list[Fetched]:
        """What is there, at most so many records; waits for the first. Raises ConnectError where reading has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or self._readable(), wait_s)
            if self._error is not None:
                raise self._error
            chunks = self._readable()
        taken: list[Fetched] = []
        for chunk in chunks:
            while most:
                columns = chunk.take(most)
                if columns is None:
                    self._used_up(chunk)
                    break
                most -= len(columns)
                taken.append(Fetched(chunk.position.partition, columns))
        return taken

    def _readable(self) -> list[_Chunk]:
        return [chunk for chunk in self._ready if self._positions.is_readable(chunk.position)]

    def _used_up(self, chunk: _Chunk) -> None:
        with self._changed:
            self._ready.remove(chunk)
            chunk.position.buffered_bytes -= chunk.nbytes
        self._wake()

    def close(self) -> None:
        """Read no more; the connections are closed by its thread, at once."""
        with self._changed:
            self._closed = True
        self._wake()
        self._thread.join(2.0)

    def _wake(self) -> None:
        link = self._link
        if link is not None:
            link.wakeup()

    # The thread's side.

    def _run(self) -> None:
        name_thread()
        try:
            self._link = link = self._make_link()
            try:
                while not self._closed:
                    self._ask(link, time.monotonic())
                    link.poll(self._idle_s(time.monotonic()))
            finally:
                self._link = None
                link.close()
        except Exception as error:
            self._fail(error if isinstance(error, ConnectError) else _stopped(error))

    def _idle_s(self, now: float) -> float:
        """How long nothing is to be asked: until the next try that waits for its time."""
        with self._changed:
            waits = [each.not_before - now for each in self._positions if each.not_before > now]
        return min([IDLE_S, *waits])

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def _ask(self, link: Link, now: float) -> None:
        with self._changed:
            leaderless = self._positions.without_leader(now)
            lost = self._positions.without_offset(now)
            wanted = self._positions.to_fetch(now)
            if now > self._refreshed + METADATA_AGE_S:
                leaderless = list(self._positions)
        if leaderless and not self._asked_metadata:
            self._ask_metadata(link, leaderless)
        for position in lost:
            if link.is_ready(position.leader):
                self._ask_offset(link, position)
        for node, positions in wanted.items():
            if node not in self._asked_nodes and link.is_ready(node):
                self._ask_records(link, node, positions)

    # Leaders.

    def _ask_metadata(self, link: Link, positions: list[Position]) -> None:
        self._asked_metadata, self._refreshed = True, time.monotonic()
        answer = link.metadata(sorted({each.partition.topic for each in positions}))
        answer.add_callback(partial(self._metadata_came, positions))
        answer.add_errback(partial(self._metadata_failed, positions))

    def _metadata_came(self, positions: list[Position], topics: Mapping[str, TopicMetadata]) -> None:
        self._asked_metadata = False
        now = time.monotonic()
        for position in positions:
            topic = topics.get(position.partition.topic)
            found = topic.partitions.get(position.partition.partition) if topic is not None else None
            if topic is not None and topic.error_code == ErrorCode.TOPIC_AUTHORIZATION_FAILED:
                self._fail(_unauthorized(position.partition.topic))
            elif found is None or found.leader < 0:
                Positions.again(position, now, leader_changed=True)
            else:
                position.leader = found.leader

    def _metadata_failed(self, positions: list[Position], error: BaseException) -> None:
        self._asked_metadata = False
        now = time.monotonic()
        for position in positions:
            Positions.again(position, now)
        self._note(error)

    def _note(self, error: BaseException) -> None:
        """A request that failed: told once, or the end where trying again does not help."""
        if isinstance(error, AuthenticationError):
            self._fail(
                ConnectError(
                    f"{error}. Look at consumer.sasl.* and consumer.ssl.* of the worker, or consumer.override.* of the "
                    "connector"
                )
            )
        elif not self._closed and str(error) not in self._told:
            self._told.add(str(error))
            log.info("A request is tried again: %s", error)

    # Offsets.

    def _ask_offset(self, link: Link, position: Position) -> None:
        topic, partition = position.partition
        if self._settings.reset not in _RESET_TO:
            self._fail(_no_offset(position.partition))
            return
        wanted = ListOffsetsRequest.ListOffsetsTopic(
            name=topic,
            partitions=[
                ListOffsetsRequest.ListOffsetsTopic.ListOffsetsPartition(
                    partition_index=partition, current_leader_epoch=-1, timestamp=_RESET_TO[self._settings.reset]
                )
            ],
        )
        position.asked = True
        request = ListOffsetsRequest(replica_id=-1, isolation_level=int(self._settings.read_committed), topics=[wanted])
        answer = link.send(position.leader, request)
        answer.add_callback(partial(self._offset_came, position))
        answer.add_errback(partial(self._fetch_failed, [position]))

    def _offset_came(self, position: Position, reply: Any) -> None:
        found = reply.topics[0].partitions[0]
        if found.error_code == ErrorCode.TOPIC_AUTHORIZATION_FAILED:
            self._fail(_unauthorized(position.partition.topic))
        elif found.error_code or found.offset < 0:
            Positions.again(position, time.monotonic(), leader_changed=True)
        else:
            position.offset, position.asked = found.offset, False

    # Records.

    def _ask_records(self, link: Link, node: int, positions: list[Position]) -> None:
        settings = self._settings
        by_topic: dict[str, list[Position]] = {}
        for position in positions:
            position.asked = True
            by_topic.setdefault(position.partition.topic, []).append(position)
        request = FetchRequest(
            version=min(NEWEST_BY_NAME, link.version(node, FetchRequest) or NEWEST_BY_NAME),
            max_wait_ms=settings.wait_ms,
            min_bytes=settings.min_bytes,
            max_bytes=settings.max_bytes,
            isolation_level=int(settings.read_committed),
            topics=[
                FetchRequest.FetchTopic(topic=topic, partitions=[self._wanted(each) for each in parts])
                for topic, parts in by_topic.items()
            ],
        )
        self._asked_nodes.add(node)
        answer = link.send(node, request)
        answer.add_callback(partial(self._records_came, node, [(each, each.offset) for each in positions]))
        answer.add_errback(partial(self._node_failed, node, positions))

    def _wanted(self, position: Position) -> Any:
        return FetchRequest.FetchTopic.FetchPartition(
            partition=position.partition.partition,
            current_leader_epoch=-1,
            fetch_offset=position.offset,
            last_fetched_epoch=-1,
            log_start_offset=-1,
            partition_max_bytes=self._settings.max_partition_bytes,
        )

    def _node_failed(self, node: int, positions: list[Position], error: BaseException) -> None:
        self._asked_nodes.discard(node)
        self._fetch_failed(positions, error)

    def _fetch_failed(self, positions: list[Position], error: BaseException) -> None:
        """No answer, so the node may be gone: who leads is asked again."""
        now = time.monotonic()
        for position in positions:
            Positions.again(position, now, leader_changed=True)
        self._note(error)

    def _records_came(self, node: int, wanted: list[tuple[Position, int]], reply: Any) -> None:
        self._asked_nodes.discard(node)
        if reply.error_code:
            error = ConnectError(f"Fetch was answered {ErrorCode(reply.error_code).name}")
            self._fetch_failed([position for position, _ in wanted], error)
            return
        asked = {position.partition: (position, offset) for position, offset in wanted}
        for topic in reply.responses:
            for data in topic.partitions:
                found = asked.pop(TopicPartition(topic.topic, data.partition_index), None)
                if found is not None:
                    self._partition_came(*found, data)
        for position, _ in asked.values():
            position.asked = False

    def _partition_came(self, position: Position, offset: int, data: Any) -> None:
        """An answer of a leader that was given up meanwhile may come after that of the new one: it is passed over."""
        if position.offset != offset or not self._positions.holds(position):
            return
        position.asked = False
        match data.error_code:
            case 0:
                self._records_of(position, data)
            case ErrorCode.OFFSET_OUT_OF_RANGE:
                what_now = f"auto.offset.reset={self._settings.reset} decides what is read next"
                log.warning("%s-%d: offset %d is no longer there; %s", *position.partition, position.offset, what_now)
                position.offset = UNKNOWN
            case ErrorCode.TOPIC_AUTHORIZATION_FAILED:
                self._fail(_unauthorized(position.partition.topic))
            case code if code in _LEADER_CHANGED:
                Positions.again(position, time.monotonic(), leader_changed=True)
            case code:
                self._note(ConnectError(f"Fetch of {position.partition} was answered {code}"))
                Positions.again(position, time.monotonic())

    def _records_of(self, position: Position, data: Any) -> None:
        last = deque(headers(data.records or b""), maxlen=1)
        if not last:
            return
        aborted = None
        if self._settings.read_committed:
            aborted = [Aborted(each.producer_id, each.first_offset) for each in data.aborted_transactions or ()]
        chunk = _Chunk(position, data.records, aborted, self._rooms)
        with self._changed:
            if self._positions.holds(position):
                position.offset = last[0][1].last_offset + 1
                position.buffered_bytes += chunk.nbytes
                self._ready.append(chunk)
                self._positions.fetched(position)
                self._changed.notify_all()


def _unauthorized(topic: str) -> ConnectError:
    return ConnectError(
        f"Reading topic {topic} failed: the broker refused it. Grant READ on the topic to the worker's user"
    )


def _no_offset(partition: TopicPartition) -> ConnectError:
    return ConnectError(
        f"Reading topic {partition.topic} failed: partition {partition.partition} has no offset to go on from, or one "
        "that is no longer there; set consumer.override.auto.offset.reset to earliest"
    )


def _stopped(error: Exception) -> ConnectError:
    log.exception("Reading has ended")
    return ConnectError(f"Reading has ended: {type(error).__name__}: {error}")
