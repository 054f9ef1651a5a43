"""Names: of columns in every case and length, of tables by topic, and which fields go where."""

from collections.abc import Callable

import pytest

from headrace.connect.api import ConnectError, DataError, SchemaType, schema, struct
from headrace.connect.api.schema import timestamp
from tests.jdbc.sink.harness import INT32, INT64, PLAIN, STRING, UPSERT, Sink, batch, named, optional

Make = Callable[..., Sink]
UPSERTING = {name.replace(".", "_"): value for name, value in UPSERT.items()}
ODD = [
    "Mixed",
    "with space",
    "dot.dot",
    'quo"te',
    "한글",
    "select",
    "user",
    "x" * 63,
    "x" * 64,
    "한" * 40,
    "tab\tle",
    "%s",
    "$1",
]
COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = '{}'::regclass AND attnum > 0 ORDER BY attnum"


@pytest.mark.parametrize("mode", ["insert", "upsert", "update", "delete"])
def test_columns_of_every_name_are_made_and_written(sink: Make, mode: str) -> None:
    keyed = mode in ("update", "delete")
    given = {
        "insert_mode": "upsert" if mode == "delete" else mode,
        "pk_mode": "record_key" if keyed else "record_value",
    }
    key, value = struct([("Key", INT32), ("k.2", STRING)]), struct([(name, optional(STRING)) for name in ODD])
    whole = struct([("Key", INT32), ("k.2", STRING), *((name, optional(STRING)) for name in ODD if name != "x" * 64)])
    row = {name: f"{at}" for at, name in enumerate(ODD)}
    if keyed:
        one = sink("", auto_create=True, table_name_format='"T.t"', pk_mode="record_key", insert_mode="upsert")
        short = struct([(name, optional(STRING)) for name in ODD if name != "x" * 64])
        keys = [{"Key": 1, "k.2": "a"}, {"Key": 2, "k.2": "b"}]
        one.put(short, [row, row], key_schema=key, keys=keys)
        two = sink(table_name_format='"T.t"', delete_enabled=True, **given)
        two.put(short, [None if mode == "delete" else row | {"user": "new"}], key_schema=key, keys=keys[:1])
        expected = [(2, "6")] if mode == "delete" else [(1, "new"), (2, "6")]
    else:
        one = sink("", auto_create=True, table_name_format='"T.t"', pk_fields="Key,k.2", **given)
        one.put(whole, [row | {"Key": 1, "k.2": "a"}])
        expected = [(1, "6")]
    assert value.field("x" * 64) is not None
    assert one.rows('SELECT "Key", "user" FROM "T.t" ORDER BY 1') == expected
    made = [name for (name,) in one.rows(COLUMNS.format('"T.t"'))]
    assert made == ["Key", "k.2", *(name.encode()[:63].decode(errors="ignore") for name in ODD if name != "x" * 64)]


def test_two_long_names_that_postgresql_makes_one_are_said(sink: Make) -> None:
    one = sink(auto_create=True)
    with pytest.raises(ConnectError, match=r"fields .* both go to column 'x{63}'.*ReplaceField"):
        one.put(struct([("x" * 63, STRING), ("x" * 64, STRING)]), [{"x" * 63: "a", "x" * 64: "b"}])


def test_columns_are_made_in_lower_case_where_names_are_not_quoted(sink: Make) -> None:
    one = sink(auto_create=True, quote_sql_identifiers="NEVER", table_name_format="Iris", **UPSERTING)
    kind = struct([("id", INT32), ("MixedCase", STRING)])
    one.put(kind, [{"id": 1, "MixedCase": "a"}])
    one.put(kind, [{"id": 1, "MixedCase": "b"}])
    assert one.rows("SELECT id, mixedcase FROM iris") == [(1, "b")]


def test_columns_that_differ_in_case_alone_are_told_apart(sink: Make) -> None:
    one = sink('CREATE TABLE t (id int PRIMARY KEY, "Name" text, "NAME" text)', **UPSERTING)
    kind = struct([("id", INT32), ("Name", STRING), ("NAME", STRING)])
    one.put(kind, [{"id": 1, "Name": "a", "NAME": "b"}])
    assert one.rows("TABLE t") == [(1, "a", "b")]
    with pytest.raises(ConnectError, match="has no column for field 'name'"):
        one.put(PLAIN, named([(1, "a")]))


