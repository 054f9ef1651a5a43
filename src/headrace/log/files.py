"""Open files: handles opened on use and kept in an LRU, whole writes, and checkpoints that are never seen half-written.

Handles belong to the loop: they are used and dropped between two awaits of nothing. A thread opens its own.
"""

import os
import resource
from collections import OrderedDict
from pathlib import Path

from headrace.log.errors import StorageError

_SPARE_HANDLES = 1024
"""Left for connections, sqlite and threads."""


def raise_handle_limit() -> int:
    """Raise this process's soft limit of open files to the hard one; gives how many the logs may keep open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return max(64, min(8192, (soft - _SPARE_HANDLES) // 2 if soft > 2 * _SPARE_HANDLES else soft // 2))


class Handles:
    """File descriptors by path, at most `limit` open; the one used least recently is closed first."""

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._open: OrderedDict[str, int] = OrderedDict()

    def get(self, path: str) -> int:
        """A descriptor to read and write `path`, which is made where it is missing; valid until the next `get`."""
        descriptor = self._open.get(path)
        if descriptor is not None:
            self._open.move_to_end(path)
            return descriptor
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._open[path] = descriptor
        if len(self._open) > self._limit:
            os.close(self._open.popitem(last=False)[1])
        return descriptor

    def drop(self, path: str) -> None:
        """Close `path` where it is open."""
        descriptor = self._open.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Close all."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __len__(self) -> int:
        return len(self._open)


def write_at(descriptor: int, data: bytes | bytearray | memoryview, position: int) -> None:
    """Write all of `data`; raises OSError, and then some of it may be there."""
    written = os.pwrite(descriptor, data, position)
    if written == len(data):
        return
    rest = memoryview(data)
    while written < len(rest):
        written += os.pwrite(descriptor, rest[written:], position + written)


def sync_file(path: str) -> None:
    """fsync one file, by a handle of its own: for threads. A file that is gone needs none."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise StorageError(f"cannot flush {path}: {error.strerror}") from error
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Put `content` at `path` so that a crash leaves the old content or the new."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    temporary.replace(path)
