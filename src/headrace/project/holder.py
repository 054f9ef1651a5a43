"""Which program listens on a port, so that the user can end it."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LISTEN = "0A"
_SHOWN = 70


@dataclass(frozen=True, slots=True)
class Holder:
    """A process; `command` is its command line, cut short."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command})"


def holder(port: int) -> Holder | None:
    """Who listens on this TCP port; None where that cannot be seen, as with another user's program."""
    if Path("/proc/net/tcp").exists():
        return _by_proc(port)
    return _by_lsof(port) if shutil.which("lsof") else None


def _by_proc(port: int) -> Holder | None:
    inodes = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and inodes and _has_open(process, inodes):
            return Holder(int(process.name), _command(process))
    return None


def _inodes(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _has_open(process: Path, names: set[str]) -> bool:
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in names:
                    return True
    return False


def _command(process: Path) -> str:
    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    return _cut(" ".join(words).strip())


def _by_lsof(port: int) -> Holder | None:
    asked = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"]
    fields = subprocess.run(asked, capture_output=True, text=True).stdout.splitlines()
    pid = next((field[1:] for field in fields if field.startswith("p")), "")
    command = next((field[1:] for field in fields if field.startswith("c")), "")
    return Holder(int(pid), _cut(command)) if pid else None


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
