"""Our broker as a process, for the clients that people use."""

import uuid
from collections.abc import Iterator

import pytest

from tests.contract.broker_process import BrokerProcess, broker_process


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """One broker for all; tests that kill a broker make one of their own."""
    with broker_process(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4().hex[:12]}"
