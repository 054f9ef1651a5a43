"""A person at a terminal: types lines, and reads until what is waited for is there."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from headrace.supervisor.watcher import readable

PROMPT = r"\(headrace\) [^\r\n]*[#$] $"
ROWS, COLUMNS = 50, 400


class Terminal:
    """A program in a pseudo-terminal; `screen` is all that it has shown."""

    def __init__(self, command: Sequence[str], directory: Path, variables: Mapping[str, str]) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._fd = ours
        self.screen = ""
        self._seen = 0
        self._process = subprocess.Popen(
            command,
            cwd=directory,
            env={**variables, "TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=_own_terminal,
        )
        os.close(theirs)

    def type(self, text: str) -> None:
        """Type a line, or several, each with its Return."""
        os.write(self._fd, text.encode() + b"\n")

    def press_ctrl_c(self) -> None:
        os.write(self._fd, b"\x03")

    def press_ctrl_d(self) -> None:
        os.write(self._fd, b"\x04")

    def wait_for(self, pattern: str, seconds: float = 30.0) -> str:
        """Wait until something that was not waited for yet matches; gives all that was shown up to its end."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.screen[self._seen :], re.MULTILINE)) is None:
            assert self._read(deadline - time.monotonic()), f"no {pattern!r} came; the screen:\n{self.screen[-4000:]}"
        text = self.screen[self._seen : self._seen + found.end()]
        self._seen += found.end()
        return text

    def shows(self, pattern: str, seconds: float) -> bool:
        """Whether something that was not waited for yet matches within `seconds`."""
        deadline = time.monotonic() + seconds
        while re.search(pattern, self.screen[self._seen :], re.MULTILINE) is None:
            if not self._read(deadline - time.monotonic()):
                return False
        return True

    def run(self, line: str, seconds: float = 60.0) -> str:
        """Type a command line; what it has shown when the prompt is back."""
        self.type(line)
        shown = re.sub(PROMPT, "", self.wait_for(PROMPT, seconds))
        return shown.partition("\n")[2].rstrip("\n")

    def status(self) -> int:
        """The exit status of the last command."""
        return int(self.run("echo $?"))

    def close(self) -> int:
        """Hang up; the exit status."""
        os.close(self._fd)
        try:
            return self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            return self._process.wait()

    def _read(self, seconds: float) -> bool:
        """Whether more came, or may still come, within `seconds`."""
        if not readable([self._fd], max(0.0, seconds)):
            return False
        try:
            added = os.read(self._fd, 65536)
        except OSError:  # the program has ended
            return False
        self.screen += added.decode(errors="replace").replace("\r\n", "\n")
        return bool(added)


def _own_terminal() -> None:
    """A session whose terminal this is, so that Ctrl-C reaches who is in its foreground."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
