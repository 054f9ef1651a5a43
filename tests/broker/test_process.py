"""`headrace broker` as a process: what it says, whom it refuses, how it ends."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.protocol.metadata import MetadataRequest
from typer.testing import CliRunner

from headrace.cli.main import application
from tests.conftest import free_port
from tests.contract.broker_process import BrokerProcess, broker_process
from tests.contract.data_client import batch, create_topic, fetch, produce
from tests.contract.wire_client import WireClient

PROGRAM = str(Path(sys.executable).parent / "headrace")
STOP_WITHIN_S = 2.0


def _run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "broker", *arguments], capture_output=True, text=True, timeout=30, env={**os.environ, **(env or {})}
    )


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    with broker_process(tmp_path) as process:
        yield process


def test_it_says_ready_in_one_line_and_nothing_else(broker: BrokerProcess) -> None:
    assert broker.log == f"headrace broker ready: PLAINTEXT://{broker.bootstrap}\n"


def test_a_second_process_on_the_directory_is_refused_and_told_the_first(broker: BrokerProcess) -> None:
    directory = broker.directory / "data"
    second = _run("--data-dir", str(directory), "--listener", f"PLAINTEXT://127.0.0.1:{free_port()}")
    pid = (directory / ".lock").read_text().strip()
    assert second.returncode == 1
    assert second.stderr == (
        f"headrace broker: The data directory {directory} is in use by process {pid}. Stop that broker, or give this "
        "one another --data-dir\n"
    )


def test_a_port_that_is_taken_is_named(broker: BrokerProcess, tmp_path: Path) -> None:
    second = _run("--data-dir", str(tmp_path / "other"), "--listener", f"PLAINTEXT://{broker.bootstrap}")
    assert second.returncode == 1
    assert f"Invalid value PLAINTEXT://{broker.bootstrap} for configuration listeners: cannot listen" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "num.partitions=none"], "Invalid value none for configuration num.partitions: Not a number of type"),
        (["--set", "num.partitions=0"], "Invalid value 0 for configuration num.partitions: Value must be at least 1"),
        (["--set", "num.partition=3"], "Unknown configuration num.partition: did you mean num.partitions?"),
        (["--set", "num.partitions"], "--set num.partitions: KEY=VALUE would do"),
        (["--listener", "127.0.0.1:9092"], "for configuration listeners: NAME://HOST:PORT would do"),
        (["--set", "offsets.topic.replication.factor=3"], "1 is the one that would do"),
        (["--set", "log.cleanup.policy=keep"], "configuration log.cleanup.policy: String must be one of"),
        (["--set", "advertised.listeners=OTHER://a:1"], "OTHER is not among listeners, which has PLAINTEXT"),
        (["--config", "/no/such.properties"], "cannot read the properties file /no/such.properties"),
    ],
)
def test_a_bad_value_is_refused_with_key_value_and_what_would_do(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = CliRunner().invoke(application(["broker"]), ["broker", "--data-dir", str(tmp_path), *arguments])
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_directory_it_says_how_to_give_one() -> None:
    result = CliRunner().invoke(application(["broker"]), ["broker"])
    assert result.exit_code == 1
    assert "--data-dir" in result.stderr


def test_kafkas_own_properties_file_is_taken(tmp_path: Path) -> None:
    port = free_port()
    properties = tmp_path / "server.properties"
    properties.write_text(
        f"process.roles=broker,controller\nnode.id=7\nlisteners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://:9093\n"
        f"log.dirs={tmp_path / 'data'}\nnum.partitions=3\ncontroller.quorum.bootstrap.servers=127.0.0.1:9093\n"
    )
    process = subprocess.Popen([PROGRAM, "broker", "--config", str(properties)], stderr=subprocess.PIPE, text=True)
    try:
        _await(f"127.0.0.1:{port}")
        with WireClient(f"127.0.0.1:{port}") as wire:
            topic = MetadataRequest.MetadataRequestTopic(name="t")
            answer = wire.call(MetadataRequest(topics=[topic], allow_auto_topic_creation=True), 12)
        assert answer.brokers[0].node_id == 7
        assert len(answer.topics[0].partitions) == 3
    finally:
        process.terminate()
        _, said = process.communicate(timeout=10)
    assert "process.roles" in said


def _await(bootstrap: str) -> None:
    host, _, port = bootstrap.rpartition(":")
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_in_time(tmp_path: Path, number: signal.Signals) -> None:
    with broker_process(tmp_path) as broker:
        with WireClient(broker.bootstrap) as wire:
            create_topic(wire, "t", partitions=3)
            produce(wire, "t", batch(b"a"))
            process = broker._process
            assert process is not None
            before = time.monotonic()
            process.send_signal(number)
            assert process.wait(10) == 0
            assert time.monotonic() - before < STOP_WITHIN_S
            assert (tmp_path / "data" / ".kafka_cleanshutdown").exists()
        broker.start()
        with WireClient(broker.bootstrap) as wire:
            part = fetch(wire, "t")
            assert (part.high_watermark, part.error_code) == (1, 0)
        assert "Traceback" not in broker.log


def test_the_end_of_its_parent_ends_it(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    port = free_port()
    process = subprocess.Popen(
        [
            PROGRAM,
            "broker",
            "--data-dir",
            str(tmp_path),
            "--listener",
            f"P://127.0.0.1:{port}",
            "--parent-fd",
            str(reader),
        ],
        pass_fds=[reader],
    )
    os.close(reader)
    _await(f"127.0.0.1:{port}")
    os.close(writer)
    assert process.wait(10) == 0
    assert (tmp_path / ".kafka_cleanshutdown").exists()


class TestBadPeers:
    """Bytes that are no Kafka request cost one line and one connection."""

    @pytest.mark.parametrize(
        ("sent", "said"),
        [
            (b"GET / HTTP/1.1\r\n\r\n", "announces a request of 1195725856 bytes"),
            (struct.pack(">i", -5), "speaks another protocol"),
            (struct.pack(">i", 200_000_000), "socket.request.max.bytes is 104857600"),
            (struct.pack(">ihhih", 10, 3, 99, 1, -1), "API key 3 version 99 is not offered"),
            (struct.pack(">ihhih", 10, 999, 0, 1, -1), "API key 999 version 0 is not offered"),
            (struct.pack(">ihhih", 10, 3, 1, 1, -1), "cannot be read"),
            (struct.pack(">ihhih", 10, 3, 1, 1, 500), "client id ends at byte"),
            (struct.pack(">i", 3) + b"abc", "has no header"),
            (
                struct.pack(">ihhihi", 14, 3, 1, 1, -1, 0) + struct.pack(">ihhihii", 18, 3, 1, 1, -1, 0, 7),
                "ends at byte",
            ),
        ],
    )
    def test_the_connection_is_closed_with_one_line(self, broker: BrokerProcess, sent: bytes, said: str) -> None:
        host, _, port = broker.bootstrap.rpartition(":")
        with socket.create_connection((host, int(port)), 10) as peer:
            peer.sendall(sent)
            while peer.recv(65_536):
                pass
        lines = broker.log.splitlines()[1:]
        assert len(lines) == 1
        assert said in lines[0]
        with WireClient(broker.bootstrap) as wire:
            assert wire.call(MetadataRequest(topics=[]), 12).brokers

    def test_a_request_that_comes_byte_by_byte_is_answered(self, broker: BrokerProcess) -> None:
        request = MetadataRequest(topics=[])
        request.with_header(1, "slow")
        with WireClient(broker.bootstrap) as wire:
            wire._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in request.encode(version=12, header=True, framed=True):
                wire._socket.sendall(bytes([byte]))
            assert wire.receive_frame()


def test_the_disk_that_is_full_is_said_and_leaves_nothing_torn(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands in for a full disk: writes beyond it fail, half done."""
    port = free_port()
    command = f"ulimit -f 512; exec {PROGRAM} broker --data-dir {tmp_path} --listener P://127.0.0.1:{port}"
    process = subprocess.Popen(["bash", "-c", command], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _await(f"127.0.0.1:{port}")
        with WireClient(f"127.0.0.1:{port}") as wire:
            create_topic(wire, "t")
            answers = [produce(wire, "t", batch(b"v" * 100_000)) for _ in range(8)]
            errors = [answer.error_code for answer in answers]
            appended = errors.index(56)
            assert 0 < appended < 8
            assert errors == [0] * appended + [56] * (8 - appended)
            assert produce(wire, "t", batch(b"small")).base_offset == appended
            part = fetch(wire, "t", appended)
            assert (part.high_watermark, len(part.records) > 0) == (appended + 1, True)
    finally:
        process.terminate()
        process.wait(10)
