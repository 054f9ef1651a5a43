"""Starts in order, stops in order, names who died, leaves nobody behind: with real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headrace.supervisor.interrupts import Interrupted, Interrupts
from headrace.supervisor.process import ChildProcess, ProcessFailed
from headrace.supervisor.ready import http_answers, is_free, kafka_answers
from headrace.supervisor.supervisor import ChildServer, Supervisor
from tests.conftest import free_port
from tests.supervisor.processes import is_alive, wait_until

SMALL_SERVER = str(Path(__file__).with_name("small_server.py"))


class Small:
    """A small server for a test, and what it has done."""

    def __init__(self, folder: Path, name: str, *manner: str) -> None:
        self.port = free_port()
        self.events = folder / "events"
        command = [sys.executable, SMALL_SERVER, name, str(self.port), str(self.events), *manner]
        self.process = ChildProcess(name, command, folder / f"{name}.log")
        self.server = ChildServer(self.process, lambda: http_answers("127.0.0.1", self.port), start_s=20, stop_s=10)

    def log(self) -> list[str]:
        return self.events.read_text().splitlines()


def test_servers_start_in_order_and_stop_in_the_reverse_order(tmp_path: Path) -> None:
    first, second = Small(tmp_path, "first"), Small(tmp_path, "second")
    with Interrupts() as interrupts:
        supervisor = Supervisor(interrupts)
        supervisor.start([first.server])
        supervisor.start([second.server])
        supervisor.check()
        supervisor.stop()
    assert first.log() == ["first started", "second started", "second stopped", "first stopped"]


def test_a_server_that_dies_is_named_with_its_last_words(tmp_path: Path) -> None:
    good, bad = Small(tmp_path, "good"), Small(tmp_path, "bad", "dying")
    with Interrupts() as interrupts:
        supervisor = Supervisor(interrupts)
        with pytest.raises(ProcessFailed, match=r"bad ended with status 3(?s:.*)the disk is on fire"):
            supervisor.start([good.server, bad.server])
        supervisor.stop()
    assert not good.process.running and "good stopped" in good.log()


def test_a_server_killed_later_is_named(tmp_path: Path) -> None:
    small = Small(tmp_path, "small")
    with Interrupts() as interrupts:
        supervisor = Supervisor(interrupts)
        supervisor.start([small.server])
        assert small.process.pid is not None
        os.kill(small.process.pid, signal.SIGKILL)
        small.process.wait(10)
        with pytest.raises(ProcessFailed, match="small was killed by SIGKILL"):
            supervisor.check()
        supervisor.stop()


def test_a_server_that_ignores_the_request_is_killed_at_its_deadline(tmp_path: Path) -> None:
    stubborn = Small(tmp_path, "stubborn", "stubborn")
    stubborn.server.stop_s = 0.2
    with Interrupts() as interrupts:
        supervisor = Supervisor(interrupts)
        supervisor.start([stubborn.server])
        supervisor.stop()
    assert stubborn.process.exit_status() == -signal.SIGKILL


def test_a_second_signal_shortens_the_deadline(tmp_path: Path) -> None:
    stubborn = Small(tmp_path, "stubborn", "stubborn")
    stubborn.server.stop_s = 600
    with Interrupts() as interrupts:
        supervisor = Supervisor(interrupts)
        supervisor.start([stubborn.server])
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert wait_until(lambda: interrupts.hurried)
        began = time.monotonic()
        supervisor.stop()
    assert time.monotonic() - began < 60


def test_a_signal_ends_the_wait_for_a_server(tmp_path: Path) -> None:
    small = Small(tmp_path, "small")
    never = ChildServer(small.process, lambda: False, start_s=600)
    with Interrupts() as interrupts:
        supervisor = Supervisor(interrupts)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            supervisor.start([never])
        supervisor.stop()
    assert not small.process.running


def test_a_server_that_is_never_ready_is_named(tmp_path: Path) -> None:
    small = Small(tmp_path, "small")
    with Interrupts() as interrupts:
        supervisor = Supervisor(interrupts)
        with pytest.raises(ProcessFailed, match=r"small was not ready in 0\.1 s"):
            supervisor.start([ChildServer(small.process, lambda: False, start_s=0.1)])
        supervisor.stop()


OWNER = """
import sys, time
from pathlib import Path
from headrace.supervisor.process import ChildProcess
child = ChildProcess("child", sys.argv[2:], Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.crash
def test_kill_9_of_the_owner_ends_its_children(tmp_path: Path) -> None:
    small = Small(tmp_path, "small")
    arguments = [str(tmp_path / "log"), *small.process.command]
    with subprocess.Popen([sys.executable, "-c", OWNER, *arguments], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        assert wait_until(lambda: http_answers("127.0.0.1", small.port))
        owner.kill()
    assert wait_until(lambda: not is_alive(child))
    assert small.log() == ["small started", "small orphaned"]


def test_children_do_not_get_the_terminals_signals(tmp_path: Path) -> None:
    small = Small(tmp_path, "small")
    small.process.start()
    assert small.process.pid is not None
    assert os.getsid(small.process.pid) == small.process.pid != os.getsid(0)
    small.process.stop(10)


def test_ports_and_answers_are_told_apart(tmp_path: Path) -> None:
    small = Small(tmp_path, "small")
    assert is_free("127.0.0.1", small.port)
    assert not http_answers("127.0.0.1", small.port)
    assert not kafka_answers("127.0.0.1", small.port)
    small.process.start()
    assert wait_until(lambda: http_answers("127.0.0.1", small.port))
    assert not is_free("127.0.0.1", small.port)
    assert not kafka_answers("127.0.0.1", small.port)
    small.process.stop(10)
