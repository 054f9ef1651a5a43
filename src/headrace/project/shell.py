"""`headrace shell`: a shell in which Kafka's commands and `docker compose` are ours."""

import os
from pathlib import Path

from headrace.config.addresses import VARIABLE
from headrace.project.execute import run
from headrace.project.folder import projects
from headrace.project.shims import environment, shims

WELCOME = (
    "In this shell docker compose, kafka-topics and the other commands of Kafka are headrace's; `exit` leaves it.\n"
    "`docker` here is not Docker: it runs compose files natively (docker compose up, down, exec, ps, logs; docker ps)."
)


def shell(command: str | None) -> int:
    """Run a shell for the user, or `command` in one; the exit status."""
    program = os.environ.get("SHELL") or "/bin/bash"
    with shims() as folder:
        variables = {**environment(folder), VARIABLE: book()}
        if command is not None:
            return run([program, "-c", command], variables)
        print(WELCOME, flush=True)
        if Path(program).name == "bash":
            return run([program, "--rcfile", str(folder / "bashrc")], variables)
        return run([program], variables)


def book() -> str:
    """The address book of every project, after what our own environment says."""
    own = f"@{projects()}"
    inherited = [part for part in os.environ.get(VARIABLE, "").split(",") if part and part != own]
    return ",".join([*inherited, own])
