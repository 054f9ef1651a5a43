"""`headrace demo`: the tutorial's pipeline, live, on this machine."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from headrace.demo.connectors import DemoFailed
from headrace.demo.formats import Format
from headrace.demo.run import Demo, DemoOptions
from headrace.supervisor.interrupts import Interrupts
from headrace.supervisor.process import ProcessFailed


def command(
    seconds: Annotated[
        float | None, typer.Option(min=0, help="End after so many seconds; Ctrl-C ends it, too.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0, help="Rows a second; 0 is as fast as it goes.")] = 5,
    format: Annotated[
        Format, typer.Option(help="What the messages are written in; avro and json-schema start a schema registry too.")
    ] = Format.JSON,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the directory with data and logs.")] = False,
) -> None:
    """Iris rows from one PostgreSQL through Kafka into another, live; nothing is left behind."""
    console = Console()
    try:
        with Interrupts() as interrupts:
            status = Demo(DemoOptions(seconds, rate, keep, format=format), console, interrupts).run()
    except Exception as error:
        import psycopg

        if not isinstance(error, DemoFailed | ProcessFailed | ModuleNotFoundError | OSError | psycopg.Error):
            raise
        print(f"demo: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    raise typer.Exit(status)
