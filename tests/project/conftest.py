"""A home for projects that PostgreSQL can pass through, gone with all that runs in it."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.compose.plan import Plan
from headrace.project.down import stop
from headrace.project.folder import ProjectFolder, known_projects
from headrace.project.up import Up
from headrace.supervisor.folder import TemporaryFolder


class Project:
    """A project under test, and what `up` said."""

    def __init__(self, plan: Plan) -> None:
        self.said: list[str] = []
        self.folder = ProjectFolder.named(plan.name)
        self.up(plan)

    def up(self, plan: Plan) -> None:
        self.said = []
        Up(plan, self.said.append).detached()

    def kill_supervisor(self) -> None:
        pid = self.folder.supervisor_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with TemporaryFolder("headrace-test-") as folder:
        monkeypatch.setenv("HEADRACE_HOME", str(folder.path))
        yield folder.path
        for project in known_projects():
            stop(project)
        shutil.rmtree(folder.path)
