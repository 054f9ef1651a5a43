"""Every PostgreSQL type: its Connect schema, its value, its null; nothing dropped, nothing rounded in silence."""

import logging
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from headrace.connect.api import ConnectError, SchemaType, arrow_type
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.jdbc.source.columns import INFINITY_DAYS, INFINITY_MS, MINUS_INFINITY_DAYS, MINUS_INFINITY_MS
from headrace.testing.postgres import Database
from tests.jdbc.source.harness import column, poll_rows, properties, running, values

S = SchemaType


class Case(NamedTuple):
    type: str
    literal: str
    kind: SchemaType
    value: Any
    logical: str | None = None


CASES = [
    Case("bool", "true", S.BOOLEAN, True),
    Case("int2", "-32768", S.INT16, -32768),
    Case("int4", "-2147483648", S.INT32, -(2**31)),
    Case("int8", "9223372036854775807", S.INT64, 2**63 - 1),
    Case("oid", "4294967295", S.INT64, 2**32 - 1),
    Case("float4", "1.5", S.FLOAT32, 1.5),
    Case("float8", "'-Infinity'", S.FLOAT64, float("-inf")),
    Case("float8", "0.1", S.FLOAT64, 0.1),
    Case("numeric(10,2)", "12345678.90", S.BYTES, Decimal("12345678.90"), DECIMAL),
    Case("numeric(76,0)", "9" * 76, S.BYTES, Decimal("9" * 76), DECIMAL),
    Case("numeric(90,5)", "1." + "0" * 4 + "1", S.BYTES, Decimal("1.00001"), DECIMAL),
    Case("numeric(5,-2)", "1234567", S.BYTES, Decimal("1234600"), DECIMAL),
    Case("numeric", "0.1000", S.STRING, "0.1000"),
    Case("text", "'한글 ''q''\\x'", S.STRING, "한글 'q'\\x"),
    Case("varchar(9)", "'ab '", S.STRING, "ab "),
    Case("char(4)", "'ab'", S.STRING, "ab  "),
    Case("bpchar", "'ab'", S.STRING, "ab"),
    Case('"char"', "'x'", S.STRING, "x"),
    Case("name", "'n'", S.STRING, "n"),
    Case("bytea", "'\\x00ff27'", S.BYTES, b"\x00\xff'"),
    Case("date", "'2024-02-29'", S.INT32, date(2024, 2, 29), DATE),
    Case("date", "'0001-01-01'", S.INT32, date(1, 1, 1), DATE),
    Case("time", "'23:59:59.123'", S.INT32, time(23, 59, 59, 123000), TIME),
    Case("timetz", "'01:00:00+02'", S.INT32, time(23), TIME),
    Case("timestamp", "'2024-02-29 12:00:00.123'", S.INT64, datetime(2024, 2, 29, 12, 0, 0, 123000), TIMESTAMP),
    Case("timestamp", "'1960-01-01 00:00:00.001'", S.INT64, datetime(1960, 1, 1, 0, 0, 0, 1000), TIMESTAMP),
    Case("timestamptz", "'2024-02-29 12:00:00+09'", S.INT64, datetime(2024, 2, 29, 3), TIMESTAMP),
    Case("json", "'{\"a\":  1}'", S.STRING, '{"a":  1}'),
    Case("jsonb", "'{\"a\":  1}'", S.STRING, '{"a": 1}'),
    Case("uuid", "'00112233-4455-6677-8899-aabbccddeeff'", S.STRING, "00112233-4455-6677-8899-aabbccddeeff"),
    Case("bit", "B'1'", S.BOOLEAN, True),
    Case("bit(8)", "B'11111111'", S.INT8, -1),
    Case("bit(3)", "B'101'", S.INT8, 5),
    Case("bit(10)", "B'1010101010'", S.BYTES, b"1010101010"),
    Case("varbit", "B'101'", S.STRING, "101"),
    Case("int4[]", "'{1,NULL,3}'", S.STRING, "{1,NULL,3}"),
    Case("text[]", "ARRAY['a,b', 'c\"d']", S.STRING, '{"a,b","c\\"d"}'),
    Case("timestamptz[]", "ARRAY[timestamptz '2024-01-01 00:00+00']", S.STRING, '{"2024-01-01 00:00:00+00"}'),
    Case("interval", "'1 year 2 mons 3 days 04:05:06.789'", S.STRING, "1 year 2 mons 3 days 04:05:06.789"),
    Case("money", "'12.34'", S.STRING, "$12.34"),
    Case("inet", "'10.0.0.1/8'", S.STRING, "10.0.0.1/8"),
    Case("cidr", "'10.0.0.0/8'", S.STRING, "10.0.0.0/8"),
    Case("macaddr", "'08:00:2b:01:02:03'", S.STRING, "08:00:2b:01:02:03"),
    Case("point", "'(1,2.5)'", S.STRING, "(1,2.5)"),
    Case("box", "'(3,4),(1,2)'", S.STRING, "(3,4),(1,2)"),
    Case("int4range", "'[1,5)'", S.STRING, "[1,5)"),
    Case("int4multirange", "'{[1,5),[7,9)}'", S.STRING, "{[1,5),[7,9)}"),
    Case("tsvector", "'a:1 b:2'", S.STRING, "'a':1 'b':2"),
    Case("tsquery", "'a & b'", S.STRING, "'a' & 'b'"),
    Case("pg_lsn", "'16/B374D848'", S.STRING, "16/B374D848"),
    Case("xid8", "'7'", S.STRING, "7"),
    Case("jsonpath", "'$.a'", S.STRING, '$."a"'),
    Case("regclass", "'pg_class'", S.STRING, "pg_class"),
    Case("mood", "'sad'", S.STRING, "sad"),
    Case("pair", "ROW(1, 'x')", S.STRING, "(1,x)"),
    Case("positive", "7", S.INT32, 7),
    Case("price", "7.5", S.BYTES, Decimal("7.50"), DECIMAL),
    Case("vector_of_ints", "'{1}'", S.STRING, "{1}"),
]
USER_TYPES = (
    "CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE TYPE pair AS (a int, b text);"
    "CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN price AS numeric(8,2);"
    "CREATE DOMAIN vector_of_ints AS int[]"
)


