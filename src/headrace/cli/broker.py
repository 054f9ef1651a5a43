"""`headrace broker`: one Kafka broker in the foreground."""

from pathlib import Path
from typing import Annotated

import typer

from headrace.config import ConfigError
from headrace.serve.broker import serve


def command(
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the data is kept; in place of log.dirs.", show_default=False)
    ] = None,
    listener: Annotated[
        list[str] | None, typer.Option(help="NAME://HOST:PORT; may be given more than once.", show_default=False)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A server.properties with Kafka's keys.", show_default=False)
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE; wins over the file.", show_default=False)
    ] = None,
    parent_fd: Annotated[
        int | None,
        typer.Option(help="A pipe from the parent process: at its end of file the broker stops.", hidden=True),
    ] = None,
) -> None:
    """Run a single-node Kafka broker until SIGTERM or Ctrl-C."""
    try:
        serve(data_dir, listener, config, set_, parent_fd)
    except ConfigError as error:
        typer.echo(f"headrace broker: {error}", err=True)
        raise typer.Exit(1) from None
