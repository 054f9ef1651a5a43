"""A Kafka Connect worker in the foreground."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headrace.config import from_environment, read_properties
from headrace.connect.runtime.host_process import start_fork_server
from headrace.serve.running import run
from headrace.serve.settings import add_options as add_options
from headrace.serve.settings import given_settings, log_to_stderr, set_level
from headrace.supervisor.stop import stop_event

if TYPE_CHECKING:
    from headrace.connect.runtime.server import ConnectServer
    from headrace.connect.runtime.worker_config import WorkerConfig

log = logging.getLogger("headrace.connect")

STARTED: Final = time.monotonic()


def serve(properties: Path | None, settings: list[str] | None, parent_fd: int | None) -> None:
    """Run a worker until SIGTERM, Ctrl-C or the end of file of `parent_fd`. Raises ConfigError."""
    log_to_stderr()
    merged = worker_properties(properties, os.environ, settings or [])
    set_level(level_of(merged))
    _run(merged, parent_fd)


def worker_properties(file: Path | None, environment: Mapping[str, str], settings: list[str]) -> dict[str, str]:
    """The worker's properties from all three places. Raises ConfigError for a setting that is no KEY=VALUE."""
    merged = {} if file is None else read_properties(file)
    merged |= from_environment("CONNECT", {key: environment[key] for key in environment if key != "CONNECT_URL"})
    return merged | given_settings(settings)


def level_of(properties: Mapping[str, str]) -> str | None:
    """The level that is asked for: `headrace.log.level`, or CONNECT_LOG4J_ROOT_LOGLEVEL as the images have it."""
    return properties.get("headrace.log.level") or properties.get("log4j.root.loglevel")


def _run(properties: Mapping[str, str], parent_fd: int | None) -> None:
    # Imported here, as the other commands need none of it, and while the fork server loads what task hosts need.
    start_fork_server()
    from headrace.connect.runtime.server import ConnectServer
    from headrace.connect.runtime.worker_config import WorkerConfig

    config = WorkerConfig.read(properties)
    run_worker(config, ConnectServer, stop_event(parent_fd, "worker"), say_ready)


def run_worker(
    config: "WorkerConfig",
    make_server: Callable[["WorkerConfig", int], "ConnectServer"],
    stop: threading.Event,
    started: Callable[["ConnectServer", threading.Event, int], None],
) -> None:
    """Run a worker until `stop`; `started` is called with its REST port once it is on its way.

    Raises ConfigError for what of the configuration shows only then.
    """
    from headrace.connect.rest.app import application

    run(
        config.listener,
        lambda port: make_server(config, port),
        application,
        stop,
        lambda server, port: started(server, stop, port),
    )
    log.info("The worker has stopped")


def say_ready(server: "ConnectServer", stop: threading.Event, port: int) -> None:
    """The line that says so, as soon as it is so."""
    while not stop.is_set():
        if server.wait_ready(0.5):
            seconds = time.monotonic() - STARTED
            print(
                f"headrace connect: ready in {seconds:.1f} s, REST on port {port}, worker {server.worker_id}",
                flush=True,
            )
            return