def bulk(database: Database, **more: Any) -> dict[str, str]:
    return properties(database, mode="bulk", table_whitelist="t", poll_interval_ms=60_000, **more)


def test_the_type_matrix(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(USER_TYPES)
        columns = ", ".join(f"c{at} {case.type}, n{at} {case.type}" for at, case in enumerate(CASES))
        given = ", ".join(f"({case.literal})::{case.type}, NULL" for case in CASES)
        connection.execute(f"CREATE TABLE t ({columns}); INSERT INTO t VALUES ({given})".encode())
    with running(bulk(database)) as task:
        batches = poll_rows(task, 1)
    schema = batches[0].value_schema
    assert schema is not None
    (row,) = values(batches)
    for at, case in enumerate(CASES):
        field = schema.field(f"c{at}")
        assert field is not None and field.schema.optional
        assert (field.schema.type, field.schema.name) == (case.kind, case.logical), case
        value = row[f"c{at}"]
        if case.logical == TIMESTAMP:
            value = value.replace(tzinfo=None)
        assert value == case.value and type(value) is type(case.value), case
        assert row[f"n{at}"] is None, case


def test_a_struct_column_is_arrows_where_arrow_has_the_types(database: Database) -> None:
    cases = [case for case in CASES if not case.type.startswith("numeric(90")]
    with database.connect() as connection:
        connection.execute(USER_TYPES)
        columns = ", ".join(f"c{at} {case.type}" for at, case in enumerate(cases))
        given = ", ".join(f"({case.literal})::{case.type}" for case in cases)
        connection.execute(f"CREATE TABLE t ({columns}); INSERT INTO t VALUES ({given})".encode())
    with running(bulk(database)) as task:
        (batch,) = poll_rows(task, 1)
    assert isinstance(batch.value, pa.StructArray)
    assert batch.value.type == arrow_type(batch.value_schema)
    batch.value.validate(full=True)


def test_every_type_of_the_catalog_that_can_be_a_column_is_read(database: Database) -> None:
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT format_type(t.oid, NULL) FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem"
            " WHERE t.typtype IN ('b', 'r', 'm', 'e') AND t.typnamespace = 'pg_catalog'::regnamespace"
            " AND t.typname <> 'unknown' AND t.typcategory <> 'Z'"
            " AND COALESCE(e.typtype, 'b') NOT IN ('c', 'p') ORDER BY t.oid"
        ).fetchall()
        types = [row[0] for row in rows]
        assert len(types) > 100
        connection.execute(f"CREATE TABLE t ({', '.join(f'c{at} {kind}' for at, kind in enumerate(types))})".encode())
        connection.execute("INSERT INTO t DEFAULT VALUES")
    with running(bulk(database)) as task:
        (batch,) = poll_rows(task, 1)
    assert values([batch]) == [{f"c{at}": None for at in range(len(types))}]


