"""What is wanted of a project, made of a plan: one order a service, as JSON, so that the supervisor needs no files.

Sans-IO. Two orders with the same digest are the same service: `up` leaves it alone.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from headrace.compose.plan import (
    BrokerSettings,
    ConnectSettings,
    Plan,
    PostgresSettings,
    RegistrySettings,
    Service,
    ServiceKind,
)

RUN = (ServiceKind.BROKER, ServiceKind.REGISTRY, ServiceKind.CONNECT, ServiceKind.POSTGRES)
"""The kinds that are processes here."""

_DATA: Mapping[ServiceKind, tuple[str, ...]] = {
    ServiceKind.POSTGRES: ("/var/lib/postgresql",),
    ServiceKind.BROKER: ("/var/lib/kafka", "/bitnami/kafka", "/tmp/kraft-combined-logs", "/tmp/kafka-logs", "/kafka"),
}
"""Where the images keep the data; a mount there is where ours is kept, too."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port in the container, and the one of this machine that it is published on; 0 is any free one."""

    container: int
    host: int = 0
    published: bool = False


@dataclass(frozen=True, slots=True)
class ServiceOrder:
    """One service. `settings` are the kind's; `volume` names data that outlives `down`, "" is none of that kind."""

    name: str
    container: str
    image: str
    kind: str
    where: str
    names: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    depends_on: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    volume: str = ""
    bound: bool = False

    @property
    def runs(self) -> bool:
        """Whether this service is a process here."""
        return ServiceKind(self.kind) in RUN

    def digest(self) -> str:
        """The same for equal orders, whatever file they came from."""
        facts = {key: value for key, value in asdict(self).items() if key not in ("where", "depends_on")}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Self:
        """An order out of JSON."""
        lists = {key: tuple(facts[key]) for key in ("names", "depends_on")}
        return cls(**{**facts, **lists, "ports": tuple(Port(**port) for port in facts["ports"])})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `up` asks of the supervisor; `generation` is new for each time that it asks."""

    project: str
    generation: str
    files: tuple[str, ...]
    services: tuple[ServiceOrder, ...]

    def format(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def parse(cls, text: str) -> Self:
        facts = json.loads(text)
        services = tuple(ServiceOrder.read(service) for service in facts["services"])
        return cls(facts["project"], facts["generation"], tuple(facts["files"]), services)


def wanted(plan: Plan, generation: str) -> Wanted:
    """The orders of a plan, in the order in which they start."""
    services = tuple(_order(service) for service in plan.services)
    return Wanted(plan.name, generation, tuple(str(file) for file in plan.files), services)


def _order(service: Service) -> ServiceOrder:
    volume, bound = _volume(service)
    return ServiceOrder(
        name=service.name,
        container=service.container_name,
        image=service.image,
        kind=service.kind.value,
        where=f"{service.file.name}:{service.line}",
        names=service.names,
        ports=_ports(service),
        depends_on=service.depends_on,
        environment=dict(service.environment),
        settings=_settings(service),
        volume=volume,
        bound=bound,
    )


def _settings(service: Service) -> dict[str, Any]:
    facts: dict[str, Any] = {} if service.settings is None else asdict(service.settings)
    for key, value in facts.items():
        if isinstance(value, Mapping):
            facts[key] = dict(value)
    if isinstance(service.settings, PostgresSettings):
        facts["init_scripts"] = [str(script) for script in service.settings.init_scripts]
    if isinstance(service.settings, ConnectSettings):
        del facts["plugins"]
    return json.loads(json.dumps(facts))  # type: ignore[no-any-return]


def _ports(service: Service) -> tuple[Port, ...]:
    """The published ports, then those of the server itself that are not published."""
    if service.kind not in RUN:
        return ()
    own = _own_ports(service)
    published = [Port(port.container_port, port.host_port, True) for port in service.ports if port.protocol == "tcp"]
    published = [port for port in published if port.container in own]
    seen = {port.container for port in published}
    return (*published, *(Port(port) for port in own if port not in seen))


def _own_ports(service: Service) -> tuple[int, ...]:
    """What the server of this service listens on, in its container."""
    match service.settings:
        case BrokerSettings(listeners=listeners):
            return tuple(dict.fromkeys(listener.bind_port for listener in listeners))
        case PostgresSettings(port=port) | RegistrySettings(port=port) | ConnectSettings(rest_port=port):
            return (port,)
    return ()


def _volume(service: Service) -> tuple[str, bool]:
    """The name under which data is kept beyond `down`, and whether it is a folder of the user's in the file."""
    for volume in service.volumes:
        inside = volume.target.startswith(_DATA.get(service.kind, ()))
        if inside and not volume.read_only and volume.source and volume.kind in ("volume", "bind"):
            bound = volume.kind == "bind"
            return (service.name if bound else volume.source), bound
    return "", False
