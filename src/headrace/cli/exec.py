"""`headrace exec`: a command as it would run in a service's container."""

from typing import Annotated

import typer

from headrace.project.commands import execute
from headrace.project.select import Selection

# Options end at the service's name: what comes after the command is the command's own.
SETTINGS = {"allow_interspersed_args": False}


def command(
    words: Annotated[
        list[str], typer.Argument(help="The service, the command, its arguments.", metavar="SERVICE COMMAND...")
    ],
    file: Annotated[list[str] | None, typer.Option("--file", "-f", help="A compose file of the project.")] = None,
    project: Annotated[str | None, typer.Option("--project-name", "-p", help="The project.")] = None,
    env: Annotated[list[str] | None, typer.Option("--env", "-e", help="KEY=VALUE for the command.")] = None,
    workdir: Annotated[str | None, typer.Option("--workdir", "-w", help="Where it runs.")] = None,
) -> None:
    """Run a command with a service's environment, the project's host names, Kafka's commands and psql."""
    raise typer.Exit(execute(Selection(file or [], project), words, env or [], workdir))
