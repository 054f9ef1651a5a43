"""One broker of ours and one Apache Kafka serve all tests of the tools; every test makes names of its own."""

import uuid
from collections.abc import Iterator

import pytest

from tests.contract.broker_process import broker_process
from tests.kafka.cluster import kafka_node
from tests.tools.java import JavaTools


@pytest.fixture(scope="session")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker of ours."""
    with broker_process(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a node of Apache Kafka."""
    with kafka_node(tmp_path_factory.mktemp("kafka")) as node:
        yield node.bootstrap


@pytest.fixture(scope="session")
def java() -> Iterator[JavaTools]:
    """Kafka's own tools, in one JVM."""
    tools = JavaTools()
    yield tools
    tools.close()


@pytest.fixture
def name() -> str:
    """A name for a topic or a group that no other test uses."""
    return f"t-{uuid.uuid4().hex[:12]}"
