"""What a person reads when rows cannot be written: it names the thing and the fix."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from headrace.connect.api import ConnectError, DataError, SchemaType, schema, struct
from headrace.connect.api.schema import timestamp
from headrace.testing.postgres import Database
from tests.jdbc.sink.harness import (
    BOOLEAN,
    FLOAT64,
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
TWO = struct([("id", INT32), ("x", STRING)])
UPSERTING = {name.replace(".", "_"): value for name, value in UPSERT.items()}


def refused(one: Sink, kind: Any, rows: list[Any], match: str, error: type[Exception] = ConnectError) -> str:
    with pytest.raises(error, match=match) as caught:
        one.put(kind, rows)
    assert issubclass(caught.type, DataError) == (error is DataError)
    assert not isinstance(caught.value.__context__, psycopg.Error)  # its repr and frames know the password
    return str(caught.value)


def test_wrong_password_is_said_at_the_start(sink: Make, database: Database) -> None:
    with pytest.raises(ConnectError, match=r"refuses the password of user 'headrace'.*connection\.password") as caught:
        sink(connection_password="targetpassword")
    assert "targetpassword" not in str(caught.value)


def test_missing_database_is_said_at_the_start(sink: Make, database: Database) -> None:
    with pytest.raises(ConnectError, match=r"there is no database 'nowhere'.*connection\.url"):
        sink(connection_url=database.server.jdbc_url("nowhere"))


def test_missing_table_is_said_at_the_start(sink: Make) -> None:
    with pytest.raises(ConnectError, match=r"there is no table iris in database .*: set auto\.create=true"):
        sink(table_name_format="${topic}", topics="iris")


def test_a_missing_table_that_is_there_under_another_name_is_pointed_at(sink: Make) -> None:
    with pytest.raises(ConnectError, match=r"there is no table Iris in .*: there is S\.iris, public\.IRIS, which"):
        sink(
            'CREATE SCHEMA "S"; CREATE TABLE "S".iris (id int); CREATE TABLE public."IRIS" (id int)',
            table_name_format="${topic}",
            topics="Iris",
        )


@pytest.mark.parametrize(
    ("ddl", "what"),
    [("CREATE SEQUENCE t", "a sequence"), ("CREATE MATERIALIZED VIEW t AS SELECT 1 AS id", "a materialized view")],
)
def test_what_is_no_table_is_called_what_it_is(sink: Make, ddl: str, what: str) -> None:
    refused(sink(ddl), PLAIN, named([(1, "a")]), rf"t in database .* is {what}, which takes no rows")


def test_missing_table_of_a_topic_not_known_before_comes_with_its_ddl(sink: Make) -> None:
    text = refused(sink(**UPSERTING), PLAIN, named([(1, "a")]), r"there is no table t in database")
    assert 'CREATE TABLE IF NOT EXISTS "t" ("id" INT NOT NULL, "name" TEXT, PRIMARY KEY ("id"))' in text


def test_a_missing_column_that_no_ddl_is_known_for_is_said_too(sink: Make) -> None:
    kind = struct([("id", INT32), ("inner", struct([("x", INT32)]))])
    one = sink("CREATE TABLE t (id int)")
    refused(one, kind, [{"id": 1, "inner": {"x": 1}}], r"has no column for field 'inner' .*: name the fields")
    two = sink(table_name_format="u")
    refused(two, kind, [{"id": 1, "inner": {"x": 1}}], r"there is no table u")


def test_a_table_made_after_the_failure_is_found(sink: Make) -> None:
    one = sink()
    refused(one, PLAIN, named([(1, "a")]), "there is no table")
    one.run("CREATE TABLE t (id int, name text)")
    one.put(PLAIN, named([(1, "a")]))
    assert one.rows("TABLE t") == [(1, "a")]


def test_missing_column_comes_with_its_ddl(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int)")
    words = r"record topic-0@\d+: table public\.t has no column for field 'name' of topic topic"
    text = refused(one, PLAIN, named([(1, "a")]), words)
    assert "auto.evolve=true" in text
    assert 'ALTER TABLE "public"."t" ADD COLUMN IF NOT EXISTS "name" TEXT' in text


def test_a_column_that_needs_a_value_and_has_no_field(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, name text, other int NOT NULL, given int NOT NULL DEFAULT 1)")
    refused(one, PLAIN, named([(1, "a")]), r"column 'other' takes no nulls and has no default")


def test_null_in_a_column_that_takes_none_names_column_and_fix(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, name text NOT NULL)")
    refused(one, PLAIN, named([(1, None)]), r"column 'name'.*null value.*drop the column's NOT NULL", DataError)


@pytest.mark.parametrize(
    ("column", "kind"),
    [("timestamp", INT64), ("boolean", INT32), ("int", BOOLEAN), ("uuid", FLOAT64), ("int", timestamp())],
)
def test_a_type_that_never_fits_is_said_before_any_row(sink: Make, column: str, kind: Any) -> None:
    one = sink(f"CREATE TABLE t (x {column})")
    refused(one, struct([("x", kind)]), [{"x": 1}], r"table public\.t: column 'x' is of type .*which does not fit: ")


@pytest.mark.parametrize(
    ("column", "kind", "value", "words"),
    [
        ("smallint", INT32, 40_000, "value 40000 of record .* does not fit type smallint"),
        ("int", FLOAT64, 1.5, "value 1.5 of record .* does not fit type integer"),
        ("real", FLOAT64, 1e300, "value 1e.300 of record .* out of the range of type real"),
        ("int", STRING, "abc", "column 'x': value 'abc' of record topic-0@.*change the column's type"),
        ("timestamp", STRING, "noon", "column 'x': value 'noon' of record topic-0@"),
        ("jsonb", STRING, "{", "column 'x': value '{' of record .*invalid input syntax for type json"),
        ("varchar(2)", STRING, "abc", "column 'x': value 'abc' of record .*too long.*widen the column"),
        ("numeric(4,2)", FLOAT64, 1000.0, "numeric field overflow.*widen the column's type"),
        ("text", STRING, "a\0b", r"value 'a\\x00b' of record .*NUL"),
        ("int CHECK (x > 0)", INT32, -1, 'violates check constraint "t_x_check".*correct the record'),
        ("uuid", STRING, "no", "column 'x': value 'no' of record"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_column(
    sink: Make, column: str, kind: Any, value: Any, words: str
) -> None:
    one = sink(f"CREATE TABLE t (id int, x {column})")
    good = {"smallint": 1, "int": 1, "real": 1.0, "timestamp": "2020-01-01", "jsonb": "{}", "numeric(4,2)": 1.0}
    first = good.get(column.partition(" ")[0], "11111111-1111-1111-1111-111111111111" if column == "uuid" else "a")
    fields = struct([("id", INT32), ("x", kind)])
    refused(one, fields, [{"id": 1, "x": first}, {"id": 2, "x": value}], words, DataError)
    assert one.rows("TABLE t") == []


def test_the_record_of_a_bad_value_is_named_by_partition_and_offset(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, x int)", **UPSERTING)
    with pytest.raises(DataError, match=r"value '6x' of record topic-7@\d+") as caught:
        one.put(TWO, [{"id": 9 - row, "x": f"{row}x" if row == 6 else "1"} for row in range(9)], partition=7)
    assert "topic-7@" in str(caught.value)


def test_values_without_schema_name_the_converter(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int)")
    refused(one, None, [{"id": 1}], r"has no schema.*value\.converter\.schemas\.enable=true", DataError)


def test_values_that_are_no_struct_are_said(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int)")
    refused(one, INT32, [1], r"its value is INT32, and a row needs a STRUCT", DataError)
    refused(one, STRING, ["a"], r"no column for field 'record_value'.*values are plain strings.*value\.converter")


def test_upsert_without_a_unique_index_says_what_to_run(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, name text UNIQUE)", **UPSERTING)
    text = refused(one, PLAIN, named([(1, "a")]), r'no primary key or unique index on \("id"\)')
    assert 'ALTER TABLE public.t ADD PRIMARY KEY ("id")' in text
    assert '("name")' in text


def test_another_unique_constraint_than_the_key_is_said(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, name text UNIQUE)", **UPSERTING)
    rows = named([(number, f"{number}") for number in range(100)])
    one.put(PLAIN, rows)
    refused(one, PLAIN, named([(1000 + number, f"{number}") for number in range(100)]), "another unique", DataError)
    assert len(one.rows("TABLE t")) == 100


def test_a_missing_permission_names_the_user(sink: Make, database: Database) -> None:
    with database.connect() as connection:
        role = f"plain_{database.name}"
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'".encode())
    try:
        one = sink("CREATE TABLE t (id int, name text)", connection_user=role, connection_password="pw")
        refused(one, PLAIN, named([(1, "a")]), rf"permission denied for table t.*GRANT.*{role}")
    finally:
        one.task.stop()
        with database.connect() as connection:
            connection.execute(f"DROP ROLE {role}".encode())


def test_two_fields_that_go_to_one_column_are_said(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, name text)")
    kind = struct([("name", STRING), ("Name", STRING)])
    refused(one, kind, [{"name": "a", "Name": "b"}], r"fields 'name' and 'Name' .* both go to column 'name'")


def test_an_unknown_key_field_lists_what_there_is(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int)", insert_mode="upsert", pk_mode="record_value", pk_fields="no")
    refused(one, PLAIN, named([(1, "a")]), r"pk\.fields names 'no'.*it has id, name")


def test_a_null_key_is_a_fault_of_the_record(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY)", **UPSERTING)
    kind = struct([("id", optional(INT32))])
    refused(one, kind, [{"id": 1}, {"id": None}], r"field 'id' of its value is null.*pk\.fields", DataError)


def test_a_refusal_of_a_trigger_is_a_fault_of_the_record(sink: Make) -> None:
    one = sink(
        "CREATE TABLE t (id int, name text);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'not this one'; END$$;"
        "CREATE TRIGGER no BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
    )
    refused(one, PLAIN, named([(1, "a")]), "not this one", DataError)


def test_a_column_added_meanwhile_is_found_for_records_that_have_more_fields(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, name text)")
    one.put(PLAIN, named([(1, "a")]))
    one.run("ALTER TABLE t ADD x text")
    one.put(struct([("id", INT32), ("name", optional(STRING)), ("x", STRING)]), [{"id": 2, "name": "b", "x": "c"}])
    assert one.rows("TABLE t ORDER BY id") == [(1, "a", None), (2, "b", "c")]


def test_a_column_dropped_or_retyped_meanwhile_is_found_out(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, name text)")
    one.put(PLAIN, named([(1, "a")]))
    one.run("ALTER TABLE t ALTER id TYPE bigint")
    one.put(PLAIN, named([(2, "b")]))
    one.run("ALTER TABLE t ALTER id TYPE numeric")
    one.put(PLAIN, named([(3, "c")]))
    one.run("ALTER TABLE t DROP name")
    refused(one, PLAIN, named([(4, "d")]), r"has no column for field 'name'")
    assert one.rows("TABLE t") == [(1,), (2,), (3,)]


def test_a_staged_column_retyped_meanwhile_is_found_out(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, name text)", **UPSERTING)
    one.put(PLAIN, named([(1, "a")]))
    one.run("ALTER TABLE t ALTER id TYPE bigint, ALTER name TYPE varchar(100)")
    one.put(PLAIN, named([(1, "b"), (2, "c")]))
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(1, "b"), (2, "c")]


def test_a_default_takes_the_place_of_null_where_wanted(sink: Make) -> None:
    kind = struct([("id", INT32), ("name", schema(SchemaType.STRING, optional=True, default="d"))])
    sink("CREATE TABLE t (id int, name text)").put(kind, named([(1, None), (2, "b")]))
    one = sink(replace_null_with_default=False)
    one.put(kind, named([(3, None)]))
    assert one.rows("TABLE t") == [(1, "d"), (2, "b"), (3, None)]
