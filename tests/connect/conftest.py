from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.connect.rig import Rig, serve
from tests.contract.broker_process import BrokerProcess, broker_process
from tests.kafka.cluster import KafkaNode, kafka_node

Brokers = BrokerProcess | KafkaNode


@pytest.fixture
def make_plane() -> Iterator[Callable[..., Rig]]:
    """Makes workers in memory; they are stopped at the end."""
    made: list[Rig] = []

    def make(**properties: str) -> Rig:
        made.append(Rig(**properties))
        return made[-1]

    yield make
    for plane in made:
        plane.stop()


@pytest.fixture
def plane(make_plane: Callable[..., Rig]) -> Rig:
    """A worker in memory that has joined its group."""
    return make_plane().start()


@pytest.fixture
def client_of() -> Iterator[Callable[[Rig], httpx.Client]]:
    """Serves a worker over HTTP and gives a client; all end with the test."""
    with ExitStack() as open_now:
        yield lambda plane: open_now.enter_context(serve(plane))


@pytest.fixture(scope="session")
def our_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """Our broker, for all tests; each makes names of its own."""
    with broker_process(tmp_path_factory.mktemp("headrace")) as server:
        yield server


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaNode]:
    """Apache Kafka, for all tests; each makes names of its own."""
    with kafka_node(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(params=["our_broker", pytest.param("apache_kafka", marks=pytest.mark.kafka)])
def brokers(request: pytest.FixtureRequest) -> Brokers:
    """A running broker, ours or Apache Kafka."""
    server: Brokers = request.getfixturevalue(request.param)
    return server
