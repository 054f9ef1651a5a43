"""A worker as users run it: `headrace connect` in a process of its own, and a client of its REST interface."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import free_port
from tests.connect.rig import until

PLUGINS = Path(__file__).parent / "runtime" / "plugins"
FILE_SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
FILE_SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"


def properties(bootstrap: str, cluster: str, **more: str) -> dict[str, str]:
    """A worker's properties; `cluster` names its group and topics."""
    return {
        "bootstrap.servers": bootstrap,
        "group.id": cluster,
        "config.storage.topic": f"{cluster}-configs",
        "offset.storage.topic": f"{cluster}-offsets",
        "status.storage.topic": f"{cluster}-status",
        "config.storage.replication.factor": "1",
        "offset.storage.replication.factor": "1",
        "status.storage.replication.factor": "1",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "offset.flush.interval.ms": "200",
        "session.timeout.ms": "6000",
        "heartbeat.interval.ms": "1000",
        "scheduled.rebalance.max.delay.ms": "3000",
        "plugin.path": str(PLUGINS),
        **{key.replace("_", "."): value for key, value in more.items()},
    }


class WorkerProcess:
    """One worker; it can be killed and started again on the same port."""

    def __init__(self, directory: Path, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        self.log_file = directory / "connect.log"
        self.file = directory / "connect.properties"
        self.file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=100)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def command(self, *more: str) -> list[str]:
        program = str(Path(sys.executable).parent / "headrace")
        return [program, "connect", str(self.file), "--set", f"listeners=http://127.0.0.1:{self.port}", *more]

    def start(self, *more: str, ready: bool = True, **options: Any) -> None:
        """Start the process; with `ready` wait until it says so."""
        told = self.log.count("headrace connect: ready") if self.log_file.exists() else 0
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(*more), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONUNBUFFERED": "1"}, **options,
            )  # fmt: skip
        if ready:
            until(lambda: self.log.count("headrace connect: ready") > told or self._ended(), lambda: self.log, 60)
            assert not self._ended(), self.log

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, deadline_s: float = 20) -> float:
        """SIGTERM; gives how long the end took. Fails where the process does not end well by the deadline."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.terminate()
        status = self.process.wait(deadline_s)
        assert status == 0, self.log
        return time.monotonic() - begun

    def close(self) -> None:
        self.client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def create(self, name: str, **config: Any) -> httpx.Response:
        full = {key.replace("_", "."): value for key, value in config.items()}
        answer = self.client.post("/connectors", json={"name": name, "config": full})
        assert answer.status_code == 201, answer.text
        return answer

    def states(self, name: str) -> list[str]:
        """The state of a connector and its tasks."""
        answer = self.client.get(f"/connectors/{name}/status")
        if answer.status_code != 200:
            return []
        status = answer.json()
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]

    def wait_for(self, name: str, *states: str, deadline_s: float = 40) -> None:
        until(
            lambda: self.states(name) == list(states), lambda: f"{name} is {self.states(name)}: {self.log}", deadline_s
        )
