"""Each contract test runs on our broker and, marked `kafka`, on Apache Kafka: where they differ, ours is wrong.

One server of each kind serves the whole session, so every test makes names of its own (`topic_name`, `group_name`).
"""

import uuid
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from tests.contract.broker_process import broker_process
from tests.contract.wire_client import WireClient
from tests.kafka.cluster import kafka_node


class Cluster(Protocol):
    """What a contract test may know of the server that it talks to."""

    bootstrap: str


@pytest.fixture(scope="session", params=["headrace", pytest.param("kafka", marks=pytest.mark.kafka)])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running server, ours or Apache Kafka."""
    directory = tmp_path_factory.mktemp(request.param)
    start = {"headrace": broker_process, "kafka": kafka_node}[request.param]
    with start(directory) as server:
        yield server


@pytest.fixture
def connect(cluster: Cluster) -> Iterator[Callable[[], WireClient]]:
    """Opens as many connections as a test wants; they are closed at its end."""
    opened: list[WireClient] = []

    def open_one() -> WireClient:
        opened.append(WireClient(cluster.bootstrap))
        return opened[-1]

    yield open_one
    for client in opened:
        client.close()


@pytest.fixture
def wire(connect: Callable[[], WireClient]) -> WireClient:
    """One connection."""
    return connect()


@pytest.fixture
def topic_name() -> str:
    """A topic's name that no other test uses."""
    return f"topic-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def group_name() -> str:
    """A group's name that no other test uses."""
    return f"group-{uuid.uuid4().hex[:12]}"
