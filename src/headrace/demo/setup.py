"""Everything the demo needs before rows can flow: servers, tables, connectors."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.demo.connectors import POLL_INTERVAL_MS, TARGET_PASSWORD, ConnectClient, sink_connector, source_connector
from headrace.demo.formats import Format, in_format
from headrace.demo.iris import SOURCE_TABLE, TARGET_TABLE
from headrace.demo.ports import DemoPorts, choose_ports
from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.interrupts import Interrupts
from headrace.supervisor.postgres import PostgresServer
from headrace.supervisor.programs import postgres_programs
from headrace.supervisor.ready import HOST
from headrace.supervisor.shared_cluster import SharedCluster
from headrace.supervisor.stack import Stack
from headrace.supervisor.supervisor import Supervisor

RUNNING_S: Final = 60.0
POLL_S: Final = 0.02

Say = Callable[[str], None]
"""Shows the user a line."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a running pipeline can be reached by."""

    source_dsn: str
    target_dsn: str
    bootstrap: str
    connect: ConnectClient
    registry_url: str


def start_pipeline(
    supervisor: Supervisor,
    folder: TemporaryFolder,
    interrupts: Interrupts,
    say: Say,
    format: Format,
    sink_first: bool,
) -> Pipeline:
    """The pipeline with both connectors running; `supervisor` stops the servers.

    Raises ProcessFailed, DemoFailed, Interrupted, or TimeoutError where the connectors do not run in a minute.
    """
    ports = choose_ports(say, registry=format.needs_registry)
    source, target = _postgres_servers(folder, ports)
    stack = Stack(folder.path, ports.stack, _hosts(ports), folder.lifeline)
    _say_where(ports, say, format)
    registry = [stack.registry()] if format.needs_registry else []
    # Side by side: the worker waits for its broker by itself.
    try:
        supervisor.start([source, target, stack.broker(), *registry, stack.connect()])
    finally:
        ports.release()
    _create(source.dsn(), SOURCE_TABLE)
    _create(target.dsn(), TARGET_TABLE)
    connect = ConnectClient(HOST, ports.stack.connect)
    connectors = [in_format(connector, format) for connector in (source_connector(), sink_connector())]
    post(connect, connectors[::-1] if sink_first else connectors, interrupts)
    registry_url = f"http://{HOST}:{ports.stack.registry}"
    return Pipeline(source.dsn(), target.dsn(), f"{HOST}:{ports.stack.internal}", connect, registry_url)


def _postgres_servers(folder: TemporaryFolder, ports: DemoPorts) -> tuple[PostgresServer, PostgresServer]:
    """The tutorial's two servers: its users, passwords and databases."""
    programs = postgres_programs(folder.path / "programs")
    shared = SharedCluster(folder.path / "cluster", 2)

    def server(name: str, port: int, login: tuple[str, str, str]) -> PostgresServer:
        made = PostgresServer(folder.path / name, port, *login, programs=programs, lifeline=folder.lifeline)
        made.name, made.shared = name, shared
        return made

    return (
        server("postgres-server", ports.source, ("myuser", "mypassword", "mydatabase")),
        server("target-postgres-server", ports.target, ("targetuser", TARGET_PASSWORD, "targetdatabase")),
    )


def _hosts(ports: DemoPorts) -> Mapping[tuple[str, int], tuple[str, int]]:
    return {
        ("postgres-server", 5432): (HOST, ports.source),
        ("target-postgres-server", 5432): (HOST, ports.target),
    }


def _create(dsn: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)


def _say_where(ports: DemoPorts, say: Say, format: Format) -> None:
    servers = "a Kafka broker, a schema registry" if format.needs_registry else "a Kafka broker"
    say(f"starting two PostgreSQL servers, {servers} and a Kafka Connect worker")
    say(f"source   postgresql://myuser@{HOST}:{ports.source}/mydatabase (the passwords are the tutorial's)")
    say(f"target   postgresql://targetuser@{HOST}:{ports.target}/targetdatabase")
    say(f"broker   localhost:{ports.stack.broker}")
    if format.needs_registry:
        say(f"registry http://localhost:{ports.stack.registry}")
    say(f"connect  http://localhost:{ports.stack.connect}")
    converter = f", both have value.converter {format.converter}" if format.converter else ""
    say(
        "posts    the tutorial's source_connector.json and sink_connector.json; changed in them: the sink's password "
        f"is corrected, the source has poll.interval.ms {POLL_INTERVAL_MS}{converter}; their host names are in the "
        "address book"
    )


def post(connect: ConnectClient, connectors: list[dict[str, Any]], interrupts: Interrupts) -> None:
    """Post the connectors in this order and wait until each runs."""
    for connector in connectors:
        connect.post(connector)
    deadline = time.monotonic() + RUNNING_S
    while not all(connect.is_running(connector["name"]) for connector in connectors):
        interrupts.raise_if_asked()
        if time.monotonic() > deadline:
            raise TimeoutError(f"the connectors were not running {RUNNING_S:g} s after they were posted")
        time.sleep(POLL_S)
