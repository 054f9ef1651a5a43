"""The whole demo as a user runs it: from `headrace demo` to its last line, and what is left after it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.supervisor.processes import processes_naming, wait_until

# Another test may have the ports first, for a minute or two.
pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("tutorials_ports")]

LAST_LINE = re.compile(
    r"demo: source (\d+) rows, topic (\d+) records, target (\d+) rows, lost (\d+), duplicated (\d+), "
    r"latency p50 ([\d.]+) ms p99 ([\d.]+) ms"
)
KNOWN_PORTS = (5432, 5433, 9092, 8083)


class Run:
    """One run of the demo, with a temporary folder of its own to look into afterwards."""

    def __init__(self, place: Path, *arguments: str, program: str | None = None) -> None:
        self.place = place
        command = ["-m", "headrace", "demo", *arguments] if program is None else ["-c", program]
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": str(place)},
            start_new_session=True,
        )
        self.lines: list[str] = []

    def until(self, words: str) -> str:
        """Read on to the first line with `words`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if words in line:
                return line
        raise AssertionError(f"no line with {words!r} in:\n" + "\n".join(self.lines))

    def end(self) -> int:
        rest, _ = self.process.communicate(timeout=120)
        self.lines += rest.splitlines()
        return self.process.returncode

    def figures(self) -> list[float]:
        """Those of the last line: source, topic, target, lost, duplicated, p50, p99."""
        found = LAST_LINE.fullmatch(self.lines[-1])
        assert found, "\n".join(self.lines)
        return [float(figure) for figure in found.groups()]

    def nothing_is_left(self) -> bool:
        return wait_until(lambda: not processes_naming(str(self.place)) and not list(self.place.iterdir()), 30)


@pytest.fixture
def place() -> Iterator[Path]:
    # Not pytest's folder: as root, PostgreSQL runs under another user id, which cannot pass through that.
    with tempfile.TemporaryDirectory(prefix="headrace-place-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def test_every_row_arrives_once_and_nothing_is_left(place: Path) -> None:
    run = Run(place, "--seconds", "5", "--rate", "50")
    assert run.end() == 0, "\n".join(run.lines)
    source, topic, target, lost, duplicated, p50, p99 = run.figures()
    assert source == topic == target >= 200
    assert lost == duplicated == 0
    assert 0 < p50 <= p99
    assert any(line.startswith("ready    in ") for line in run.lines)
    assert run.nothing_is_left()


SAVED = re.compile(r"avro: (\d+) bytes a message, in JSON with its schema (\d+) \((\d+) % saved; (\d+) messages")


@pytest.mark.parametrize("format", ["json", "avro"])
def test_at_full_speed_every_row_arrives_once(place: Path, format: str) -> None:
    run = Run(place, "--seconds", "4", "--rate", "0", "--format", format)
    assert run.end() == 0, "\n".join(run.lines)
    source, topic, target, lost, duplicated, *_ = run.figures()
    assert source == topic == target > 5_000
    assert lost == duplicated == 0
    saved = [found for line in run.lines if (found := SAVED.match(line))]
    assert len(saved) == (format == "avro")
    for found in saved:
        avro, json, percent, rows = map(int, found.groups())
        assert 50 < avro < 100 < 500 < json and percent == pytest.approx(100 * (1 - avro / json), abs=1)
        assert 0 < rows <= 10_000
    assert run.nothing_is_left()


SINK_FIRST = """
import sys
from rich.console import Console
from headrace.demo.run import Demo, DemoOptions
from headrace.supervisor.interrupts import Interrupts
with Interrupts() as interrupts:
    sys.exit(Demo(DemoOptions(seconds=3, rate=50, sink_first=True), Console(), interrupts).run())
"""


def test_the_sink_may_be_posted_first(place: Path) -> None:
    run = Run(place, program=SINK_FIRST)
    assert run.end() == 0, "\n".join(run.lines)
    source, _, target, lost, *_ = run.figures()
    assert source == target > 0 == lost


def test_taken_ports_are_said_and_replaced(place: Path) -> None:
    taken = []
    try:
        for port in KNOWN_PORTS:
            taken.append(other := socket.socket())
            # Somebody else may have it for a while.
            assert wait_until(lambda other=other, port=port: _listens(other, port), 60)
        run = Run(place, "--seconds", "2")
        assert run.end() == 0, "\n".join(run.lines)
    finally:
        for other in taken:
            other.close()
    assert [port for port in KNOWN_PORTS if any(f"port {port} is taken" in line for line in run.lines)] == [
        *KNOWN_PORTS
    ]


def test_a_wrong_value_and_a_missing_row_are_lost_rows(place: Path) -> None:
    run = Run(place, "--rate", "20", "--keep")
    target = run.until("target   ").split()[1].replace("targetuser@", "targetuser:targetpw@")
    run.until("ready    in ")
    with psycopg.connect(target, autocommit=True) as connection:
        assert wait_until(lambda: connection.execute("SELECT max(id) >= 2 FROM iris_data").fetchone() == (True,), 60)
        connection.execute("UPDATE iris_data SET petal_width = petal_width + 1 WHERE id = 1")
        connection.execute("DELETE FROM iris_data WHERE id = 2")
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 1
    source, _, rows, lost, duplicated, *_ = run.figures()
    assert (source - rows, lost, duplicated) == (1, 2, 0)
    (kept,) = place.iterdir()
    assert (kept / "broker.log").exists()
    assert not processes_naming(str(place))


def test_one_signal_drains_and_compares(place: Path) -> None:
    run = Run(place, "--rate", "0")
    run.until("target ")
    run.until("ready    in ")
    run.until("rows/s")
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 0, "\n".join(run.lines)
    assert run.figures()[3] == 0
    assert run.nothing_is_left()


def test_two_signals_end_it_at_once(place: Path) -> None:
    run = Run(place, "--rate", "0")
    run.until("ready    in ")
    run.process.send_signal(signal.SIGINT)
    run.until("Ctrl-C again leaves at once")
    run.process.send_signal(signal.SIGINT)
    assert run.end() in (0, 130)  # 0 where the pipeline was drained before the second signal came
    assert run.nothing_is_left()


def is_below(place: Path, name: str) -> bool:
    """Whether there is such a file; folders come and go while it is looked for."""
    try:
        return any(place.glob(f"*/**/{name}"))
    except FileNotFoundError:
        return False


@pytest.mark.crash
@pytest.mark.parametrize("moment", ["cluster", "connect.log", "rows flow"])
def test_kill_9_leaves_no_process_and_no_file(place: Path, moment: str) -> None:
    run = Run(place, "--rate", "0")
    if moment == "rows flow":
        run.until("rows/s")
    else:
        assert wait_until(lambda: is_below(place, moment), 60)
    run.process.kill()
    run.process.communicate()
    assert run.nothing_is_left()


@pytest.mark.crash
def test_a_server_that_dies_is_named(place: Path) -> None:
    run = Run(place)
    run.until("ready    in ")
    (watcher,) = [pid for pid in processes_naming(str(place)) if _is_watcher_of(pid, "target-postgres-server")]
    os.kill(watcher, signal.SIGKILL)
    assert run.end() == 1
    assert any("target-postgres-server (postgres) was killed by SIGKILL" in line for line in run.lines)
    assert run.nothing_is_left()


def _listens(other: socket.socket, port: int) -> bool:
    try:
        other.bind(("127.0.0.1", port))
        other.listen()
    except OSError:
        return False
    return True


def _is_watcher_of(pid: int, name: str) -> bool:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    return "watcher.py" in words and name in words
