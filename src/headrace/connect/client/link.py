"""Link: connections to the brokers of a cluster, over the network layer of kafka-python.

Thread rule: one thread makes, drives (`poll`) and closes a link, and calls all else of it; `wakeup` alone may be called
by others. An answer's callbacks run inside `poll`. Nothing here waits, and nothing is sent again: a request whose
connection fails fails with it, and the caller knows what that means for it. A broken connection is made anew, with
back-off, by the next request to its node.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from kafka.future import Future
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from headrace.connect.client.network import network_settings
from headrace.connect.client.sockets import mend_sockets
from headrace.wire.messages import Message, MetadataRequest
from kafka import errors

log = logging.getLogger(__name__)

LARGEST_ANSWER_BYTES: Final = (1 << 31) - 1
BOOTSTRAP_AGAIN_S: Final = 30.0
"""After so long without metadata from the brokers known, the bootstrap servers are asked again (KIP-899)."""

LinkError = errors.KafkaError
"""What an answer fails with: no connection, a time-out, a version that the broker does not speak."""
NotReady = errors.NodeNotReadyError
"""The node is not connected yet, backs off, is throttled, or has its fill of requests: try again shortly."""
AuthenticationError = (
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.AuthorizationError,
)
"""The broker refused this user: trying again does not help."""


class Answer(Protocol):
    """What a request comes to: a reply in `value`, or what went wrong in `exception`, once it `is_done`."""

    is_done: bool
    value: Any
    exception: BaseException | None

    def add_callback(self, callback: Callable[[Any], None]) -> Any: ...
    def add_errback(self, callback: Callable[[BaseException], None]) -> Any: ...


@dataclass(frozen=True, slots=True)
class PartitionMetadata:
    """`leader` is a node id, -1 where there is none now."""

    leader: int
    leader_epoch: int
    error_code: int


@dataclass(frozen=True, slots=True)
class TopicMetadata:
    """What the cluster says of a topic; `topic_id` is None before Kafka 2.8."""

    name: str
    error_code: int
    topic_id: UUID | None
    partitions: Mapping[int, PartitionMetadata]


mend_sockets()


class Link:
    """Connections to one cluster, and what is known of its brokers."""

    def __init__(
        self, settings: Mapping[str, Any], *, client_id: str, max_in_flight: int = 5, request_timeout_ms: int = 30_000
    ) -> None:
        """`settings` are librdkafka's, as `translate` gives them; `not_expressible` has found nothing in them."""
        self.bootstrap: str = settings["bootstrap.servers"]
        self._net = NetworkSelector(client_id=client_id, slow_task_threshold_secs=0)
        self._manager = KafkaConnectionManager(
            self._net,
            **{"reconnect_backoff_max_ms": 1_000, **network_settings(settings)},
            bootstrap_servers=self.bootstrap,
            client_id=settings.get("client.id") or client_id,
            max_in_flight_requests_per_connection=max_in_flight,
            request_timeout_ms=request_timeout_ms,
            receive_message_max_bytes=LARGEST_ANSWER_BYTES,
        )
        self._heard = time.monotonic()

    def metadata(self, topics: Sequence[str], *, create: bool = False) -> Answer:
        """The topics as {name: TopicMetadata}; first of all, the bootstrap servers are asked for the brokers.

        `create` lets the broker create a topic that is not there, where it does that at all.
        """
        return self._manager.call_soon(self._metadata, tuple(topics), create)  # type: ignore[no-any-return]

    async def _metadata(self, topics: Sequence[str], create: bool) -> dict[str, TopicMetadata]:
        manager = self._manager
        if not manager.bootstrapped or time.monotonic() > self._heard + BOOTSTRAP_AGAIN_S:
            await manager.bootstrap_async()
        request = MetadataRequest(
            topics=[MetadataRequest.MetadataRequestTopic(name=topic) for topic in topics],
            allow_auto_topic_creation=create,
        )
        reply = await self.send(None, request)
        self._heard = time.monotonic()
        manager.cluster.update_metadata(reply)
        return {topic.name: _topic(topic) for topic in reply.topics if topic.name is not None}

    def send(self, node_id: int | None, request: Message, timeout_ms: int | None = None) -> Any:
        """The `Answer` of a node, or of any one for None; requests to one node are answered in the order of sending.

        The request's version is the newest that both sides know, or its own `API_VERSION` where that is set.
        """
        node = node_id if node_id is not None else self._manager.least_loaded_node()
        try:
            return self._manager.send(request, node_id=node, request_timeout_ms=timeout_ms)
        except errors.KafkaError as error:
            return Future().failure(error)

    def is_ready(self, node_id: int) -> bool:
        """Whether a request to the node would go out at once. Begins to connect where it is not connected."""
        try:
            connection = self._manager.get_connection(node_id)
        except errors.KafkaError:
            return False
        return bool(connection.connected and not connection.paused)

    def version(self, node_id: int, request: Any) -> int | None:
        """The version of a request class that the node will be asked in; None while it is not connected."""
        connection = self._manager._conns.get(node_id)
        data = connection.broker_version_data if connection is not None and connection.connected else None
        return None if data is None else int(data.api_version(request))

    def disconnect(self, node_id: int) -> None:
        """Drop the connection to a node, and with it every answer that it owes."""
        self._manager.close(node_id)

    def poll(self, timeout_s: float) -> None:
        """Send, receive, connect and call back, for at most so long; returns as soon as anything happened."""
        self._net.poll(timeout_ms=max(0.0, timeout_s) * 1000)

    def wakeup(self) -> None:
        """Make a `poll` return, from any thread."""
        self._net.wakeup()

    def close(self) -> None:
        """Close every connection at once; answers that are owed fail."""
        connections = list(self._manager._conns.values())
        self._manager.close()
        for connection in connections:
            if connection.transport is not None:
                connection.transport._close()  # it would else wait until all is written
        self._net.close()


def _topic(topic: Any) -> TopicMetadata:
    partitions = {
        each.partition_index: PartitionMetadata(each.leader_id, each.leader_epoch, each.error_code)
        for each in topic.partitions
    }
    return TopicMetadata(topic.name, topic.error_code, topic.topic_id, partitions)
