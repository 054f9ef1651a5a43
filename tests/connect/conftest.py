from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.connect.rig import Rig, serve


@pytest.fixture
def make_rig() -> Iterator[Callable[..., Rig]]:
    """Makes workers in memory; they are stopped at the end."""
    made: list[Rig] = []

    def make(**properties: str) -> Rig:
        made.append(Rig(**properties))
        return made[-1]

    yield make
    for rig in made:
        rig.stop()


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    """A worker in memory that has joined its group."""
    return make_rig().start()


@pytest.fixture
def client_of() -> Iterator[Callable[[Rig], httpx.Client]]:
    """Serves a worker over HTTP and gives a client; all end with the test."""
    with ExitStack() as open_now:
        yield lambda rig: open_now.enter_context(serve(rig))
