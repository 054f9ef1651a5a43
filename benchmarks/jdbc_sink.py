"""The JDBC sink's `put` against plain binary COPY of the same bytes, in the same run, on an embedded PostgreSQL.

    python -m benchmarks.jdbc_sink [rows]

Ends with one JSON object on a line: each figure the ratio of `put` to one plain `COPY ... (FORMAT binary)` of all rows.
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa

from headrace.connect.api import Batch, SchemaType, SinkOrigin, arrow_type, schema, struct
from headrace.connect.api.schema import timestamp
from headrace.jdbc.dialects import TableId
from headrace.jdbc.sink.postgresql import copy, statements
from headrace.jdbc.sink.postgresql.fit import fit
from headrace.jdbc.sink.postgresql.table import read_table
from headrace.jdbc.sink.task import JdbcSinkTask
from headrace.supervisor.folder import TemporaryFolder
from headrace.supervisor.postgres import PostgresServer
from headrace.supervisor.ready import free_port

BATCH_ROWS = 10_000
RUNS = 3
MEASURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
TABLE = f"""
CREATE TABLE iris_data (id int PRIMARY KEY, timestamp timestamp, {", ".join(f"{name} float8" for name in MEASURES)},
                        target int)
"""
INT = schema(SchemaType.INT32)
REAL = schema(SchemaType.FLOAT64, optional=True)
SCHEMA = struct(
    [("id", INT), ("timestamp", timestamp(optional=True)), *((name, REAL) for name in MEASURES), ("target", INT)]
)
UPSERT = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}


class Context:
    """What the task needs of a runtime."""

    connector = "benchmark"
    task = 0

    def __init__(self) -> None:
        self.stopping = threading.Event()

    def wait(self, seconds: float) -> bool:
        return self.stopping.wait(seconds)


def batch(start: int) -> Batch:
    """Rows of the iris table, ids from `start`."""
    chance = np.random.default_rng(start)
    ids = np.arange(start, start + BATCH_ROWS, dtype=np.int32)
    moments = pa.array(ids.astype(np.int64) + 1_700_000_000_000).cast(pa.timestamp("ms", tz="UTC"))
    measures = [pa.array(chance.random(BATCH_ROWS)) for _ in MEASURES]
    kind: Any = arrow_type(SCHEMA)
    value = pa.StructArray.from_arrays([pa.array(ids), moments, *measures, pa.array(ids % 3)], fields=list(kind))
    origin = SinkOrigin("iris", pa.array(np.zeros(BATCH_ROWS, np.int32)), pa.array(ids.astype(np.int64)))
    return Batch("iris", BATCH_ROWS, value_schema=SCHEMA, value=value, origin=origin)


def put(server: PostgresServer, batches: Sequence[Batch], **keys: str) -> None:
    login = {"connection.user": server.user, "connection.password": server.password}
    task = JdbcSinkTask()
    where = {"connection.url": server.jdbc_url(), "table.name.format": "iris_data"}
    task.start(Context(), where | login | keys)  # type: ignore[arg-type]
    for one in batches:
        task.put([one])
    task.stop()


def plain_copy(connection: "psycopg.Connection[Any]", batches: Sequence[Batch]) -> Callable[[], None]:
    """One COPY of the bytes that the sink sends."""
    table = read_table(connection, TableId(None, "iris_data"))
    assert table is not None
    changes = [fit(column, field.schema) for column, field in zip(table.columns, SCHEMA.fields, strict=True)]
    arrays = [[change(part) for change, part in zip(changes, one.value.flatten(), strict=True)] for one in batches]  # type: ignore[union-attr]
    payload = [copy.HEADER, *(bytes(copy.binary_rows(table.columns, part)) for part in arrays), copy.TRAILER]
    statement = statements.copy_table(statements.Shape(table, table.columns), binary=True).encode()

    def run() -> None:
        with connection.cursor().copy(statement) as stream:
            for part in payload:
                stream.write(part)

    return run


def main(rows: int) -> None:
    with TemporaryFolder("headrace-benchmark-") as folder:
        server = PostgresServer(folder.path / "postgres", free_port(), "bench", "bench", "bench")
        server.lifeline = folder.lifeline
        with server, psycopg.connect(server.dsn(), autocommit=True) as connection:
            _measure(server, connection, [batch(start) for start in range(0, rows, BATCH_ROWS)])


def _measure(server: PostgresServer, connection: "psycopg.Connection[Any]", batches: Sequence[Batch]) -> None:
    rows = len(batches) * BATCH_ROWS

    def rate(name: str, run: Callable[[], None], *, fresh: bool = True) -> float:
        rates = []
        for _ in range(RUNS):
            if fresh:
                connection.execute(f"DROP TABLE IF EXISTS iris_data; {TABLE}".encode())
            connection.execute("CHECKPOINT")
            begun, cpu = time.perf_counter(), time.process_time()
            run()
            rates.append(rows / (time.perf_counter() - begun))
            cpu = (time.process_time() - cpu) / rows * 1e6
        found = statistics.median(rates)
        print(f"{name:32s} {found:10,.0f} rows/s, {cpu:.2f} us of client CPU a row")
        return found

    connection.execute(TABLE.encode())
    limit = rate("plain binary COPY", plain_copy(connection, batches))
    figures = {
        "insert": rate("put, insert", lambda: put(server, batches)) / limit,
        "upsert_new": rate("put, upsert of new rows", lambda: put(server, batches, **UPSERT)) / limit,
        "upsert_old": rate("put, upsert of old rows", lambda: put(server, batches, **UPSERT), fresh=False) / limit,
    }
    print(json.dumps({name: round(ratio, 3) for name, ratio in figures.items()} | {"limit_rows_per_s": round(limit)}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
