"""Where a project is kept, and the two locks that tell the truth about it however its processes ended.

`supervisor.lock` is held by the supervisor. `servers.lock` is held by it and, through an inherited file descriptor, by
every server that it started: it is free when all of them have ended.
"""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headrace.config.addresses import FILE, VARIABLE
from headrace.supervisor.folder import MODE, is_passable

HOME_VARIABLE = "HEADRACE_HOME"
POLL_S = 0.02


def home() -> Path:
    """The folder of all projects: $HEADRACE_HOME, or below the user's data folder.

    As root, a place that others can pass through, since PostgreSQL runs under a user id of its own there.
    """
    given = os.environ.get(HOME_VARIABLE)
    if given:
        return Path(given).expanduser().absolute()
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    if os.geteuid() == 0 and not is_passable(_nearest(data)):
        data = Path("/var/lib")
    return data / "headrace"


def _nearest(path: Path) -> Path:
    """`path`, or the first folder above it that is there."""
    return next(place for place in (path, *path.parents) if place.is_dir())


def projects() -> Path:
    return home() / "projects"


def known_projects() -> list["ProjectFolder"]:
    """Every project that has a state, by name."""
    return [ProjectFolder(file.parent) for file in sorted(projects().glob("*/state.json"))]


@dataclass(frozen=True, slots=True)
class ProjectFolder:
    """The paths of one project."""

    path: Path

    @classmethod
    def named(cls, name: str) -> "ProjectFolder":
        """Raises ValueError for a name that cannot be a project's."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise ValueError(
                f"invalid project name {name!r}: lower-case letters, digits, - and _ would do, a letter or digit first"
            )
        return cls(projects() / name)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def wanted(self) -> Path:
        return self.path / "wanted.json"

    @property
    def state(self) -> Path:
        return self.path / "state.json"

    @property
    def hosts(self) -> Path:
        """This project's part of the address book."""
        return self.path / FILE

    @property
    def supervisor_log(self) -> Path:
        return self.path / "supervisor.log"

    @property
    def programs(self) -> Path:
        """PostgreSQL's programs, where they have to be copied: shared by all projects."""
        return self.path.parent.parent / "programs"

    def log(self, service: str) -> Path:
        return self.path / "logs" / f"{service}.log"

    def service(self, service: str) -> Path:
        """Data that goes with the service."""
        return self.path / "services" / service

    def volume(self, name: str, bound: bool) -> Path:
        """Data that outlives `down`; `bound` is data that the file keeps in a folder of the user's."""
        return self.path / ("bound" if bound else "volumes") / name

    def volumes(self) -> list[Path]:
        """The named volumes that there are."""
        return sorted((self.path / "volumes").glob("*"))

    def make(self) -> None:
        """Make the folders; each can be passed through, and only its owner can look into it."""
        missing = [place for place in (self.path, *self.path.parents) if not place.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        for place in missing:
            place.chmod(MODE)
        for name in ("logs", "services", "volumes", "bound"):
            (self.path / name).mkdir(exist_ok=True)
            (self.path / name).chmod(MODE)

    def book(self) -> str:
        """The address book of this project's processes: every project's names, this one's before others'."""
        inherited = os.environ.get(VARIABLE, "")
        own = [f"@{self.path.parent}", f"@{self.hosts}"]
        return ",".join([*(part for part in inherited.split(",") if part and part not in own), *own])

    def supervisor_pid(self) -> int | None:
        """The process id of the supervisor; None where none runs."""
        lock = self.path / "supervisor.lock"
        return _number(lock) if is_locked(lock) else None

    def servers_run(self) -> bool:
        """Whether the supervisor or any server that it started is still there."""
        return is_locked(self.path / "servers.lock")

    def wait_ended(self, seconds: float) -> bool:
        """Whether the supervisor and all servers have ended within `seconds`."""
        deadline = time.monotonic() + seconds
        while self.servers_run():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        return True

    @contextmanager
    def lock(self, name: str, seconds: float) -> Iterator[int]:
        """Hold a lock, our process id in it; gives the file descriptor. Raises TimeoutError."""
        descriptor = os.open(self.path / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _acquire(descriptor, name, seconds)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield descriptor
        finally:
            os.close(descriptor)


def _acquire(descriptor: int, name: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the project's {name} lock is held by another process") from None
            time.sleep(POLL_S)


def is_locked(lock: Path) -> bool:
    """Whether another process holds this lock. Asks by a shared lock, so that two that ask do not see each other."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _number(file: Path) -> int | None:
    text = file.read_text(encoding="ascii")
    return int(text) if text.isdigit() else None
