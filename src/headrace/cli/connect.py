"""`headrace connect`: a Kafka Connect worker in the foreground."""

from pathlib import Path
from typing import Annotated

import typer

from headrace.config import ConfigError
from headrace.serve.connect import serve


def command(
    properties: Annotated[Path | None, typer.Argument(help="The worker's properties file, as Kafka Connect's.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; wins.")] = None,
    parent_fd: Annotated[int | None, typer.Option(help="Stop at end of file of this inherited pipe.")] = None,
) -> None:
    """Run a Kafka Connect worker: connectors by REST, state in Kafka topics.

    Settings come from the file, over it from CONNECT_* variables (CONNECT_GROUP_ID is group.id), over these from --set.
    """
    try:
        serve(properties, set_, parent_fd)
    except ConfigError as error:
        typer.echo(f"headrace connect: {error}", err=True)
        raise typer.Exit(1) from error
