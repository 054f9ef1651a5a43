"""Tables of every kind and name: created, widened, views, partitions, computed columns, names that need quotes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from headrace.connect.api import ConnectError, SchemaType, schema, struct
from headrace.connect.api.schema import date as date_schema
from headrace.connect.api.schema import decimal as decimal_schema
from headrace.connect.api.schema import time as time_schema
from headrace.connect.api.schema import timestamp as timestamp_schema
from headrace.testing.postgres import Database
from tests.jdbc.sink.harness import (
    BOOLEAN,
    BYTES,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    PLAIN,
    STRING,
    UPSERT,
    Sink,
    named,
    optional,
)

Make = Callable[..., Sink]
UPSERTING = {name.replace(".", "_"): value for name, value in UPSERT.items()}
COLUMNS = (
    "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
    "WHERE attrelid = '{}'::regclass AND attnum > 0 ORDER BY attnum"
)


def test_auto_create_makes_the_table_of_the_known_connectors(sink: Make) -> None:
    kinds = {
        "id": (INT32, "integer"),
        "a": (INT8, "smallint"),
        "b": (INT16, "smallint"),
        "c": (INT64, "bigint"),
        "d": (FLOAT32, "real"),
        "e": (FLOAT64, "double precision"),
        "f": (BOOLEAN, "boolean"),
        "g": (STRING, "text"),
        "h": (BYTES, "bytea"),
        "i": (decimal_schema(2, 10), "numeric(10,2)"),
        "j": (decimal_schema(2), "numeric"),
        "k": (date_schema(), "date"),
        "l": (time_schema(), "time without time zone"),
        "m": (timestamp_schema(), "timestamp without time zone"),
        "n": (schema(SchemaType.ARRAY, value_schema=INT32), "integer[]"),
        "o": (schema(SchemaType.STRING, default="it's"), "text"),
    }
    one = sink(auto_create=True, table_name_format="${topic}", **UPSERTING)
    fields = [(name, kind if name in ("id", "g", "o") else optional(kind)) for name, (kind, _) in kinds.items()]
    one.put(struct(fields), [{"id": 1, "g": "g", "o": "o"}, {"id": 2, "g": "h", "i": Decimal("1.50"), "o": "p"}])
    made = one.rows(COLUMNS.format("topic"))
    assert made == [(name, text, name in ("id", "g", "o")) for name, (_, text) in kinds.items()]
    assert one.rows("SELECT id, g, i FROM topic ORDER BY 1") == [(1, "g", None), (2, "h", Decimal("1.50"))]
    assert one.rows("INSERT INTO topic (id, g) VALUES (9, '') RETURNING o") == [("it's",)]
    assert one.rows("SELECT indisprimary FROM pg_index WHERE indrelid = 'topic'::regclass") == [(True,)]


def test_auto_create_makes_no_key_where_none_is_asked_for(sink: Make) -> None:
    one = sink(auto_create=True)
    one.put(PLAIN, named([(1, "a"), (1, "a")]))
    assert one.rows("TABLE t") == [(1, "a"), (1, "a")]
    assert one.rows("SELECT 1 FROM pg_index WHERE indrelid = 't'::regclass") == []


def test_auto_create_of_a_table_that_another_task_makes_first(sink: Make) -> None:
    one, two = sink(auto_create=True), sink(auto_create=True)
    one.put(PLAIN, named([(1, "a")]))
    two.put(PLAIN, named([(2, "b")]))
    assert len(one.rows("TABLE t")) == 2


def test_auto_create_says_what_it_makes_no_column_for(sink: Make) -> None:
    kind = struct([("id", INT32), ("inner", struct([("x", INT32)]))])
    with pytest.raises(ConnectError, match=r"field 'inner' is a STRUCT.*Flatten"):
        sink(auto_create=True).put(kind, [{"id": 1, "inner": {"x": 1}}])


def test_auto_evolve_adds_columns_that_take_nulls(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int); INSERT INTO t VALUES (1)", auto_evolve=True)
    one.put(PLAIN, named([(2, "b")]))
    one.put(struct([("id", INT32), ("more", optional(INT64))]), [{"id": 3, "more": 4}])
    assert one.rows("SELECT id, name, more FROM t ORDER BY 1") == [(1, None, None), (2, "b", None), (3, None, 4)]


ODD = ["Upper Case", 'quo"te', "new\nline", "percent%s", "한글", "semi;--", "dollar$1", "back\\slash", "apo'strophe"]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("road", ["copy", "arrays"])
def test_names_that_need_quotes(sink: Make, name: str, road: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    ddl = f"CREATE TABLE {quoted} (id int PRIMARY KEY, {quoted} text);"
    view = f"CREATE VIEW v AS SELECT * FROM {quoted}" if road == "arrays" else ""
    one = sink(ddl + view, table_name_format=quoted if road == "copy" else "v", **UPSERTING)
    kind = struct([("id", INT32), (name, STRING)])
    one.put(kind, [{"id": number, name: "a"} for number in range(200)])
    one.put(kind, [{"id": 1, name: "b%s$1"}])
    assert one.rows(f"SELECT id, {quoted} FROM {quoted} WHERE id < 2 ORDER BY 1") == [(0, "a"), (1, "b%s$1")]


def test_a_table_in_a_schema(sink: Make) -> None:
    one = sink('CREATE SCHEMA "S"; CREATE TABLE "S"."a.b" (id int, name text)', table_name_format='S."a.b"')
    one.put(PLAIN, named([(1, "a")]))
    assert one.rows('TABLE "S"."a.b"') == [(1, "a")]


def test_names_without_quotes_are_folded_where_asked(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, name text)", table_name_format="T", quote_sql_identifiers="never")
    one.put(PLAIN, named([(1, "a")]))
    assert one.rows("TABLE t") == [(1, "a")]


def test_fields_find_columns_that_differ_in_case(sink: Make) -> None:
    one = sink('CREATE TABLE t ("ID" int, "Name" text, name2 text)')
    one.put(PLAIN, named([(1, "a")]))
    assert one.rows('SELECT "ID", "Name" FROM t') == [(1, "a")]


def test_names_longer_than_postgresql_keeps_are_cut_as_it_cuts_them(sink: Make) -> None:
    one = sink(auto_create=True, table_name_format="${topic}")
    one.put(PLAIN, named([(1, "a")]), topic="한" * 30)
    one.put(PLAIN, named([(2, "b")]), topic="한" * 30)
    assert one.rows("TABLE " + "한" * 21) == [(1, "a"), (2, "b")]


def test_a_view_is_written_through(sink: Make) -> None:
    one = sink(
        "CREATE TABLE u (id int PRIMARY KEY, n text, x int); CREATE VIEW t AS SELECT id, n AS name FROM u", **UPSERTING
    )
    one.put(PLAIN, named([(1, "a"), (2, None), (1, "c\t\\")]))
    one.put(PLAIN, named([(2, "b")]))
    assert one.rows("SELECT id, n FROM u ORDER BY 1") == [(1, "c\t\\"), (2, "b")]


def test_a_table_with_rules_obeys_them(sink: Make) -> None:
    one = sink(
        "CREATE TABLE t (id int, name text); CREATE TABLE log (id int);"
        "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (NEW.id)"
    )
    one.put(PLAIN, named([(1, "a"), (2, "b")]))
    assert one.rows("SELECT count(*) FROM t") == one.rows("SELECT count(*) FROM log") == [(2,)]


def test_a_partitioned_table(sink: Make) -> None:
    one = sink(
        "CREATE TABLE t (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (100) TO (1000)",
        **UPSERTING,
    )
    for name in ("a", "b"):
        one.put(PLAIN, named([(number, name) for number in range(50, 250)]))
    assert one.rows("SELECT tableoid::regclass::text, name, count(*) FROM t GROUP BY 1, 2 ORDER BY 1") == [
        ("t1", "b", 50),
        ("t2", "b", 150),
    ]


def test_columns_that_the_database_computes_are_left_out(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, name text GENERATED ALWAYS AS ('n' || id) STORED)", **UPSERTING)
    one.put(PLAIN, named([(1, "a")]))
    assert one.rows("TABLE t") == [(1, "n1")]


@pytest.mark.parametrize("mode", ["insert", "upsert"])
def test_identity_columns_take_the_given_value(sink: Make, mode: str) -> None:
    ddl = "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)"
    one = sink(ddl, **(UPSERTING | {"insert_mode": mode}))
    one.put(PLAIN, named([(7, "a")]))
    if mode == "upsert":
        one.put(PLAIN, named([(7, "b")]))
    assert one.rows("TABLE t") == [(7, "a" if mode == "insert" else "b")]


def test_columns_without_field_take_their_default(sink: Make) -> None:
    one = sink("CREATE TABLE t (n serial, id int, at timestamp NOT NULL DEFAULT now(), name text)")
    one.put(PLAIN, named([(1, "a"), (2, "b")]))
    assert one.rows("SELECT n, id, at IS NOT NULL FROM t ORDER BY 1") == [(1, 1, True), (2, 2, True)]


def test_a_session_without_temporary_tables_upserts_too(sink: Make, database: Database) -> None:
    role = f"plain_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'".encode())
        connection.execute(f"REVOKE TEMP ON DATABASE {database.name} FROM PUBLIC".encode())
        connection.execute(f"CREATE TABLE t (id numeric PRIMARY KEY, name text); GRANT ALL ON t TO {role}".encode())
    try:
        one = sink(connection_user=role, connection_password="pw", **UPSERTING)
        one.put(PLAIN, named([(1, "a"), (2, "b"), (1, "c")]))
        one.put(PLAIN, named([(2, "d")]))
        assert one.rows("SELECT * FROM t ORDER BY 1") == [(1, "c"), (2, "d")]
    finally:
        one.task.stop()
        with database.connect() as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_row_security_is_obeyed(sink: Make, database: Database) -> None:
    role = f"plain_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'".encode())
        connection.execute(f"CREATE TABLE t (id int, name text); GRANT ALL ON t TO {role}".encode())
        connection.execute(b"ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id > 0)")
    one = sink(connection_user=role, connection_password="pw")
    try:
        one.put(PLAIN, named([(1, "a")]))
        with pytest.raises(ConnectError, match="row-level security"):
            one.put(PLAIN, named([(-1, "b")]))
        assert one.rows("TABLE t") == [(1, "a")]
    finally:
        one.task.stop()
        with database.connect() as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_keys_of_every_type_are_told_apart(sink: Make) -> None:
    kinds: list[tuple[Any, str, list[Any]]] = [
        (STRING, "text", ["b", "a", "b", "é", ""]),
        (BOOLEAN, "boolean", [True, False, True]),
        (date_schema(), "date", [18_000, 17_000, 18_000]),
        (BYTES, "bytea", [b"b", b"a", b"b"]),
        (STRING, "uuid", ["0f8fad5b-d9cb-469f-a165-70867728950e", "0F8FAD5B-D9CB-469F-A165-70867728950E"]),
        (FLOAT64, "double precision", [0.0, -0.0, float("nan"), float("nan"), 1.5]),
        (STRING, "char(3)", ["a", "a ", "b"]),
    ]
    for number, (kind, column, keys) in enumerate(kinds):
        name = f"k{number}"
        one = sink(f"CREATE TABLE {name} (id {column} PRIMARY KEY, n int)", table_name_format=name, **UPSERTING)
        plain = kind.name is not None
        rows = [{"id": _date(key) if plain else key, "n": at} for at, key in enumerate(keys)]
        one.put(struct([("id", kind), ("n", INT32)]), rows)
        one.put(struct([("id", kind), ("n", INT32)]), rows)
        distinct = {"uuid": 1, "double precision": 3, "char(3)": 2}.get(column, len(set(keys)))
        assert one.rows(f"SELECT count(*), max(n) FROM {name}") == [(distinct, len(keys) - 1)], column
        one.task.stop()


def _date(days: int) -> Any:
    from datetime import date, timedelta

    return date(1970, 1, 1) + timedelta(days)
