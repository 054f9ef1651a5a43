"""A Java worker takes over the cluster of one of ours from its topics, and gives it back."""

import subprocess
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Consumer

from tests.conftest import free_port
from tests.connect.rig import until
from tests.connect.worker_process import FILE_SINK, FILE_SOURCE, WorkerProcess, properties
from tests.kafka.cluster import KafkaNode, java

pytestmark = pytest.mark.kafka


class JavaWorker:
    """Apache Kafka's own `ConnectDistributed`, or with files of connectors `ConnectStandalone`."""

    def __init__(self, directory: Path, settings: dict[str, str], connectors: Sequence[Path] = ()) -> None:
        self.port = free_port()
        self.log_file = directory / "java.log"
        self._file = directory / "java.properties"
        self._connectors = connectors
        listener = {"listeners": f"http://127.0.0.1:{self.port}", "plugin.discovery": "service_load"}
        self._file.write_text("".join(f"{key}={value}\n" for key, value in {**settings, **listener}.items()))
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=100)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            main = "ConnectStandalone" if self._connectors else "ConnectDistributed"
            command = java(f"org.apache.kafka.connect.cli.{main}", str(self._file), *map(str, self._connectors))
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers, lambda: self.log_file.read_text()[-3000:], 90)

    def _answers(self) -> bool:
        try:
            return self.client.get("/connectors").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(40)

    def close(self) -> None:
        self.stop()
        self.client.close()

    def states(self, name: str) -> list[str]:
        status = self.client.get(f"/connectors/{name}/status").json()
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])] if "name" in status else []


@pytest.fixture
def cluster(apache_kafka: KafkaNode, tmp_path: Path) -> Iterator[tuple[WorkerProcess, JavaWorker]]:
    """One of ours and one of Java's, of one Connect cluster; neither is started."""
    settings = properties(apache_kafka.bootstrap, f"c-{uuid.uuid4().hex[:8]}")
    for_java = {key: value for key, value in settings.items() if key != "plugin.path"}
    ours, theirs = WorkerProcess(tmp_path, settings), JavaWorker(tmp_path, for_java)
    yield ours, theirs
    ours.close()
    theirs.close()


STATES = {"runs": ["RUNNING", "RUNNING"], "paused": ["PAUSED", "PAUSED"], "stopped": ["STOPPED"]}


def test_java_goes_on_where_our_worker_was_and_ours_where_java_was(cluster, apache_kafka, tmp_path):
    ours, theirs = cluster
    source, target, topic = tmp_path / "in.txt", tmp_path / "out.txt", f"t-{uuid.uuid4().hex[:8]}"
    ours.start()
    for name in STATES:
        file = source if name == "runs" else tmp_path / name
        file.write_text("one\n" if name == "runs" else "")
        ours.create(name, connector_class=FILE_SOURCE, file=str(file), topic=topic)
        ours.wait_for(name, "RUNNING", "RUNNING")
    ours.create("sink", connector_class=FILE_SINK, file=str(target), topics=topic)
    ours.client.put("/connectors/paused/pause")
    ours.client.put("/connectors/stopped/stop")
    until(lambda: target.exists() and target.read_text() == "one\n", lambda: ours.log, 60)
    for name, states in STATES.items():
        ours.wait_for(name, *states)
    configs = {name: ours.client.get(f"/connectors/{name}/config").json() for name in STATES}
    ours.stop()

    theirs.start()
    for name, states in STATES.items():
        until(lambda: theirs.states(name) == states, lambda: f"{name}: {theirs.states(name)}", 60)  # noqa: B023
        assert theirs.client.get(f"/connectors/{name}/config").json() == configs[name]
    with source.open("a") as lines:
        lines.write("two\n")
    until(lambda: target.read_text() == "one\ntwo\n", lambda: target.read_text(), 60)
    assert theirs.client.put("/connectors/stopped/resume").status_code == 202
    until(lambda: theirs.states("stopped") == ["RUNNING", "RUNNING"], lambda: str(theirs.states("stopped")), 60)
    offset = {"partition": {"filename": str(source)}, "offset": {"position": 8}}
    until(
        lambda: theirs.client.get("/connectors/runs/offsets").json() == {"offsets": [offset]},
        lambda: theirs.client.get("/connectors/runs/offsets").text,
        60,
    )
    theirs.stop()

    ours.start()
    for name, states in {**STATES, "stopped": ["RUNNING", "RUNNING"], "sink": ["RUNNING", "RUNNING"]}.items():
        ours.wait_for(name, *states)
    with source.open("a") as lines:
        lines.write("three\n")
    until(lambda: target.read_text() == "one\ntwo\nthree\n", lambda: target.read_text(), 60)
    assert [value for value in values(apache_kafka.bootstrap, topic, 3) if value] == ["one", "two", "three"]


def values(bootstrap: str, topic: str, count: int) -> list[str]:
    """What a topic holds, once it holds so many."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    found: list[str] = []
    until(
        lambda: (
            found.extend(m.value().decode() for m in consumer.consume(10, 0.5) if not m.error()) or len(found) >= count
        ),
        lambda: str(found),
        40,
    )
    found += [m.value().decode() for m in consumer.consume(10, 1) if not m.error()]
    consumer.close()
    return found


def test_a_java_worker_joins_ours_and_takes_part_of_the_work(cluster, tmp_path):
    ours, theirs = cluster
    ours.start()
    for name in ("a", "b", "c", "d"):
        (tmp_path / name).touch()
        ours.create(name, connector_class=FILE_SOURCE, file=str(tmp_path / name), topic="t")
        ours.wait_for(name, "RUNNING", "RUNNING")
    theirs.start()

    def shared() -> bool:
        shown = ours.client.get("/connectors?expand=status").json().values()
        status = [each["status"] for each in shown if "status" in each]
        tasks = [task for each in status for task in each["tasks"]]
        workers = {task["worker_id"] for task in tasks}
        return len(tasks) == 4 and len(workers) == 2 and all(task["state"] == "RUNNING" for task in tasks)

    until(shared, lambda: ours.client.get("/connectors?expand=status").text + ours.log, 90)
