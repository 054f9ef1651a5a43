"""Rows of every type through source, converter and sink, and what came of them as the server sees it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pyarrow as pa

from headrace.connect.api import Batch, Converter, SinkOrigin
from headrace.jdbc.sink.task import JdbcSinkTask
from headrace.supervisor.postgres import PostgresServer
from headrace.testing.postgres import Database
from tests.jdbc.sink.harness import Context, settings
from tests.jdbc.source.harness import poll_rows, properties, running
from tests.jdbc.type_cases import CASES, EQUAL, REFUSED, USER_TYPES, Case

PROFILES: dict[str, dict[str, str]] = {
    "default": {},
    "iso": {"timestamp_granularity": "micros_iso_datetime_string"},
    "exact": {"headrace_exact_types": "true"},
}
MOMENTS = {"Date", "Time", "Timestamp"}
BEYOND_ARROW = ("numeric(90,5)", "numeric(5,-2)", "numeric(3,5)")


GROUPS = {
    "columns": lambda case: case.kind not in {"STRING", *MOMENTS} and case.type not in BEYOND_ARROW,
    "moments": lambda case: case.kind in MOMENTS,
    "texts": lambda case: case.kind == "STRING",
    "wide": lambda case: case.type in BEYOND_ARROW,
}
"""Types with a binary form are tables of their own, since their COPY is another than that of texts; so are decimals
that Arrow has no type for: a table with one goes row by row, and so do batches with a NaN, and a row holds the years 1
to 9999 alone."""


def cases_of(profile: str, group: str) -> list[Case]:
    """What is not refused."""
    return [each for each in CASES if each.outcome(profile) != REFUSED and GROUPS[group](each)]


@contextmanager
def type_database(postgres: PostgresServer, name: str, setup: str = USER_TYPES) -> Iterator[Database]:
    """A database with the types of our own; each test has a schema of it."""
    database = Database(f"{name}_{os.getpid()}", postgres)
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database.name} TEMPLATE template0".encode())
    with database.connect() as connection:
        connection.execute(f"ALTER DATABASE {database.name} SET timezone = 'UTC'".encode())
        connection.execute(setup.encode())
    yield database
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database.name} WITH (FORCE)".encode())


def round_trip(database: Database, schema: str, profile: str, cases: Sequence[Case], converter: Converter) -> Batch:
    """Rows of the cases into `schema.same` and `schema.made`; gives what the source made of them."""
    with database.connect() as connection:
        fill(connection, schema, cases)
    batch = read(database, schema, max(len(case.values) for case in cases) + 1, profile)
    batches = converted(converter, batch, schema)
    write(database, f"{schema}.same", batches)
    write(database, f"{schema}.made", batches, auto_create="true")
    return batch


def fill(connection: psycopg.Connection, schema: str, cases: Sequence[Case]) -> None:
    """`schema.t` with a row for each value, and one of nulls; `schema.same` with the same columns; no `schema.made`."""
    columns = ", ".join(f"v{at} {case.type}" for at, case in enumerate(cases))
    connection.execute(f"CREATE SCHEMA {schema}".encode())
    for table in ("t", "same", "cut"):
        connection.execute(f"CREATE TABLE {schema}.{table} (id int PRIMARY KEY, {columns})".encode())
    for row in range(max(len(case.values) for case in cases) + 1):
        given = [f"({case.values[row]})::{case.type}" if row < len(case.values) else "NULL" for case in cases]
        connection.execute(f"INSERT INTO {schema}.t VALUES ({row}, {', '.join(given)})".encode())


def read(database: Database, schema: str, rows: int, profile: str, **more: str) -> Batch:
    props = properties(
        database, mode="bulk", table_whitelist=f"{schema}.t", poll_interval_ms=60_000, **PROFILES[profile], **more
    )
    with running(props) as task:
        (batch,) = poll_rows(task, rows)
    return batch


def converted(converter: Converter, batch: Batch, topic: str = "t") -> list[Batch]:
    """What a consumer makes of the batch."""
    payloads = converter.from_connect_column(topic, batch.value_schema, batch.value, None, len(batch))
    found = []
    for run in converter.to_connect_column(topic, pa.array(payloads.to_pylist(), pa.binary())):
        numbers = range(run.start, run.start + run.length)
        origin = SinkOrigin("t", pa.array([0] * run.length, pa.int32()), pa.array(numbers, pa.int64()))
        found.append(
            Batch("t", run.length, value_schema=run.schema, value=run.column, tombstone=run.tombstone, origin=origin)
        )
    return found


def write(database: Database, table: str, batches: Sequence[Batch], **more: str) -> None:
    keys = {"table_name_format": table, "insert_mode": "upsert", "pk_mode": "record_value", "pk_fields": "id"}
    sink = JdbcSinkTask()
    sink.start(Context(), settings(database, **keys, **more))
    try:
        sink.put(batches)
    finally:
        sink.stop()


def differing(
    connection: psycopg.Connection, schema: str, profile: str, table: str, cases: Sequence[Case]
) -> list[Any]:
    """(type, value that was expected, value that came) of whatever is not as the case says."""
    found: list[Any] = []
    for at, case in enumerate(cases):
        wanted, outcome = f"s.v{at}", case.outcome(profile)
        if outcome != EQUAL:
            wanted = f"CASE WHEN s.v{at} IS NOT NULL THEN {outcome}::{case.type} END"
        came = f"d.v{at}"
        if table == "made":
            text = profile == "exact" or case.kind == "STRING"
            came = f"d.v{at}::{case.type}" if text or not case.back else case.back.format(f"d.v{at}")
        rows = connection.execute(
            f"SELECT ({wanted})::text, ({came})::text FROM {schema}.t s FULL JOIN {schema}.{table} d USING (id)"
            f" WHERE ({wanted})::text IS DISTINCT FROM ({came})::text".encode()
        )
        found += [(case.type, *row) for row in rows]
    return found


def kinds(batch: Batch) -> list[str]:
    """The Connect types of the fields after the id, logical ones by their names."""
    assert batch.value_schema is not None
    found = [field.schema for field in batch.value_schema.fields[1:]]
    return [(kind.name or kind.type.name).rpartition(".")[2] for kind in found]
