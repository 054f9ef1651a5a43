"""`headrace connect-standalone`: a worker by itself, with the connectors of some files."""

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from headrace.config import ConfigError, read_properties
from headrace.connect.runtime.host_process import start_fork_server
from headrace.serve.connect import level_of, run_worker, say_ready
from headrace.serve.settings import given_settings, log_to_stderr, set_level
from headrace.supervisor.stop import stop_event

if TYPE_CHECKING:
    from headrace.connect.rest.connector_files import ConnectorFile
    from headrace.connect.runtime.server import ConnectServer

log = logging.getLogger("headrace.connect")

# Java's exit statuses: 2 for the worker's own file, 3 for a connector's.
WORKER_FAULT: Final = 2
CONNECTOR_FAULT: Final = 3
STOP_SEEN_S: Final = 0.2


def command(
    worker: Annotated[Path, typer.Argument(help="The worker's properties file.", metavar="WORKER.PROPERTIES")],
    connectors: Annotated[
        list[Path] | None, typer.Argument(help="Connectors, as properties or JSON.", metavar="CONNECTOR")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; wins.")] = None,
    parent_fd: Annotated[int | None, typer.Option(help="Stop at end of file of this inherited pipe.")] = None,
) -> None:
    """Run a Kafka Connect worker by itself: no group, no internal topics, source offsets in a file.

    Connectors come from their files and by REST; those that came by REST are gone when the worker ends.
    """
    log_to_stderr()
    from headrace.connect.rest.connector_files import ConnectorFileError

    try:
        _run(read_properties(worker) | given_settings(set_ or []), connectors or [], parent_fd)
    except ConfigError as error:
        typer.echo(f"headrace connect-standalone: {error}", err=True)
        status = CONNECTOR_FAULT if isinstance(error, ConnectorFileError) else WORKER_FAULT
        raise typer.Exit(status) from error


def _run(properties: dict[str, str], paths: list[Path], parent_fd: int | None) -> None:
    start_fork_server()
    from headrace.connect.rest.connector_files import read_connector_file
    from headrace.connect.runtime.standalone import StandaloneServer
    from headrace.connect.runtime.worker_config import WorkerConfig, standalone_definition

    set_level(level_of(properties))
    config = WorkerConfig.read(properties, standalone_definition())
    # Read before anything starts; Java finds a faulty file when the worker is up.
    files = [read_connector_file(path) for path in paths]

    def started(server: "ConnectServer", stop: threading.Event, port: int) -> None:
        for file in files:
            _create(server, file, stop)
        say_ready(server, stop, port)

    run_worker(config, StandaloneServer, stop_event(parent_fd, "worker"), started)


def _create(server: "ConnectServer", file: "ConnectorFile", stop: threading.Event) -> None:
    """Create a connector, or give up at a stop. Raises ConnectorFileError where it is refused."""
    from headrace.connect.rest.connector_files import ConnectorFileError
    from headrace.connect.runtime.errors import RequestError
    from headrace.connect.runtime.hosts import RequestFailed

    created = server.connectors.put(file.name, file.config, file.initial_state, replace=False)
    while not stop.is_set():
        try:
            created.result(STOP_SEEN_S)
            log.info("Created connector %s", file.name)
            return
        except TimeoutError:
            continue
        except (RequestError, RequestFailed) as error:
            raise ConnectorFileError(f"{file.path}: the connector {file.name} was not created: {error}") from error
