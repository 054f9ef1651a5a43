from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.contract.broker_process import BrokerProcess, broker_process
from tests.kafka.cluster import KafkaNode, kafka_node
from tests.registry.serving import Served, serve

Brokers = BrokerProcess | KafkaNode


@pytest.fixture(scope="session")
def our_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """Our broker, for all tests; each makes topics and groups of its own."""
    with broker_process(tmp_path_factory.mktemp("headrace")) as server:
        yield server


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaNode]:
    """Apache Kafka, for all tests; each makes topics and groups of its own."""
    with kafka_node(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(scope="session", params=["our_broker", pytest.param("apache_kafka", marks=pytest.mark.kafka)])
def brokers(request: pytest.FixtureRequest) -> Brokers:
    """A running broker, ours or Apache Kafka."""
    server: Brokers = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def registry(brokers: Brokers) -> Iterator[Served]:
    """A registry for all tests; each makes subjects of its own."""
    with serve(brokers.bootstrap) as served:
        yield served


@pytest.fixture
def make(our_broker: BrokerProcess) -> Iterator[Callable[..., Served]]:
    """Makes registries on our broker; they are stopped at the end."""
    with ExitStack() as running:
        yield lambda **more: running.enter_context(serve(our_broker.bootstrap, **more))


@pytest.fixture
def client(registry: Served) -> httpx.Client:
    return registry.client


@pytest.fixture
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A name that no other test has."""
    return f"{tmp_path.name}-value"
