"""How long `headrace up` and `headrace demo` take until they are ready, and where the time goes.

    python -m benchmarks.startup [--rounds 5]

The limit, in the same run: what no demo in Python can do without, one after the other on a quiet machine: a bare
interpreter, initdb, and a PostgreSQL server until its port answers. Prints a line a round with the CPU seconds of each
process at that moment, and ends with one JSON object of medians; `first_row_s` is how much later than the ready line
the first row of the demo was in the target.
"""

import argparse
import json
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.postgres import PostgresServer
from headrace.supervisor.programs import postgres_programs
from headrace.supervisor.ready import free_port

PROGRAM: Final = str(Path(sys.executable).with_name("headrace"))
DEADLINE_S: Final = 60.0
KINDS: Final = (
    (" broker ", "broker"),
    (" connect ", "worker"),
    (" registry ", "registry"),
    ("forkserver", "task hosts"),
    ("resource_tracker", "task hosts"),
    ("postgres", "postgres"),
)
"""What a command line contains, and the name of its process in the report; the first that fits."""


@dataclass(frozen=True, slots=True)
class Started:
    """One start: seconds from the command to its ready line as the caller saw it, and CPU seconds by process."""

    ready_s: float
    cpu_s: dict[str, float]
    first_row_s: float | None = None


@dataclass(slots=True)
class Medians:
    rounds: dict[str, list[Started]] = field(default_factory=dict)
    limits: list[dict[str, float]] = field(default_factory=list)

    def note(self, name: str, started: Started) -> None:
        self.rounds.setdefault(name, []).append(started)
        split = ", ".join(f"{kind} {seconds:.2f}" for kind, seconds in sorted(started.cpu_s.items()))
        row = "" if started.first_row_s is None else f", first row {started.first_row_s:.2f} s later"
        print(f"{name:5} ready in {started.ready_s:.2f} s{row}; CPU {sum(started.cpu_s.values()):.2f} s: {split}")

    def result(self) -> dict[str, object]:
        limit = {key: statistics.median(each[key] for each in self.limits) for key in self.limits[0]}
        figures: dict[str, object] = {}
        for name, starts in self.rounds.items():
            ready = statistics.median(each.ready_s for each in starts)
            figures[f"{name}_ready_s"] = round(ready, 2)
            figures[f"{name}_to_limit"] = round(ready / sum(limit.values()), 2)
            figures[f"{name}_cpu_s"] = {
                kind: round(statistics.median(each.cpu_s.get(kind, 0.0) for each in starts), 2)
                for kind in sorted({kind for each in starts for kind in each.cpu_s})
            }
            rows = [each.first_row_s for each in starts if each.first_row_s is not None]
            if rows:
                figures[f"{name}_first_row_s"] = round(statistics.median(rows), 2)
        return {**figures, "limit_s": {key: round(value, 3) for key, value in limit.items()}}


def cpu_seconds(root: psutil.Process) -> dict[str, float]:
    """CPU seconds so far by kind of process; of those that have ended too, such as initdb."""
    seconds: dict[str, float] = {}
    for process in [root, *root.children(recursive=True)]:
        try:
            kind, times = _kind(process, root), process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds[kind] = seconds.get(kind, 0.0) + times.user + times.system
        seconds["ended"] = seconds.get("ended", 0.0) + times.children_user + times.children_system
    return seconds


def _kind(process: psutil.Process, root: psutil.Process) -> str:
    if process.pid == root.pid:
        return "command"
    line = f"{' '.join(process.cmdline())} "
    return next((name for part, name in KINDS if part in line), "others")


def started(command: list[str], ready: str) -> tuple[subprocess.Popen[str], Started]:
    """Run until a line that begins with `ready`. Raises SystemExit with the output where there is none."""
    began, lines = time.monotonic(), []
    process = subprocess.Popen([PROGRAM, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if line.startswith(ready):
            return process, Started(time.monotonic() - began, cpu_seconds(psutil.Process(process.pid)))
    raise SystemExit(f"headrace {' '.join(command)} was not ready:\n{''.join(lines)}")


def up() -> Started:
    """One `headrace up` on free ports in a fresh folder."""
    with TemporaryFolder("headrace-startup-") as folder:
        ports = ["--broker-port", str(free_port()), "--connect-port", str(free_port())]
        ports += ["--registry-port", str(free_port())]
        process, result = started(["up", "--data-dir", str(folder.path / "data"), *ports], "ready in")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE_S)
    return result


def demo() -> Started:
    """One demo of a second; its largest latency is that of the first row."""
    process, result = started(["demo", "--seconds", "1"], "ready")
    output, _ = process.communicate(timeout=DEADLINE_S)
    latency = re.search(r"lost 0, duplicated 0, .* p99 ([\d.]+) ms", output)
    if latency is None:
        raise SystemExit(f"the demo did not end well:\n{output}")
    return Started(result.ready_s, result.cpu_s, float(latency.group(1)) / 1000)


def limit() -> dict[str, float]:
    """Seconds of a bare interpreter, of initdb and of a server's start, one after the other."""
    with TemporaryFolder("headrace-startup-") as folder:
        programs = postgres_programs(folder.path / "programs")
        server = PostgresServer(folder.path / "server", free_port(), "user", "password", "postgres")
        server.programs, server.lifeline = programs, folder.lifeline
        interpreter = _timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
        initdb = _timed(server.make_cluster)
        start = _timed(server.start)
        server.stop()
    return {"interpreter": interpreter, "initdb": initdb, "postgres": start}


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def main() -> None:
    """Run, print, and end with the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    medians = Medians()
    up(), demo()  # what is compiled and cached at the first start
    for _ in range(options.rounds):
        medians.limits.append(limit())
        medians.note("up", up())
        medians.note("demo", demo())
    print(json.dumps(medians.result()))


if __name__ == "__main__":
    main()
