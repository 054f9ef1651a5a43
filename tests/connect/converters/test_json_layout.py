"""The exact layout of JsonConverter's messages, and its configuration."""

import datetime as dt
import json
import logging
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from headrace.connect.api import ConfigError, ConnectSchema, DataError, SchemaType, struct, to_column, to_values
from headrace.connect.api.schema import date, decimal, schema, time, timestamp
from headrace.connect.converters.json import JsonConverter


def converter(**properties: Any) -> JsonConverter:
    made = JsonConverter()
    made.configure({name.replace("_", "."): value for name, value in properties.items()}, is_key=False)
    return made


def written(kind: ConnectSchema | None, value: Any, **properties: Any) -> str:
    """The message of one value, by row and (the same) by column."""
    subject = converter(**properties)
    (by_row,) = subject.from_connect("t", kind, [value], None, 1)
    column = to_column(kind, [value])
    if isinstance(column, pa.Array):
        assert subject.from_connect("t", kind, column, None, 1) == [by_row]
    assert by_row is not None
    return by_row.decode()


def payload(kind: ConnectSchema | None, value: Any, **properties: Any) -> str:
    return written(kind, value, schemas_enable=False, **properties)


def optional(kind: SchemaType) -> ConnectSchema:
    return schema(kind, optional=True)


def test_the_tutorial_table_has_the_layout_that_people_see_in_kcat() -> None:
    iris = struct(
        [("id", schema(SchemaType.INT32))]
        + [(n, optional(SchemaType.FLOAT64)) for n in ("sepal_length", "sepal_width", "petal_length", "petal_width")]
        + [("target", optional(SchemaType.INT32))],
        name="iris_data",
    )
    row = {
        "id": 187, "sepal_length": 6.5, "sepal_width": 3.0, "petal_length": 5.8, "petal_width": 2.2, "target": 2
    }  # fmt: skip
    assert written(iris, row) == (
        '{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},'
        '{"type":"double","optional":true,"field":"sepal_length"},{"type":"double","optional":true,"field":"sepal_width"},'
        '{"type":"double","optional":true,"field":"petal_length"},{"type":"double","optional":true,"field":"petal_width"},'
        '{"type":"int32","optional":true,"field":"target"}],"optional":false,"name":"iris_data"},"payload":'
        '{"id":187,"sepal_length":6.5,"sepal_width":3.0,"petal_length":5.8,"petal_width":2.2,"target":2}}'
    )


def test_every_member_of_a_schema_stands_where_java_writes_it() -> None:
    inner = schema(
        SchemaType.STRING, optional=True, name="n", version=3, doc="words", parameters={"b": "1", "a": "2"}, default="x"
    )
    kind = struct([("f", inner)], name="row", version=1, doc="outer", optional=True)
    text = json.loads(written(kind, {"f": "y"}))["schema"]
    assert json.dumps(text, separators=(",", ":")) == (
        '{"type":"struct","fields":[{"type":"string","optional":true,"name":"n","version":3,"doc":"words",'
        '"parameters":{"b":"1","a":"2"},"default":"x","field":"f"}],'
        '"optional":true,"name":"row","version":1,"doc":"outer"}'
    )


def test_arrays_and_maps_name_their_parts() -> None:
    text, number = schema(SchemaType.STRING), schema(SchemaType.INT64)
    array = schema(SchemaType.ARRAY, value_schema=number)
    assert written(array, [1]) == (
        '{"schema":{"type":"array","items":{"type":"int64","optional":false},"optional":false},"payload":[1]}'
    )
    by_text = schema(SchemaType.MAP, key_schema=text, value_schema=number)
    assert written(by_text, {"a": 1, "b": 2}).endswith(
        '"keys":{"type":"string","optional":false},"values":{"type":"int64","optional":false},"optional":false},'
        '"payload":{"a":1,"b":2}}'
    )
    by_number = schema(SchemaType.MAP, key_schema=number, value_schema=text)
    assert payload(by_number, {1: "a", 2: "b"}) == '[[1,"a"],[2,"b"]]'
    assert payload(by_number, {}) == "[]"
    assert payload(by_text, {}) == "{}"


