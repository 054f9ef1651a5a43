"""`headrace connect` with all its real parts: broker, topics, group, task hosts, files."""

import os
import signal
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from tests.conftest import free_port
from tests.connect.conftest import Brokers
from tests.connect.rig import until
from tests.connect.worker_process import FILE_SINK, FILE_SOURCE, WorkerProcess, properties
from tests.contract.broker_process import broker_process


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Makes workers of a cluster of their own; they are ended at the end."""
    made: list[WorkerProcess] = []

    def make_one(bootstrap: str, **more: str) -> WorkerProcess:
        made.append(WorkerProcess(tmp_path, properties(bootstrap, f"c-{uuid.uuid4().hex[:8]}", **more)))
        return made[-1]

    yield make_one
    for worker in made:
        worker.close()


@pytest.fixture
def worker(make: Callable[..., WorkerProcess], brokers: Brokers) -> WorkerProcess:
    """A worker on the broker, started."""
    one = make(brokers.bootstrap)
    one.start()
    return one


def consumed(bootstrap: str, topic: str, count: int) -> list[str]:
    """The first so many values of a topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    found: list[str] = []
    until(
        lambda: (
            found.extend(m.value().decode() for m in consumer.consume(100, 0.2) if not m.error()) or len(found) >= count
        ),
        lambda: f"{topic} holds {found}",
        40,
    )
    consumer.close()
    return found


def test_lines_go_through_a_topic_to_another_file(worker, brokers, tmp_path):
    source, target, topic = tmp_path / "in.txt", tmp_path / "out.txt", f"t-{uuid.uuid4().hex[:8]}"
    source.write_text("one\ntwo\n")
    worker.create("in", connector_class=FILE_SOURCE, file=str(source), topic=topic)
    worker.create("out", connector_class=FILE_SINK, file=str(target), topics=topic, tasks_max=1)
    until(lambda: target.exists() and target.read_text() == "one\ntwo\n", lambda: worker.log, 60)
    worker.wait_for("in", "RUNNING", "RUNNING")
    offsets = {"offsets": [{"partition": {"filename": str(source)}, "offset": {"position": 8}}]}
    until(lambda: worker.client.get("/connectors/in/offsets").json() == offsets, lambda: worker.log)
    sink = {"partition": {"kafka_partition": 0, "kafka_topic": topic}, "offset": {"kafka_offset": 2}}
    until(lambda: worker.client.get("/connectors/out/offsets").json() == {"offsets": [sink]}, lambda: worker.log)
    assert worker.client.get("/connectors/in/topics").json() == {"in": {"topics": [topic]}}
    assert worker.stop() < 15
    assert "Traceback" not in worker.log


def test_after_kill_9_every_connector_comes_back_in_its_state_and_no_line_is_lost(worker, brokers, tmp_path):
    source, topic = tmp_path / "in.txt", f"t-{uuid.uuid4().hex[:8]}"
    source.write_text("one\n")
    for name in ("runs", "paused", "stopped"):
        file = source if name == "runs" else tmp_path / name
        file.touch()
        worker.create(name, connector_class=FILE_SOURCE, file=str(file), topic=topic)
        worker.wait_for(name, "RUNNING", "RUNNING")
    assert worker.client.put("/connectors/paused/pause").status_code == 202
    assert worker.client.put("/connectors/stopped/stop").status_code == 204
    worker.wait_for("paused", "PAUSED", "PAUSED")
    worker.wait_for("stopped", "STOPPED")
    consumed(brokers.bootstrap, topic, 1)
    worker.kill()
    with source.open("a") as lines:
        lines.write("two\nthree\n")
    worker.start()
    worker.wait_for("runs", "RUNNING", "RUNNING")
    worker.wait_for("paused", "PAUSED", "PAUSED")
    worker.wait_for("stopped", "STOPPED")
    assert {"one", "two", "three"} == set(consumed(brokers.bootstrap, topic, 3))
    assert worker.client.put("/connectors/stopped/resume").status_code == 202
    worker.wait_for("stopped", "RUNNING", "RUNNING")


