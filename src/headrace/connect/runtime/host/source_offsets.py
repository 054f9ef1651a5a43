"""Source offsets: asked from the worker, written to the offsets topic in Java's exact bytes, or by the worker.

A key is `["connector",{partition}]`, a value the offset's map, both compact JSON in the connector's own map order; keys
go to partitions by Java's murmur2 (which the producer's partitioner is).
"""

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from typing import Any, Final

from confluent_kafka import KafkaError

from headrace.connect.api import ConnectError
from headrace.connect.runtime.host.producers import KafkaProducer
from headrace.connect.runtime.host.stopped import Stopped
from headrace.connect.runtime.messages import GetOffsets, ToWorker, WriteOffsets

ANSWER_WITHIN_S: Final = 60.0
Fields = Mapping[str, Any]
Written = Callable[[KafkaError | None, Any], None]


def offset_key(connector: str, partition: Fields) -> bytes:
    """The key of a source partition's offset.

    >>> offset_key("s", {"protocol": "1", "table": "public.iris"})
    b'["s",{"protocol":"1","table":"public.iris"}]'
    """
    return _json([connector, dict(partition)])


def offset_value(offset: Fields) -> bytes:
    """The value of a source offset."""
    return _json(dict(offset))


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class OffsetsTopic:
    """Writes source offsets; used by all source tasks of a host."""

    def __init__(self, producer: KafkaProducer, topic: str) -> None:
        self._producer = producer
        self.topic = topic

    def write(self, connector: str, partition: Fields, offset: Fields, written: Written) -> None:
        """Queue one offset; `written` is called by the producer's thread. Raises ConnectError where it is refused."""
        try:
            key, value = offset_key(connector, partition), offset_value(offset)
            self._producer.rdkafka.produce(self.topic, value, key, on_delivery=written)
        except (TypeError, ValueError) as error:
            raise ConnectError(
                f"The source offset {offset} of {partition} cannot be written as JSON: {error}"
            ) from error


class WorkerOffsets:
    """Has source offsets written by the worker, which is a standalone one; used by all source tasks of a host."""

    topic = "the worker's file of offsets"

    def __init__(self, send: Callable[[ToWorker], None], next_request: Callable[[], int]) -> None:
        self._send = send
        self._next_request = next_request
        self._waiting: dict[int, Written] = {}

    def write(self, connector: str, partition: Fields, offset: Fields, written: Written) -> None:
        """Send one offset; `written` is called by the host's main thread."""
        request = self._next_request()
        self._waiting[request] = written
        self._send(WriteOffsets(request, connector, dict(partition), dict(offset)))

    def answer(self, request: int, error: str) -> None:
        """The worker's answer has come."""
        written = self._waiting.pop(request, None)
        if written is not None:
            written(KafkaError(KafkaError._FAIL, error) if error else None, None)


class OffsetRequests:
    """The questions that tasks of this host have put to the worker."""

    def __init__(self, send: Callable[[ToWorker], None], next_request: Callable[[], int]) -> None:
        self._send = send
        self._next_request = next_request
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[tuple[Fields | None, ...]]] = {}

    def ask(self, connector: str, partition: Fields, stopping: threading.Event) -> Fields | None:
        """The committed offset of a source partition. Raises Stopped at a stop, ConnectError where no answer comes."""
        future: Future[tuple[Fields | None, ...]] = Future()
        request = self._next_request()
        with self._lock:
            self._waiting[request] = future
        self._send(GetOffsets(request, connector, (dict(partition),)))
        waited = 0.0
        while waited < ANSWER_WITHIN_S and not stopping.is_set():
            try:
                return future.result(0.1)[0]
            except (TimeoutError, CancelledError):
                waited += 0.1
        with self._lock:
            self._waiting.pop(request, None)
        if stopping.is_set():
            raise Stopped
        raise ConnectError(f"The worker did not give the source offsets of {connector} within {ANSWER_WITHIN_S:.0f} s")

    def answer(self, request: int, offsets: tuple[Fields | None, ...]) -> None:
        """The worker's answer has come."""
        with self._lock:
            future = self._waiting.pop(request, None)
        if future is not None:
            future.set_result(offsets)
