"""Every type of PostgreSQL from table to table: by the source, a converter and the sink, into a table of the same
definition and into one that the sink makes; compared by the server.

The cases are in `type_cases`; docs/jdbc/types.md has them as a table, which the last test holds against them.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from headrace.connect.api import Batch, ConnectError, Converter, DataError, SinkOrigin
from headrace.connect.converters.json import JsonConverter
from headrace.jdbc.sink.task import JdbcSinkTask
from headrace.supervisor.postgres import PostgresServer
from headrace.testing.postgres import Database
from tests.jdbc.sink.harness import Context, settings
from tests.jdbc.source.harness import poll_rows, properties, running
from tests.jdbc.type_cases import CASES, EQUAL, REFUSED, USER_TYPES, Case

PAGE = Path(__file__).parents[2] / "docs" / "jdbc" / "types.md"
PLACE = re.compile(r"(<!-- types:[^\n]*-->\n)(.*?)(<!-- end of types -->)", re.DOTALL)
PROFILES: dict[str, dict[str, str]] = {
    "default": {},
    "iso": {"timestamp_granularity": "micros_iso_datetime_string"},
    "exact": {"headrace_exact_types": "true"},
}
MOMENTS = {"Date", "Time", "Timestamp"}
BEYOND_ARROW = ("numeric(90,5)", "numeric(5,-2)", "numeric(3,5)")


@pytest.fixture(scope="module")
def types(postgres: PostgresServer) -> Iterator[Database]:
    """A database with the types of our own, for all tests of this file; each has a schema of it."""
    database = Database(f"types_{os.getpid()}", postgres)
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database.name} TEMPLATE template0".encode())
    with database.connect() as connection:
        connection.execute(f"ALTER DATABASE {database.name} SET timezone = 'UTC'".encode())
        connection.execute(USER_TYPES)
    yield database
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database.name} WITH (FORCE)".encode())


def fill(connection: psycopg.Connection, schema: str, cases: Sequence[Case]) -> None:
    """`schema.t` with a row for each value, and one of nulls; `schema.same` with the same columns; no `schema.made`."""
    columns = ", ".join(f"v{at} {case.type}" for at, case in enumerate(cases))
    connection.execute(f"CREATE SCHEMA {schema}".encode())
    for table in ("t", "same", "cut"):
        connection.execute(f"CREATE TABLE {schema}.{table} (id int PRIMARY KEY, {columns})".encode())
    for row in range(max(len(case.values) for case in cases) + 1):
        given = [f"({case.values[row]})::{case.type}" if row < len(case.values) else "NULL" for case in cases]
        connection.execute(f"INSERT INTO {schema}.t VALUES ({row}, {', '.join(given)})".encode())


def read(database: Database, schema: str, rows: int, profile: str) -> Batch:
    props = properties(
        database, mode="bulk", table_whitelist=f"{schema}.t", poll_interval_ms=60_000, **PROFILES[profile]
    )
    with running(props) as task:
        (batch,) = poll_rows(task, rows)
    return batch


def converted(converter: Converter, batch: Batch) -> list[Batch]:
    """What a consumer makes of the batch."""
    payloads = converter.from_connect_column("t", batch.value_schema, batch.value, None, len(batch))
    found = []
    for run in converter.to_connect_column("t", pa.array(payloads.to_pylist(), pa.binary())):
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


def json() -> Converter:
    converter = JsonConverter()
    converter.configure({}, is_key=False)
    return converter


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


GROUPS = {
    "columns": lambda case: case.kind not in {"STRING", *MOMENTS} and case.type not in BEYOND_ARROW,
    "moments": lambda case: case.kind in MOMENTS,
    "texts": lambda case: case.kind == "STRING",
    "wide": lambda case: case.type in BEYOND_ARROW,
}
"""Types with a binary form are tables of their own, since their COPY is another than that of texts; so are decimals
that Arrow has no type for: a table with one goes row by row, and so do batches with a NaN, and a row holds the years 1
to 9999 alone."""


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_type_comes_back_as_it_was_or_as_the_matrix_says(types: Database, profile: str, group: str) -> None:
    cases = [each for each in CASES if each.outcome(profile) != REFUSED and GROUPS[group](each)]
    schema = f"{profile}_{group}"
    with types.connect() as connection:
        fill(connection, schema, cases)
        batch = read(types, schema, max(len(case.values) for case in cases) + 1, profile)
        batches = converted(json(), batch)
        write(types, f"{schema}.same", batches)
        assert differing(connection, schema, profile, "same", cases) == []
        write(types, f"{schema}.made", batches, auto_create="true")
        assert differing(connection, schema, profile, "made", cases) == []
        if profile == "default":
            assert kinds(batch) == [case.kind for case in cases]
            assert made(connection, schema) == [case.made for case in cases]


def kinds(batch: Batch) -> list[str]:
    """The Connect types of the fields after the id, logical ones by their names."""
    assert batch.value_schema is not None
    found = [field.schema for field in batch.value_schema.fields[1:]]
    return [(kind.name or kind.type.name).rpartition(".")[2] for kind in found]


def made(connection: psycopg.Connection, schema: str) -> list[str]:
    rows = connection.execute(
        f"SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '{schema}.made'::regclass"
        " AND attname LIKE 'v%' ORDER BY attnum".encode()
    )
    return [row[0] for row in rows]


REFUSALS = [(at, profile) for at, case in enumerate(CASES) for profile in PROFILES if case.outcome(profile) == REFUSED]


@pytest.mark.parametrize(("at", "profile"), REFUSALS)
def test_what_is_refused_is_named_with_its_column(types: Database, at: int, profile: str) -> None:
    schema = f"refused_{at}_{profile}"
    with types.connect() as connection:
        fill(connection, schema, [CASES[at]])
    with pytest.raises((ConnectError, DataError), match=r"(column|field) '?v0?'?"):
        write(types, f"{schema}.same", converted(json(), read(types, schema, 2, profile)))


def test_computed_and_counted_columns_come_back_equal(types: Database) -> None:
    table = (
        "(id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int NOT NULL,"
        " twice int GENERATED ALWAYS AS (n * 2) STORED, at timestamptz DEFAULT now(),"
        " thrice int GENERATED ALWAYS AS (n * 3))"
    )
    with types.connect() as connection:
        connection.execute("CREATE SCHEMA computed")
        connection.execute(f"CREATE TABLE computed.t {table}; CREATE TABLE computed.same {table}".encode())
        connection.execute("INSERT INTO computed.t (n) VALUES (7), (8); DELETE FROM computed.t WHERE n = 7")
        write(types, "computed.same", converted(json(), read(types, "computed", 1, "exact")))
        rows = [connection.execute(f"SELECT * FROM computed.{name}".encode()).fetchall() for name in ("t", "same")]
    assert rows[0] == rows[1] and rows[0][0][:3] == (2, 8, 16)


def table_of_types() -> str:
    """The matrix as the page has it."""
    lines = ["| PostgreSQL | Connect | as it is | with `micros_iso_datetime_string` | `auto.create` makes |\n"]
    lines.append("|---|---|---|---|---|\n")
    for case in CASES:
        name = f"`{case.type}`" + (f", {case.what}" if case.what else "")
        lines.append(f"| {name} | {case.kind} | {_said(case.default)} | {_said(case.iso)} | `{case.made}` |\n")
    return "".join(lines)


def _said(outcome: str) -> str:
    return outcome if outcome in (EQUAL, REFUSED) else f"becomes {outcome}"


def test_the_page_lists_every_type_as_the_cases_have_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("HEADRACE_WRITE_DOCS"):
        text = PLACE.sub(lambda found: found[1] + table_of_types() + found[3], text)
        PAGE.write_text(text, encoding="utf-8")
    found = PLACE.search(text)
    assert found is not None
    assert found[2] == table_of_types()