def test_nullability_is_the_columns(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (a int NOT NULL, b int, c int PRIMARY KEY); INSERT INTO t VALUES (1, 2, 3)")
    with running(bulk(database)) as task:
        schema = poll_rows(task, 1)[0].value_schema
    assert schema is not None
    assert [(field.name, field.schema.optional) for field in schema.fields] == [("a", False), ("b", True), ("c", False)]


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("none", [S.BYTES] * 6),
        ("precision_only", [S.INT8, S.INT16, S.INT32, S.INT64, S.BYTES, S.BYTES]),
        ("best_fit", [S.INT8, S.INT16, S.INT32, S.INT64, S.FLOAT64, S.BYTES]),
        ("best_fit_eager_double", [S.INT8, S.INT16, S.INT32, S.INT64, S.FLOAT64, S.FLOAT64]),
    ],
)
def test_numeric_mapping(database: Database, mapping: str, expected: list[SchemaType]) -> None:
    types = ["numeric(2)", "numeric(4)", "numeric(9)", "numeric(18)", "numeric(9,3)", "numeric(30,3)"]
    with database.connect() as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'c{at} {kind}' for at, kind in enumerate(types))})".encode())
        connection.execute("INSERT INTO t VALUES (-99, 9999, 999999999, -999999999999999999, 1.125, -2.5)")
    with running(bulk(database, numeric_mapping=mapping)) as task:
        batches = poll_rows(task, 1)
    assert batches[0].value_schema is not None
    assert [field.schema.type for field in batches[0].value_schema.fields] == expected
    numbers = [-99, 9999, 999999999, -999999999999999999, Decimal("1.125"), Decimal("-2.5")]
    assert list(values(batches)[0].values()) == numbers


