"""CPU seconds by group of processes, so that a benchmark can say where the time goes."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil


class ProcessClock:
    """CPU seconds of named process trees between `start` and `stop`.

    `roots` gives the root process ids by name when asked, since task hosts come and go. Processes that ended in between
    are counted in their parent's children times, as the kernel keeps them.
    """

    def __init__(self, roots: Callable[[], Mapping[str, int]]) -> None:
        self._roots = roots
        self._before: dict[str, float] = {}

    def start(self) -> None:
        self._before = self._read()

    def stop(self) -> dict[str, float]:
        """Seconds by name since `start`."""
        return {name: seconds - self._before.get(name, 0.0) for name, seconds in self._read().items()}

    def _read(self) -> dict[str, float]:
        return {name: _tree_seconds(pid) for name, pid in self._roots().items()}


def thread_seconds(pid: int, groups: Mapping[str, tuple[str, ...]]) -> dict[str, float]:
    """CPU seconds of a process tree's living threads by group: `groups` gives the beginnings of their names."""
    found = dict.fromkeys(groups, 0.0)
    for process in _members(pid):
        for comm in Path(f"/proc/{process.pid}/task").glob("*/comm"):
            try:
                name = comm.read_text()
                fields = (comm.parent / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            group = next((group for group, starts in groups.items() if name.startswith(starts)), None)
            if group is not None:
                found[group] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def _members(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _tree_seconds(pid: int) -> float:
    return sum(_seconds(process) for process in _members(pid))


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
