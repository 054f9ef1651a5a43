"""The demo's ports: the ones people know, or free ones, said aloud, where these are taken."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from headrace.supervisor.ready import free_port, is_free
from headrace.supervisor.stack import BROKER_PORT, CONNECT_PORT, HOST, Ports

SOURCE_PORT: Final = 5432
TARGET_PORT: Final = 5433


@dataclass(frozen=True, slots=True)
class DemoPorts:
    """Where everything listens on the loopback interface."""

    source: int
    target: int
    stack: Ports


def choose_ports(say: Callable[[str], None]) -> DemoPorts:
    """The known ports; `say` is told of each that is taken."""

    def choose(wanted: int, what: str) -> int:
        if is_free(HOST, wanted):
            return wanted
        other = free_port(HOST)
        say(f"port {wanted} is taken: {what} listens on {other}")
        return other

    return DemoPorts(
        choose(SOURCE_PORT, "the source PostgreSQL"),
        choose(TARGET_PORT, "the target PostgreSQL"),
        Ports(choose(BROKER_PORT, "the broker"), choose(CONNECT_PORT, "Connect's REST API")),
    )