def test_not_a_number_in_a_decimal_fails_with_the_columns_name(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (price numeric(9,3)); INSERT INTO t VALUES ('NaN')")
    with running(bulk(database)) as task, pytest.raises(ConnectError, match="column price has NaN or Infinity"):
        task.poll()


def test_times_finer_than_a_millisecond_are_cut_counted_and_warned_of_once(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (at timestamp, of_day time);"
            "INSERT INTO t VALUES ('2024-01-01 00:00:00.123999', '00:00:00.000001'), (NULL, NULL),"
            " ('1969-12-31 23:59:59.999999', '00:00:00'), ('1969-12-31 23:59:59', '00:00:00')"
        )
    with caplog.at_level(logging.INFO), running(bulk(database)) as task:
        batches = poll_rows(task, 4)
    utc = UTC
    assert column(batches, "at") == [
        datetime(2024, 1, 1, 0, 0, 0, 123000, utc),
        None,
        datetime(1969, 12, 31, 23, 59, 59, 999000, utc),
        datetime(1969, 12, 31, 23, 59, 59, 0, utc),
    ]
    assert column(batches, "of_day") == [time(0), None, time(0), time(0)]
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [text.split(" has ")[0] for text in warned] == ["table public.t: column at", "table public.t: column of_day"]
    assert "2 times of column at were cut" in caplog.text and "1 times of column of_day were cut" in caplog.text


def test_infinite_times_and_years_beyond_64_bits_are_told_apart_by_value(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (at timestamp, z timestamptz, d date); INSERT INTO t VALUES"
            " ('infinity', 'infinity', 'infinity'), ('-infinity', '-infinity', '-infinity'), (NULL, NULL, NULL),"
            " ('294276-12-31 23:59:59.999', '294276-12-31 23:59:59.999+00', '5874897-12-31'),"
            " ('4713-01-01 BC', '4713-01-01 00:00+00 BC', '4713-01-01 BC'), ('2024-01-01', '2024-01-01 00:00+00',"
            " '2024-01-01')"
        )
    with running(bulk(database)) as task:
        (batch,) = poll_rows(task, 6)
    at, z, d = (batch.value.field(name) for name in ("at", "z", "d"))
    expected = [INFINITY_MS, MINUS_INFINITY_MS, None, 9224318015999999, -210863520000000, 1704067200000]
    assert at.cast(pa.int64()).to_pylist() == expected
    assert z.cast(pa.int64()).to_pylist() == expected
    days = [INFINITY_DAYS, MINUS_INFINITY_DAYS, None, 2145042905, -2440550, 19723]
    assert d.cast(pa.int32()).to_pylist() == days


@pytest.mark.parametrize(
    ("granularity", "expected"),
    [
        ("micros_long", 1704067200123456),
        ("micros_string", "1704067200123456"),
        ("micros_iso_datetime_string", "2024-01-01T00:00:00.123456"),
        ("nanos_long", 1704067200123456000),
        ("nanos_string", "1704067200123456000"),
        ("nanos_iso_datetime_string", "2024-01-01T00:00:00.123456000"),
    ],
)
def test_timestamp_granularity_keeps_every_digit(database: Database, granularity: str, expected: Any) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (at timestamp NOT NULL, z timestamptz, n timestamp); INSERT INTO t VALUES"
            " ('2024-01-01 00:00:00.123456', '2024-01-01 09:00:00.123456+09', NULL)"
        )
    keys = {"mode": "timestamp", "timestamp_column_name": "at", "table_whitelist": "t"}
    with running(properties(database, **keys, timestamp_granularity=granularity)) as task:
        batches = poll_rows(task, 1)
    assert values(batches) == [{"at": expected, "z": expected, "n": None}]
    assert batches[0].origin.offset[0]["timestamp_nanos"] == 123456000  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("granularity", "infinite", "far"),
    [
        ("micros_long", (2**63 - 1, -(2**63)), -62167219200000000),
        ("micros_string", ("infinity", "-infinity"), "-62167219200000000"),
        ("micros_iso_datetime_string", ("infinity", "-infinity"), "0001-01-01 00:00:00 BC"),
        ("nanos_string", ("infinity", "-infinity"), "-62167219200000000000"),
        ("nanos_iso_datetime_string", ("infinity", "-infinity"), "0001-01-01 00:00:00 BC"),
    ],
)
def test_infinity_and_far_years_are_told_apart_in_every_granularity(
    database: Database, granularity: str, infinite: tuple[Any, Any], far: Any
) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (at timestamp); INSERT INTO t VALUES ('infinity'), ('-infinity'), (NULL), ('epoch'),"
            " ('0001-01-01 BC')"
        )
    with running(bulk(database, timestamp_granularity=granularity)) as task:
        found = column(poll_rows(task, 5), "at")
    assert (*found[:2], found[2], found[4]) == (*infinite, None, far)
    assert found[3] in (0, "0") or found[3].startswith("1970-01-01T00:00:00.000000")


