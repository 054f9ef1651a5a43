"""A broker and a Connect worker as real processes that a test may kill and start again, and what to ask of them."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil

from headrace.testing.servers import BrokerServer, ConnectServer


class Stack:
    """`broker` and `worker` on free ports, with their data in `folder`; nothing is started by itself."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.broker = BrokerServer(folder)
        self.worker = ConnectServer(folder, self.broker.bootstrap, settings=settings or {})
        self.rest = httpx.Client(base_url=self.worker.url, timeout=30)

    def start(self) -> None:
        self.broker.start()
        self.start_worker()

    def start_worker(self) -> None:
        self.worker.start()
        self.worker.wait_ready()

    def stop(self) -> None:
        self.worker.stop()
        self.broker.stop()
        self.rest.close()

    def kill_task_host(self, at: int) -> int:
        """Kill one of the processes that have a task's threads; gives its process id."""
        hosts = self.task_hosts()
        victim = hosts[at % len(hosts)]
        os.kill(victim, signal.SIGKILL)
        return victim

    def task_hosts(self) -> list[int]:
        """Process ids of the worker's task hosts that have been given work, busiest first."""
        children = psutil.Process(self.worker.process.pid).children(recursive=True)
        busy = [child for child in children if child.num_threads() > 3]
        return [child.pid for child in sorted(busy, key=lambda child: -sum(child.cpu_times()[:2]))]

    def create(self, name: str, config: dict[str, Any]) -> None:
        answer = self.rest.post("/connectors", json={"name": name, "config": config})
        assert answer.status_code == 201, answer.text

    def states(self, name: str) -> list[str]:
        """The connector's state, then its tasks'; empty while the worker has none to tell."""
        answer = self.rest.get(f"/connectors/{name}/status")
        if answer.status_code != 200:
            return []
        status = answer.json()
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]

    def trace(self, name: str) -> str:
        """The first trace of a failed task or connector, or an empty text."""
        answer = self.rest.get(f"/connectors/{name}/status")
        if answer.status_code != 200:
            return ""
        status = answer.json()
        return next((part["trace"] for part in [*status["tasks"], status["connector"]] if part.get("trace")), "")


def wait_until(done: Callable[[], object], seconds: float, what: str | Callable[[], str]) -> None:
    """Wait until `done()` is true; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {seconds:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.05)
