"""`headrace registry`: a schema registry in the foreground."""

import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from headrace.config import ConfigError, from_environment, read_properties
from headrace.supervisor.stop import stop_event, when

log = logging.getLogger("headrace.registry")

STARTED: Final = time.monotonic()
FORMAT: Final = "%(asctime)s %(levelname)s [%(threadName)s] %(name)s: %(message)s"
QUIET: Final = ("uvicorn", "asyncio")


def command(
    properties: Annotated[Path | None, typer.Argument(help="A schema-registry.properties, as Confluent's.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; wins.")] = None,
    parent_fd: Annotated[int | None, typer.Option(help="Stop at end of file of this inherited pipe.")] = None,
) -> None:
    """Run a schema registry: Confluent's REST interface, the schemas in the topic _schemas.

    Settings come from the file, over it from SCHEMA_REGISTRY_* variables (SCHEMA_REGISTRY_HOST_NAME is host.name), over
    these from --set.
    """
    logging.basicConfig(level=logging.INFO, format=FORMAT, stream=sys.stderr)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        _run(registry_properties(properties, os.environ, set_ or []), parent_fd)
    except ConfigError as error:
        typer.echo(f"headrace registry: {error}", err=True)
        raise typer.Exit(1) from error


def registry_properties(file: Path | None, environment: Mapping[str, str], settings: list[str]) -> dict[str, str]:
    """The properties from all three places. Raises ConfigError for a setting that is no KEY=VALUE."""
    merged = {} if file is None else read_properties(file)
    merged |= _named_as_written(from_environment("SCHEMA_REGISTRY", environment))
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {setting}: write it as KEY=VALUE")
        merged[key.strip()] = value
    return merged


def _named_as_written(given: Mapping[str, str]) -> dict[str, str]:
    """SCHEMA_REGISTRY_SCHEMA_REGISTRY_GROUP_ID is schema.registry.group.id, and is so already; _OPTS and _JMX go."""
    java = ("opts", "jmx.opts", "heap.opts", "log4j.opts", "jmx.port", "jmx.hostname", "performance.opts")
    return {key: value for key, value in given.items() if key not in java}


def _set_level(text: str | None) -> None:
    level = (text or "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        raise ConfigError(f"headrace.log.level={level}: write DEBUG, INFO, WARN or ERROR")
    logging.getLogger().setLevel(level)


def _run(properties: Mapping[str, str], parent_fd: int | None) -> None:
    # Imported here, as the other commands need none of it.
    from headrace.http.server import HttpServer, listen
    from headrace.kafka_client.kafka_log import LogError
    from headrace.registry.config import RegistryConfig
    from headrace.registry.http.app import application
    from headrace.registry.server import RegistryServer

    config = RegistryConfig.read(properties)
    _set_level(config["headrace.log.level"] or config["log4j.root.loglevel"])
    stop = stop_event(parent_fd, "registry")
    listener = listen(*config.listener)
    port = int(listener.getsockname()[1])
    server = RegistryServer(config, port)
    http = HttpServer(application(server), listener)
    when(stop, server.interrupt)
    http.start()
    try:
        if server.start():
            seconds = time.monotonic() - STARTED
            typer.echo(f"headrace registry: ready in {seconds:.1f} s, REST on port {port}")
            stop.wait()
    except LogError as error:
        if not stop.is_set():
            raise ConfigError(str(error)) from error
    finally:
        http.stop()
        server.stop()
    log.info("The registry has stopped")
