"""The tables of `docker ps` and `docker compose ps`: Docker's columns and words. Sans-IO: the time is handed in.

IMAGE says what stands in for the image that the file names.
"""

from collections.abc import Iterable, Sequence

from headrace.compose.plan import ServiceKind
from headrace.project.ports import HOST
from headrace.project.state import ServiceState, State, Status

_STANDS_IN = {
    ServiceKind.ZOOKEEPER.value: "headrace/broker",
    ServiceKind.BROKER.value: "headrace/broker",
    ServiceKind.REGISTRY.value: "headrace/registry",
    ServiceKind.CONNECT.value: "headrace/connect",
    ServiceKind.POSTGRES.value: "headrace/postgres",
}
_COMMANDS = {
    ServiceKind.ZOOKEEPER.value: '"-"',
    ServiceKind.BROKER.value: '"headrace broker"',
    ServiceKind.REGISTRY.value: '"headrace registry"',
    ServiceKind.CONNECT.value: '"headrace connect"',
    ServiceKind.POSTGRES.value: '"postgres"',
}
_GAP = "   "
_SHOWN = (Status.STARTING, Status.RUNNING, Status.RESTARTING, Status.STOPPING, Status.NOT_NEEDED)


def docker_ps(states: Iterable[State], now: float, every: bool) -> str:
    """What `docker ps` shows, the newest first; with `every` (`-a`) what has stopped, too."""
    header = ("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")
    services = [(state, service) for state in states for service in _shown(state, every)]
    services.sort(key=lambda pair: pair[1].created, reverse=True)
    rows = [
        (
            service.id(state.project),
            image(service),
            _COMMANDS[service.kind],
            f"{ago(now - service.created)} ago",
            status(service, now),
            ports(service),
            service.container,
        )
        for state, service in services
    ]
    return table([header, *rows])


def ids(states: Iterable[State], every: bool) -> str:
    """What `docker ps -q` shows."""
    services = [(state, service) for state in states for service in _shown(state, every)]
    services.sort(key=lambda pair: pair[1].created, reverse=True)
    return "\n".join(service.id(state.project) for state, service in services)


def compose_ps(state: State, now: float, every: bool) -> str:
    """What `docker compose ps` shows of one project."""
    header = ("NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS")
    rows = [
        (
            service.container,
            image(service),
            _COMMANDS[service.kind],
            service.name,
            f"{ago(now - service.created)} ago",
            status(service, now),
            ports(service),
        )
        for service in sorted(_shown(state, every), key=lambda service: service.container)
    ]
    return table([header, *rows])


def _shown(state: State, every: bool) -> list[ServiceState]:
    """Somebody else's programs are not ours to list; what is not needed goes with the others."""
    ended = (Status.EXITED, Status.CREATED) if every else ()
    runs = any(service.status in _SHOWN[:-1] for service in state.services)
    shown = _SHOWN if runs or every else _SHOWN[:-1]
    return [service for service in state.services if service.status in (*shown, *ended)]


def image(service: ServiceState) -> str:
    """What stands in, and for which image."""
    return f"{_STANDS_IN[service.kind]} (for {service.image})"


def status(service: ServiceState, now: float) -> str:
    """Docker's words, and for a service brought back how often."""
    match service.status:
        case Status.RUNNING:
            often = f" (brought back {service.restarts}x)" if service.restarts else ""
            return f"Up {ago(now - service.started)}{often}"
        case Status.STARTING:
            return f"Up {ago(now - service.created)} (health: starting)"
        case Status.RESTARTING:
            return f"Restarting ({_code(service)}) {ago(now - service.started)} ago"
        case Status.EXITED:
            return f"Exited ({_code(service)}) {ago(now - (service.ended or service.created))} ago"
        case Status.NOT_NEEDED:
            return "Not needed: the broker does its work"
    return service.status.value.capitalize()


def _code(service: ServiceState) -> int:
    """The exit status as Docker has it: 128 and more for a signal."""
    code = service.exit_code or 0
    return code if code >= 0 else 128 - code


def ports(service: ServiceState) -> str:
    """The published ports with where they lead, the others alone."""
    shown = [
        f"{HOST}:{here}->{container}/tcp" if published else f"{container}/tcp"
        for container, here, published in service.ports
        if container
    ]
    return ", ".join(shown)


def ago(seconds: float) -> str:
    """A time span in Docker's words.

    >>> ago(0.4), ago(25), ago(61), ago(200), ago(4000), ago(90000)
    ('Less than a second', '25 seconds', 'About a minute', '3 minutes', 'About an hour', '25 hours')
    """
    if seconds < 1:
        return "Less than a second"
    if seconds < 2:
        return "1 second"
    if seconds < 60:
        return f"{int(seconds)} seconds"
    if seconds < 120:
        return "About a minute"
    if seconds < 3600:
        return f"{int(seconds / 60)} minutes"
    if seconds < 7200:
        return "About an hour"
    return f"{int(seconds / 3600)} hours" if seconds < 48 * 3600 else f"{int(seconds / 86400)} days"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns with Docker's gap of three blanks."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (_GAP.join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)
