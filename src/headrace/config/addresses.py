"""The address book: names of compose files, such as `broker:29092`, and where they are on this machine.

`HEADRACE_HOSTS=postgres-server:5432=127.0.0.1:5432,...` is the one source. It is applied where a connection or a
listener is opened, and nowhere else: answers, topics and logs keep what the user wrote.

An entry `@PATH` stands for the entries of a file, or of the files `hosts` in the folders below PATH, read each time: a
server that starts later is so found by those that run already.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from headrace.config.definition import ConfigError

VARIABLE = "HEADRACE_HOSTS"
FILE = "hosts"


@dataclass(frozen=True, slots=True)
class AddressBook:
    """A map of (name, port) to (host, port)."""

    entries: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name:port=host:port,...`, the last of several for a name. Raises ConfigError that names a faulty entry.

        >>> AddressBook.parse("broker:29092=127.0.0.1:9092").resolve("broker", 29092)
        ('127.0.0.1', 9092)
        """
        entries: dict[tuple[str, int], tuple[str, int]] = {}
        for entry in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
            if entry.startswith("@"):
                entries.update(cls.parse(_included(Path(entry[1:]))).entries)
                continue
            name, equals, target = entry.partition("=")
            if not equals:
                raise ConfigError(f"{VARIABLE}: {entry!r} is not of the form name:port=host:port")
            entries[_endpoint(name, entry)] = _endpoint(target, entry)
        return cls(entries)

    def resolve(self, host: str, port: int) -> tuple[str, int]:
        """Where (host, port) is; itself where the book does not know it."""
        return self.entries.get((host, port), (host, port))

    def resolve_list(self, servers: str) -> str:
        """A `host:port,host:port` list, as in `bootstrap.servers`, with each address resolved."""
        resolved = []
        for server in filter(None, (part.strip() for part in servers.split(","))):
            host, colon, port = server.rpartition(":")
            if colon and port.isdigit():
                where, at = self.resolve(host, int(port))
                resolved.append(f"{where}:{at}")
            else:
                resolved.append(server)
        return ",".join(resolved)

    def format(self) -> str:
        """The text that `parse` reads."""
        return ",".join(f"{n}:{p}={h}:{q}" for (n, p), (h, q) in self.entries.items())


def _included(path: Path) -> str:
    """The text that `@path` stands for; nothing where there is no such file, as nothing runs there."""
    files = sorted(path.glob(f"*/{FILE}")) if path.is_dir() else [path]
    texts = []
    for file in files:
        try:
            texts.append(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
    return "\n".join(texts)


def _endpoint(text: str, entry: str) -> tuple[str, int]:
    host, _, port = text.strip().rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"{VARIABLE}: {entry!r} is not of the form name:port=host:port")
    return host, int(port)


def from_process_environment() -> AddressBook:
    """The book that this process was started with."""
    return AddressBook.parse(os.environ.get(VARIABLE, ""))


def address(host: str, port: int) -> tuple[str, int]:
    """Where (host, port) is, by the book of this process."""
    return from_process_environment().resolve(host, port)
