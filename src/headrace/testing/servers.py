"""pytest fixtures: a broker and a Connect worker as processes of their own, on free ports, with their data in a folder.

pytest_plugins = ["headrace.testing.servers"]

def test_a_connector_runs(connect: ConnectServer) -> None:
    httpx.post(f"{connect.url}/connectors", json={"name": "mine", "config": {...}})

Both may also be made by hand, killed and started again: `start` and `wait_ready` as often as `kill` or `stop`.
"""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from headrace.supervisor.process import ChildProcess
from headrace.supervisor.ready import HOST, free_port, http_answers, kafka_answers

READY_S = 30.0
STOP_S = 20.0
TOPICS: Mapping[str, str] = {"config": "connect-configs", "offset": "connect-offsets", "status": "connect-status"}


@dataclass(slots=True)
class BrokerServer:
    """One broker; `settings` are Kafka's own keys."""

    folder: Path
    port: int = field(default_factory=free_port)
    settings: Mapping[str, str] = field(default_factory=dict)
    _process: ChildProcess | None = field(default=None, init=False, repr=False)

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def process(self) -> ChildProcess:
        """The running child. Raises RuntimeError before `start`."""
        return _started(self._process, "broker")

    def start(self) -> None:
        """Start it; returns before it is ready."""
        command = [*_program("broker"), "--data-dir", str(self.folder / "broker")]
        command += ["--listener", f"PLAINTEXT://{self.bootstrap}"]
        for key, value in self.settings.items():
            command += ["--set", f"{key}={value}"]
        self._process = ChildProcess("broker", command, self.folder / "broker.log")
        self._process.start()

    def wait_ready(self) -> None:
        """Raises ProcessFailed with the end of its log where it is not ready in time."""
        self.process.wait_ready(lambda: kafka_answers(HOST, self.port), READY_S)

    def kill(self) -> None:
        """SIGKILL."""
        _kill(self.process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(STOP_S)


@dataclass(slots=True)
class ConnectServer:
    """One distributed worker on the brokers of `bootstrap`; `settings` win over those made here."""

    folder: Path
    bootstrap: str
    port: int = field(default_factory=free_port)
    settings: Mapping[str, str] = field(default_factory=dict)
    _process: ChildProcess | None = field(default=None, init=False, repr=False)

    @property
    def url(self) -> str:
        """Where REST is."""
        return f"http://{HOST}:{self.port}"

    @property
    def process(self) -> ChildProcess:
        """The running child. Raises RuntimeError before `start`."""
        return _started(self._process, "worker")

    def start(self) -> None:
        """Start it; returns before it is ready."""
        settings = [f"--set={key}={value}" for key, value in self._properties().items()]
        self._process = ChildProcess("worker", [*_program("connect"), *settings], self.folder / "connect.log")
        self._process.start()

    def wait_ready(self) -> None:
        """Until it has joined its group. Raises ProcessFailed with the end of its log."""
        self.process.wait_ready(lambda: http_answers(HOST, self.port, "/connectors"), READY_S)

    def kill(self) -> None:
        """SIGKILL of the worker; its task hosts end by themselves."""
        _kill(self.process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(STOP_S)

    def _properties(self) -> dict[str, str]:
        topics = {f"{kind}.storage.topic": name for kind, name in TOPICS.items()}
        copies = {f"{kind}.storage.replication.factor": "1" for kind in TOPICS}
        return {
            "bootstrap.servers": self.bootstrap,
            "listeners": self.url,
            "group.id": "workers",
            "scheduled.rebalance.max.delay.ms": "3000",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            **topics,
            **copies,
            **self.settings,
        }


def _program(server: str) -> list[str]:
    return [sys.executable, "-m", "headrace", server]


def _started(process: ChildProcess | None, name: str) -> ChildProcess:
    if process is None:
        raise RuntimeError(f"the {name} was not started")
    return process


def _kill(process: ChildProcess) -> None:
    os.kill(int(process.pid or 0), signal.SIGKILL)
    process.wait(STOP_S)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerServer]:
    """A broker for one test: `bootstrap`, `port`, `kill()`, `start()`, `wait_ready()`."""
    server = BrokerServer(tmp_path)
    try:
        server.start()
        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture
def connect(broker: BrokerServer, tmp_path: Path) -> Iterator[ConnectServer]:
    """A worker for one test, on the broker of the fixture `broker`: `url`, `port`, `kill()`, `start()`."""
    server = ConnectServer(tmp_path, broker.bootstrap)
    try:
        server.start()
        server.wait_ready()
        yield server
    finally:
        server.stop()
