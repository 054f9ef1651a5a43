"""`headrace registry`: a schema registry in the foreground."""

from pathlib import Path
from typing import Annotated

import typer

from headrace.config import ConfigError
from headrace.serve.registry import serve


def command(
    properties: Annotated[Path | None, typer.Argument(help="A schema-registry.properties, as Confluent's.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; wins.")] = None,
    parent_fd: Annotated[int | None, typer.Option(help="Stop at end of file of this inherited pipe.")] = None,
) -> None:
    """Run a schema registry: Confluent's REST interface, the schemas in the topic _schemas.

    Settings come from the file, over it from SCHEMA_REGISTRY_* variables (SCHEMA_REGISTRY_HOST_NAME is host.name), over
    these from --set.
    """
    try:
        serve(properties, set_, parent_fd)
    except ConfigError as error:
        typer.echo(f"headrace registry: {error}", err=True)
        raise typer.Exit(1) from error
