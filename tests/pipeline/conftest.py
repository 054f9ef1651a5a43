from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A broker and a worker, started; stopped after the test."""
    stack = Stack(tmp_path)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
