"""Every Connect type into every column type it may go to, in both formats of COPY and by arrays."""

import random
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from headrace.connect.api import Batch, ConnectSchema, SchemaType, schema, struct
from headrace.connect.api import schema as make_schema
from headrace.connect.api.schema import date as date_schema
from headrace.connect.api.schema import decimal as decimal_schema
from headrace.connect.api.schema import time as time_schema
from headrace.connect.api.schema import timestamp as timestamp_schema
from tests.jdbc.sink.harness import (
    BOOLEAN,
    BYTES,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    Sink,
    batch,
    optional,
)

Make = Callable[..., Sink]
NOON = datetime(2024, 2, 29, 12, 30, 15, 123_000, tzinfo=UTC)
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
LIST = make_schema(SchemaType.ARRAY, value_schema=optional(INT32))
WORDS = make_schema(SchemaType.ARRAY, value_schema=STRING)
MAP = make_schema(SchemaType.MAP, key_schema=STRING, value_schema=INT32)
INNER = struct([("a", INT32), ("b", decimal_schema(2))])
WIDE = 10**75 + 1

Case = tuple[ConnectSchema, str, Any, str]
"""Schema, column type, value, and the column's text."""

CASES: list[Case] = [
    *[(kind, "smallint", -5, "-5") for kind in (INT8, INT16, INT32, INT64)],
    *[(kind, "int", 127, "127") for kind in (INT8, INT16, INT32, INT64)],
    *[(kind, "bigint", -128, "-128") for kind in (INT8, INT16, INT32, INT64)],
    (INT64, "bigint", -(2**63), str(-(2**63))),
    (INT64, "oid", 4_000_000_000, "4000000000"),
    (INT64, "numeric", -(2**63), str(-(2**63))),
    (INT32, "numeric(12,3)", 1_234_567, "1234567.000"),
    (INT32, "real", 3, "3"),
    (INT64, "double precision", 2**53, "9.007199254740992e+15"),
    (INT32, "text", -7, "-7"),
    (INT32, "jsonb", 7, "7"),
    (FLOAT32, "real", 1.5, "1.5"),
    (FLOAT32, "double precision", 0.25, "0.25"),
    (FLOAT64, "double precision", 0.1, "0.1"),
    (FLOAT64, "double precision", float("inf"), "Infinity"),
    (FLOAT64, "double precision", float("nan"), "NaN"),
    (FLOAT64, "real", 0.1, "0.1"),
    (FLOAT64, "numeric", 0.1, "0.1"),
    (FLOAT64, "numeric", 1e22, "10000000000000000000000"),
    (FLOAT64, "int", -2.0, "-2"),
    (BOOLEAN, "boolean", True, "true"),
    (BOOLEAN, "text", False, "false"),
    (STRING, "text", "a\tb\nc\\d\re\\N", "a\tb\nc\\d\re\\N"),
    (STRING, "text", "", ""),
    (STRING, "text", "\\N", "\\N"),
    (STRING, "varchar(5)", "한국어", "한국어"),
    (STRING, "char(4)", "ab", "ab"),
    (STRING, "name", "n", "n"),
    (STRING, "mood", "glad", "glad"),
    (STRING, "positive", "5", "5"),
    (INT32, "positive", 5, "5"),
    (STRING, "int", " 42 ", "42"),
    (STRING, "bigint", "-9000000000", "-9000000000"),
    (STRING, "boolean", "yes", "true"),
    (STRING, "double precision", "1e3", "1000"),
    (STRING, "numeric", "12345678901234567890.5", "12345678901234567890.5"),
    (STRING, "uuid", UUID, UUID),
    (STRING, "uuid", UUID.upper().replace("-", ""), UUID),
    (STRING, "json", '{"a": [1, "\\""]}', '{"a": [1, "\\""]}'),
    (STRING, "jsonb", '{"b":1,"a":2}', '{"a": 2, "b": 1}'),
    (STRING, "timestamp", "2024-02-29 12:30:15.123456", "2024-02-29 12:30:15.123456"),
    (STRING, "timestamptz", "2024-02-29 12:30:15+09", "2024-02-29 03:30:15+00"),
    (STRING, "date", "2024-02-29", "2024-02-29"),
    (STRING, "time", "12:30", "12:30:00"),
    (STRING, "interval", "1 day", "1 day"),
    (STRING, "inet", "10.0.0.1", "10.0.0.1/32"),
    (STRING, "bytea", "\\x0aff", "\\x0aff"),
    (STRING, "int[]", "{1,2,NULL}", "{1,2,NULL}"),
    (STRING, "int4range", "[1,5)", "[1,5)"),
    (STRING, "bit(3)", "101", "101"),
    (STRING, "money", "12.5", "$12.50"),
    (BYTES, "bytea", b"\0\n\\\xff", "\\x000a5cff"),
    (BYTES, "bytea", b"", "\\x"),
    (decimal_schema(2, 10), "numeric", Decimal("-12345.60"), "-12345.60"),
    (decimal_schema(2, 10), "numeric(12,4)", Decimal("0.05"), "0.0500"),
    (decimal_schema(0, 18), "numeric", Decimal(10**17), str(10**17)),
    (decimal_schema(16, 18), "numeric", Decimal("-99.0000000000000001"), "-99.0000000000000001"),
    (decimal_schema(5), "numeric", Decimal("1234567890.12345"), "1234567890.12345"),
    (decimal_schema(3), "numeric", Decimal(WIDE), str(WIDE)),
    (decimal_schema(-2), "numeric", Decimal("1200"), "1200"),
    (decimal_schema(2), "int", Decimal("5.00"), "5"),
    (decimal_schema(2), "double precision", Decimal("5.25"), "5.25"),
    (decimal_schema(2), "text", Decimal("5.20"), "5.20"),
    (date_schema(), "date", date(1, 1, 1), "0001-01-01"),
    (date_schema(), "date", date(2024, 2, 29), "2024-02-29"),
    (date_schema(), "timestamp", date(2024, 2, 29), "2024-02-29 00:00:00"),
    (date_schema(), "text", date(2024, 2, 29), "2024-02-29"),
    (time_schema(), "time", time(23, 59, 59, 999_000), "23:59:59.999"),
    (timestamp_schema(), "timestamp", NOON, "2024-02-29 12:30:15.123"),
    (timestamp_schema(), "timestamp(0)", NOON, "2024-02-29 12:30:15"),
    (timestamp_schema(), "timestamptz", NOON, "2024-02-29 12:30:15.123+00"),
    (timestamp_schema(), "timestamptz", NOON.replace(year=1, day=28), "0001-02-28 12:30:15.123+00"),
    (timestamp_schema(), "date", NOON, "2024-02-29"),
    (timestamp_schema(), "time", NOON, "12:30:15.123"),
    (timestamp_schema(), "text", NOON, "2024-02-29 12:30:15.123"),
    (LIST, "int[]", [1, None, -3], "{1,NULL,-3}"),
    (WORDS, "text[]", ['a"b', "c,d", "", "\\", "NULL"], '{"a\\"b","c,d","","\\\\","NULL"}'),
    (LIST, "jsonb", [1, None], "[1, null]"),
    (MAP, "jsonb", {"a": 1}, '{"a": 1}'),
    (INNER, "jsonb", {"a": 1, "b": Decimal("1.50")}, '{"a": 1, "b": 1.50}'),
]
PREPARE = "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
ROADS = {
    "binary": "",
    "text": "",
    "arrays": "CREATE VIEW v AS TABLE t",
}


