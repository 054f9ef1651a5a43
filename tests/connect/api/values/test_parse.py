"""Values out of text whose type nobody said."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.api import SchemaType, schema
from headrace.connect.api.schema import date, decimal, time, timestamp
from headrace.connect.api.values import parse_string, to_string

INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING = (
    schema(kind)
    for kind in (
        SchemaType.INT8, SchemaType.INT16, SchemaType.INT32, SchemaType.INT64, SchemaType.FLOAT32, SchemaType.FLOAT64,
        SchemaType.BOOLEAN, SchemaType.STRING,
    )
)  # fmt: skip
NOON = dt.datetime(2019, 8, 23, 14, 34, 54, 346_000, dt.UTC)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("null", None, None),
        (" true ", BOOLEAN, True),
        ("false", BOOLEAN, False),
        ("127", INT8, 127),
        ("+128", INT16, 128),
        ("-32769", INT32, -32769),
        ("1E18", INT64, 10**18),
        ("5.0", INT8, 5),
        ("-0.0", INT8, 0),
        ("1e19", FLOAT32, 9999999980506447872.0),
        ("0.5", FLOAT32, 0.5),
        ("1e39", FLOAT64, 1e39),
        ("9223372036854775808", decimal(0), Decimal(2**63)),
        ("1E400", decimal(-400), Decimal("1E400")),
        ("2019-08-23", date(), NOON.date()),
        ("2019-13-45", date(), dt.date(2020, 2, 14)),
        ("14:34:54.346Z", time(), NOON.time()),
        ("2019-08-23T14:34:54.346Z", timestamp(), NOON),
        ("2019-08-23T14\\:34\\:54.346Z", timestamp(), NOON),
    ],
)
def test_a_text_is_what_it_looks_like(text: str, kind: Any, value: Any) -> None:
    found = parse_string(text)
    assert found.schema is kind
    assert found.value == value and type(found.value) is type(value)


@pytest.mark.parametrize(
    "text",
    ["", "abc", ".5", "0x1", "1_0", "NaN", '"quoted"', "true}", "[1 2]", "[,1]", "[abc]", "{a:1}", '{"a"}', "{null:1}",
     "[1,null]", "[1", "25:00:00.000Z", "[" * 5000, "{true:1,1:2}", "{{}:1}", "[00:00:01.000Z,2019-08-23]"],
)  # fmt: skip
def test_any_other_text_is_the_string_that_it_is(text: str) -> None:
    assert parse_string(text) == (STRING, text)


def test_blanks_are_a_string_of_blanks() -> None:
    assert parse_string(" \t") == (STRING, " \t")


def test_what_stands_behind_a_number_or_time_and_a_delimiter_is_not_looked_at() -> None:
    assert parse_string("14:34:54.346Z and more").value == 14
    assert parse_string("14:34:54.346Z,and more").value == NOON.time()


def test_members_of_an_array_become_the_type_that_holds_them_all() -> None:
    found = parse_string("[1, 300, 2]")
    assert found == (schema(SchemaType.ARRAY, value_schema=INT16), [1, 300, 2])
    assert parse_string("[1, 0.5]") == (schema(SchemaType.ARRAY, value_schema=FLOAT32), [1.0, 0.5])
    assert parse_string('["1970-01-03", 5]').value == [dt.date(1970, 1, 3), dt.date(1970, 1, 6)]


def test_members_without_a_common_type_stay_as_they_are() -> None:
    assert parse_string('[1, "a", 0.1, null]') == (schema(SchemaType.ARRAY), [1, "a", 0.1, None])
    assert parse_string("[]") == (schema(SchemaType.ARRAY), [])


def test_a_comma_may_stand_behind_the_last_member() -> None:
    assert parse_string("[1,2,]").value == [1, 2]


def test_maps_have_schemas_for_keys_and_values_where_each_has_one() -> None:
    assert parse_string('{"a": 1, "b": 1000}') == (
        schema(SchemaType.MAP, key_schema=STRING, value_schema=INT16),
        {"a": 1, "b": 1000},
    )
    assert parse_string('{"a": null}') == (schema(SchemaType.MAP, key_schema=STRING), {"a": None})
    assert parse_string('{"a":1, 2:3}') == (schema(SchemaType.MAP), {"a": 1, 2: 3})
    assert parse_string("{[1]:2}").value == {(1,): 2}


def test_the_last_of_equal_keys_wins() -> None:
    assert parse_string("{1:2,1:3}").value == {1: 3}


def test_backslashes_keep_quotes_and_stay() -> None:
    assert parse_string('["x\\"y"]').value == ['x\\"y']


@given(st.text())
def test_no_text_is_refused(text: str) -> None:
    assert parse_string(text) is not None


@given(st.recursive(st.one_of(st.integers(-(2**70), 2**70), st.booleans(), st.text("abc", max_size=5)),
                    lambda inner: st.lists(inner, max_size=3), max_leaves=6))  # fmt: skip
def test_what_was_written_reads_back_as_the_same_text(value: Any) -> None:
    text = to_string(None, value)
    assert text is not None
    found = parse_string(text)
    assert to_string(found.schema, found.value) == text
