"""Servers that end are brought back: sooner the first time than the fifth. Real processes, a clock of the test's."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.supervisor.ready import http_answers
from headrace.supervisor.restarts import MOST_S, STEADY_S, Fate, Restarts
from headrace.supervisor.supervisor import Server
from tests.supervisor.processes import wait_until
from tests.supervisor.test_supervisor import Small


class Watched:
    """A server under restarts whose clock stands still until it is told."""

    def __init__(self, folder: Path, *manner: str) -> None:
        self.small = Small(folder, "small", *manner)
        self.said: list[str] = []
        self.now = 0.0
        self.restarts = Restarts(self._say, lambda: self.now)
        self.small.server.launch()
        self.tick()

    def _say(self, server: Server, text: str) -> None:
        assert server is self.small.server
        self.said.append(text)

    def tick(self, after: float = 0.0) -> None:
        self.now += after
        self.restarts.tick([self.small.server])

    def kill(self) -> None:
        assert self.small.process.pid is not None
        os.kill(self.small.process.pid, signal.SIGKILL)
        self.small.process.wait(10)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.small.process.kill()


def test_a_server_that_runs_is_left_alone(watched: Watched) -> None:
    pid = watched.small.process.pid
    watched.tick(1000)
    assert (watched.small.process.pid, watched.said) == (pid, [])


@pytest.mark.crash
def test_a_server_that_was_killed_comes_back_after_its_delay(watched: Watched) -> None:
    killed = watched.small.process.pid
    watched.kill()
    watched.tick()
    assert watched.said == ["small was killed by SIGKILL; it is started again in 0.2 s"]
    assert watched.restarts.waits(watched.small.server)
    watched.tick(0.1)
    assert not watched.small.process.running
    watched.tick(0.2)
    assert watched.said[1:] == [f"small was started again (pid {watched.small.process.pid})"]
    assert watched.small.process.pid != killed
    assert watched.restarts.count(watched.small.server) == 1
    assert wait_until(lambda: http_answers("127.0.0.1", watched.small.port))


@pytest.mark.crash
def test_each_end_soon_after_the_last_is_waited_for_longer(watched: Watched) -> None:
    for _ in range(3):
        watched.kill()
        watched.tick(1.0)
        watched.tick(1.0)
    delays = [text.rpartition(" in ")[2] for text in watched.said if "was killed" in text]
    assert delays == ["0.2 s", "0.4 s", "0.8 s"]


@pytest.mark.crash
def test_who_has_run_steadily_is_brought_back_as_the_first_time(watched: Watched) -> None:
    watched.kill()
    watched.tick()
    watched.tick(1.0)
    watched.tick(STEADY_S)
    watched.kill()
    watched.tick()
    assert watched.said[-1].endswith("started again in 0.2 s")


def test_the_delay_has_a_bound() -> None:
    assert Fate(ended=50).delay_s() == MOST_S


@pytest.mark.crash
def test_a_server_that_cannot_be_started_is_tried_again(watched: Watched) -> None:
    command = watched.small.process.command
    watched.kill()
    watched.tick()
    watched.small.process.command = ["/no/such/program"]
    watched.tick(1.0)
    assert "No such file or directory: '/no/such/program'; it is started again in 0.4 s" in watched.said[-1]
    watched.small.process.command = command
    watched.tick(1.0)
    assert watched.small.process.running
