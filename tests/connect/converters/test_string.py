import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from headrace.connect.api import ConfigError, ConnectSchema, DataError, SchemaType, struct, to_column
from headrace.connect.api.schema import date, schema, time, timestamp
from headrace.connect.converters.string import OPTIONAL_STRING, StringConverter

INT = schema(SchemaType.INT32)


def converter(**properties: Any) -> StringConverter:
    made = StringConverter()
    made.configure({name.replace("_", "."): value for name, value in properties.items()}, is_key=True)
    return made


def test_texts_and_nulls_go_and_come_back() -> None:
    texts = ["a", None, "é😀", ""]
    payloads = converter().from_connect("t", OPTIONAL_STRING, pa.array(texts), None, 4)
    assert payloads == [b"a", None, "é😀".encode(), b""]
    (run,) = converter().to_connect("t", payloads)
    assert (run.start, run.length, run.schema, run.tombstone) == (0, 4, OPTIONAL_STRING, None)
    assert isinstance(run.column, pa.Array) and run.column.to_pylist() == texts
    assert converter().to_connect("t", []) == []


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (INT, 5, "5"),
        (None, True, "true"),
        (None, 1.0, "1.0"),
        (None, 1e7, "1.0E7"),
        (None, 1.25e-7, "1.25E-7"),
        (None, 0.001, "0.001"),
        (None, -0.0, "-0.0"),
        (None, 123456.789, "123456.789"),
        (None, float("nan"), "NaN"),
        (None, float("-inf"), "-Infinity"),
        (schema(SchemaType.FLOAT32), 0.10000000149011612, "0.1"),
        (None, Decimal("1.50"), "1.50"),
        (None, {"a": [1, None]}, "{a=[1, null]}"),
        (struct([("a", INT), ("b", OPTIONAL_STRING)]), {"a": 1, "b": None}, "Struct{a=1}"),
        (struct([("a", INT), ("b", OPTIONAL_STRING)]), {"a": 1, "b": "x"}, "Struct{a=1,b=x}"),
        (timestamp(), dt.datetime(2026, 11, 2, 17, 30, 55, tzinfo=dt.UTC), "Mon Nov 02 17:30:55 UTC 2026"),
        (date(), dt.date(2026, 11, 22), "Sun Nov 22 00:00:00 UTC 2026"),
        (time(), dt.time(1, 2, 3), "Thu Jan 01 01:02:03 UTC 1970"),
    ],
)
def test_other_values_are_written_as_javas_to_string_gives_them(
    kind: ConnectSchema | None, value: Any, text: str
) -> None:
    assert list(converter().from_connect("t", kind, to_column(kind, [value]), None, 1)) == [text.encode()]


def test_bytes_are_refused_with_the_converter_that_writes_them() -> None:
    with pytest.raises(DataError, match="ByteArrayConverter"):
        converter().from_connect("t", schema(SchemaType.BYTES), [b"x"], None, 1)


def test_another_encoding_is_used_both_ways() -> None:
    subject = converter(converter_encoding="ISO-8859-1")
    assert subject.from_connect("t", OPTIONAL_STRING, pa.array(["é", "😀"]), None, 2) == [b"\xe9", b"?"]
    (run,) = subject.to_connect("t", [b"\xe9"])
    assert isinstance(run.column, pa.Array) and run.column.to_pylist() == ["é"]


def test_bytes_that_are_no_text_are_read_as_replacement_characters() -> None:
    (run,) = converter().to_connect("t", [b"a\xff"])
    assert isinstance(run.column, pa.Array) and run.column.to_pylist() == ["a\ufffd"]


def test_an_unknown_encoding_is_refused_by_its_key() -> None:
    with pytest.raises(ConfigError, match=r"Invalid value UTF-99 for configuration converter\.encoding"):
        converter(converter_encoding="UTF-99")


@pytest.mark.parametrize(
    ("kind", "rows", "payloads"),
    [
        (SchemaType.INT64, [-5, None, 2**62], [b"-5", None, b"4611686018427387904"]),
        (SchemaType.BOOLEAN, [True, None, False], [b"true", None, b"false"]),
        (SchemaType.STRING, ["é", None, ""], ["é".encode(), None, b""]),
    ],
)
def test_columns_are_written_as_their_rows_are(kind: SchemaType, rows: list[Any], payloads: list[Any]) -> None:
    subject, optional = StringConverter(), schema(kind, optional=True)
    subject.configure({}, is_key=False)
    column = to_column(optional, rows)
    assert subject.from_connect_column("t", optional, column, None, 3).to_pylist() == payloads
    assert subject.from_connect("t", optional, rows, None, 3) == payloads


@pytest.mark.parametrize("payloads", [[b"a", None, "é".encode()], [b"a", b"\xff", None]])
def test_columns_of_texts_are_read_as_lists_of_them_are(payloads: list[bytes | None]) -> None:
    subject = StringConverter()
    subject.configure({}, is_key=False)
    (column,) = subject.to_connect_column("t", pa.array(payloads, pa.binary()))
    (rows,) = subject.to_connect("t", payloads)
    assert isinstance(column.column, pa.Array) and column.column.equals(rows.column)
    assert subject.to_connect_column("t", pa.array([], pa.binary())) == []


@pytest.mark.parametrize("odd", ["é".encode(), b"\xff", b""])
@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_any_part_of_a_column_of_texts_is_read_as_its_rows(odd: bytes, kind: pa.DataType) -> None:
    payloads = [b"a", None, b"bc", odd, b"d", None]
    column = pa.array(payloads, kind)
    for start, stop in [(0, 3), (0, 6), (1, 2), (2, 4), (4, 6)]:
        (part,) = converter().to_connect_column("t", column[start:stop])
        (rows,) = converter().to_connect("t", payloads[start:stop])
        assert isinstance(part.column, pa.Array) and part.column.equals(rows.column)


def test_a_character_that_is_cut_by_two_payloads_is_none() -> None:
    (run,) = converter().to_connect_column("t", pa.array(["é".encode()[:1], "é".encode()[1:]], pa.binary()))
    assert isinstance(run.column, pa.Array) and run.column.to_pylist() == ["\ufffd", "\ufffd"]
