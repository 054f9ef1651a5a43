"""The plan: what compose files ask for, as whoever runs it sees it.

Frozen data and nothing else. Environment values and passwords stay out of every repr (invariant 7).
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class ServiceKind(enum.StrEnum):
    """What a service is to us. FOREIGN is whatever we do not run: it is named and left to the user."""

    ZOOKEEPER = "zookeeper"
    BROKER = "broker"
    REGISTRY = "registry"
    CONNECT = "connect"
    POSTGRES = "postgres"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """One line of `ports:`, ranges taken apart. `host_ip` is "" for every interface, `host_port` 0 for any free one."""

    host_ip: str
    host_port: int
    container_port: int
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Volume:
    """A mount: `kind` is `volume` (`source` is its name, "" for an anonymous one), `bind` (a path here) or `tmpfs`."""

    kind: str
    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class ListenerSetting:
    """A listener of a broker: where it binds in the container, and what it tells its clients to connect to.

    `protocol` is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL. Controller listeners are left out.
    """

    name: str
    bind_port: int
    advertised_host: str
    advertised_port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """A broker: its listeners, and its other properties under Kafka's names, without those of its listeners."""

    listeners: tuple[ListenerSetting, ...]
    node_id: int
    properties: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """A PostgreSQL server, as the official image makes it of its environment.

    `password` is "" where the file asks for trust. `init_scripts` are the files mounted in /docker-entrypoint-initdb.d,
    in the order in which the image runs them; `parameters` are the `-c name=value` of the command.
    """

    user: str
    password: str = field(repr=False)
    database: str
    port: int
    version: str
    parameters: Mapping[str, str]
    init_scripts: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """A Schema Registry; `bootstrap_servers` as written, without the `PLAINTEXT://` in front of each."""

    port: int
    bootstrap_servers: str
    properties: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PluginNote:
    """A plug-in that an image installs: `ours` names what does its work here, "" where we have nothing for it."""

    name: str
    version: str
    ours: str


@dataclass(frozen=True, slots=True)
class ConnectSettings:
    """A Connect worker. `properties` hold bootstrap.servers and all the others under Kafka's names."""

    rest_port: int
    properties: Mapping[str, str] = field(repr=False)
    plugins: tuple[PluginNote, ...] = ()


Settings = BrokerSettings | PostgresSettings | RegistrySettings | ConnectSettings


@dataclass(frozen=True, slots=True)
class Service:
    """A service, with everything resolved: variables, env files, `extends`, the image's own defaults.

    `image` is as written, or PROJECT-SERVICE for a build. `names` are the host names by which others reach it.
    `properties` are those that the image maps from the environment. `settings` is None for ZOOKEEPER and FOREIGN.
    `line` is where the service begins in `file`.
    """

    name: str
    container_name: str
    image: str
    kind: ServiceKind
    file: Path
    line: int
    names: tuple[str, ...]
    ports: tuple[PublishedPort, ...] = ()
    depends_on: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    volumes: tuple[Volume, ...] = ()
    restart: str = "no"
    settings: Settings | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """One line for the user: something understood and not needed here, or left to them. `service` may be ""."""

    service: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a file: what is wrong at that line, and the fix. `line` 0 is the file as a whole."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, in the order in which `depends_on` lets it start."""

    name: str
    files: tuple[Path, ...]
    services: tuple[Service, ...]
    notes: tuple[Note, ...] = ()

    def service(self, name: str) -> Service:
        """The service of that name. Raises KeyError where there is none."""
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)


class ComposeError(ValueError):
    """Compose files that cannot be run; the text is one line a fault, in the order of files and lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
