"""Sender: what an idempotent producer does next, and what its answers mean. Sans-IO.

The rules are those of `org.apache.kafka.clients.producer.internals.Sender`: a retriable error sends the same bytes with
the same sequence numbers again, for as long as the tasks wait; a repeated batch that the broker has is a success; a gap
in the sequence ends the producer, so that an acknowledged record has all before it in the log (invariant 2). A refused
batch ends its partition alone: what follows it there is refused too, but where the task goes on without the record.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from headrace.connect.client.accumulator import Failure, PartitionQueue, Run, Sent, Settings
from headrace.wire.errors import ErrorCode as E

RETRY_S: Final = 0.1
RETRY_MOST_S: Final = 1.0
METADATA_AGE_S: Final = 60.0
UNKNOWN_S: Final = 30.0
"""How long a topic may be unknown before that is a failure: news of it travels from broker to broker."""

_WRITTEN: Final = frozenset((E.NONE, E.DUPLICATE_SEQUENCE_NUMBER))
_STALE: Final = frozenset((E.UNKNOWN_TOPIC_OR_PARTITION, E.UNKNOWN_TOPIC_ID, E.INCONSISTENT_TOPIC_ID))
_RETRIABLE: Final = frozenset(
    (E.CORRUPT_MESSAGE, E.LEADER_NOT_AVAILABLE, E.NOT_LEADER_OR_FOLLOWER, E.REQUEST_TIMED_OUT, E.BROKER_NOT_AVAILABLE,
     E.REPLICA_NOT_AVAILABLE, E.NETWORK_EXCEPTION, E.NOT_ENOUGH_REPLICAS, E.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
     E.KAFKA_STORAGE_ERROR, E.COORDINATOR_LOAD_IN_PROGRESS, E.COORDINATOR_NOT_AVAILABLE, E.NOT_COORDINATOR,
     E.NOT_CONTROLLER, E.CONCURRENT_TRANSACTIONS, E.THROTTLING_QUOTA_EXCEEDED, E.FENCED_LEADER_EPOCH,
     E.UNKNOWN_LEADER_EPOCH, E.OFFSET_NOT_AVAILABLE, E.PREFERRED_LEADER_NOT_AVAILABLE)
) | _STALE  # fmt: skip
_TOO_LARGE: Final = frozenset((E.MESSAGE_TOO_LARGE, E.RECORD_LIST_TOO_LARGE))
_UNFIT: Final = frozenset((E.INVALID_RECORD, E.INVALID_TIMESTAMP))
_PRODUCER_ENDS: Final = frozenset(
    (E.OUT_OF_ORDER_SEQUENCE_NUMBER, E.UNKNOWN_PRODUCER_ID, E.INVALID_PRODUCER_EPOCH, E.PRODUCER_FENCED,
     E.INVALID_PRODUCER_ID_MAPPING, E.CLUSTER_AUTHORIZATION_FAILED, E.SASL_AUTHENTICATION_FAILED,
     E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AskProducerId:
    """Ask any node for a producer id."""


@dataclass(frozen=True, slots=True)
class AskMetadata:
    """Ask for these topics; the broker may create the ones it does not have, where it does that."""

    topics: Sequence[str]


@dataclass(frozen=True, slots=True)
class Produce:
    """Send these batches, one a partition, to a node."""

    node: int
    batches: Sequence[tuple[PartitionQueue, Sent]]


Action = AskProducerId | AskMetadata | Produce


@dataclass(frozen=True, slots=True)
class Answered:
    """What a broker says of one batch."""

    error_code: int
    text: str = ""


class Sender:
    """The producer's state; owned by its thread. `now` is a monotonic time in seconds."""

    def __init__(self, settings: Settings) -> None:
        self.fatal: Failure | None = None
        self.producer_id, self.epoch = -1, -1
        self.topics: dict[str, Any] = {}
        """The newest `TopicMetadata` of each topic that was asked for."""
        self._settings = settings
        self._queues: dict[tuple[str, int], PartitionQueue] = {}
        self._busy: dict[tuple[str, int], PartitionQueue] = {}
        self._wanted: dict[str, float] = {}
        self._unready: dict[int, float] = {}
        self._asking_id = self._asking_metadata = False
        self._id_at = self._metadata_at = 0.0
        self._id_failures = self._metadata_failures = 0

    @property
    def is_spoiled(self) -> bool:
        """Whether a partition of it, or all of it, has failed: it is not for new tasks."""
        return self.fatal is not None or any(queue.failure for queue in self._queues.values())

    def want(self, topic: str) -> None:
        """Look the topic up, and again from time to time."""
        self._wanted.setdefault(topic, 0.0)

    def look_up(self, topic: str) -> None:
        """Look the topic up anew."""
        self._wanted[topic] = 0.0

    def add(self, topic: str, partition: int, run: Run) -> None:
        if self.fatal is not None:
            run.fail(self.fatal)
            return
        key = (topic, partition)
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = PartitionQueue(topic, partition, self._settings)
        self.want(topic)
        queue.add(run)
        if queue.failure is None:
            self._busy[key] = queue

    def due(self, now: float, is_ready: Callable[[int], bool]) -> Iterable[Action]:
        """What to do now. Each action is taken as begun; `is_ready` says whether a node takes a request."""
        if self.fatal is not None:
            return
        topics = self._topics_to_ask_for(now)
        if topics and not self._asking_metadata and now >= self._metadata_at:
            self._asking_metadata = True
            yield AskMetadata(topics)
        if self.producer_id < 0:
            if self._busy and self.topics and not self._asking_id and now >= self._id_at:
                self._asking_id = True
                yield AskProducerId()
            return
        yield from self._produce(now, is_ready)

    def _topics_to_ask_for(self, now: float) -> list[str]:
        """Those that are new or whose news is old; one that nothing is written to is forgotten when its time comes."""
        busy = {topic for topic, _ in self._busy}
        due = [topic for topic, until in self._wanted.items() if now >= until]
        for topic in due:
            if self._wanted[topic] > 0 and topic not in busy:
                del self._wanted[topic]
        return [topic for topic in due if topic in self._wanted]

    def _produce(self, now: float, is_ready: Callable[[int], bool]) -> Iterable[Action]:
        by_leader: dict[int, list[PartitionQueue]] = {}
        for queue in self._busy.values():
            leader = self._leader(queue)
            if leader >= 0:
                by_leader.setdefault(leader, []).append(queue)
        for leader, queues in by_leader.items():
            while is_ready(leader):
                self._unready.pop(leader, None)
                batches = self._batches(leader, queues, now)
                if not batches:
                    break
                yield Produce(leader, batches)
            else:
                self._not_ready(leader, queues, now)

    def _batches(self, leader: int, queues: Sequence[PartitionQueue], now: float) -> list[tuple[PartitionQueue, Sent]]:
        batches = []
        for queue in queues:
            sent = queue.next(leader, now)
            if sent is not None:
                batches.append((queue, sent))
            elif queue.failure is not None or queue.is_idle:
                self._busy.pop((queue.topic, queue.partition), None)
        return batches

    def _not_ready(self, leader: int, queues: Sequence[PartitionQueue], now: float) -> None:
        """A leader that stays out of reach may not be the leader any more."""
        if now > self._unready.setdefault(leader, now) + RETRY_MOST_S:
            self._unready[leader] = now
            for queue in queues:
                self.look_up(queue.topic)

    def _leader(self, queue: PartitionQueue) -> int:
        topic = self.topics.get(queue.topic)
        partition = None if topic is None else topic.partitions.get(queue.partition)
        return -1 if partition is None else partition.leader

    def next_at(self, now: float) -> float:
        """When `due`, done at `now`, may have more to do if nothing comes before."""
        times = [max(until, self._metadata_at) for until in self._wanted.values()]
        times += [queue.due_at() for queue in self._busy.values()]
        times.append(self._id_at)
        return min((at for at in times if at > now), default=now + METADATA_AGE_S)

    # Answers.

    def metadata_came(self, topics: Mapping[str, Any], asked: Sequence[str], now: float) -> None:
        self._asking_metadata, self._metadata_failures = False, 0
        self._metadata_at = now + RETRY_S
        self.topics |= topics
        for name in asked:
            topic = topics.get(name)
            for queue in [queue for queue in self._busy.values() if queue.topic == name]:
                self._judge(queue, topic, now)
            if topic is not None and topic.error_code == 0 and _has_leaders(topic):
                self._wanted[name] = now + METADATA_AGE_S
            elif all(queue.topic != name for queue in self._busy.values()):
                self._wanted.pop(name, None)

    def _judge(self, queue: PartitionQueue, topic: Any, now: float) -> None:
        """A topic that is refused, or unknown for too long, fails what is meant for it."""
        code = E.UNKNOWN_TOPIC_OR_PARTITION if topic is None else topic.error_code
        if code == 0 and queue.partition not in topic.partitions:
            code = E.UNKNOWN_TOPIC_OR_PARTITION
        if code == 0:
            queue.unknown_since = None
        elif code not in _RETRIABLE:
            self._fail(queue, Failure(code))
        elif code in _STALE:
            queue.unknown_since = now if queue.unknown_since is None else queue.unknown_since
            if now >= queue.unknown_since + UNKNOWN_S:
                self._fail(queue, Failure(code))

    def metadata_failed(self, now: float) -> None:
        self._asking_metadata = False
        self._metadata_failures += 1
        self._metadata_at = now + _back_off(self._metadata_failures)

    def producer_id_came(self, error_code: int, producer_id: int, epoch: int, now: float) -> None:
        self._asking_id = False
        if error_code == 0:
            self.producer_id, self.epoch = producer_id, epoch
        elif error_code in _RETRIABLE:
            self.producer_id_failed(now)
        else:
            self.end(Failure(error_code))

    def producer_id_failed(self, now: float) -> None:
        self._asking_id = False
        self._id_failures += 1
        self._id_at = now + _back_off(self._id_failures)

    def answered(self, produce: Produce, answers: Mapping[tuple[str, int], Answered], now: float) -> None:
        """What the node says of each batch; one that it does not speak of is sent again."""
        for queue, sent in produce.batches:
            answer = answers.get((queue.topic, queue.partition), Answered(E.NETWORK_EXCEPTION))
            if queue.failure is None and self.fatal is None:
                self._answered(queue, sent, answer, now)

    def _answered(self, queue: PartitionQueue, sent: Sent, answer: Answered, now: float) -> None:
        code = answer.error_code
        if code in _WRITTEN:
            queue.acknowledge(sent)
            if queue.is_idle:
                del self._busy[queue.topic, queue.partition]
        elif code == E.OUT_OF_ORDER_SEQUENCE_NUMBER and not queue.is_oldest(sent):
            queue.again(sent, now)  # an older one has not arrived: it goes first
        elif code in _RETRIABLE:
            self._again(queue, sent, now)
        elif self._goes_on(queue, sent, Failure(code, answer.text)):
            return
        elif code in _PRODUCER_ENDS:
            self.end(Failure(code, answer.text))
        else:
            self._fail(queue, Failure(code, answer.text))

    @staticmethod
    def _goes_on(queue: PartitionQueue, sent: Sent, failure: Failure) -> bool:
        """Whether smaller batches go in the place of one that is refused, or the others without the bad record."""
        if failure.code in _TOO_LARGE:
            return queue.too_large(sent) or queue.refuse(sent, failure)
        return failure.code in _UNFIT and queue.narrow(sent, failure)

    def lost(self, produce: Produce, now: float) -> None:
        """No answer: whether the batches were written is not known."""
        for queue, sent in produce.batches:
            if queue.failure is None and self.fatal is None:
                self._again(queue, sent, now)

    def _again(self, queue: PartitionQueue, sent: Sent, now: float) -> None:
        if queue.is_oldest(sent):
            queue.failures += 1
        queue.again(sent, now + _back_off(queue.failures))
        self.look_up(queue.topic)

    def _fail(self, queue: PartitionQueue, failure: Failure) -> None:
        self._busy.pop((queue.topic, queue.partition), None)
        queue.fail(failure)

    def end(self, failure: Failure) -> None:
        """Nothing is sent any more."""
        if self.fatal is None:
            self.fatal = failure
            for queue in self._queues.values():
                queue.fail(queue.failure or failure)
            self._busy.clear()


def _has_leaders(topic: Any) -> bool:
    return all(partition.leader >= 0 for partition in topic.partitions.values())


def _back_off(failures: int) -> float:
    return min(RETRY_MOST_S, RETRY_S * float(2 ** min(10, max(0, failures - 1))))
