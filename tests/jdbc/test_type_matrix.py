"""Every type of PostgreSQL from table to table: by the source, a converter and the sink, into a table of the same
definition and into one that the sink makes; compared by the server.

The cases are in `type_cases`; docs/jdbc/types.md has them as a table, which the last test holds against them. The same
with the converters of a registry is in tests/connect/converters/registry.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from headrace.connect.api import ConnectError, Converter, DataError
from headrace.connect.converters.json import JsonConverter
from headrace.supervisor.postgres import PostgresServer
from headrace.testing.postgres import Database
from tests.jdbc.type_cases import CASES, EQUAL, REFUSED, case
from tests.jdbc.type_matrix import (
    GROUPS,
    PROFILES,
    cases_of,
    converted,
    differing,
    fill,
    kinds,
    read,
    round_trip,
    type_database,
    write,
)
from tests.pages import assert_page_has

PAGE = Path(__file__).parents[2] / "docs" / "jdbc" / "types.md"
PLACE = re.compile(r"(<!-- types:[^\n]*-->\n)(.*?)(<!-- end of types -->)", re.DOTALL)


@pytest.fixture(scope="module")
def types(postgres: PostgresServer) -> Iterator[Database]:
    with type_database(postgres, "types") as database:
        yield database


def json() -> Converter:
    converter = JsonConverter()
    converter.configure({}, is_key=False)
    return converter


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_type_comes_back_as_it_was_or_as_the_matrix_says(types: Database, profile: str, group: str) -> None:
    cases, schema = cases_of(profile, group), f"{profile}_{group}"
    batch = round_trip(types, schema, profile, cases, json())
    with types.connect() as connection:
        assert differing(connection, schema, profile, "same", cases) == []
        assert differing(connection, schema, profile, "made", cases) == []
        if profile == "default":
            assert kinds(batch) == [each.kind for each in cases]
            assert made(connection, schema) == [each.made for each in cases]


def made(connection: psycopg.Connection, schema: str) -> list[str]:
    rows = connection.execute(
        f"SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '{schema}.made'::regclass"
        " AND attname LIKE 'v%' ORDER BY attnum".encode()
    )
    return [row[0] for row in rows]


REFUSALS = [(at, profile) for at, each in enumerate(CASES) for profile in PROFILES if each.outcome(profile) == REFUSED]


@pytest.mark.parametrize(("at", "profile"), REFUSALS)
def test_what_is_refused_is_named_with_its_column(types: Database, at: int, profile: str) -> None:
    schema = f"refused_{at}_{profile}"
    with types.connect() as connection:
        fill(connection, schema, [CASES[at]])
    with pytest.raises((ConnectError, DataError), match=r"(column|field) '?v0?'?"):
        write(types, f"{schema}.same", converted(json(), read(types, schema, 2, profile)))


@pytest.mark.parametrize("unit", ["micros", "nanos"])
@pytest.mark.parametrize("form", ["long", "string", "iso_datetime_string"])
def test_timestamps_of_every_granularity_come_back_with_every_digit(types: Database, unit: str, form: str) -> None:
    schema, granularity = f"granular_{unit}_{form}", f"{unit}_{form}"
    cases = [
        case("timestamp", "'2024-02-29 12:00:00.123456'", "'1969-12-31 23:59:59.999999'", "'1970-01-01'"),
        case("timestamptz", "'2024-02-29 12:00:00.123456+09'", "'1700-01-01 00:00:00.000001+00'"),
    ]
    with types.connect() as connection:
        fill(connection, schema, cases)
        batch = read(types, schema, 4, "default", timestamp_granularity=granularity)
        listed = {} if form == "iso_datetime_string" else {"timestamp_fields_list": "v0,v1"}
        mode = {"timestamp_precision_mode": "nanoseconds"} if listed and unit == "nanos" else {}
        write(types, f"{schema}.same", converted(json(), batch), **listed, **mode)
        assert differing(connection, schema, "exact", "same", cases) == []


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
    for each in CASES:
        name = f"`{each.type}`" + (f", {each.what}" if each.what else "")
        lines.append(f"| {name} | {each.kind} | {_said(each.default)} | {_said(each.iso)} | `{each.made}` |\n")
    return "".join(lines)


def _said(outcome: str) -> str:
    return outcome if outcome in (EQUAL, REFUSED) else f"becomes {outcome}"


def test_the_page_lists_every_type_as_the_cases_have_it() -> None:
    assert_page_has(PAGE, PLACE, table_of_types())
