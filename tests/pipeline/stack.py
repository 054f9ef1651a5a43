"""A broker and a Connect worker as real processes that a test may kill and start again, and what to ask of them."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil

from headrace.supervisor.process import ChildProcess
from tests.conftest import free_port

READY_S = 30.0
PROGRAM = str(Path(sys.executable).with_name("headrace"))


class Stack:
    """`broker` and `worker` on free ports, with their data in `folder`; nothing is started by itself."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.bootstrap = f"127.0.0.1:{free_port()}"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.settings = settings or {}
        self.broker: ChildProcess | None = None
        self.worker: ChildProcess | None = None
        self.rest = httpx.Client(base_url=self.url, timeout=30)

    def start(self) -> None:
        self.start_broker()
        self.start_worker()

    def start_broker(self) -> None:
        command = [PROGRAM, "broker", "--data-dir", str(self.folder / "broker")]
        command += ["--listener", f"PLAINTEXT://{self.bootstrap}"]
        self.broker = ChildProcess("broker", command, self.folder / "broker.log")
        self.broker.start()

    def start_worker(self) -> None:
        self.worker = ChildProcess("worker", [PROGRAM, "connect"], self.folder / "connect.log", self._environment())
        self.worker.start()
        self.worker.wait_ready(self._answers, READY_S)

    def stop(self) -> None:
        for process in (self.worker, self.broker):
            if process is not None:
                process.stop(20)
        self.rest.close()

    def kill_broker(self) -> None:
        assert self.broker is not None
        os.kill(int(self.broker.pid or 0), signal.SIGKILL)
        assert self.broker.wait(5)

    def kill_worker(self) -> None:
        assert self.worker is not None
        os.kill(int(self.worker.pid or 0), signal.SIGKILL)
        assert self.worker.wait(5)

    def kill_task_host(self, at: int) -> int:
        """Kill one of the processes that have a task's threads; gives its process id."""
        hosts = self.task_hosts()
        victim = hosts[at % len(hosts)]
        os.kill(victim, signal.SIGKILL)
        return victim

    def task_hosts(self) -> list[int]:
        """Process ids of the worker's task hosts that have been given work, busiest first."""
        assert self.worker is not None
        children = psutil.Process(self.worker.pid).children(recursive=True)
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

    def _answers(self) -> bool:
        try:
            return self.rest.get("/").status_code == 200
        except httpx.TransportError:
            return False

    def _environment(self) -> dict[str, str]:
        given = {
            "bootstrap.servers": self.bootstrap,
            "listeners": self.url,
            "group.id": "workers",
            "config.storage.topic": "connect-configs",
            "config.storage.replication.factor": "1",
            "offset.storage.topic": "connect-offsets",
            "offset.storage.replication.factor": "1",
            "status.storage.topic": "connect-status",
            "status.storage.replication.factor": "1",
            "scheduled.rebalance.max.delay.ms": "3000",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            **self.settings,
        }
        names = {f"CONNECT_{name.upper().replace('.', '_')}": value for name, value in given.items()}
        return {**os.environ, **names}


def wait_until(done: Callable[[], object], seconds: float, what: str | Callable[[], str]) -> None:
    """Wait until `done()` is true; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {seconds:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.05)