UTC_MOMENT = dt.datetime(2026, 11, 22, 17, 30, 55, 123000, dt.UTC)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (schema(SchemaType.INT8), -128, "-128"),
        (schema(SchemaType.BOOLEAN), True, "true"),
        (schema(SchemaType.FLOAT32), 0.1, "0.1"),
        (schema(SchemaType.FLOAT64), 3.0, "3.0"),
        (schema(SchemaType.FLOAT64), -0.0, "-0.0"),
        (schema(SchemaType.FLOAT64), 10_000_000.0, "10000000.0"),
        (schema(SchemaType.FLOAT64), float("nan"), '"NaN"'),
        (schema(SchemaType.FLOAT64), float("inf"), '"Infinity"'),
        (schema(SchemaType.FLOAT32), float("-inf"), '"-Infinity"'),
        (schema(SchemaType.STRING), 'a"b\\c\nd\x01é\u2028😀', '"a\\"b\\\\c\\nd\\u0001é\u2028😀"'),
        (schema(SchemaType.BYTES), b"\x00\xff", '"AP8="'),
        (decimal(2), Decimal("1.56"), '"AJw="'),
        (decimal(2), Decimal("-1.28"), '"gA=="'),
        (decimal(0), Decimal(0), '"AA=="'),
        (decimal(2, 90), Decimal("1.56"), '"AJw="'),
        (date(), dt.date(2026, 11, 22), "20779"),
        (date(), dt.date(1969, 12, 31), "-1"),
        (time(), dt.time(0, 0, 1, 5000), "1005"),
        (timestamp(), UTC_MOMENT, "1795368655123"),
        (optional(SchemaType.INT32), None, "null"),
        (schema(SchemaType.INT32, default=7), None, "7"),
        (schema(SchemaType.STRING, default='"'), None, '"\\""'),
        (struct([("a\"b", schema(SchemaType.INT8))]), {"a\"b": 1}, '{"a\\"b":1}'),
        (struct([]), {}, "{}"),
        (None, {"a": [1, None, 2.5, "x", True, {1: 2}]}, '{"a":[1,null,2.5,"x",true,[[1,2]]]}'),
        (None, 2**70, "1180591620717411303424"),
        (None, b"\x00\xff", '"AP8="'),
    ],
)  # fmt: skip
def test_each_type_is_written_as_java_writes_it(kind: ConnectSchema | None, value: Any, text: str) -> None:
    assert payload(kind, value) == text


def test_numeric_decimals_are_written_and_read_with_every_digit() -> None:
    value = Decimal("12345678901234567890123456789.12")
    assert payload(decimal(2), value, decimal_format="numeric") == str(value)
    subject = converter(decimal_format="NUMERIC")
    message = written(decimal(2), value, decimal_format="NUMERIC").encode()
    for _ in range(2):
        (run,) = subject.to_connect("t", [message, message])
        assert to_values(decimal(2), run.column, 2) == [value, value]


def test_nulls_stay_nulls_where_defaults_are_not_to_replace_them() -> None:
    kind = schema(SchemaType.INT32, optional=True, default=7)
    assert payload(kind, None) == "7"
    assert payload(kind, None, replace_null_with_default=False) == "null"


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (schema(SchemaType.INT32), None, "field x of row: null, but this int32 is required and has no default"),
        (schema(SchemaType.INT32), 2**31, "field x of row: 2147483648 is no int32"),
        (schema(SchemaType.INT8), True, "field x of row: True is no int8"),
        (schema(SchemaType.STRING), 5, "field x of row: 5 is no string"),
        (decimal(1), Decimal("1.25"), r"field x of row: Decimal\('1.25'\) has more digits than a decimal of scale 1"),
        (schema(SchemaType.STRING), "\ud800", r"row: .* cannot be written as JSON"),
    ],
)
def test_a_value_that_cannot_be_written_is_named(kind: ConnectSchema, value: Any, message: str) -> None:
    row = struct([("x", kind)], name="row")
    with pytest.raises(DataError, match=f"JsonConverter, topic t: .*{message}"):
        converter().from_connect("t", row, to_column(row, [{"x": value}]), None, 1)


def test_a_tombstone_is_no_payload_even_where_the_schema_is_required() -> None:
    row = struct([("x", schema(SchemaType.INT32))])
    tombstone = pa.array([False, True, False])
    column = to_column(row, [{"x": 1}, None, {"x": 2}])
    first, second, third = converter(schemas_enable=False).from_connect("t", row, column, tombstone, 3)
    assert (first, second, third) == (b'{"x":1}', None, b'{"x":2}')
    assert list(converter().from_connect("t", None, None, None, 2)) == [None, None]


def test_a_column_that_is_not_there_is_nulls_of_its_schema() -> None:
    kind = optional(SchemaType.STRING)
    payloads = converter().from_connect("t", kind, None, None, 2)
    assert payloads == [b'{"schema":{"type":"string","optional":true},"payload":null}'] * 2
    assert converter().from_connect("t", kind, None, pa.array([True, False]), 2) == [None, payloads[0]]


