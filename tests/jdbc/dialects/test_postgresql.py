"""PostgreSQL's catalog: names, tables, columns, keys, domains."""

import pytest

from headrace.connect.api import ConfigError
from headrace.jdbc.dialects import PostgresDialect, TableId
from headrace.testing.postgres import Database

DIALECT = PostgresDialect()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("iris", TableId(None, "iris")),
        ("public.iris", TableId("public", "iris")),
        ("db.public.iris", TableId("public", "iris")),
        ('"a.b"."c""d"', TableId("a.b", 'c"d')),
    ],
)
def test_a_table_name_is_read(text: str, expected: TableId) -> None:
    assert TableId.parse(text) == expected


@pytest.mark.parametrize("text", ["", "a.b.c.d", "."])
def test_a_bad_table_name_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no table name"):
        TableId.parse(text)


def test_quoting_keeps_names_and_texts_whole(database: Database) -> None:
    with database.connect() as connection:
        for odd in ('a"b', "a'b", "a\\b", "a'\\'b", "%s", "한글"):
            row = connection.execute(f"SELECT {DIALECT.literal(odd)} AS {DIALECT.quote(odd)}".encode())
            assert row.description is not None and row.description[0].name == odd and row.fetchone() == (odd,)


def test_columns_with_types_nullability_and_key(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE DOMAIN price AS numeric(10,-2) NOT NULL; CREATE DOMAIN discount AS price;"
            "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY, b discount, c varchar(10), d bit(3), e int[],"
            " f bigserial, g numeric(5,2), h numeric, i char(4) DEFAULT 'x', j int GENERATED ALWAYS AS (1) STORED,"
            " PRIMARY KEY (f, a))"
        )
        table = DIALECT.reflect(connection, TableId(None, "t"))
    assert table is not None and (table.id, table.type) == (TableId("public", "t"), "TABLE")
    assert table.primary_key == ("f", "a")
    facts = {c.name: (c.type, c.nullable, c.length, c.precision, c.scale) for c in table.columns}
    assert facts == {
        "a": ("int4", False, None, None, None),
        "b": ("numeric", False, None, 10, -2),
        "c": ("varchar", True, 10, None, None),
        "d": ("bit", True, 3, None, None),
        "e": ("_int4", True, None, None, None),
        "f": ("int8", False, None, None, None),
        "g": ("numeric", True, None, 5, 2),
        "h": ("numeric", True, None, None, None),
        "i": ("bpchar", True, 4, None, None),
        "j": ("int4", True, None, None, None),
    }
    assert [c.name for c in table.columns if c.autoincrement] == ["a", "f"]
    assert [c.name for c in table.columns if c.generated] == ["j"]
    assert [c.name for c in table.columns if c.kind == "a"] == ["e"]


def test_tables_are_listed_by_type_and_found_by_name(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE SCHEMA other; CREATE SCHEMA more; CREATE TABLE t (a int); CREATE TABLE other.t (a int);"
            "CREATE TABLE other.u (a int); CREATE TABLE more.v (a int); CREATE TABLE other.v (a int);"
            "CREATE VIEW w AS SELECT 1 AS a; CREATE TABLE p (a int) PARTITION BY RANGE (a);"
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)"
        )
        assert [str(t) for t in DIALECT.tables(connection, ["TABLE"])] == [
            *("more.v", "other.t", "other.u", "other.v", "public.t")
        ]
        assert [str(t) for t in DIALECT.tables(connection, ["view", "PARTITIONED TABLE"])] == ["public.p", "public.w"]
        assert DIALECT.find(connection, TableId(None, "t")) == [TableId("public", "t")]
        assert DIALECT.find(connection, TableId(None, "u")) == [TableId("other", "u")]
        assert DIALECT.find(connection, TableId(None, "v")) == [TableId("more", "v"), TableId("other", "v")]
        assert DIALECT.find(connection, TableId("more", "t")) == []
        assert DIALECT.reflect(connection, TableId(None, "gone")) is None
