"""What a source task gives out of `poll()`, alone on one core, beside psql's COPY of the same rows in the same run.

Run: python -m benchmarks.source_poll [rows]
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from headrace.jdbc.source.task import JdbcSourceTask
from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.postgres import FAST_FOR_TESTS, PostgresServer
from headrace.supervisor.ready import free_port

TABLE = (
    "CREATE TABLE iris_data (id SERIAL PRIMARY KEY, timestamp timestamp, sepal_length float8, sepal_width float8,"
    " petal_length float8, petal_width float8, target int)"
)
FILL = (
    "INSERT INTO iris_data (timestamp, sepal_length, sepal_width, petal_length, petal_width, target)"
    " SELECT date_trunc('milliseconds', clock_timestamp()), 5.1 + n % 10 / 10.0, 3.5, 1.4, 0.2, n % 3"
    " FROM generate_series(1, {rows}) n"
)
COPY = "COPY (SELECT * FROM iris_data ORDER BY id) TO STDOUT (FORMAT binary)"
ROUNDS = 3


class Context:
    """What the runtime gives a task; there is no offset."""

    connector, task = "benchmark", 0

    def __init__(self) -> None:
        self.stopping = threading.Event()

    def wait(self, seconds: float) -> bool:
        return self.stopping.wait(seconds)

    def offset(self, partition: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None


def poll_all(server: PostgresServer, rows: int) -> tuple[float, float]:
    """(rows/s by the clock, rows/s of CPU time) of a task that reads the table."""
    task = JdbcSourceTask()
    properties = {
        "connection.url": server.jdbc_url(),
        "connection.user": server.user,
        "connection.password": server.password,
        "mode": "incrementing",
        "table.whitelist": "iris_data",
        "tables": '"iris_data"',
    }
    began, cpu = time.perf_counter(), time.process_time()
    task.start(Context(), properties)
    seen = 0
    while seen < rows:
        seen += sum(map(len, task.poll()))
    spent, busy = time.perf_counter() - began, time.process_time() - cpu
    task.stop()
    return rows / spent, rows / busy


def copy_all(server: PostgresServer, rows: int) -> float:
    began = time.perf_counter()
    command = [server.psql, "-X", "-q", "-c", COPY, server.dsn()]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return rows / (time.perf_counter() - began)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with TemporaryFolder("headrace-benchmark-") as folder:
        server = PostgresServer(Path(folder.path) / "pg", free_port(), "me", "secret", "mine", FAST_FOR_TESTS)
        server.lifeline = folder.lifeline
        with server:
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                connection.execute(TABLE)
                connection.execute(FILL.format(rows=rows).encode())
                connection.execute("VACUUM ANALYZE iris_data")
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            polled, copied = [], []
            for _ in range(ROUNDS):
                polled.append(poll_all(server, rows))
                copied.append(copy_all(server, rows))
    clock, busy = (statistics.median(each) for each in zip(*polled, strict=True))
    limit = statistics.median(copied)
    print(f"poll() {clock:,.0f} rows/s ({busy:,.0f} a second of CPU); psql COPY out {limit:,.0f} rows/s")
    print(json.dumps({"source_poll": round(clock / limit, 3), "rows_per_s": round(clock), "limit": round(limit)}))


if __name__ == "__main__":
    main()
