import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.connect.runtime.hosts import HostPool
from tests.connect.runtime.recorder import Recorder

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture
def heard() -> Recorder:
    return Recorder()


@pytest.fixture
def pool(heard: Recorder) -> Iterator[HostPool]:
    """A pool of at most two hosts that knows the plug-ins of these tests; at the end nothing of it lives."""
    made = HostPool({"plugin.path": str(PLUGINS)}, heard, size=2)
    yield made
    pids = made.pids()
    made.stop(2000)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
