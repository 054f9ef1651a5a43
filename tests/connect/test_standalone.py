"""`headrace connect-standalone` with all its real parts: broker, task hosts, connector files, the file of offsets."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from headrace.connect.stores.java_map import load
from tests.conftest import free_port
from tests.connect.rig import until
from tests.connect.test_java_workers import JavaWorker
from tests.connect.test_worker_process import consumed
from tests.connect.worker_process import FILE_SINK, FILE_SOURCE, PLUGINS, WorkerProcess
from tests.contract.broker_process import BrokerProcess


class StandaloneProcess(WorkerProcess):
    """A standalone worker with the files of its connectors."""

    def __init__(self, directory: Path, bootstrap: str) -> None:
        self.offsets = directory / "connect.offsets"
        self.files: list[Path] = []
        self.settings = {
            "bootstrap.servers": bootstrap,
            "offset.storage.file.filename": str(self.offsets),
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        }
        super().__init__(directory, {**self.settings, "plugin.path": str(PLUGINS)})

    def command(self, *more: str) -> list[str]:
        program, _, file, *options = super().command()
        return [program, "connect-standalone", file, *map(str, self.files), *options, *more]

    def add(self, name: str, content: str) -> None:
        self.files.append(self.file.with_name(name))
        self.files[-1].write_text(content)


@pytest.fixture
def worker(our_broker: BrokerProcess, tmp_path: Path) -> Iterator[StandaloneProcess]:
    one = StandaloneProcess(tmp_path, our_broker.bootstrap)
    yield one
    one.close()


@pytest.fixture
def topic() -> str:
    return f"t-{uuid.uuid4().hex[:8]}"


def add_source(worker: StandaloneProcess, topic: str) -> Path:
    lines = worker.file.with_name("in.txt")
    lines.write_text("one\ntwo\n")
    worker.add("in.properties", f"name=in\nconnector.class={FILE_SOURCE}\nfile={lines}\ntopic={topic}\n")
    return lines


def test_connectors_of_files_run_and_after_a_stop_no_line_comes_twice(worker, our_broker, topic, tmp_path):
    """With offsets written by the herder's thread, which waits for the pool at a stop, the lines would come again."""
    lines, target = add_source(worker, topic), tmp_path / "out.txt"
    config = {"connector.class": FILE_SINK, "file": str(target), "topics": topic, "tasks.max": 1}
    worker.add("out.json", json.dumps({"name": f"out-{topic}", "config": config}))
    worker.start()
    worker.wait_for("in", "RUNNING", "RUNNING")
    worker.wait_for(f"out-{topic}", "RUNNING", "RUNNING")
    until(lambda: target.exists() and target.read_text() == "one\ntwo\n", lambda: worker.log)
    assert worker.stop() < 15
    key = json.dumps(["in", {"filename": str(lines)}], separators=(",", ":")).encode()
    assert load(worker.offsets.read_bytes()) == {key: b'{"position":8}'}
    with lines.open("a") as more:
        more.write("three\n")
    worker.start()
    until(lambda: target.read_text() == "one\ntwo\nthree\n", lambda: worker.log)
    worker.wait_for("in", "RUNNING", "RUNNING")
    assert worker.stop() < 15
    assert consumed(our_broker.bootstrap, topic, 3) == ["one", "two", "three"]
    assert "Traceback" not in worker.log


def test_it_keeps_no_topics_and_joins_no_group_of_workers(worker, our_broker, topic):
    add_source(worker, topic)
    admin = AdminClient({"bootstrap.servers": our_broker.bootstrap})
    before = {group.group_id for group in admin.list_consumer_groups().result(10).valid}
    topics = set(admin.list_topics(timeout=10).topics)
    worker.start()
    until(lambda: topic in admin.list_topics(timeout=10).topics, lambda: worker.log)
    assert set(admin.list_topics(timeout=10).topics) - topics == {topic}
    assert {group.group_id for group in admin.list_consumer_groups().result(10).valid} <= before


def test_rest_is_that_of_every_worker(worker, our_broker, topic):
    lines = add_source(worker, topic)
    worker.start()
    get, put = worker.client.get, worker.client.put
    assert get("/").json().keys() == {"version", "commit", "kafka_cluster_id"}
    assert get("/").json()["kafka_cluster_id"]
    assert get("/health").json()["status"] == "healthy"
    worker.wait_for("in", "RUNNING", "RUNNING")
    assert put("/connectors/in/pause").status_code == 202
    worker.wait_for("in", "PAUSED", "PAUSED")
    offsets = {"offsets": [{"partition": {"filename": str(lines)}, "offset": {"position": 8}}]}
    until(lambda: get("/connectors/in/offsets").json() == offsets, lambda: worker.log)
    assert put("/connectors/in/stop").status_code == 204
    worker.wait_for("in", "STOPPED")
    assert worker.client.delete("/connectors/in/offsets").status_code == 200
    assert get("/connectors/in/offsets").json() == {"offsets": []}
    assert put("/connectors/in/resume").status_code == 202
    assert len(consumed(our_broker.bootstrap, topic, 4)) == 4
    worker.create("more", connector_class=FILE_SOURCE, file=str(lines), topic=topic)
    assert put("/admin/loggers/root?scope=cluster", json={"level": "INFO"}).status_code == 204
    assert worker.client.delete("/connectors/in").status_code == 204
    until(lambda: get("/connectors").json() == ["more"], lambda: worker.log)


