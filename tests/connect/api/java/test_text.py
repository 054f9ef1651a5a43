"""What Java's toString gives."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from headrace.connect.api import ConnectSchema, DataError, SchemaType, schema, struct
from headrace.connect.api.java.text import class_text, epoch_millis, to_string


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (None, None, "null"),
        (None, [1, None, {"a": 2.5}], "[1, null, {a=2.5}]"),
        (schema(SchemaType.FLOAT32), 0.10000000149011612, "0.1"),
        (schema(SchemaType.FLOAT64), 3, "3.0"),
        (None, Decimal("1E+5"), "1E+5"),
        (None, True, "true"),
        (None, dt.datetime(2026, 11, 22, 17, 30, 5, tzinfo=dt.UTC), "Sun Nov 22 17:30:05 UTC 2026"),
        (None, dt.date(1500, 1, 1), "Mon Dec 23 00:00:00 UTC 1499"),
        (None, dt.time(7, 8), "Thu Jan 01 07:08:00 UTC 1970"),
    ],
)
def test_values_have_javas_text(kind: ConnectSchema | None, value: Any, text: str) -> None:
    assert to_string(kind, value) == text


def test_a_structs_null_fields_are_left_out() -> None:
    kind = struct([("a", schema(SchemaType.INT8)), ("b", schema(SchemaType.STRING, optional=True))])
    assert to_string(kind, {"a": 1, "b": None}) == "Struct{a=1}"


def test_bytes_have_no_text() -> None:
    with pytest.raises(DataError):
        to_string(None, b"x")


def test_classes_are_those_that_java_would_name() -> None:
    assert class_text(schema(SchemaType.INT8), 1) == "class java.lang.Byte"
    assert class_text(None, 1) == "class java.lang.Long"
    assert class_text(None, dt.time()) == "class java.util.Date"


def test_times_count_from_1970() -> None:
    assert epoch_millis(dt.date(1970, 1, 2)) == 86_400_000
    assert epoch_millis(dt.datetime(1970, 1, 1)) == 0
    assert epoch_millis(dt.time(0, 0, 1, 2_999)) == 1_002
