"""`headrace broker`: one Kafka broker in the foreground."""

import asyncio
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from headrace.broker.broker import Start, run
from headrace.broker.config import BROKER_CONFIGS, BrokerConfig, Listener, refuse_unknown
from headrace.config import ConfigError, read_properties

logger = logging.getLogger("headrace.broker")


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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        properties = _properties(config, listener, set_)
        settings = BrokerConfig(properties)
        start = Start(settings, _directory(data_dir, settings), _say_ready, parent_fd)
        _run(start)
    except ConfigError as error:
        typer.echo(f"headrace broker: {error}", err=True)
        raise typer.Exit(1) from None
    _leave_late_threads()


def _leave_late_threads() -> None:
    """Python would wait for a thread that a slow disk holds; the end is bounded in time (invariant 6)."""
    if any(thread.name.startswith("disk") for thread in threading.enumerate()):
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


def _run(start: Start) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(run(start))
    else:
        uvloop.run(run(start))


def _properties(config: Path | None, listeners: list[str] | None, overrides: list[str] | None) -> dict[str, Any]:
    properties: dict[str, Any] = dict(read_properties(config)) if config is not None else {}
    passed_over = BROKER_CONFIGS.unknown(properties)
    if passed_over:
        logger.info("Not used from %s: %s.", config, ", ".join(passed_over))
    given = dict(_pair(text) for text in overrides or [])
    refuse_unknown(given)
    if listeners:
        given["listeners"] = ",".join(listeners)
    return {**properties, **given}


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {text}: KEY=VALUE would do, such as --set num.partitions=3")
    return key.strip(), value


def _directory(data_dir: Path | None, settings: BrokerConfig) -> Path:
    if data_dir is not None:
        return data_dir
    directories: list[str] = settings.log_dirs or settings.log_dir or []
    if not directories:
        raise ConfigError("No data directory: give one with --data-dir DIR, or log.dirs in the properties file")
    if len(directories) > 1:
        text = ",".join(directories)
        raise ConfigError(f"Invalid value {text} for configuration log.dirs: one directory would do")
    return Path(directories[0])


def _say_ready(listeners: list[Listener]) -> None:
    where = ", ".join(f"{item.name}://{item.advertised_host}:{item.advertised_port}" for item in listeners)
    typer.echo(f"headrace broker ready: {where}")
    sys.stdout.flush()
