"""`headrace up` as a user runs it: a process of its own, its output, its signals."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from headrace.supervisor.ready import http_answers, kafka_answers
from tests.conftest import free_port
from tests.supervisor.processes import processes_naming, wait_until

pytestmark = pytest.mark.timeout(120)


class Up:
    """One run of the command."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.broker_port, self.connect_port = data_dir, free_port(), free_port()
        self.registry_port = free_port()
        arguments = ["--broker-port", str(self.broker_port), "--connect-port", str(self.connect_port)]
        arguments += ["--registry-port", str(self.registry_port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "headrace", "up", "--data-dir", str(data_dir), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.first_line = self.line()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": f"localhost:{self.broker_port}"})

    def child(self, word: str) -> int:
        """The process that runs `headrace WORD`; one that was started just now has no command line for a moment."""
        assert wait_until(lambda: bool(self._children(word)), 10)
        (pid,) = self._children(word)
        return pid

    def _children(self, word: str) -> list[int]:
        numbers = (process for process in Path("/proc").iterdir() if process.name.isdigit())
        return [int(process.name) for process in numbers if self._is_child(process, word)]

    def _is_child(self, process: Path, word: str) -> bool:
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            return False
        return "headrace" in words and word in words and any(str(self.data_dir) in part for part in words)

    def end(self) -> tuple[int, str]:
        """The exit status and the rest of the output."""
        rest, _ = self.process.communicate(timeout=60)
        return self.process.returncode, rest


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path / "data")
    yield up
    up.process.kill()
    up.process.communicate()


def test_up_tells_when_it_is_ready_and_one_signal_stops_both(up: Up) -> None:
    assert up.first_line.startswith("ready in "), up.end()
    metadata = up.admin().list_topics(timeout=10)
    assert "docker-connect-configs" in metadata.topics
    assert [f"{broker.host}:{broker.port}" for broker in metadata.brokers.values()] == [f"localhost:{up.broker_port}"]
    connection = http.client.HTTPConnection("127.0.0.1", up.connect_port, timeout=10)
    connection.request("GET", "/connectors")
    assert connection.getresponse().read() == b"[]"
    connection.close()
    assert f"registry http://localhost:{up.registry_port}" in up.first_line
    assert http_answers("127.0.0.1", up.registry_port, "/subjects")
    up.process.send_signal(signal.SIGINT)
    status, rest = up.end()
    assert (status, rest.splitlines()[-1]) == (0, "stopped")
    assert not processes_naming(str(up.data_dir))


def test_topics_are_there_after_a_restart(up: Up) -> None:
    admin = up.admin()  # its futures need it alive
    admin.create_topics([NewTopic("kept", 3, 1)])["kept"].result(10)
    up.process.send_signal(signal.SIGTERM)
    up.end()
    again = Up(up.data_dir)
    try:
        assert len(again.admin().list_topics(timeout=10).topics["kept"].partitions) == 3
    finally:
        again.process.send_signal(signal.SIGTERM)
        again.end()


@pytest.mark.crash
def test_kill_9_of_up_leaves_no_process(up: Up) -> None:
    assert processes_naming(str(up.data_dir))
    up.process.kill()
    assert wait_until(lambda: not processes_naming(str(up.data_dir)), 15)


@pytest.mark.crash
@pytest.mark.parametrize("server", ["broker", "connect", "registry"])
def test_a_server_that_is_killed_is_named_and_brought_back(up: Up, server: str) -> None:
    killed = up.child(server)
    os.kill(killed, signal.SIGKILL)
    assert f"{server} was killed by SIGKILL; it is started again in 0.2 s; its log is" in up.line()
    assert f"{server} was started again" in up.line()
    assert up.child(server) != killed
    assert wait_until(lambda: kafka_answers("127.0.0.1", up.broker_port), 30)
    assert wait_until(lambda: http_answers("127.0.0.1", up.connect_port, "/connectors"), 60)
    assert wait_until(lambda: http_answers("127.0.0.1", up.registry_port, "/subjects"), 60)
    up.process.send_signal(signal.SIGTERM)
    assert up.end()[0] == 0
    assert wait_until(lambda: not processes_naming(str(up.data_dir)))


def test_a_taken_port_is_named_with_the_option_that_gives_another(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        command = [sys.executable, "-m", "headrace", "up", "--data-dir", str(tmp_path), "--broker-port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert (
        ended.stderr == f"headrace up: port {port} is taken by another program: give another one with --broker-port\n"
    )
