"""One child process: a session of its own, a pipe to us, a log file, and a stop that always ends.

The child is told the pipe as `--parent-fd N`: it only ever reads end of file from it, and then stops by itself.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

POLL_S = 0.01


class ProcessFailed(RuntimeError):
    """A child that ended, or was not ready in time; the text names it and shows its last log lines."""


@dataclass(slots=True)
class ChildProcess:
    """`command` without its `--parent-fd`, which `start` adds; `lifeline` is a `TemporaryFolder`'s."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    lifeline: int | None = None
    _popen: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _pipe: int = field(default=-1, init=False, repr=False)

    def start(self) -> None:
        reading, self._pipe = os.pipe()
        kept = (reading,) if self.lifeline is None else (reading, self.lifeline)
        try:
            with self.log.open("ab") as log:
                self._popen = subprocess.Popen(
                    self._arguments(reading),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self.environment,
                    start_new_session=True,
                    pass_fds=kept,
                )
        finally:
            os.close(reading)

    def _arguments(self, parent_fd: int) -> list[str]:
        return [*self.command, "--parent-fd", str(parent_fd)]

    @property
    def pid(self) -> int | None:
        return None if self._popen is None else self._popen.pid

    def exit_status(self) -> int | None:
        """The exit status of a child that has ended; None while it runs or before it was started."""
        return None if self._popen is None else self._popen.poll()

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def wait_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready()`. Raises ProcessFailed where the child ends first, or in `seconds` is not ready."""
        deadline = time.monotonic() + seconds
        while not (self.running and ready() and self.running):
            self.raise_if_ended()
            if time.monotonic() > deadline:
                raise self.failed(f"{self.name} was not ready in {seconds:g} s")
            time.sleep(POLL_S)

    def raise_if_ended(self) -> None:
        """Raises ProcessFailed where the child does not run any more."""
        if self.exit_status() is not None:
            raise self.failed(self.ending())

    def ending(self) -> str:
        """How the child ended, in words that name it."""
        status = self.exit_status()
        if status is None:
            return f"{self.name} has not ended"
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        return f"{self.name} {how}"

    def failed(self, what: str) -> ProcessFailed:
        lines = self.last_lines()
        shown = "".join(f"\n    {line}" for line in lines) if lines else " (its log is empty)"
        return ProcessFailed(f"{what}; the end of {self.log}:{shown}")

    def last_lines(self, count: int = 12) -> list[str]:
        """The last lines of the log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 8192))
                return log.read().decode(errors="replace").splitlines()[-count:]
        except OSError:
            return []

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and return at once."""
        self._send(signal.SIGTERM)

    def wait(self, seconds: float) -> bool:
        """Whether the child has ended within `seconds`."""
        if self._popen is None:
            return True
        try:
            self._popen.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        self._close_pipe()
        return True

    def kill(self) -> None:
        """End the whole session of the child at once."""
        if self.running and self._popen is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()
        self._close_pipe()

    def stop(self, seconds: float, hurried: Callable[[], bool] = lambda: False) -> None:
        """SIGTERM, and SIGKILL for who has not ended in `seconds`, or sooner where `hurried()`."""
        self.ask_to_stop()
        deadline = time.monotonic() + seconds
        while not self.wait(POLL_S):
            if hurried() or time.monotonic() > deadline:
                self.kill()

    def _send(self, number: int) -> None:
        if self.running and self._popen is not None:
            self._popen.send_signal(number)

    def _close_pipe(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
