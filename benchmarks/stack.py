"""Two PostgreSQL servers, a broker and a Connect worker as the benchmarks start them: the demo's, on free ports."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from headrace.supervisor.postgres import PostgresServer
from headrace.supervisor.ready import free_port
from headrace.testing.servers import BrokerServer, ConnectServer


@dataclass(frozen=True, slots=True)
class DatabaseEnd:
    """One end of the path, as its clients see it."""

    dsn: str
    jdbc_url: str
    user: str
    password: str
    psql: tuple[str, ...]
    environment: Mapping[str, str]
    pid: int


@dataclass(frozen=True, slots=True)
class Stack:
    source: DatabaseEnd
    target: DatabaseEnd
    broker: BrokerServer
    worker: ConnectServer

    @property
    def bootstrap(self) -> str:
        return self.broker.bootstrap

    @property
    def connect_url(self) -> str:
        return self.worker.url

    def pids(self) -> dict[str, int]:
        """Root process ids by the name that the report shows."""
        return {
            "source db": self.source.pid,
            "target db": self.target.pid,
            "broker": int(self.broker.process.pid or 0),
            "worker+hosts": int(self.worker.process.pid or 0),
        }


@contextmanager
def start_stack(folder: Path) -> Iterator[Stack]:
    """Everything started and ready; ended afterwards."""
    folder.chmod(0o755)
    with ExitStack() as stack:
        source = _database(stack, folder / "source", "mydatabase", "myuser", "mypassword")
        target = _database(stack, folder / "target", "targetdatabase", "targetuser", "targetpw")
        broker = BrokerServer(folder)
        stack.callback(broker.stop)
        broker.start()
        worker = ConnectServer(folder, broker.bootstrap)
        stack.callback(worker.stop)
        worker.start()
        worker.wait_ready()
        yield Stack(source, target, broker, worker)


def _database(stack: ExitStack, folder: Path, database: str, user: str, password: str) -> DatabaseEnd:
    server = stack.enter_context(PostgresServer(folder, free_port(), user, password, database))
    psql = (server.psql, "-q", "-h", server.host, "-p", str(server.port), "-U", user, "-d", database)
    environment = {**os.environ, "PGPASSWORD": password}
    return DatabaseEnd(server.dsn(), server.jdbc_url(), user, password, psql, environment, int(server.process.pid or 0))
