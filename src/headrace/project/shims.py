"""A folder for PATH: small files that run our commands under Kafka's and Docker's names.

Each is a shell script of two lines that starts this very installation, whatever environment it is called from.
"""

import contextlib
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from headrace.tools import TOOLS

VARIABLE = "HEADRACE_SHIMS"
"""Names the folder, in a shell that has it on PATH."""

_POSTGRES_PROGRAMS = ("psql", "pg_dump", "pg_isready")


def commands() -> Mapping[str, list[str]]:
    """Each name, and the command that stands behind it."""
    python = [sys.executable, "-P", "-m"]
    ours = [*python, "headrace"]
    found = {"headrace": ours, "schema-registry-start": [*ours, "schema-registry-start"]}
    for tool in (*TOOLS, "connect-distributed", "connect-standalone"):
        found[tool] = found[f"{tool}.sh"] = [*ours, tool]
    found["docker"] = [*python, "headrace.project.docker"]
    found["docker-compose"] = [*found["docker"], "compose"]
    return {**found, **_postgres()}


def _postgres() -> dict[str, list[str]]:
    """PostgreSQL's clients out of the embedded server, where this machine has none."""
    from headrace.supervisor.programs import client

    missing = [name for name in _POSTGRES_PROGRAMS if shutil.which(name) is None]
    return {name: [str(path)] for name in missing if (path := client(name)) is not None}


def make(folder: Path) -> None:
    """Write the files, and `bashrc`, which keeps them first on PATH whatever the user's own does."""
    for name, command in commands().items():
        file = folder / name
        file.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
        file.chmod(0o755)
    path = f"PATH={shlex.quote(str(folder))}:$PATH"
    (folder / "bashrc").write_text(
        f"[ -f ~/.bashrc ] && . ~/.bashrc\n{path}\nPS1='(headrace) '\"$PS1\"\n", encoding="utf-8"
    )


def standing() -> Path | None:
    """The folder of the shell that we were called from, if it is one of ours."""
    folder = Path(os.environ.get(VARIABLE) or "/nonexistent")
    return folder if (folder / "headrace").exists() else None


@contextlib.contextmanager
def shims() -> Iterator[Path]:
    """The folder of the shell around us, or one of our own for as long as this lasts."""
    around = standing()
    if around is not None:
        yield around
        return
    with tempfile.TemporaryDirectory(prefix="headrace-shell-") as name:
        make(Path(name))
        yield Path(name)


def environment(folder: Path) -> dict[str, str]:
    """Our environment with the shims first on PATH."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = [place for place in path if place != str(folder)]
    return {**os.environ, "PATH": os.pathsep.join([str(folder), *others]), VARIABLE: str(folder)}