@pytest.mark.parametrize(
    ("granularity", "value", "says"),
    [
        ("nanos_long", "2500-01-01", "64 bits of nanoseconds do not reach: set timestamp.granularity=nanos_string"),
        ("micros_long", "294276-12-31 23:59:59", "set timestamp.granularity=micros_iso_datetime_string"),
        ("micros_string", "294276-12-31 23:59:59", "set timestamp.granularity=micros_iso_datetime_string"),
    ],
)
def test_a_time_that_a_granularity_does_not_hold_is_refused_by_name(
    database: Database, granularity: str, value: str, says: str
) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (at timestamp)")
        connection.execute("INSERT INTO t VALUES (%s), (NULL), ('infinity')", [value])
    with running(bulk(database, timestamp_granularity=granularity)) as task:
        with pytest.raises(ConnectError, match=says) as caught:
            task.poll()
        assert "column at" in str(caught.value)


def test_nanoseconds_of_infinity_are_the_ends_of_64_bits(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (at timestamptz); INSERT INTO t VALUES ('infinity'), ('-infinity'), (NULL)")
    with running(bulk(database, timestamp_granularity="nanos_long")) as task:
        assert column(poll_rows(task, 3), "at") == [2**63 - 1, -(2**63), None]


def test_what_may_be_lost_is_named_at_the_start_with_column_and_type(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (a timetz, b time, c timestamp(3), d timestamptz(6), e numeric(18,2), f numeric(8,2));"
            "INSERT INTO t DEFAULT VALUES"
        )
    with caplog.at_level(logging.INFO), running(bulk(database, numeric_mapping="best_fit")) as task:
        poll_rows(task, 1)
    said = [(record.levelno, record.getMessage()) for record in caplog.records if "exact.types" in record.getMessage()]
    assert [(level, text.partition(": ")[2].partition(";")[0]) for level, text in said] == [
        (logging.WARNING, "a (time with time zone): times go to UTC, without their zone"),
        (logging.INFO, "b (time without time zone): digits beyond the millisecond are cut"),
        (logging.INFO, "d (timestamp(6) with time zone): digits beyond the millisecond are cut"),
        (logging.WARNING, "e (numeric(18,2)): digits beyond the 15th are rounded"),
    ]
    caplog.clear()
    with caplog.at_level(logging.INFO), running(bulk(database, headrace_exact_types="true")) as task:
        poll_rows(task, 1)
    assert "exact.types" not in caplog.text


def test_exact_types_are_followed_by_times_and_numbers_as_ever(database: Database) -> None:
    keys = {"mode": "timestamp+incrementing", "timestamp_column_name": "at", "incrementing_column_name": "id"}
    props = properties(database, **keys, table_whitelist="t", headrace_exact_types="true")
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (id numeric(20,0) NOT NULL, at timestamptz NOT NULL);"
            "INSERT INTO t VALUES (2, '2024-01-01 00:00:00.000001+00'), (1, '2024-01-01 00:00:00.000002+00')"
        )
    with running(props) as task:
        batches = poll_rows(task, 2)
    assert values(batches)[0] == {"id": "2", "at": "2024-01-01 00:00:00.000001+00"}
    assert batches[0].origin.offset[1] == {  # type: ignore[union-attr]
        "incrementing": 1,
        "timestamp": 1704067200000,
        "timestamp_nanos": 2000,
    }


def test_a_far_date_beside_a_number_that_is_read_by_row_is_refused_by_name(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (n numeric(90,5), d date); INSERT INTO t VALUES (1, 'infinity')")
    with (
        running(bulk(database)) as task,
        pytest.raises(ConnectError, match=r"table public\.t, column d: .*exact.types"),
    ):
        task.poll()
    with running(bulk(database, headrace_exact_types="true")) as task:
        assert values(poll_rows(task, 1)) == [{"n": "1.00000", "d": "infinity"}]


def test_query_columns_have_the_same_types(database: Database) -> None:
    query = (
        "SELECT 1::int2 AS a, 'x'::char(3) AS b, 1.50::numeric(6,2) AS c, B'1'::bit(1) AS d, ARRAY[1] AS e, 'y' AS f"
    )
    with running(properties(database, mode="bulk", query=query, poll_interval_ms=60_000)) as task:
        batches = poll_rows(task, 1)
    assert values(batches) == [{"a": 1, "b": "x  ", "c": Decimal("1.50"), "d": True, "e": "{1}", "f": "y"}]