@pytest.mark.parametrize("road", ROADS)
def test_every_type_arrives_as_it_should(sink: Make, road: str) -> None:
    """All cases side by side, one column each; a column that has no binary form makes the whole COPY text."""
    exact = [case for case in CASES if road != "binary" or _is_binary(case)]
    columns = ", ".join(f"c{number} {column}" for number, (_, column, _, _) in enumerate(exact))
    table = "v" if road == "arrays" else "t"
    one = sink(f"{PREPARE} CREATE TABLE t (id int, {columns}); {ROADS[road]}", table_name_format=table)
    fields = [("id", INT32), *((f"c{number}", optional(kind)) for number, (kind, *_) in enumerate(exact))]
    rows: list[dict[str, Any]] = [{"id": 1}, {"id": 2}, {"id": 3}]
    for number, (_, _, value, _) in enumerate(exact):
        rows[0][f"c{number}"] = rows[2][f"c{number}"] = value
        rows[1][f"c{number}"] = None
    one.put(struct(fields), rows)
    _check(one, exact)


def _is_binary(case: Case) -> bool:
    from headrace.jdbc.sink.postgresql.cells import encoder
    from headrace.jdbc.sink.postgresql.fit import fit
    from headrace.jdbc.sink.postgresql.table import SinkColumn

    bases = {
        "smallint": "int2",
        "int": "int4",
        "bigint": "int8",
        "real": "float4",
        "double precision": "float8",
        "boolean": "bool",
        "positive": "int4",
    }
    kind, column, value, _ = case
    name = column.partition("(")[0]
    target = SinkColumn("c", bases.get(name, name), "e" if name == "mood" else "b")
    given: Batch = batch(struct([("c", kind)]), [{"c": value}])
    inner = [value] if given.value is None or isinstance(given.value, list) else given.value.field(0)
    return encoder(target, fit(target, kind)(inner).type) is not None


