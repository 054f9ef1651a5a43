"""What every test may use: free ports, and a skip that names what is missing."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from headrace.supervisor.ready import free_port as free_port

# A busy machine makes an example slow; that is no fault of what is tested.
settings.register_profile("headrace", deadline=None)
settings.load_profile("headrace")

pytest_plugins = ["headrace.testing.postgres", "headrace.testing.servers"]


def need(program: str, install: str) -> str:
    """The path of `program`; skips with the reason where it is missing, fails where HEADRACE_NO_SKIP is set."""
    path = shutil.which(program)
    if path is None:
        missing(f"{program} is not on this machine: {install}")
    return str(path)


def missing(reason: str) -> None:
    """Skip with `reason`, or fail with it where HEADRACE_NO_SKIP is set, as it is where changes are decided on."""
    if os.environ.get("HEADRACE_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def tutorials_ports() -> Iterator[None]:
    """The tutorial's own ports, for one test at a time: files of tests run side by side, in processes of their own."""
    with (Path(tempfile.gettempdir()) / f"headrace-tutorials-ports-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
