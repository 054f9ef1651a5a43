"""`headrace shell`: a shell in which Kafka's commands and `docker compose` are ours."""

from typing import Annotated

import typer

from headrace.project.shell import shell


def command(
    line: Annotated[str | None, typer.Option("-c", help="Run this command line in place of a prompt.")] = None,
) -> None:
    """Open a shell with kafka-topics, kafka-console-consumer, ... and a `docker compose` that needs no Docker."""
    raise typer.Exit(shell(line))
