"""Which port of this machine stands for which port of a container. Sans-IO: free ports are handed in."""

from collections.abc import Callable, Mapping, Sequence

from headrace.compose.plan import ServiceKind
from headrace.project.order import ServiceOrder

INTERNAL = 0
"""Stands, among a broker's container ports, for the listener that our own processes use."""

HOST = "127.0.0.1"

Places = Mapping[tuple[str, int], int]
"""(service, container port) to the port of this machine."""

Entries = dict[tuple[str, int], tuple[str, int]]


def assign(services: Sequence[ServiceOrder], before: Places, free: Callable[[], int]) -> dict[tuple[str, int], int]:
    """Published ports as they are written; others as they were `before`, so that nobody moves; else free ones."""
    places: dict[tuple[str, int], int] = {}
    for service in services:
        wanted = {port.container: port.host for port in reversed(service.ports)}
        if service.kind == ServiceKind.BROKER:
            wanted[INTERNAL] = 0
        for container, host in wanted.items():
            key = (service.name, container)
            places[key] = host or before.get(key) or free()
    return places


def entries(services: Sequence[ServiceOrder], places: Places) -> Entries:
    """The project's part of the address book.

    A broker's names all lead to its internal listener, which advertises an address: librdkafka resolves what is
    advertised by itself, and cannot be told of the book.
    """
    book: Entries = {}
    for service in services:
        internal = places.get((service.name, INTERNAL))
        for port in service.ports:
            here = internal or places[service.name, port.container]
            book.update({(name, port.container): (HOST, here) for name in service.names})
            if port.published:
                book["host.docker.internal", places[service.name, port.container]] = (HOST, here)
        for listener in service.settings.get("listeners", ()):
            if internal is not None and listener["advertised_host"] not in ("localhost", HOST):
                book[listener["advertised_host"], listener["advertised_port"]] = (HOST, internal)
    return book