def test_several_topics_go_to_tables_of_their_own(sink: Make) -> None:
    one = sink(
        'CREATE SCHEMA "S"; CREATE TABLE "S"."Other" (id int PRIMARY KEY, name text)',
        table_name_format="t_${topic}",
        topics_to_tables_mapping='special:S."Other"',
        auto_create=True,
        **UPSERTING,
    )
    topics = ["a", "special", "b", "a", "special", "b"]
    one.task.put([batch(PLAIN, named([(at % 2, topic)]), topic=topic) for at, topic in enumerate(topics)])
    assert one.rows("SELECT * FROM t_a ORDER BY 1") == [(0, "a"), (1, "a")]
    assert one.rows("SELECT * FROM t_b ORDER BY 1") == [(0, "b"), (1, "b")]
    assert one.rows('SELECT * FROM "S"."Other" ORDER BY 1') == [(0, "special"), (1, "special")]


def test_topics_that_share_a_table_are_written_in_order(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, name text)", **UPSERTING)
    one.task.put([batch(PLAIN, named([(1, topic)]), topic=topic) for topic in ("a", "b", "a", "c")])
    assert one.rows("TABLE t") == [(1, "c")]


def test_normalized_names(sink: Make) -> None:
    one = sink(auto_create=True, table_name_format="${topic}", table_name_normalize=True)
    one.put(PLAIN, named([(1, "a")]), topic="my.topic-1")
    assert one.rows("TABLE my_topic_1") == [(1, "a")]


def test_kinds_of_tables_that_are_left_out_are_said(sink: Make) -> None:
    ddl = "CREATE TABLE u (id int, name text); CREATE VIEW t AS SELECT * FROM u"
    one = sink(ddl, table_types="TABLE,PARTITIONED TABLE")
    with pytest.raises(
        ConnectError, match=r"public\.t is a VIEW, and table\.types=PARTITIONED TABLE,TABLE leaves it out"
    ):
        one.put(PLAIN, named([(1, "a")]))
    two = sink(table_types="view")
    two.put(PLAIN, named([(1, "a")]))
    assert two.rows("TABLE u") == [(1, "a")]


def test_a_plain_string_goes_to_its_column(sink: Make) -> None:
    one = sink(auto_create=True, insert_mode="upsert", pk_mode="record_key", pk_fields="id", delete_enabled=True)
    one.put(STRING, ["a", "b", None], key_schema=STRING, keys=["x", "y", "x"])
    assert one.rows("SELECT id, record_value FROM t") == [("y", "b")]
    two = sink("CREATE TABLE v (line text)", table_name_format="v", string_output_value_column_name="line")
    two.put(optional(STRING), ["a", "b"])
    assert two.rows("TABLE v") == [("a",), ("b",)]


def test_fields_that_are_left_out_may_be_unknown_to_the_table(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, kept text)", fields_whitelist="kept", auto_evolve=True, **UPSERTING)
    kind = struct([("id", INT32), ("kept", STRING), ("left", STRING)])
    one.put(kind, [{"id": 1, "kept": "k", "left": "l"}])
    assert one.rows("TABLE t") == [(1, "k")]
    with pytest.raises(ConnectError, match=r"no field is left to write; correct fields\.whitelist"):
        sink(fields_whitelist="nothing").put(PLAIN, named([(1, "a")]))


MICROS = 1_700_000_000_123_456


