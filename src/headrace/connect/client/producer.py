"""RecordProducer: columns of records to Kafka, by an idempotent producer of our own.

Thread rule: a thread of its own drives the link and the sender; tasks put runs into its inbox, wait for metadata, and
hear of their runs by callbacks on that thread. Nothing bounds the inbox: who adds takes room before.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace.config import name_thread
from headrace.connect.client.accumulator import IN_FLIGHT, MAX_IN_FLIGHT, REQUEST_BYTES, Failure, Run, Settings
from headrace.connect.client.link import AuthenticationError, Link, LinkError, TopicMetadata
from headrace.connect.client.sender import (
    METADATA_AGE_S,
    UNKNOWN_S,
    Answered,
    AskMetadata,
    AskProducerId,
    Produce,
    Sender,
)
from headrace.connect.records.compression import CODECS
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import InitProducerIdRequest, ProduceRequest

log = logging.getLogger(__name__)

LOOK_S: Final = 0.05
"""How long a connection that is not ready, and a wait for metadata, go without a look."""
IDLE_S: Final = 1.0
CLOSE_S: Final = 2.0
REQUEST_TIMEOUT_MS: Final = 30_000
_BY_ID_FROM: Final = 13


class RecordProducer:
    """One producer; tasks share it."""

    def __init__(self, settings: Mapping[str, Any], client_id: str = "headrace-connect") -> None:
        """`settings`: librdkafka's, as `translate` gives them."""
        self.bootstrap: str = settings["bootstrap.servers"]
        self._timeout_ms = int(settings.get("request.timeout.ms", REQUEST_TIMEOUT_MS))
        self._made_of = settings
        self._client_id = client_id
        self.settings = sender_settings(settings)
        self._sender = Sender(self.settings)
        self._inbox: deque[Callable[[], None]] = deque()
        self._looked = threading.Condition()
        self._topics: dict[str, tuple[TopicMetadata, float]] = {}
        self._closed = threading.Event()
        self._link: Link | None = None
        self._thread = threading.Thread(target=self._run, name="record-producer", daemon=True)
        self._thread.start()

    @property
    def fatal(self) -> Failure | None:
        """Why it has ended, if it has."""
        return self._sender.fatal

    @property
    def is_spoiled(self) -> bool:
        """Whether it has failed for a partition or for all: not for new tasks."""
        return self._sender.is_spoiled

    def add(self, topic: str, partition: int, run: Run) -> None:
        """Send a run; its `done` is called on the producer's thread."""
        run.since = time.monotonic()
        self._do(lambda: self._sender.add(topic, partition, run))

    def topic(self, name: str, check: Callable[[], None]) -> TopicMetadata:
        """What is known of a topic, waited for where nothing is. `check` ends the wait by what it raises.

        A topic that is not there is waited for half a minute: the broker may create it, or have not heard of it yet.
        """
        known, at = self._topics.get(name, (None, 0.0))
        now = began = time.monotonic()
        if known is None or known.error_code != 0 or now > at + METADATA_AGE_S:
            self._do(lambda: self._sender.look_up(name))
        while True:
            check()
            known, at = self._topics.get(name, (None, 0.0))
            if known is not None and known.error_code == 0:
                return known
            if known is not None and at > began and (known.error_code not in _NOT_YET or now > began + UNKNOWN_S):
                return known
            now = self._wait_for_news(name, known is not None)

    def _wait_for_news(self, name: str, again: bool) -> float:
        """Until metadata comes, or a moment; `again` asks for more."""
        with self._looked:
            self._looked.wait(LOOK_S)
        if again:
            self._do(lambda: self._sender.look_up(name))
        return time.monotonic()

    def _do(self, job: Callable[[], None]) -> None:
        self._inbox.append(job)
        link = self._link
        if link is not None:
            link.wakeup()

    def close(self) -> None:
        """What has not been sent is dropped."""
        self._closed.set()
        link = self._link
        if link is not None:
            link.wakeup()
        self._thread.join(CLOSE_S)

    # The thread.

    def _run(self) -> None:
        name_thread()
        link = self._link = Link(self._made_of, client_id=self._client_id, max_in_flight=MAX_IN_FLIGHT)
        try:
            while not self._closed.is_set():
                self._turn(link)
        except Exception:
            log.exception("The producer to %s has ended", self.bootstrap)
            self._sender.end(Failure(ErrorCode.UNKNOWN_SERVER_ERROR, "the producer's thread has ended; see the log"))
        finally:
            self._link = None
            link.close()

    def _turn(self, link: Link) -> None:
        while self._inbox:
            self._inbox.popleft()()
        waits = False

        def is_ready(node: int) -> bool:
            nonlocal waits
            ready = link.is_ready(node)
            waits |= not ready
            return ready

        now = time.monotonic()
        for action in self._sender.due(now, is_ready):
            self._perform(link, action)
        if not self._inbox:
            link.poll(LOOK_S if waits else min(IDLE_S, self._sender.next_at(now) - now))

    def _perform(self, link: Link, action: Any) -> None:
        match action:
            case AskMetadata(topics):
                answer = link.metadata(topics, create=True)
                answer.add_callback(lambda found: self._metadata_came(found, topics))
                answer.add_errback(lambda error: self._failed(error, self._sender.metadata_failed))
            case AskProducerId():
                request = InitProducerIdRequest(
                    transactional_id=None, transaction_timeout_ms=60_000, producer_id=-1, producer_epoch=-1
                )
                answer = link.send(None, request)
                answer.add_callback(self._producer_id_came)
                answer.add_errback(lambda error: self._failed(error, self._sender.producer_id_failed))
            case Produce(node, _):
                request, names = self._request(action)
                answer = link.send(node, request, self._timeout_ms + 5_000)
                answer.add_callback(lambda reply: self._produced(action, reply, names))
                answer.add_errback(lambda error: self._failed(error, lambda now: self._sender.lost(action, now)))

    def _metadata_came(self, found: Mapping[str, TopicMetadata], asked: Any) -> None:
        now = time.monotonic()
        self._sender.metadata_came(found, asked, now)
        with self._looked:
            self._topics |= {name: (topic, now) for name, topic in found.items()}
            self._looked.notify_all()

    def _producer_id_came(self, reply: Any) -> None:
        self._sender.producer_id_came(reply.error_code, reply.producer_id, reply.producer_epoch, time.monotonic())

    def _failed(self, error: BaseException, then: Callable[[float], None]) -> None:
        if isinstance(error, AuthenticationError):
            self._sender.end(Failure(ErrorCode.SASL_AUTHENTICATION_FAILED, str(error)))
        elif not isinstance(error, LinkError):
            log.error("The producer to %s: a request failed: %r", self.bootstrap, error)
        then(time.monotonic())

    def _request(self, produce: Produce) -> tuple[Any, dict[Any, str]]:
        """The request, and the names of its topics by name and by id."""
        topics: dict[str, list[Any]] = {}
        for queue, sent in produce.batches:
            records = sent.batch.encode(self._sender.producer_id, self._sender.epoch, sent.sequence)
            partition = ProduceRequest.TopicProduceData.PartitionProduceData(index=queue.partition, records=records)
            topics.setdefault(queue.topic, []).append(partition)
        ids = {name: self._sender.topics[name].topic_id for name in topics}
        data = [
            ProduceRequest.TopicProduceData(name=name, topic_id=ids[name], partition_data=partitions)
            for name, partitions in topics.items()
        ]
        newest = ProduceRequest.max_version if all(ids.values()) else _BY_ID_FROM - 1
        request = ProduceRequest(
            transactional_id=None, acks=-1, timeout_ms=self._timeout_ms, topic_data=data, max_version=newest
        )
        return request, {name: name for name in topics} | {id: name for name, id in ids.items() if id is not None}

    def _produced(self, produce: Produce, reply: Any, names: Mapping[Any, str]) -> None:
        answers: dict[tuple[str, int], Answered] = {}
        for topic in reply.responses:
            name = names.get(topic.name) or names.get(topic.topic_id)
            for each in topic.partition_responses:
                answered = Answered(each.error_code, each.error_message or "")
                if name is not None:
                    answers[name, each.index] = answered
        self._sender.answered(produce, answers, time.monotonic())


_NOT_YET: Final = frozenset(
    (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID, ErrorCode.LEADER_NOT_AVAILABLE)
)


def sender_settings(settings: Mapping[str, Any]) -> Settings:
    """How batches are made, of librdkafka's settings; what is left out is ours."""
    level = settings.get("compression.level")
    made: dict[str, Any] = {
        "codec": CODECS[settings.get("compression.type", "none")],
        "level": None if level is None or int(level) < 0 else int(level),
        "linger_s": float(settings.get("linger.ms", 0)) / 1000,
        "max_in_flight": min(MAX_IN_FLIGHT, int(settings.get("max.in.flight.requests.per.connection", IN_FLIGHT))),
    }
    if "batch.size" in settings:
        made["batch_bytes"] = max(1, int(settings["batch.size"]))
    if "message.max.bytes" in settings:
        made["largest_bytes"] = int(settings["message.max.bytes"])
        made["request_bytes"] = min(REQUEST_BYTES, made["largest_bytes"])
    return Settings(**made)