def test_a_task_host_that_is_killed_is_named_and_its_task_comes_back(make, our_broker, tmp_path):
    worker = make(our_broker.bootstrap, headrace_restart_backoff_ms="1500")
    worker.start()
    (tmp_path / "in.txt").touch()
    worker.create("c", connector_class=FILE_SOURCE, file=str(tmp_path / "in.txt"), topic="t")
    worker.wait_for("c", "RUNNING", "RUNNING")
    for host in hosts_of(worker):
        os.kill(host, signal.SIGKILL)
    until(lambda: "FAILED" in worker.states("c"), lambda: worker.log)
    traces = str(worker.client.get("/connectors/c/status").json())
    assert "was killed by signal 9; the " in traces
    worker.wait_for("c", "RUNNING", "RUNNING")


def hosts_of(worker: WorkerProcess) -> list[int]:
    """The task hosts: the children of the fork server, which is a child of the worker."""
    assert worker.process is not None
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.split()
    parents = dict(zip(map(int, found[::2]), map(int, found[1::2]), strict=True))
    servers = {pid for pid, parent in parents.items() if parent == worker.process.pid}
    return [pid for pid, parent in parents.items() if parent in servers]


def test_a_connector_whose_task_fails_can_be_repaired_by_a_new_config(worker, tmp_path):
    (tmp_path / "in.txt").touch()
    config = {"connector_class": FILE_SOURCE, "file": str(tmp_path / "in.txt"), "topic": "t"}
    worker.create("c", fail="the password of nobody is wrong", **config)
    worker.client.put("/connectors/c/config", json={})
    until(lambda: worker.states("c") == ["RUNNING", "FAILED"] or "FAILED" in worker.states("c"), lambda: worker.log, 30)
    task = worker.client.get("/connectors/c/tasks/0/status").json()
    assert task["trace"].startswith("the password of nobody is wrong")
    good = {key.replace("_", "."): value for key, value in config.items()}
    assert worker.client.put("/connectors/c/config", json=good).status_code == 200
    worker.wait_for("c", "RUNNING", "RUNNING")


def test_a_stop_says_unassigned_and_a_hanging_task_does_not_hold_it_up(make, our_broker, tmp_path):
    worker = make(our_broker.bootstrap, task_shutdown_graceful_timeout_ms="500")
    worker.start()
    (tmp_path / "in.txt").touch()
    worker.create("c", connector_class=FILE_SOURCE, file=str(tmp_path / "in.txt"), topic="t", hang="true")
    worker.wait_for("c", "RUNNING", "RUNNING")
    hosts = hosts_of(worker)
    assert worker.stop() < 15
    assert not [pid for pid in hosts if Path(f"/proc/{pid}").exists()]
    assert worker.log.count("is UNASSIGNED") == 2


def test_a_worker_whose_parent_has_gone_stops_by_itself(make, our_broker):
    worker = make(our_broker.bootstrap)
    reading, writing = os.pipe()
    worker.start("--parent-fd", str(reading), pass_fds=[reading])
    os.close(reading)
    os.close(writing)
    assert worker.process is not None
    assert worker.process.wait(20) == 0
    assert "The program that started this worker has gone" in worker.log


