"""A registry as users run it: `headrace registry` in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from tests.conftest import free_port


def until(condition: Callable[[], bool], what: Callable[[], str], deadline_s: float = 30) -> None:
    """Wait for a condition; fails with `what` at the deadline."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)


class RegistryProcess:
    """One registry; it can be killed and started again on the same port."""

    def __init__(self, directory: Path, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        self.log_file = directory / f"registry-{self.port}.log"
        self.file = directory / f"registry-{self.port}.properties"
        given = {**settings, "listeners": f"http://127.0.0.1:{self.port}"}
        self.file.write_text("".join(f"{key}={value}\n" for key, value in given.items()))
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=60)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def start(self, *more: str, command: str = "registry", ready: bool = True) -> None:
        """Start the process; with `ready` wait until it says so."""
        told = self.log.count("headrace registry: ready") if self.log_file.exists() else 0
        program = str(Path(sys.executable).parent / "headrace")
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [program, command, str(self.file), *more],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        if ready:
            until(lambda: self.log.count("headrace registry: ready") > told or self.ended, lambda: self.log)
            assert not self.ended, self.log

    @property
    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, deadline_s: float = 15) -> int:
        """SIGTERM; gives the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(deadline_s)

    def close(self) -> None:
        self.client.close()
        if self.process is not None and not self.ended:
            self.kill()
