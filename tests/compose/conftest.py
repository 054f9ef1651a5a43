"""A folder of compose files, and what is read of it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from headrace.compose import ComposeError, Plan, read_plan


class Folder:
    """Writes files and reads them as a project named `shop`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def plan(self, *files: str, project: str | None = "shop", **environment: str) -> Plan:
        """The plan of these files; of the default ones where none is named."""
        return read_plan(files, project, environment, self.path)

    def read(self, text: str, environment: Mapping[str, str] | None = None) -> Plan:
        """The plan of one file with this text."""
        self.write("compose.yaml", text)
        return read_plan((), "shop", environment or {}, self.path)

    def faults(self, *files: str, **environment: str) -> list[str]:
        """The lines of the refusal."""
        with pytest.raises(ComposeError) as caught:
            self.plan(*files, **environment)
        assert str(caught.value).splitlines() == [str(fault) for fault in caught.value.faults]
        return [str(fault) for fault in caught.value.faults]

    def faults_of(self, text: str, **environment: str) -> list[str]:
        """The lines of the refusal of one file with this text."""
        self.write("compose.yaml", text)
        return self.faults(**environment)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder."""
    return Folder(tmp_path)


def notes_of(plan: Plan, service: str) -> list[str]:
    """The notes on one service."""
    return [note.text for note in plan.notes if note.service == service]
