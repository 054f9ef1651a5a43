"""What services must agree on: host ports, the order of starts, one broker a cluster, and bootstrap servers."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headrace.compose.draft import Draft
from headrace.compose.findings import Findings, Place, did_you_mean
from headrace.compose.plan import BrokerSettings, PublishedPort, Service, ServiceKind

_EVERYWHERE = ("", "0.0.0.0", "::")


@dataclass(slots=True)
class Together:
    """The services of a plan with the places that faults are told at."""

    services: Sequence[Service]
    drafts: Mapping[str, Draft]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Services that their profiles leave out."""

    def named(self, name: str) -> Service | None:
        """The service that has this host name."""
        return next((service for service in self.services if name in service.names), None)

    def brokers(self) -> Iterator[tuple[Service, BrokerSettings]]:
        for service in self.services:
            if isinstance(service.settings, BrokerSettings):
                yield service, service.settings


def check_together(together: Together, findings: Findings) -> None:
    """Everything that takes more than one service to see."""
    _check_host_ports(together, findings)
    _check_container_names(together, findings)
    _check_one_broker(together, findings)
    for service, settings in together.brokers():
        _note_unpublished(together, service, settings, findings)
    for name, variable in _bootstraps(together):
        _check_bootstrap(together, name, variable, findings)


def _check_host_ports(together: Together, findings: Findings) -> None:
    taken: list[tuple[PublishedPort, str]] = []
    for service in together.services:
        for port in service.ports:
            for other, owner in taken:
                if port.host_port and _collide(port, other):
                    text = f"services.{service.name} publishes host port {port.host_port}, which services.{owner} has"
                    place = _port_place(together.drafts[service.name], port)
                    findings.fault(
                        place,
                        f"{text} already: give one of them another, as in {port.host_port + 1}:{port.container_port}.",
                    )
                    break
            taken.append((port, service.name))


def _collide(one: PublishedPort, other: PublishedPort) -> bool:
    same_address = one.host_ip == other.host_ip or one.host_ip in _EVERYWHERE or other.host_ip in _EVERYWHERE
    return one.host_port == other.host_port and one.protocol == other.protocol and same_address


def _port_place(draft: Draft, port: PublishedPort) -> Place:
    return draft.port_places.get(port, draft.entries.where("ports"))


def _check_container_names(together: Together, findings: Findings) -> None:
    owners: dict[str, str] = {}
    for service in together.services:
        owner = owners.setdefault(service.container_name, service.name)
        if owner != service.name:
            text = f"services.{service.name} and services.{owner} are both named {service.container_name}: rename one."
            findings.fault(together.drafts[service.name].entries.where("container_name"), text)


def _cluster_of(draft: Draft) -> str:
    """What brokers of one cluster have in common: their ZooKeeper or their quorum."""
    for name in (
        "KAFKA_CONTROLLER_QUORUM_VOTERS",
        "KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS",
        "KAFKA_ZOOKEEPER_CONNECT",
    ):
        if draft.text(name):
            return ",".join(sorted(re.split(r"[,\s]+", draft.text(name))))
    return draft.name


def _check_one_broker(together: Together, findings: Findings) -> None:
    first: dict[str, str] = {}
    for service, _ in together.brokers():
        draft = together.drafts[service.name]
        other = first.setdefault(_cluster_of(draft), service.name)
        if other != service.name:
            text = (
                f"services.{service.name} is a second broker of the cluster of services.{other}, and Headrace runs one"
            )
            fix = "remove it and set replication factors to 1, or use Apache Kafka where copies are needed."
            findings.fault(draft.place, f"{text}: {fix}")


def _note_unpublished(together: Together, service: Service, settings: BrokerSettings, findings: Findings) -> None:
    """A listener that tells this machine's clients to come to a port that is not published."""
    published = {port.host_port for port in service.ports}
    draft = together.drafts[service.name]
    for one in settings.listeners:
        if one.advertised_host in ("localhost", "127.0.0.1") and one.advertised_port not in published:
            address = f"{one.advertised_host}:{one.advertised_port}"
            text = f"{one.name} is advertised as {address}, and ports: does not publish {one.advertised_port}"
            fix = f"with Docker nothing would reach it: add `- {one.advertised_port}:{one.bind_port}`."
            findings.note(service.name, draft.where("KAFKA_ADVERTISED_LISTENERS"), f"{text}; {fix}")


def _bootstraps(together: Together) -> Iterator[tuple[Service, str]]:
    variables = {
        ServiceKind.CONNECT: "CONNECT_BOOTSTRAP_SERVERS",
        ServiceKind.REGISTRY: "SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS",
    }
    for service in together.services:
        if service.kind in variables:
            yield service, variables[service.kind]


def _addresses(together: Together) -> set[str]:
    """Where the brokers of these files are reached by clients: inside by name and port, or as advertised."""
    found = set()
    for service, settings in together.brokers():
        for one in settings.listeners:
            found |= {f"{name}:{one.bind_port}" for name in service.names}
            found.add(f"{one.advertised_host}:{one.advertised_port}")
    return found


def _check_bootstrap(together: Together, service: Service, variable: str, findings: Findings) -> None:
    draft, known = together.drafts[service.name], _addresses(together)
    for server in filter(None, (part.strip() for part in draft.text(variable).split(","))):
        address = server.rpartition("://")[2]
        if address in known:
            continue
        if not known:
            text = f"{variable}: {address} is no broker of these files: it must be running when this starts."
        else:
            hint = did_you_mean(address, known) or f"; they have {', '.join(sorted(known))}."
            text = f"{variable}: {address} is no listener of a broker in these files{hint}"
        findings.note(service.name, draft.where(variable), text)


def start_order(together: Together, findings: Findings) -> list[Service]:
    """The services, each after those that it depends on. Unknown names and circles are found."""
    by_name = {service.name: service for service in together.services}
    ordered: dict[str, Service] = {}
    for service in together.services:
        _visit(service, by_name, (), ordered, together, findings)
    return list(ordered.values())


def _visit(
    service: Service,
    by_name: Mapping[str, Service],
    above: tuple[str, ...],
    ordered: dict[str, Service],
    together: Together,
    findings: Findings,
) -> None:
    if service.name in ordered:
        return
    if service.name in above:
        circle = " -> ".join((*above[above.index(service.name) :], service.name))
        place = together.drafts[service.name].entries.where("depends_on")
        findings.fault(place, f"depends_on goes round in a circle, {circle}: take one of them out.")
        return
    for name in service.depends_on:
        _visit(by_name[name], by_name, (*above, service.name), ordered, together, findings)
    ordered[service.name] = service


def check_dependency(
    draft: Draft, name: str, place: Place, known: Iterable[str], left_out: Mapping[str, tuple[str, ...]]
) -> str:
    """What is wrong with depending on `name`; "" where nothing is."""
    names = list(known)
    if name in names:
        return ""
    said = f"services.{draft.name} depends on {name}"
    if name in left_out:
        profile = left_out[name][0]
        return f"{said}, which its profile leaves out: set COMPOSE_PROFILES={profile}, or remove the dependency."
    if name == draft.name:
        return f"{said}, itself: remove it."
    hint = did_you_mean(name, names)
    if hint:
        return f"{said}, which is no service of these files{hint}"
    return f"{said}, which is no service of these files: add it, name its file with one more -f, or remove it."
