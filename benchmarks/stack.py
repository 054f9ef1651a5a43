"""Two PostgreSQL servers, a broker and a Connect worker as the benchmarks start them: the demo's, on free ports."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from headrace.supervisor.postgres import PostgresServer
from headrace.supervisor.ready import free_port

READY_DEADLINE_S = 30


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
    bootstrap: str
    connect_url: str
    broker: subprocess.Popen[bytes]
    worker: subprocess.Popen[bytes]

    def pids(self) -> dict[str, int]:
        """Root process ids by the name that the report shows."""
        return {
            "source db": self.source.pid,
            "target db": self.target.pid,
            "broker": self.broker.pid,
            "worker+hosts": self.worker.pid,
        }


@contextmanager
def start_stack(folder: Path) -> Iterator[Stack]:
    """Everything started and ready; ended afterwards."""
    folder.chmod(0o755)
    with ExitStack() as stack:
        source = _database(stack, folder / "source", "mydatabase", "myuser", "mypassword")
        target = _database(stack, folder / "target", "targetdatabase", "targetuser", "targetpw")
        broker_port, connect_port = free_port(), free_port()
        bootstrap, connect_url = f"127.0.0.1:{broker_port}", f"http://127.0.0.1:{connect_port}"
        broker = _server(stack, folder / "broker.log", _broker_command(folder, bootstrap), {})
        worker = _server(stack, folder / "connect.log", ["connect"], _worker_environment(bootstrap, connect_url))
        wait_for_http(connect_url, worker)
        yield Stack(source, target, bootstrap, connect_url, broker, worker)


def wait_for_http(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the worker's REST answers. Raises SystemExit where it ends before."""
    deadline = time.monotonic() + READY_DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SystemExit(f"the worker did not answer on {url}; its log is beside its data")


def _database(stack: ExitStack, folder: Path, database: str, user: str, password: str) -> DatabaseEnd:
    server = stack.enter_context(PostgresServer(folder, free_port(), user, password, database))
    psql = (server.psql, "-q", "-h", server.host, "-p", str(server.port), "-U", user, "-d", database)
    environment = {**os.environ, "PGPASSWORD": password}
    return DatabaseEnd(server.dsn(), server.jdbc_url(), user, password, psql, environment, int(server.process.pid or 0))


def _broker_command(folder: Path, bootstrap: str) -> list[str]:
    return ["broker", "--data-dir", str(folder / "broker"), "--listener", f"PLAINTEXT://{bootstrap}"]


def _worker_environment(bootstrap: str, connect_url: str) -> dict[str, str]:
    return {
        "CONNECT_BOOTSTRAP_SERVERS": bootstrap,
        "CONNECT_LISTENERS": connect_url,
        "CONNECT_GROUP_ID": "bench",
        "CONNECT_CONFIG_STORAGE_TOPIC": "bench-configs",
        "CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR": "1",
        "CONNECT_OFFSET_STORAGE_TOPIC": "bench-offsets",
        "CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR": "1",
        "CONNECT_STATUS_STORAGE_TOPIC": "bench-status",
        "CONNECT_STATUS_STORAGE_REPLICATION_FACTOR": "1",
        "CONNECT_KEY_CONVERTER": "org.apache.kafka.connect.storage.StringConverter",
        "CONNECT_VALUE_CONVERTER": "org.apache.kafka.connect.json.JsonConverter",
    }


def _server(
    stack: ExitStack, log: Path, arguments: list[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    program = Path(sys.executable).with_name("headrace")
    output = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(
        [str(program), *arguments], stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}
    )
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