def test_without_schemas_any_json_is_a_list_of_values() -> None:
    subject = converter(schemas_enable="false")
    (run,) = subject.to_connect("t", [b'{"a":1}', None, b"[1.5]", b"null", b""])
    assert (run.schema, run.column, run.length) == (None, [{"a": 1}, None, [1.5], None, None], 5)
    assert run.tombstone is not None and run.tombstone.to_pylist() == [False, True, False, True, True]
    assert subject.to_connect("t", []) == []
    (nulls,) = subject.to_connect("t", [None])
    assert nulls.column is None


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b'{"a":1}', "If you are trying to deserialize plain JSON data, set schemas.enable=false"),
        (b'{"schema":null,"payload":1,"more":2}', "may not contain additional fields"),
        (b"[1]", "requires"),
        (b'{"schema":', "is no JSON: .*: b'{\"schema\":'"),
        (b"\x00\x00\x00\x00\x01abc", "written with a schema registry"),
        (b'{"schema":{"type":"int"},"payload":1}', "unknown type 'int'"),
        (b'{"schema":{},"payload":1}', "an object with a 'type'"),
        (b'{"schema":{"type":"array"},"payload":1}', "schema of an array must have 'items'"),
        (b'{"schema":{"type":"map","keys":{"type":"int8"}},"payload":1}', "schema of a map must have 'values'"),
        (b'{"schema":{"type":"struct"},"payload":1}', "must have an array of 'fields'"),
        (b'{"schema":{"type":"struct","fields":[{"type":"int8"}]},"payload":1}', "must have a name in 'field'"),
        (b'{"schema":{"type":"int8","parameters":{"a":1}},"payload":1}', "must have string values"),
        (
            b'{"schema":{"type":"int8","default":"x"},"payload":1}',
            "default of a schema does not fit it: 'x' is no int8",
        ),
    ],
)
def test_a_message_that_is_no_envelope_is_refused_with_the_reason(message: bytes, error: str) -> None:
    with pytest.raises(DataError, match=error):
        converter().to_connect("t", [message])


def test_an_envelope_without_schema_holds_any_value() -> None:
    messages = [b'{"schema":null,"payload":{"a":1}}', b'{"schema":null,"payload":null}']
    (run,) = converter().to_connect("t", messages * 2)
    assert (run.schema, run.column) == (None, [{"a": 1}, None, {"a": 1}, None])
    assert run.tombstone is not None and run.tombstone.to_pylist() == [False, True, False, True]
    assert written(None, {"a": 1}) == '{"schema":null,"payload":{"a":1}}'


def test_timestamps_beyond_pythons_years_pass_through_as_columns() -> None:
    message = (
        b'{"schema":{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1},'
        b'"payload":253402300800000}'
    )
    (run,) = converter().to_connect("t", [message])
    assert run.schema is timestamp()
    assert converter().from_connect("t", run.schema, run.column, None, 1) == [message]


def test_the_registry_address_of_the_tutorial_is_taken_and_said_to_be_unused(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        converter(schema_registry_url="http://schema-registry:8081")
    assert [record.getMessage() for record in caplog.records] == [
        "value.converter.schema.registry.url is not used: JsonConverter writes the schema into each message"
    ]


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"schemas_enable": "yes"}, "Invalid value yes for configuration schemas.enable"),
        ({"decimal_format": "hex"}, "Invalid value hex for configuration decimal.format: .* BASE64, NUMERIC"),
        ({"schemas_cache_size": 0}, "Invalid value 0 for configuration schemas.cache.size"),
    ],
)
def test_a_bad_setting_is_refused_by_its_key(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        converter(**properties)


def test_importing_the_converters_and_transforms_starts_no_library_thread() -> None:
    """A task host is forked after these imports: a thread pool that started before would hang in the child."""
    modules = "headrace.connect.converters.json, headrace.connect.converters.string, headrace.connect.transforms"
    code = f"import {modules}, os, sys; print(len(os.listdir('/proc/self/task')), 'polars' in sys.modules)"
    if not sys.platform.startswith("linux"):
        pytest.skip("/proc is Linux's")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
                           env={"OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system",
                                    "JE_ARROW_MALLOC_CONF": "background_thread:false"})  # fmt: skip
    assert found.stdout.split() == ["1", "False"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, "x", True, 0.5, {}]}, b'{"a":[1,"x",true,0.5,{}]}'),
        ({"a": None, "b": float("nan")}, b'{"a":null,"b":"NaN"}'),
        ("null", b'"null"'),
        ([2**70, b"\xff"], b'[1180591620717411303424,"/w=="]'),
        ({1: "a", "b": 2}, b'[[1,"a"],["b",2]]'),
    ],
)
def test_values_without_schema_are_written_by_what_they_are(value: Any, text: bytes) -> None:
    assert converter(schemas_enable="false").from_connect("t", None, [value], None, 1) == [text]


MOMENT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("value", [MOMENT, MOMENT.date(), MOMENT.time(), Decimal(1), {"a": [MOMENT.time()]}])
def test_a_date_without_schema_is_refused_as_in_java(value: Any) -> None:
    with pytest.raises(DataError, match="cannot be written without one"):
        converter(schemas_enable="false").from_connect("t", None, [value], None, 1)
