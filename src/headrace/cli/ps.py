"""`headrace ps`: what runs of a project, or of all."""

from typing import Annotated

import typer

from headrace.project.commands import ps, ps_of_all
from headrace.project.select import Selection


def command(
    file: Annotated[list[str] | None, typer.Option("--file", "-f", help="A compose file of the project.")] = None,
    project: Annotated[str | None, typer.Option("--project-name", "-p", help="The project.")] = None,
    every: Annotated[bool, typer.Option("--all", "-a", help="What has stopped, too.")] = False,
) -> None:
    """List the services of a project; of every project where none is named."""
    selection = Selection(file or [], project)
    raise typer.Exit(ps(selection, every) if file or project else ps_of_all(every))
