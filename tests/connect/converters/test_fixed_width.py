"""Numbers, booleans and bytes as their bytes."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from headrace.connect.api import ConnectSchema, Converter, DataError, SchemaType, schema, to_column, to_values
from headrace.connect.api.schema import date
from headrace.connect.converters.byte_array import ByteArrayConverter
from headrace.connect.converters.fixed_width import (
    BooleanConverter,
    DoubleConverter,
    FloatConverter,
    IntegerConverter,
    LongConverter,
    ShortConverter,
)

CASES: list[tuple[type[Converter], SchemaType, list[Any], list[bytes]]] = [
    (ShortConverter, SchemaType.INT16, [-2, 300], [b"\xff\xfe", b"\x01\x2c"]),
    (IntegerConverter, SchemaType.INT32, [-2, 300], [b"\xff\xff\xff\xfe", b"\0\0\x01\x2c"]),
    (LongConverter, SchemaType.INT64, [2**63 - 1, 1], [b"\x7f" + b"\xff" * 7, b"\0" * 7 + b"\x01"]),
    (FloatConverter, SchemaType.FLOAT32, [0.5, -0.0], [b"\x3f\0\0\0", b"\x80\0\0\0"]),
    (DoubleConverter, SchemaType.FLOAT64, [0.5, -2.0], [b"\x3f\xe0" + b"\0" * 6, b"\xc0" + b"\0" * 7]),
    (BooleanConverter, SchemaType.BOOLEAN, [True, False], [b"\x01", b"\0"]),
    (ByteArrayConverter, SchemaType.BYTES, [b"", b"\xff\0"], [b"", b"\xff\0"]),
]  # fmt: skip


def made(kind: type[Converter]) -> Converter:
    converter = kind()
    converter.configure({}, is_key=False)
    return converter


@pytest.mark.parametrize(("kind", "type_", "values", "payloads"), CASES)
def test_columns_become_their_bytes_and_come_back(
    kind: type[Converter], type_: SchemaType, values: list[Any], payloads: list[bytes]
) -> None:
    converter, wanted = made(kind), schema(type_, optional=True)
    (run,) = converter.to_connect_column("t", pa.array([payloads[0], None, *payloads], pa.binary())[1:])
    assert run.schema is wanted and run.tombstone is None
    assert to_values(run.schema, run.column, 3) == [None, *values]
    assert isinstance(run.column, pa.Array)
    back = converter.from_connect_column("t", wanted, run.column, None, 3)
    back.validate(full=True)
    assert back.to_pylist() == [None, *payloads]
    assert converter.from_connect_column("t", wanted, run.column[1:], None, 2).to_pylist() == payloads


@pytest.mark.parametrize(("kind", "type_", "values", "payloads"), CASES)
def test_any_part_of_a_column_has_the_bytes_of_its_rows(
    kind: type[Converter], type_: SchemaType, values: list[Any], payloads: list[bytes]
) -> None:
    converter, wanted = made(kind), schema(type_, optional=True)
    for nulls in ([], [None]):
        column = to_column(wanted, (values + nulls) * 20)
        expected: list[bytes | None] = (payloads + nulls) * 20
        bytes_ = pa.array(expected, pa.binary())
        assert isinstance(column, pa.Array)
        for start, stop in [(0, 0), (0, 9), (1, 1), (1, 2), (7, 25), (8, 16), (15, 40)]:
            part = converter.from_connect_column("t", wanted, column[start:stop], None, stop - start)
            part.validate(full=True)
            assert part.to_pylist() == expected[start:stop]
            for run in converter.to_connect_column("t", bytes_[start:stop]):
                assert isinstance(run.column, pa.Array) and run.column.equals(column[start:stop])


@pytest.mark.parametrize("rows", [2**16, 2**16 + 1])
def test_long_columns_have_as_many_rows(rows: int) -> None:
    kind, column = schema(SchemaType.INT16), pa.array(np.arange(rows), pa.int64()).cast(pa.int16(), safe=False)
    payloads = made(ShortConverter).from_connect_column("t", kind, column, None, rows)
    payloads.validate(full=True)
    assert payloads[rows - 1].as_py() == int(column[rows - 1].as_py()).to_bytes(2, "big", signed=True)
    (run,) = made(ShortConverter).to_connect_column("t", payloads)
    assert isinstance(run.column, pa.Array) and run.column.equals(column)


def test_payloads_with_wide_offsets_are_read() -> None:
    payloads = pa.array([b"\0\x01", None, b"\0\x02"], pa.large_binary())
    for start in (0, 1):
        (run,) = made(ShortConverter).to_connect_column("t", payloads[start:])
        assert to_values(run.schema, run.column, 3 - start) == [1, None, 2][start:]


@pytest.mark.parametrize(("kind", "type_", "values", "payloads"), CASES)
def test_lists_of_values_have_the_same_bytes(
    kind: type[Converter], type_: SchemaType, values: list[Any], payloads: list[bytes]
) -> None:
    assert made(kind).from_connect("t", schema(type_), [*values, None], None, 3) == [*payloads, None]


@pytest.mark.parametrize(("kind", "type_", "values", "payloads"), CASES)
def test_no_rows_and_rows_of_nothing_are_nothing(
    kind: type[Converter], type_: SchemaType, values: list[Any], payloads: list[bytes]
) -> None:
    converter = made(kind)
    assert converter.to_connect("t", []) == []
    assert converter.from_connect("t", schema(type_), None, None, 2) == [None, None]
    assert converter.from_connect("t", None, None, pa.array([True, True]), 2) == [None, None]
    (run,) = converter.to_connect("t", [None, None])
    assert to_values(run.schema, run.column, 2) == [None, None]


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        (ShortConverter, b"\0", "Failed to deserialize short: Size of data received by ShortDeserializer is not 2"),
        (FloatConverter, b"", "Failed to deserialize float: Size of data received by Deserializer is not 4"),
        (LongConverter, b"\0" * 9, "LongDeserializer is not 8"),
        (BooleanConverter, b"\x02", "Unexpected byte received by BooleanDeserializer: 2"),
        (BooleanConverter, b"\xfe", "Unexpected byte received by BooleanDeserializer: -2"),
    ],
)
def test_bytes_of_another_width_are_refused_among_others(kind: type[Converter], payload: bytes, words: str) -> None:
    good = b"\0" * np.dtype(made(kind)._wire).itemsize  # type: ignore[attr-defined]
    for payloads in ([payload], [good, payload, good, None]):
        with pytest.raises(DataError, match=words):
            made(kind).to_connect("t", payloads)


def test_a_short_payload_is_not_made_good_by_a_long_one() -> None:
    for payloads in ([b"\0", b"\0\0\0", b"\0\0"], [b"\0\0", b"\0", b"\0\0\0"]):
        with pytest.raises(DataError, match="ShortDeserializer is not 2"):
            made(ShortConverter).to_connect("t", payloads)


@pytest.mark.parametrize(
    ("kind", "given", "value", "words"),
    [
        (IntegerConverter, schema(SchemaType.INT64), 5, r"Failed to serialize to integer \(was class java.lang.Long\)"),
        (IntegerConverter, None, 5, r"was class java.lang.Long"),
        (IntegerConverter, date(), dt.date(2026, 1, 1), "was class java.util.Date"),
        (FloatConverter, schema(SchemaType.FLOAT64), 0.5, r"to float \(was class java.lang.Double\)"),
        (BooleanConverter, schema(SchemaType.STRING), "x", "Invalid schema type for BooleanConverter: STRING"),
        (BooleanConverter, None, "x", "BooleanConverter is not compatible with objects of type class java.lang.String"),
        (ByteArrayConverter, schema(SchemaType.INT8), 1, "Invalid schema type for ByteArrayConverter: INT8"),
        (ByteArrayConverter, None, {}, "ByteArrayConverter is not compatible with objects of type class java.util.Has"),
    ],
)
def test_values_of_another_type_are_refused_in_javas_words(
    kind: type[Converter], given: ConnectSchema | None, value: Any, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        made(kind).from_connect("t", given, [value], None, 1)


def test_values_without_a_schema_are_what_json_has() -> None:
    assert made(LongConverter).from_connect("t", None, [5], None, 1) == [b"\0" * 7 + b"\x05"]
    assert made(DoubleConverter).from_connect("t", None, [0.5], None, 1) == [b"\x3f\xe0" + b"\0" * 6]


def test_a_tombstone_has_no_schema_to_be_refused() -> None:
    tombstone = pa.array([True, True])
    assert made(ByteArrayConverter).from_connect("t", schema(SchemaType.STRING), None, tombstone, 2) == [None, None]


def test_a_column_of_bytes_is_not_copied() -> None:
    column = pa.array([b"a", b"b"])
    assert made(ByteArrayConverter).from_connect_column("t", schema(SchemaType.BYTES), column, None, 2) is column
    (run,) = made(ByteArrayConverter).to_connect_column("t", column)
    assert run.column is column