def test_without_a_broker_a_worker_waits_says_so_and_can_be_stopped(make):
    worker = make(f"127.0.0.1:{free_port()}")
    worker.start(ready=False)
    until(lambda: "Waiting for a broker at 127.0.0.1" in worker.log, lambda: worker.log, 40)
    health = worker.client.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "starting")
    assert "Waiting for a broker" in health.json()["message"]
    assert worker.stop() < 10


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"group.id": ""}, "group.id"),
        ({"listeners": "ftp://x"}, "write http://host:port"),
        ({"offset.storage.partitions": "many"}, "Invalid value many for configuration offset.storage.partitions"),
        (
            {"bootstrap.servers": "BROKER", "config.storage.replication.factor": "3"},
            "set config.storage.replication.fa",
        ),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused_with_one_sentence(make, our_broker, settings, sentence):
    worker = make(our_broker.bootstrap)
    settings = {key: value.replace("BROKER", our_broker.bootstrap) for key, value in settings.items()}
    options = [option for key, value in settings.items() for option in ("--set", f"{key}={value}")]
    done = subprocess.run(worker.command(*options), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_named(make, our_broker):
    worker = make(our_broker.bootstrap)
    with socket.socket() as other:
        other.bind(("127.0.0.1", worker.port))
        other.listen()
        done = subprocess.run(worker.command(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"listeners=http://127.0.0.1:{worker.port}: cannot listen there" in done.stderr


@pytest.mark.crash
def test_after_kill_9_of_the_broker_everything_goes_on(make, tmp_path):
    """Without the log's endless retries the statuses and configs of this time would be missing."""
    with broker_process(tmp_path / "broker") as broker:
        worker = make(broker.bootstrap)
        worker.start()
        source, target, topic = tmp_path / "in.txt", tmp_path / "out.txt", f"t-{uuid.uuid4().hex[:8]}"
        source.write_text("one\n")
        worker.create("in", connector_class=FILE_SOURCE, file=str(source), topic=topic)
        worker.create("out", connector_class=FILE_SINK, file=str(target), topics=topic)
        until(lambda: target.exists() and target.read_text() == "one\n", lambda: worker.log, 60)
        broker.kill()
        with source.open("a") as lines:
            lines.write("two\n")
        broker.start()
        until(lambda: set(target.read_text().split()) == {"one", "two"}, lambda: worker.log, 90)
        more = tmp_path / "more.txt"
        more.touch()
        worker.create("more", connector_class=FILE_SOURCE, file=str(more), topic=topic)
        worker.wait_for("more", "RUNNING", "RUNNING", deadline_s=90)
        assert worker.states("in") == worker.states("out") == ["RUNNING", "RUNNING"]
        assert worker.stop() < 15


def test_the_offsets_of_a_stopped_sink_can_be_set_and_forgotten_over_rest(worker, brokers, tmp_path):
    source, target, topic = tmp_path / "in.txt", tmp_path / "out.txt", f"t-{uuid.uuid4().hex[:8]}"
    source.write_text("one\ntwo\nthree\n")
    name = f"out-{topic}"
    worker.create("in", connector_class=FILE_SOURCE, file=str(source), topic=topic)
    worker.create(name, connector_class=FILE_SINK, file=str(target), topics=topic, tasks_max=1)
    until(lambda: target.exists() and target.read_text() == "one\ntwo\nthree\n", lambda: worker.log, 60)

    def offsets(number: int) -> dict[str, object]:
        at = {"kafka_topic": topic, "kafka_partition": 0}
        return {"offsets": [{"partition": at, "offset": {"kafka_offset": number}}]}

    path = f"/connectors/{name}/offsets"
    until(lambda: worker.client.get(path).json() == offsets(3), lambda: worker.log)
    assert worker.client.patch(path, json=offsets(1)).status_code == 400
    assert worker.client.delete(path).status_code == 400
    stop_and_wait(worker, name)
    changed = worker.client.patch(path, json=offsets(1))
    assert (changed.status_code, changed.json()) == (
        200,
        {"message": "The offsets for this connector have been altered successfully"},
    )
    assert worker.client.get(path).json() == offsets(1)
    assert worker.client.put(f"/connectors/{name}/resume").status_code == 202
    again = "one\ntwo\nthree\ntwo\nthree\n"
    until(lambda: target.read_text() == again, lambda: f"{target.read_text()!r}: {worker.log}", 60)
    stop_and_wait(worker, name)
    assert worker.client.delete(path).json() == {
        "message": "The offsets for this connector have been reset successfully"
    }
    assert worker.client.get(path).json() == {"offsets": []}
    assert worker.client.put(f"/connectors/{name}/resume").status_code == 202
    until(
        lambda: target.read_text() == f"{again}one\ntwo\nthree\n", lambda: f"{target.read_text()!r}: {worker.log}", 60
    )


def stop_and_wait(worker: WorkerProcess, name: str) -> None:
    """Until the sink's task has left its group too: a group with members keeps its offsets as they are."""
    assert worker.client.put(f"/connectors/{name}/stop").status_code == 204
    worker.wait_for(name, "STOPPED")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"partition": {"kafka_topic": "t"}, "offset": {"kafka_offset": 1}}, "{kafka_topic, kafka_partition}"),
        ({"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"position": 1}}, "{kafka_offset}"),
        ({"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": None}, "DELETE resets all"),
    ],
)
def test_offsets_that_are_no_sinks_are_refused_with_what_they_should_be(plane, client_of, change, part):
    config = {"connector.class": FILE_SINK, "name": "out", "topics": "t"}
    plane.connectors.put("out", config).result(5)
    client = client_of(plane)
    assert client.put("/connectors/out/stop").status_code == 204
    plane.wait_for("out", "STOPPED")
    refused = client.patch("/connectors/out/offsets", json={"offsets": [change]})
    assert refused.status_code == 400
    assert part in refused.json()["message"]
