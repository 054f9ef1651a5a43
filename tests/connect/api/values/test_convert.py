"""Values of one type as another."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from headrace.connect.api import ConnectSchema, DataError, SchemaType, schema, struct, values
from headrace.connect.api.schema import date, decimal, time, timestamp

STRING, FLOAT32, INT64 = schema(SchemaType.STRING), schema(SchemaType.FLOAT32), schema(SchemaType.INT64)
AT = dt.datetime(2026, 11, 22, 17, 30, 55, 123_000, dt.UTC)


@pytest.mark.parametrize(
    ("to", "kind", "value", "made"),
    [
        ("boolean", STRING, " true ", True),
        ("boolean", STRING, "5", True),
        ("boolean", INT64, 0, False),
        ("int8", INT64, 300, 44),
        ("int16", STRING, "-32769.9", 32767),
        ("int32", FLOAT32, 1e30, -1),
        ("int64", timestamp(), AT, 1_795_368_655_123),
        ("int64", date(), AT.date(), 20_779),
        ("int64", decimal(1), Decimal("-1.9"), -1),
        ("float32", STRING, "0.1", 0.10000000149011612),
        ("float64", time(), AT.time(), 63_055_123.0),
        ("date", timestamp(), AT, AT.date()),
        ("date", timestamp(), dt.datetime(1969, 12, 31, 1, tzinfo=dt.UTC), dt.date(1970, 1, 1)),
        ("date", None, "2026-11-22", AT.date()),
        ("time", timestamp(), AT, AT.time()),
        ("timestamp", date(), AT.date(), AT.replace(hour=0, minute=0, second=0, microsecond=0)),
        ("timestamp", INT64, 0, dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
        ("list", STRING, "[1,2]", [1, 2]),
        ("map", STRING, '{"a":1}', {"a": 1}),
    ],
)
def test_a_value_becomes_the_other_type(to: str, kind: ConnectSchema | None, value: Any, made: Any) -> None:
    assert getattr(values, f"to_{to}")(kind, value) == made


@pytest.mark.parametrize("to", ["boolean", "int8", "int16", "int32", "int64", "float32", "float64", "string"])
def test_nothing_becomes_nothing(to: str) -> None:
    assert getattr(values, f"to_{to}")(None, None) is None


@pytest.mark.parametrize("to", ["date", "time", "timestamp", "list", "map", "struct"])
def test_nothing_is_no_date_and_no_collection(to: str) -> None:
    with pytest.raises(DataError, match="null value"):
        getattr(values, f"to_{to}")(None, None)


@pytest.mark.parametrize(
    ("to", "kind", "value", "words"),
    [
        ("int8", STRING, "abc", r"Unable to convert abc \(class java.lang.String\) to Schema\{STRING\}"),
        ("int8", None, True, r"Unable to convert true \(class java.lang.Boolean\) to a number"),
        ("date", STRING, "2026-11-22", r"Sun Nov 22 .* \(class java.util.Date\) to Schema\{STRING\}"),
        ("time", INT64, 86_400_000, "Time values must use number of milliseconds"),
        ("timestamp", INT64, 2**62, "outside the years 1 to 9999"),
        ("list", STRING, "5", r"Unable to convert 5 \(class java.lang.Byte\) to Schema\{ARRAY\}"),
        ("struct", None, {}, r"Unable to convert \{\} .* to Schema\{STRUCT\}"),
    ],
)
def test_what_has_no_such_form_is_refused_in_javas_words(to: str, kind: Any, value: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        getattr(values, f"to_{to}")(kind, value)


def test_decimals_are_made_of_digits() -> None:
    assert values.to_decimal(None, b"\xff", 2) == Decimal("-0.01")
    assert str(values.to_decimal(None, 5, 2)) == "5.0"
    assert str(values.to_decimal(None, "1.50", 4)) == "1.50"
    assert values.to_decimal(None, Decimal("7"), 2) == 7
    for odd in (float("nan"), "x", True):
        with pytest.raises(DataError):
            values.to_decimal(None, odd, 2)


def test_a_struct_is_a_struct_and_no_map() -> None:
    kind = struct([("a", INT64)])
    assert values.to_struct(kind, {"a": 1}) == {"a": 1}
    with pytest.raises(DataError):
        values.to_map(kind, {"a": 1})


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (None, 'a"b', 'a"b'),
        (None, ['a"b\\', b"\xff", None, 1.0], '["a\\"b\\\\","/w==",null,1.0]'),
        (None, b"\xff", "/w=="),
        (FLOAT32, 0.10000000149011612, "0.1"),
        (None, {1: {"a": True}}, '{1:{"a":true}}'),
        (struct([("a", FLOAT32), ("b", STRING)]), {"a": 0.10000000149011612, "b": None}, '{"a":0.1,"b":null}'),
        (struct([("a", schema(SchemaType.INT8, default=3))]), {"a": None}, '{"a":3}'),
        (timestamp(), AT, "2026-11-22T17:30:55.123Z"),
        (date(), AT.date(), "2026-11-22"),
        (date(), dt.date(1970, 1, 1), "00:00:00.000Z"),
        (time(), AT.time(), "17:30:55.123Z"),
        (None, [AT], "[2026-11-22T17:30:55.123Z]"),
    ],
)
def test_any_value_has_a_text(kind: ConnectSchema | None, value: Any, text: str) -> None:
    assert values.to_string(kind, value) == text


def test_null_fits_an_optional_schema_alone() -> None:
    assert values.convert(schema(SchemaType.INT8, optional=True), None, None) is None
    with pytest.raises(DataError, match="null value"):
        values.convert(schema(SchemaType.INT8), None, None)


def test_values_are_converted_to_a_schema() -> None:
    assert values.convert(decimal(2), None, b"\x01") == Decimal("0.01")
    assert values.convert(date(), None, 1) == dt.date(1970, 1, 2)
    assert values.convert(schema(SchemaType.BYTES), None, b"x") == b"x"
    assert values.convert(STRING, None, [1]) == "[1]"
    with pytest.raises(DataError, match="BYTES"):
        values.convert(schema(SchemaType.BYTES), None, "x")
