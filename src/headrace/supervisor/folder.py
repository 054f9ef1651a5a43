"""A temporary folder that is gone when the last process that works in it has ended, however it ended.

A caretaker, a process of its own, makes the folder and holds the reading end of a pipe. We hold the writing end, and
so does each child that was given `lifeline`: end of file means that all of them are gone. A kill -9 of any of them
changes nothing in that.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

MODE = 0o711
"""Others may pass through it: as root, PostgreSQL works below it under a user id of its own."""

CLOSE_S = 30.0
"""How long `close` waits for the caretaker; a child that lives longer is cared for behind our back."""


class TemporaryFolder:
    """`path` is the folder, `lifeline` the file descriptor to pass to children that work in it."""

    def __init__(self, prefix: str, keep: bool = False) -> None:
        reading, self.lifeline = os.pipe()
        self.keep = keep
        self._caretaker = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(reading), prefix, _place()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(reading,),
        )
        os.close(reading)
        assert self._caretaker.stdout is not None
        self.path = Path(os.fsdecode(self._caretaker.stdout.readline().rstrip(b"\n")))
        if self.path == Path():
            raise OSError(
                f"no temporary folder could be made in {_place()}: set TMPDIR to a folder that can be written"
            )

    def close(self) -> None:
        """Give the folder up; it is removed (unless kept) when every child with the lifeline has ended."""
        if self.lifeline < 0:
            return
        assert self._caretaker.stdin is not None and self._caretaker.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            if self.keep:
                self._caretaker.stdin.write(b"k")
            self._caretaker.stdin.close()
        os.close(self.lifeline)
        self.lifeline = -1
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._caretaker.wait(CLOSE_S)
        self._caretaker.stdout.close()
        if not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _place() -> str:
    """Where temporary folders go: as root, the first place that others can pass through."""
    first = tempfile.gettempdir()
    if os.name == "posix" and os.geteuid() == 0:
        return next((place for place in (first, "/tmp", "/var/tmp") if is_passable(Path(place))), first)
    return first


def is_passable(path: Path) -> bool:
    """Whether every user may pass through `path` and the folders above it."""
    place = path.resolve()
    return all(folder.is_dir() and folder.stat().st_mode & 0o001 for folder in (place, *place.parents))


def _care(lifeline: int, prefix: str, place: str) -> None:
    """The caretaker: make the folder, wait for the end of everybody, remove it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    folder.chmod(MODE)
    sys.stdout.buffer.write(os.fsencode(folder) + b"\n")
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.buffer.flush()
    while os.read(lifeline, 64):
        pass
    if sys.stdin.buffer.read(1) == b"k":
        return
    # Grandchildren without the lifeline may still be writing their last lines.
    deadline = time.monotonic() + 10
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05 if folder.exists() else 0)


if __name__ == "__main__":
    _care(int(sys.argv[1]), sys.argv[2], sys.argv[3])
