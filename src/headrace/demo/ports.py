"""The demo's ports: the ones people know, or free ones, said aloud, where these are taken."""

import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from headrace.supervisor.ready import HOST, free_port, is_free
from headrace.supervisor.stack import BROKER_PORT, CONNECT_PORT, REGISTRY_PORT, Ports

SOURCE_PORT: Final = 5432
TARGET_PORT: Final = 5433


@dataclass(frozen=True, slots=True)
class DemoPorts:
    """Where everything listens on the loopback interface; `release` when all listen."""

    source: int
    target: int
    stack: Ports
    claims: tuple[socket.socket, ...] = ()

    def release(self) -> None:
        for claim in self.claims:
            claim.close()


def choose_ports(say: Callable[[str], None], *, registry: bool = False) -> DemoPorts:
    """The known ports, the registry's too where it is wanted.

    `say` is told of each that is taken, by a listener or by a demo that is about to listen.
    """
    claims: list[socket.socket] = []

    def choose(wanted: int, what: str) -> int:
        claim = _claim(wanted) if is_free(HOST, wanted) else None
        if claim is not None:
            claims.append(claim)
            return wanted
        other = free_port()
        say(f"port {wanted} is taken: {what} listens on {other}")
        return other

    source = choose(SOURCE_PORT, "the source PostgreSQL")
    target = choose(TARGET_PORT, "the target PostgreSQL")
    stack = Ports(choose(BROKER_PORT, "the broker"), choose(CONNECT_PORT, "Connect's REST API"))
    if registry:
        stack = replace(stack, registry=choose(REGISTRY_PORT, "the schema registry"))
    return DemoPorts(source, target, stack, tuple(claims))


def _claim(port: int) -> socket.socket | None:
    """Tell other demos that this port is about to be used; None where one of them was first.

    A name of Linux's abstract sockets, which goes with its process; elsewhere a socket that says nothing.
    """
    claim = socket.socket(socket.AF_UNIX)
    try:
        if sys.platform == "linux":
            claim.bind(f"\0headrace-demo-port-{port}")
    except OSError:
        claim.close()
        return None
    return claim
