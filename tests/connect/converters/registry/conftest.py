from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.broker_process import BrokerProcess
from tests.registry.serving import Served, serve


@pytest.fixture(scope="session")
def registry(our_broker: BrokerProcess) -> Iterator[Served]:
    """A registry of ours for all tests; each makes subjects of its own."""
    with serve(our_broker.bootstrap) as served:
        yield served


@pytest.fixture
def topic(tmp_path: Path) -> str:
    """A name that no other test has."""
    return tmp_path.name
