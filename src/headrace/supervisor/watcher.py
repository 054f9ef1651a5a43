"""Runs a program that knows nothing of its parent, and stops it when the parent is gone. A script of its own.

`python -I -S watcher.py ORDER`, ORDER being JSON: `command`, `parent_fd`, `stops` (a list of [signal, seconds]), and
where the program must not run as root `user_id`. End of file on `parent_fd` or SIGTERM sends the first of `stops`;
each further SIGTERM, and each deadline that passes, the next one; the last is SIGKILL. Exits as the program did.
Imports the standard library alone, so that it starts in 20 ms.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from typing import Any

PR_SET_PDEATHSIG = 1


def readable(descriptors: Iterable[int], seconds: float | None) -> list[int]:
    """Those of the descriptors that can be read, or have ended, within so many seconds; None waits for ever.

    Not by `select`, which refuses numbers above 1023: a program with many open files may be the one that starts us.
    """
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in poll.poll(None if seconds is None else seconds * 1000)]


class Watch:
    """One program and the steps that are left to stop it."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.parent_fd: int = order["parent_fd"]
        self.wakeup_fd, wakeup_write = os.pipe()
        os.set_blocking(wakeup_write, False)
        signal.set_wakeup_fd(wakeup_write)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self.steps: list[tuple[int, float]] = [(step[0], step[1]) for step in order["stops"]]
        self.deadline: float | None = None
        self.child = _start(order)

    def run(self) -> int:
        """Wait for the end of the program; its exit status."""
        watched = [self.parent_fd, self.wakeup_fd]
        while True:
            ended, status = os.waitpid(self.child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
            wait = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
            ready = readable(watched, wait)
            if self.parent_fd in ready and not os.read(self.parent_fd, 1):
                watched.remove(self.parent_fd)
                if self.deadline is None:
                    self._next_step()
            asked = self.wakeup_fd in ready and signal.SIGTERM in os.read(self.wakeup_fd, 64)
            if asked or (self.deadline is not None and time.monotonic() >= self.deadline):
                self._next_step()

    def _next_step(self) -> None:
        number, seconds = self.steps.pop(0) if self.steps else (signal.SIGKILL, 60.0)
        self.deadline = time.monotonic() + seconds
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, number)


def _start(order: dict[str, Any]) -> int:
    command, user_id = order["command"], order.get("user_id")
    # Linux tells the program when the watcher itself dies; elsewhere the parent does that.
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        if user_id is not None:
            os.setgroups([])
            os.setgid(user_id)
            os.setuid(user_id)
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(3, 1024)
        os.execv(command[0], command)
    except OSError as error:
        os.write(2, f"cannot run {command[0]}: {error}\n".encode())
    os._exit(127)


if __name__ == "__main__":
    sys.exit(Watch(json.loads(sys.argv[1])).run())
