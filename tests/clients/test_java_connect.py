"""Java's Connect workers on our broker: their group, their topics, a source and a sink, and a broker that dies."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port
from tests.contract.broker_process import broker_process
from tests.contract.group_client import describe
from tests.contract.wire_client import WireClient
from tests.kafka.cluster import JVM, LOG4J, java

_PROPERTIES = """\
bootstrap.servers={bootstrap}
listeners=http://127.0.0.1:{port}
group.id=workers
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
config.storage.topic=connect-configs
offset.storage.topic=connect-offsets
status.storage.topic=connect-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.flush.interval.ms=1000
scheduled.rebalance.max.delay.ms=1000
plugin.discovery=service_load
"""
_SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
_SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"


@contextmanager
def _worker(directory: Path, bootstrap: str, number: int) -> Iterator[str]:
    """A running worker's URL, before it answers."""
    port = free_port()
    properties = directory / f"worker-{number}.properties"
    properties.write_text(_PROPERTIES.format(bootstrap=bootstrap, port=port))
    (directory / "log4j2.properties").write_text(LOG4J)
    options = [*JVM, f"-Dlog4j2.configurationFile={directory / 'log4j2.properties'}"]
    command = java("org.apache.kafka.connect.cli.ConnectDistributed", str(properties), options=options)
    with (directory / f"worker-{number}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _await(what: str, seen: Callable[[], bool], deadline_s: float = 60) -> None:
    """Until `seen()` is true."""
    deadline = time.monotonic() + deadline_s
    while not seen():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _post(url: str, name: str, connector: str, **config: str) -> None:
    body = {"name": name, "config": {"connector.class": connector, "tasks.max": "1", **config}}
    answer = httpx.post(f"{url}/connectors", json=body, timeout=30)
    assert answer.status_code == 201, answer.text


@pytest.mark.kafka
def test_two_workers_of_java_carry_lines_through_our_broker_and_over_its_kill(tmp_path: Path) -> None:
    source, sink = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("one\ntwo\n")
    with ExitStack() as running:
        broker = running.enter_context(broker_process(tmp_path / "broker"))
        urls = [running.enter_context(_worker(tmp_path, broker.bootstrap, number)) for number in (1, 2)]
        for url in urls:
            _await(f"{url} answers", lambda url=url: _answers(url))
        _post(urls[0], "source", _SOURCE, file=str(source), topic="lines")
        _post(urls[1], "sink", _SINK, file=str(sink), topics="lines")
        _await("the first lines come through", lambda: sink.exists() and sink.read_text() == "one\ntwo\n")
        broker.kill()
        broker.start()
        with source.open("a") as more:
            more.write("three\n")
        _await("the line written after the kill comes through", lambda: "three\n" in sink.read_text())
        with WireClient(broker.bootstrap) as wire:
            _await("the group is stable", lambda: describe(wire, "workers").group_state == "Stable")
            group = describe(wire, "workers")
        assert (group.protocol_type, group.protocol_data, len(group.members)) == ("connect", "sessioned", 2)
        states = httpx.get(f"{urls[0]}/connectors?expand=status", timeout=10).json()
        assert {task["state"] for one in states.values() for task in one["status"]["tasks"]} == {"RUNNING"}