@pytest.mark.parametrize("column", ["timestamp", "timestamptz"])
@pytest.mark.parametrize(
    ("kind", "unit", "value"),
    [
        (INT64, "microseconds", MICROS),
        (INT64, "nanoseconds", MICROS * 1000 + 999),
        (STRING, "microseconds", f"{MICROS}"),
        (STRING, "nanoseconds", f"{MICROS}000"),
        (STRING, "microseconds", "2023-11-14T22:13:20.123456"),
    ],
)
@pytest.mark.parametrize("mode", ["insert", "upsert"])
def test_numbers_and_texts_that_are_timestamps_keep_every_digit(
    sink: Make, kind: object, unit: str, value: object, column: str, mode: str
) -> None:
    one = sink(f"CREATE TABLE t (id int PRIMARY KEY, at {column})", timestamp_fields_list="at,other",
               timestamp_precision_mode=unit, **(UPSERTING | {"insert_mode": mode}))  # fmt: skip
    fields = struct([("id", INT32), ("at", optional(kind))])  # type: ignore[arg-type]
    one.put(fields, [{"id": 1, "at": value}, {"id": 2, "at": None}])
    text = "to_char(at, 'YYYY-MM-DD HH24:MI:SS.US')"
    assert one.rows(f"SELECT id, {text} FROM t ORDER BY 1") == [(1, "2023-11-14 22:13:20.123456"), (2, None)]


def test_numbers_before_1970_and_in_a_zone(sink: Make) -> None:
    one = sink(auto_create=True, timestamp_fields_list="at,day", timestamp_precision_mode="nanoseconds",
               db_timezone="UTC+9")  # fmt: skip
    one.put(struct([("at", INT64), ("day", timestamp())]), [{"at": -1, "day": 0}])
    assert one.rows("SELECT to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') FROM t") == [("1970-01-01 08:59:59.999999",)]
    kinds = "SELECT format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum = 1"
    assert one.rows(kinds) == [("timestamp without time zone",)]


def test_a_timestamp_beyond_the_database_names_the_record(sink: Make) -> None:
    one = sink("CREATE TABLE t (at timestamp)", timestamp_fields_list="at")
    with pytest.raises(DataError, match=r"value '9223372036854775807 us since 1970' of record topic-0@"):
        one.put(struct([("at", INT64)]), [{"at": 0}, {"at": 2**63 - 1}])


@pytest.mark.parametrize(
    ("column", "kind", "secret"),
    [
        ("int", STRING, "hush1"),
        ("int", STRING, "99999999999"),
        ("smallint", INT64, 77777),
        ("text CHECK (x <> 'hush')", STRING, "hush"),
        ("text UNIQUE", STRING, "hush2"),
        ("varchar(3)", STRING, "hush3"),
        ("jsonb", STRING, "hush4"),
    ],
)
def test_errors_without_values_where_that_is_asked_for(sink: Make, column: str, kind: object, secret: object) -> None:
    rows = [{"id": 1, "x": secret}]
    ddl = f"CREATE TABLE t (id int, x {column})"
    fields = struct([("id", INT32), ("x", kind)])  # type: ignore[arg-type, list-item]
    for trim in (True, False):
        one = sink(f"DROP TABLE IF EXISTS t; {ddl}", trim_sensitive_log=trim)
        with pytest.raises(DataError, match=r"table public\.t.*SQLSTATE|column 'x'") as caught:
            one.put(fields, rows * 2)
        assert (str(secret) in str(caught.value)) != trim
        one.task.stop()


def test_composite_keys_of_the_key_in_part_and_whole(sink: Make) -> None:
    key = struct([("a", INT32), ("b", STRING), ("c", schema(SchemaType.BOOLEAN))])
    value = struct([("n", INT32)])
    keys = [{"a": 1, "b": "x", "c": True}, {"a": 1, "b": "x", "c": False}, {"a": 1, "b": "y", "c": True}]
    rows = [{"n": 1}, {"n": 2}, {"n": 3}]
    whole = sink(auto_create=True, insert_mode="upsert", pk_mode="record_key")
    whole.put(value, rows, key_schema=key, keys=keys)
    assert whole.rows("SELECT * FROM t ORDER BY n") == [(1, "x", True, 1), (1, "x", False, 2), (1, "y", True, 3)]
    part = sink(auto_create=True, insert_mode="upsert", pk_mode="record_key", pk_fields="b,a", table_name_format="p",
                delete_enabled=True)  # fmt: skip
    part.put(value, rows, key_schema=key, keys=keys)
    assert part.rows("SELECT b, a, n FROM p ORDER BY n") == [("x", 1, 2), ("y", 1, 3)]
    part.put(value, [None, {"n": 4}], key_schema=key, keys=keys[1:])
    assert part.rows("SELECT b, a, n FROM p") == [("y", 1, 4)]
