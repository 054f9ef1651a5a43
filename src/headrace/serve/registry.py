"""A schema registry in the foreground."""

import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from headrace.config import from_environment, read_properties
from headrace.serve.running import run
from headrace.serve.settings import add_options as add_options
from headrace.serve.settings import given_settings, log_to_stderr, set_level
from headrace.supervisor.stop import stop_event

log = logging.getLogger("headrace.registry")

STARTED: Final = time.monotonic()


def serve(properties: Path | None, settings: list[str] | None, parent_fd: int | None) -> None:
    """Run a registry until SIGTERM, Ctrl-C or the end of file of `parent_fd`. Raises ConfigError."""
    log_to_stderr()
    _run(registry_properties(properties, os.environ, settings or []), parent_fd)


def registry_properties(file: Path | None, environment: Mapping[str, str], settings: list[str]) -> dict[str, str]:
    """The properties from all three places. Raises ConfigError for a setting that is no KEY=VALUE."""
    merged = {} if file is None else read_properties(file)
    return merged | _named_as_written(from_environment("SCHEMA_REGISTRY", environment)) | given_settings(settings)


def _named_as_written(given: Mapping[str, str]) -> dict[str, str]:
    """SCHEMA_REGISTRY_SCHEMA_REGISTRY_GROUP_ID is schema.registry.group.id, and is so already; _OPTS and _JMX go."""
    java = ("opts", "jmx.opts", "heap.opts", "log4j.opts", "jmx.port", "jmx.hostname", "performance.opts")
    return {key: value for key, value in given.items() if key not in java}


def _run(properties: Mapping[str, str], parent_fd: int | None) -> None:
    # Imported here, as the other commands need none of it.
    from headrace.registry.config import RegistryConfig
    from headrace.registry.http.app import application
    from headrace.registry.server import RegistryServer

    config = RegistryConfig.read(properties)
    set_level(config["headrace.log.level"] or config["log4j.root.loglevel"])
    stop = stop_event(parent_fd, "registry")
    run(config.listener, lambda port: RegistryServer(config, port), application, stop, _say_ready)
    log.info("The registry has stopped")


def _say_ready(_: object, port: int) -> None:
    seconds = time.monotonic() - STARTED
    print(f"headrace registry: ready in {seconds:.1f} s, REST on port {port}", flush=True)
