"""`headrace down`: stops what `headrace up -f` started, and removes it."""

from typing import Annotated

import typer

from headrace.project.commands import down
from headrace.project.select import Selection


def command(
    file: Annotated[list[str] | None, typer.Option("--file", "-f", help="A compose file of the project.")] = None,
    project: Annotated[str | None, typer.Option("--project-name", "-p", help="The project.")] = None,
    volumes: Annotated[bool, typer.Option("--volumes", "-v", help="Remove its named volumes, too.")] = False,
) -> None:
    """Stop a project's servers and remove their data; volumes that its files name are kept, unless with -v."""
    raise typer.Exit(down(Selection(file or [], project), volumes))
