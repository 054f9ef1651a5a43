import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.connect.runtime.hosts import HostPool
from tests.connect.runtime.pipeline import PLUGINS, Cluster, Rig
from tests.connect.runtime.recorder import Recorder
from tests.contract.broker_process import broker_process


@pytest.fixture
def heard() -> Recorder:
    return Recorder()


@pytest.fixture
def pool(heard: Recorder) -> Iterator[HostPool]:
    """A pool of at most two hosts that knows the plug-ins of these tests; at the end nothing of it lives."""
    made = HostPool({"plugin.path": str(PLUGINS)}, heard, size=2)
    yield made
    _stop(made)


def _stop(pool: HostPool) -> None:
    pids = pool.pids()
    pool.stop(5000)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running broker; HEADRACE_TEST_BOOTSTRAP names one that runs already."""
    running = os.environ.get("HEADRACE_TEST_BOOTSTRAP")
    if running:
        yield Cluster(running)
        return
    with broker_process(tmp_path_factory.mktemp("broker")) as broker:
        yield Cluster(broker.bootstrap)


@pytest.fixture
def rig(cluster: Cluster) -> Iterator[Rig]:
    """Task hosts on a real broker."""
    made = Rig(cluster)
    yield made
    _stop(made.pool)


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """An empty file."""
    path = tmp_path / "lines.txt"
    path.touch()
    return path