def run(worker: StandaloneProcess, *more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(worker.command(*more), capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("tasks.max=1\n", "the mandatory key 'name' is missing"),
        ('{"name": "c", "config": ', "it begins as JSON but is none"),
        ("name=c\nconnector.class=no.such.Source\n", "no.such.Source"),
        (f"name=in\nconnector.class={FILE_SOURCE}\nfile=/tmp/x\ntopic=t\n", "already exists"),
    ],
)
def test_a_faulty_connector_file_ends_the_worker_with_status_3_and_its_name(worker, topic, content, sentence):
    add_source(worker, topic)
    worker.add("faulty.conf", content)
    done = run(worker)
    assert done.returncode == 3
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("headrace connect-standalone: ")
    assert sentence in done.stderr
    assert str(worker.files[-1]) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--set", "offset.storage.file.filename="], "offset.storage.file.filename"),
        (["--set", "offset.storage.file.filename=/no/such/folder/offsets"], "the folder /no/such/folder is not there"),
        (["--set", "listeners=ftp://x"], "write http://host:port"),
    ],
)
def test_a_faulty_worker_ends_with_status_2(worker, more, sentence):
    done = run(worker, *more)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_broker_it_waits_and_can_be_stopped(worker, topic, tmp_path):
    add_source(worker, topic)
    worker.start("--set", f"bootstrap.servers=127.0.0.1:{free_port()}", ready=False)
    until(lambda: "Waiting for a broker at 127.0.0.1" in worker.log, lambda: worker.log, 40)
    assert worker.stop() < 10


def test_connect_distributed_is_connect(our_broker, tmp_path):
    program = WorkerProcess(tmp_path, {}).command()[0]
    done = subprocess.run(
        [program, "connect-distributed", str(tmp_path / "none.properties")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "cannot read the properties file" in done.stderr


def test_what_worker_and_task_hosts_logged_about_a_connector_can_be_read(worker, topic):
    lines = add_source(worker, topic)
    worker.start()
    worker.create("broken", connector_class=FILE_SOURCE, file=str(lines), topic=topic, fail="no such wheel")
    worker.wait_for("in", "RUNNING", "RUNNING")
    until(lambda: "FAILED" in worker.states("broken"), lambda: worker.log)
    get = worker.client.get
    log = get("/headrace/connectors/broken/log").json()
    assert (log["connector"], log["worker_id"]) == ("broken", f"127.0.0.1:{worker.port}")
    found = {(line["thread"], line["text"].splitlines()[0]) for line in log["lines"]}
    assert {("task-broken-0", "broken-0 failed: no such wheel"), ("herder", "Connector broken is new")} <= found
    assert len(get("/headrace/connectors/broken/log?lines=1").json()["lines"]) == 1
    others = [line["text"] for line in get("/headrace/connectors/in/log").json()["lines"]]
    assert "Task in-0 is RUNNING" in others
    assert not [text for text in others if "broken" in text]
    assert get("/headrace/connectors/none/log").status_code == 404
    assert get("/headrace/connectors/in/log?lines=x").status_code == 400


@pytest.mark.kafka
def test_javas_standalone_worker_goes_on_where_ours_was_and_ours_where_java_was(worker, our_broker, topic, tmp_path):
    lines = add_source(worker, topic)
    worker.start()
    assert consumed(our_broker.bootstrap, topic, 2) == ["one", "two"]
    worker.stop()
    theirs = JavaWorker(tmp_path, worker.settings, worker.files)
    try:
        with lines.open("a") as more:
            more.write("three\n")
        theirs.start()
        assert consumed(our_broker.bootstrap, topic, 3) == ["one", "two", "three"]
        url = f"http://127.0.0.1:{theirs.port}"
        listed = subprocess.run(
            [worker.command()[0], "connectors", "--url", url], capture_output=True, text=True, timeout=60, check=True
        ).stdout.splitlines()
        assert [line.split() for line in listed] == [
            ["NAME", "TYPE", "STATE", "TASKS"],
            ["in", "source", "RUNNING", "1", "running"],
        ]
    finally:
        theirs.close()
    with lines.open("a") as more:
        more.write("four\n")
    worker.start()
    assert consumed(our_broker.bootstrap, topic, 4) == ["one", "two", "three", "four"]
