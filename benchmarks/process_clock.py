"""CPU seconds by group of processes, so that a benchmark can say where the time goes."""

from collections.abc import Callable, Mapping

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


def _tree_seconds(pid: int) -> float:
    try:
        root = psutil.Process(pid)
        members = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_seconds(process) for process in members)


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
