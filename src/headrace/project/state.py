"""What a project is: written by its supervisor whenever something changes, read by every command.

Sans-IO but for the file. What it says of processes holds only while the supervisor's lock is held: see `view`.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from headrace.project.folder import ProjectFolder


class Status(StrEnum):
    """What a service is doing. NOT_NEEDED and FOREIGN never run here."""

    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    EXITED = "exited"
    NOT_NEEDED = "not needed"
    FOREIGN = "foreign"


SETTLED = (Status.RUNNING, Status.RESTARTING, Status.EXITED, Status.NOT_NEEDED, Status.FOREIGN)
UP = (Status.STARTING, Status.RUNNING, Status.RESTARTING)


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service. `ports` are (container port, port here, published); times are seconds since 1970."""

    name: str
    container: str
    image: str
    kind: str
    digest: str
    ports: tuple[tuple[int, int, bool], ...] = ()
    status: Status = Status.CREATED
    pid: int | None = None
    created: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    exit_code: int | None = None
    restarts: int = 0
    message: str = ""

    def port(self, container_port: int) -> int | None:
        """Where a port of the container is on this machine."""
        return next((here for container, here, _ in self.ports if container == container_port), None)

    def id(self, project: str) -> str:
        """Twelve hexadecimal digits, another for each time the service is created."""
        return hashlib.sha256(f"{project}/{self.name}/{self.created}".encode()).hexdigest()[:12]

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Self:
        ports = tuple((container, here, published) for container, here, published in facts["ports"])
        return cls(**{**facts, "ports": ports, "status": Status(facts["status"])})


@dataclass(frozen=True, slots=True)
class State:
    """One project; `generation` is that of the last order that was carried out."""

    project: str
    generation: str
    files: tuple[str, ...] = ()
    services: tuple[ServiceState, ...] = field(default_factory=tuple)

    def service(self, name: str) -> ServiceState | None:
        return next((service for service in self.services if service.name == name), None)

    def format(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def parse(cls, text: str) -> Self:
        facts = json.loads(text)
        services = tuple(ServiceState.read(service) for service in facts["services"])
        return cls(facts["project"], facts["generation"], tuple(facts["files"]), services)


def write(file: Path, text: str) -> None:
    """Replace a file as a whole; only its owner can read it."""
    part = file.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    part.rename(file)


def view(folder: ProjectFolder) -> State | None:
    """What the project is now, whoever was killed; None where there is no such project."""
    alive = folder.supervisor_pid() is not None
    try:
        state = State.parse(folder.state.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if alive:
        return state
    # Without their supervisor servers end by themselves, within seconds.
    left = Status.STOPPING if folder.servers_run() else Status.EXITED
    return replace(state, services=tuple(_orphaned(service, left) for service in state.services))


def _orphaned(service: ServiceState, status: Status) -> ServiceState:
    if service.status not in (*UP, Status.STOPPING):
        return service
    return replace(service, status=status, pid=None, message=service.message or "its supervisor was killed")