def _check(one: Sink, exact: list[Case]) -> None:
    names = ", ".join(f"c{number}::text" for number in range(len(exact)))
    first, second, third = one.rows(f"SELECT {names} FROM t ORDER BY id")
    for (kind, column, value, expected), text, gone, again in zip(exact, first, second, third, strict=True):
        place = f"{kind.name or kind.type} {value!r} in {column}"
        assert text == expected, place
        assert again == expected, place
        assert gone is None, place


def test_uuids_are_the_same_whatever_their_form(sink: Make) -> None:
    one = sink("CREATE TABLE t (n int, id uuid); CREATE TABLE u (n int, id uuid PRIMARY KEY)")
    two = sink(table_name_format="u", insert_mode="upsert", pk_mode="record_value", pk_fields="id")
    chance = random.Random(1)
    ids = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(500)]
    kind = struct([("n", INT32), ("id", optional(STRING))])
    rows: list[dict[str, Any]] = [{"n": number, "id": text} for number, text in enumerate(ids)]
    one.put(kind, [*rows, {"n": -1, "id": None}])
    two.put(kind, rows + rows[::-1])
    two.put(kind, [{"n": -2, "id": ids[0].upper()}, {"n": -3, "id": "{" + ids[1] + "}"}])
    assert one.rows("SELECT n, id::text FROM t ORDER BY n") == [(-1, None), *enumerate(ids)]
    assert one.rows("SELECT n, id::text FROM u WHERE n < 2 ORDER BY n DESC") == [(-2, ids[0]), (-3, ids[1])]
    assert one.rows("SELECT count(*) FROM u") == [(500,)]


def test_the_cases_for_the_binary_format_are_many() -> None:
    assert sum(_is_binary(case) for case in CASES) > 40


def test_timestamps_are_written_in_db_timezone_where_the_column_has_none(sink: Make) -> None:
    one = sink("CREATE TABLE t (a timestamp, b timestamptz, c date)", db_timezone="Asia/Seoul")
    late = NOON.replace(hour=20)
    kind = struct([("a", timestamp_schema()), ("b", timestamp_schema()), ("c", timestamp_schema())])
    one.put(kind, [{"a": late, "b": late, "c": late}])
    assert one.rows("SELECT a::text, b::text, c::text FROM t") == [
        ("2024-03-01 05:30:15.123", "2024-02-29 20:30:15.123+00", "2024-03-01")
    ]


def test_rows_of_many_megabytes_go_in_chunks(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, x text, y bytea)")
    kind = struct([("id", INT32), ("x", STRING), ("y", BYTES)])
    rows = [{"id": number, "x": f"{number}é" * 50_000, "y": bytes([number]) * 500_000} for number in range(40)]
    one.put(kind, rows)
    sums = one.rows("SELECT id, length(x), length(y), md5(x) = md5(repeat(id || 'é', 50000)) FROM t ORDER BY id")
    assert sums == [(n, len(str(n)) * 50_000 + 50_000, 500_000, True) for n in range(40)]


def test_random_rows_are_the_same_in_binary_and_in_text(sink: Make) -> None:
    chance = random.Random(7)
    kind = struct(
        [
            ("id", INT32),
            ("a", optional(INT64)),
            ("b", schema(SchemaType.STRING, optional=True)),
            ("c", optional(FLOAT64)),
            ("d", optional(BYTES)),
            ("e", decimal_schema(3, 15, optional=True)),
            ("f", optional(STRING)),
        ]
    )

    def row(number: int) -> dict[str, Any]:
        letters = "".join(chance.choice("aé\t\n\\N漢𝄞'\"") for _ in range(chance.randrange(12)))
        full = {
            "a": chance.randrange(-(2**63), 2**63),
            "b": letters,
            "c": chance.uniform(-1e9, 1e9) ** 5,
            "d": chance.randbytes(chance.randrange(9)),
            "e": Decimal(chance.randrange(-(10**15) + 1, 10**15)).scaleb(-3),
            "f": letters[::-1],
        }
        return {"id": number} | {name: value for name, value in full.items() if chance.random() > 0.2}

    rows = [row(number) for number in range(3000)]
    columns = "id int, a bigint, b text, c double precision, d bytea, e numeric, f text"
    one = sink(f"CREATE TABLE t ({columns}); CREATE TABLE u ({columns}, x inet)")
    one.put(kind, rows)
    two = sink(table_name_format="u")
    two.put(struct([*((f.name, f.schema) for f in kind.fields), ("x", STRING)]), [r | {"x": "::1"} for r in rows])
    different = "(TABLE t EXCEPT SELECT id, a, b, c, d, e, f FROM u)"
    assert one.rows(f"SELECT count(*) FROM {different} AS x") == [(0,)]
    assert one.rows("SELECT count(*), (SELECT count(*) FROM u) FROM t") == [(3000, 3000)]
    back = {r[0]: r[1:] for r in one.rows("TABLE t")}
    for wanted in rows:
        assert back[wanted["id"]] == tuple(wanted.get(name) for name in "abcdef")
