"""One initdb for PostgreSQL servers that are made side by side: half a second of CPU once, in place of once each.

Thread rule: any thread; who comes second waits until the first has made the cluster.
"""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Login(NamedTuple):
    """The superuser that initdb made, and its password."""

    user: str
    password: str


class SharedCluster:
    """The first of `count` servers makes its cluster, the others take copies, made before it is started.

    For throw-away folders: a copy belongs to the first one's superuser until its own server has renamed it, and all
    have one system identifier.
    """

    def __init__(self, spare: Path, count: int) -> None:
        """`spare` is where the copy waits for who takes it."""
        self._spare = spare
        self._left = count
        self._login: Login | None = None
        self._lock = threading.Lock()

    def take(self, cluster: Path, login: Login, make: Callable[[], None]) -> Login:
        """Fill `cluster`, by `make` or by a copy; gives the login that it has."""
        with self._lock:
            self._left -= 1
            if self._login is None:
                make()
                self._login = login
                if self._left:
                    copy(cluster, self._spare)
            elif self._left:
                copy(self._spare, cluster)
            else:
                self._spare.rename(cluster)
            return self._login


def copy(source: Path, target: Path) -> None:
    """A copy of a cluster that no server runs on, of the same owner."""
    shutil.copytree(source, target)
    owner = source.stat()
    if owner.st_uid != os.geteuid():
        for place, folders, files in os.walk(target):
            for name in (".", *folders, *files):
                os.chown(Path(place, name), owner.st_uid, owner.st_gid)
