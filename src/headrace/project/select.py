"""Which project a command is about: by its name, by compose files, by those of the current folder."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headrace.compose import ComposeError, Plan
from headrace.project.folder import ProjectFolder, known_projects

DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


class NotFound(LookupError):
    """No project, no compose file, or no service of that name; the text says what would do."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`-f` and `-p` as they were given."""

    files: Sequence[str] = ()
    project: str | None = None

    def plan(self, services: Sequence[str] = ()) -> Plan:
        """The plan of the files, of these services and those they need alone where some are given.

        Raises ComposeError, NotFound for a service that is not among them.
        """
        from headrace.compose import read_plan

        plan = read_plan(self.files, self.project, os.environ, Path.cwd())
        return _part(plan, services) if services else plan

    def folder(self) -> ProjectFolder:
        """The project's folder. Raises NotFound where neither name nor files tell which, ValueError for a bad name."""
        name = self._name() or self._name_of_files()
        if name is not None:
            return ProjectFolder.named(name)
        known = known_projects()
        if len(known) == 1:
            return known[0]
        names = f"; there are {', '.join(folder.name for folder in known)}" if known else "; none has been started"
        raise NotFound(f"no compose file here: tell which project with -p NAME or -f FILE{names}")

    def _name(self) -> str | None:
        return self.project or os.environ.get("COMPOSE_PROJECT_NAME") or None

    def _name_of_files(self) -> str | None:
        """The name that the files give; that of their folder where they cannot be read as a plan."""
        files = [*self.files, *filter(None, os.environ.get("COMPOSE_FILE", "").split(os.pathsep)), *DEFAULT_FILES]
        first = next((Path(file) for file in files if Path(file).is_file()), None)
        if first is None:
            return None
        from headrace.compose import read_plan

        try:
            return read_plan(self.files, None, os.environ, Path.cwd()).name
        except ComposeError:
            return folder_name(first)


def has_files() -> bool:
    """Whether compose files are to be found where none is named."""
    return bool(os.environ.get("COMPOSE_FILE")) or any(Path(file).is_file() for file in DEFAULT_FILES)


def folder_name(file: Path) -> str:
    """The name that Docker gives a project whose first file is `file`."""
    return re.sub(r"[^a-z0-9_-]", "", file.absolute().parent.name.lower()).lstrip("_-") or "default"


def _part(plan: Plan, names: Sequence[str]) -> Plan:
    """These services and what they depend on."""
    known = {service.name: service for service in plan.services}
    wanted: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in known:
            raise NotFound(f"no such service: {name}; there are {', '.join(known)}")
        if name not in wanted:
            wanted.add(name)
            left += known[name].depends_on
    return replace(plan, services=tuple(service for service in plan.services if service.name in wanted))
