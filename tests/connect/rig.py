"""A worker's control plane without brokers and processes: a log in memory, a group of one, hosts that obey at once.

The log passes the contract tests of the real one (`stores/test_kafka_log.py`).
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import httpx

from headrace.connect.rest.app import application
from headrace.connect.runtime import messages
from headrace.connect.runtime.assignment import SESSIONED, Assignment, Snapshot, WorkerState, assign, merged
from headrace.connect.runtime.connector_log import ConnectorLogs
from headrace.connect.runtime.connector_requests import ConnectorRequests, connector_type
from headrace.connect.runtime.herder import Herder
from headrace.connect.runtime.hosts import RequestFailed
from headrace.connect.runtime.membership import Joined
from headrace.connect.runtime.messages import StateChanged, TaskId
from headrace.connect.runtime.offset_requests import OffsetRequests
from headrace.connect.runtime.worker_config import WorkerConfig
from headrace.connect.stores.backing import BackingStores
from headrace.connect.stores.codec import Record
from headrace.http.server import HttpServer, listen
from headrace.kafka_client.kafka_log import InternalTopic, LogError, LogRecord

PROPERTIES = {
    "bootstrap.servers": "127.0.0.1:1",
    "group.id": "g",
    "config.storage.topic": "connect-configs",
    "offset.storage.topic": "connect-offsets",
    "status.storage.topic": "connect-status",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
}
FILE_SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"


class MemoryLog:
    """Topics of one partition each, in memory."""

    def __init__(self, topics: Sequence[InternalTopic], wake: Callable[[], None]) -> None:
        self.records: dict[str, list[LogRecord]] = {topic.name: [] for topic in topics}
        self.refuses: str | None = None
        self.answers = threading.Event()
        """Clear it, and writes wait until it is set: the brokers are away."""
        self.answers.set()
        self._wake = wake
        self._new: list[LogRecord] = []
        self._lock = threading.Lock()

    def open(self) -> None:
        return

    def interrupt(self) -> None:
        return

    def close(self, deadline_s: float) -> None:
        return

    def take(self) -> list[LogRecord]:
        with self._lock:
            new, self._new = self._new, []
        return new

    def read_to_end(self, topics: Collection[str], deadline_s: float = 30) -> None:
        return

    def send(self, topic: str, record: Record) -> None:
        with self._lock:
            written = LogRecord(topic, 0, len(self.records[topic]), *record)
            self.records[topic].append(written)
            self._new.append(written)
        self._wake()

    def write(self, topic: str, records: Sequence[Record], deadline_s: float = 30) -> None:
        if self.refuses:
            raise LogError(self.refuses)
        assert self.answers.wait(30)
        for record in records:
            self.send(topic, record)

    def keys(self, topic: str) -> list[str]:
        return [(record.key or b"").decode() for record in self.records[topic]]


class GroupOfOne:
    """Assigns as the real leader does, at once."""

    def __init__(self, listener: Callable[[Joined], None]) -> None:
        self.generation = 0
        self._listener = listener
        self._held: Assignment | None = None

    def start(self, snapshot: Snapshot) -> None:
        self.update(snapshot, rejoin=True)

    def update(self, snapshot: Snapshot, *, rejoin: bool) -> None:
        if rejoin:
            self.generation += 1
            state = WorkerState("http://me:8083/", snapshot.config_offset, self._held)
            delta = assign(SESSIONED, "me", {"me": state}, snapshot)["me"]
            self._held = merged(self._held, delta)
            self._listener(Joined(self.generation, True, self._held, delta.revoked))

    def stop(self, deadline_s: float) -> None:
        return


class Hosts:
    """Starts and stops at once; `task_counts` and `faults` say what a connector answers."""

    def __init__(self, listener: Callable[[Any], None]) -> None:
        self.log: list[str] = []
        self.answers: list[messages.Offsets] = []
        self.task_counts: dict[str, int] = {}
        self.faults: dict[str, str] = {}
        self.fails: dict[str, str] = {}
        self.configs: dict[str, dict[str, str]] = {}
        self.tell = listener

    def start_task(self, message: messages.StartTask) -> None:
        self.log.append(f"start {message.id}{' paused' if message.paused else ''}")
        self.tell(StateChanged(message.id, "PAUSED" if message.paused else "RUNNING", version="1.0"))

    def stop_task(self, id: TaskId, deadline_ms: int) -> None:
        self.log.append(f"stop {id}")
        self.tell(StateChanged(id, "UNASSIGNED"))

    def pause_task(self, id: TaskId, paused: bool) -> None:
        self.log.append(f"{'pause' if paused else 'resume'} {id}")
        self.tell(StateChanged(id, "PAUSED" if paused else "RUNNING"))

    def start_connector(self, connector: str, config: Mapping[str, str]) -> None:
        self.log.append(f"start {connector}")
        self.configs[connector] = dict(config)
        if connector in self.fails:
            self.tell(StateChanged(TaskId(connector, -1), "FAILED", self.fails[connector]))
        else:
            self.tell(StateChanged(TaskId(connector, -1), "RUNNING", version="1.0"))

    def stop_connector(self, connector: str) -> None:
        self.log.append(f"stop {connector}")
        self.tell(StateChanged(TaskId(connector, -1), "UNASSIGNED"))

    def task_configs(self, connector: str, max_tasks: int) -> "Future[tuple[Mapping[str, str], ...]]":
        future: Future[tuple[Mapping[str, str], ...]] = Future()
        if connector in self.faults:
            future.set_exception(RequestFailed(self.faults[connector]))
        else:
            count = min(max_tasks, self.task_counts.get(connector, 1))
            future.set_result(tuple({**self.configs[connector], "task.class": "T"} for _ in range(count)))
        return future

    def validate(self, config: Mapping[str, Any], *, connect: bool) -> "Future[messages.Validation]":
        name = str(config.get("connector.class"))
        errors = [f"Invalid value {config['mode']} for configuration mode"] if config.get("mode") == "wrong" else []
        value = {"name": "mode", "value": config.get("mode"), "errors": errors}
        future: Future[messages.Validation] = Future()
        if name == "None":
            future.set_exception(RequestFailed("Connector config contains no connector type"))
        else:
            kind = connector_type(name)
            future.set_result(messages.Validation(1, name, kind, (({"name": "mode"}, value),), ("Mode",)))
        return future

    def definition(self, stage: str) -> "Future[tuple[Mapping[str, Any], ...]]":
        future: Future[tuple[Mapping[str, Any], ...]] = Future()
        future.set_result(({"name": f"a key of {stage}"},))
        return future

    def answer(self, offsets: messages.Offsets) -> None:
        self.answers.append(offsets)

    def stop(self, deadline_ms: int) -> None:
        self.log.append("stop all")


class Rig:
    """A started worker; what REST needs of a server is here under the same names."""

    commit, cluster_id, stage = "headrace-test", "a cluster", "starting"

    def __init__(self, **properties: str) -> None:
        self.config = WorkerConfig.read({**PROPERTIES, **properties})
        topics = self.config.topics()
        self.log = MemoryLog(list(topics.values()), lambda: self.herder.post(lambda: None))
        self.worker_id = "me:8083"
        self.herder = Herder(self.config, "me:8083", BackingStores(self.log, topics), Hosts, GroupOfOne)
        self.hosts: Hosts = self.herder.hosts
        self.connectors = ConnectorRequests(self.herder)
        self.offsets = OffsetRequests(self.herder, {})
        self.logs = ConnectorLogs()

    @property
    def ready(self) -> bool:
        return self.herder.assignment is not None

    @property
    def masks_secrets(self) -> bool:
        return bool(self.config["headrace.rest.mask.secrets"])

    def start(self) -> "Rig":
        self.herder.stores.open()
        self.herder.start()
        return self

    def look_only(self) -> "Rig":
        """Answer questions without joining a group: what is in the topics stays as it is."""
        self.herder.stores.open()
        self.herder._thread.start()
        return self

    def stop(self) -> None:
        self.herder.stop()

    def create(self, name: str, **config: str) -> None:
        full = {"connector.class": FILE_SOURCE, "name": name, **{k.replace("_", "."): v for k, v in config.items()}}
        self.connectors.put(name, full).result(5)

    def states(self, name: str) -> list[str]:
        """The state of a connector and its tasks; empty before there is one."""

        def read() -> list[str]:
            status = self.herder.stores.status
            ids = [TaskId(name, -1), *status.tasks(name)]
            return [found.state for id in ids if (found := status.get(id))]

        return self.herder.ask(read).result(5)

    def wait_for(self, name: str, *states: str) -> None:
        until(lambda: self.states(name) == list(states), lambda: f"{name} is {self.states(name)}, not {list(states)}")


def until(condition: Callable[[], bool], what: Callable[[], str], deadline_s: float = 10) -> None:
    """Wait for a condition; fails with `what` at the deadline."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.005)


@contextmanager
def serve(rig: Rig) -> Iterator[httpx.Client]:
    """A client of the REST interface, over HTTP."""
    server = HttpServer(application(rig), listen("127.0.0.1", 0))
    server.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
            yield client
    finally:
        server.stop()
