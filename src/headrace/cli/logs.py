"""`headrace logs`: what the servers of a project have said."""

from typing import Annotated

import typer

from headrace.project.commands import LogOptions, logs
from headrace.project.select import Selection


def command(
    services: Annotated[list[str] | None, typer.Argument(help="These alone.", metavar="[SERVICE]...")] = None,
    file: Annotated[list[str] | None, typer.Option("--file", help="A compose file of the project.")] = None,
    project: Annotated[str | None, typer.Option("--project-name", "-p", help="The project.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    tail: Annotated[str, typer.Option("--tail", "-n", help="So many lines of each log, or all.")] = "all",
) -> None:
    """Show the logs of a project's services, each line after its service's name."""
    raise typer.Exit(logs(Selection(file or [], project), services or [], LogOptions(follow, tail)))
