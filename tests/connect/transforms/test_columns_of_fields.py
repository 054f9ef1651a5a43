"""Columns against rows: any schema, any rows, through each transformation of fields, headers and topics."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.connect.api import (
    ConnectSchema,
    Header,
    Record,
    SchemaType,
    SinkOrigin,
    Transformation,
    from_records,
    schema,
    struct,
)
from headrace.connect.api.schema import date, decimal, time, timestamp
from headrace.connect.transforms.cast import CastKey, CastValue
from headrace.connect.transforms.cast_value import TARGETS
from headrace.connect.transforms.drop_headers import DropHeaders
from headrace.connect.transforms.header_from import HeaderFromKey, HeaderFromValue
from headrace.connect.transforms.insert_field import InsertFieldKey, InsertFieldValue
from headrace.connect.transforms.insert_header import InsertHeader
from headrace.connect.transforms.mask_field import MaskFieldKey, MaskFieldValue
from headrace.connect.transforms.regex_router import RegexRouter
from headrace.connect.transforms.timestamp_converter import TimestampConverterKey, TimestampConverterValue
from headrace.connect.transforms.timestamp_router import TimestampRouter
from tests.connect.strategies import values
from tests.connect.transforms.agreeing import agree, by_batch, made
from tests.connect.transforms.drawn import (
    SHAPES,
    agree_on_its_half,
    agree_without_schema,
    rows_of_one_schema,
)

KEEP_NULL = {"replace.null.with.default": "false"}
TIMES = {"target.type": "string", "format": "yyyy-MM-dd"}
PAIRS: list[tuple[type[Transformation], type[Transformation], dict[str, str]]] = [
    (CastValue, CastKey, {"spec": "a:string,b:int8"}),
    (CastValue, CastKey, {"spec": "a:int64,x:boolean"} | KEEP_NULL),
    (CastValue, CastKey, {"spec": "string"}),
    (CastValue, CastKey, {"spec": "float32"}),
    (MaskFieldValue, MaskFieldKey, {"fields": "a,b"}),
    (MaskFieldValue, MaskFieldKey, {"fields": "a", "replacement": "7"} | KEEP_NULL),
    (InsertFieldValue, InsertFieldKey, {"topic.field": "c", "timestamp.field": "d?", "partition.field": "e!"}),
    (InsertFieldValue, InsertFieldKey, {"static.field": "b", "static.value": "v"} | KEEP_NULL),
    (HeaderFromValue, HeaderFromKey, {"fields": "a,b", "headers": "h,h", "operation": "move"}),
    (HeaderFromValue, HeaderFromKey, {"fields": "a", "headers": "h", "operation": "copy"} | KEEP_NULL),
    (TimestampConverterValue, TimestampConverterKey, {"field": "a"} | TIMES),
    (TimestampConverterValue, TimestampConverterKey, {"target.type": "unix"} | KEEP_NULL),
    (InsertHeader, InsertHeader, {"header": "h", "value.literal": "[1]"}),
    (DropHeaders, DropHeaders, {"headers": "h"}),
    (RegexRouter, RegexRouter, {"regex": "(.)", "replacement": "$1$1"}),
    (TimestampRouter, TimestampRouter, {}),
]


def transformations() -> st.SearchStrategy[tuple[Transformation, bool]]:
    """A transformation, and whether it works on keys."""
    return st.builds(
        lambda pair, key: (made(pair[1 if key else 0], **pair[2]), key), st.sampled_from(PAIRS), st.booleans()
    )


HEADERS = st.lists(st.sampled_from([Header("h", None, 1), Header("g", None, "x")]), max_size=2).map(tuple)
MOMENTS = st.sampled_from([st.sampled_from([0, 86_400_000, 86_400_001]), st.none() | st.just(5)])
ROWS, PARTITIONS = rows_of_one_schema(), st.none() | st.integers(0, 3)


@st.composite
def records_of_one_schema(draw: st.DrawFn) -> list[Record]:
    """Rows with headers, timestamps and partitions."""
    moments = draw(MOMENTS)
    return [
        replace(row, headers=draw(HEADERS), timestamp=draw(moments), partition=draw(PARTITIONS)) for row in draw(ROWS)
    ]


@settings(max_examples=100, deadline=None)
@given(transformations(), records_of_one_schema())
def test_columns_give_what_rows_give(subject: tuple[Transformation, bool], records: list[Record]) -> None:
    agree_on_its_half(subject, records)


@settings(max_examples=100, deadline=None)
@given(transformations(), SHAPES, st.data())
def test_schemaless_columns_of_one_shape_give_what_their_rows_give(
    subject: tuple[Transformation, bool], shape: pa.DataType, data: st.DataObject
) -> None:
    agree_without_schema(subject, shape, data)


LEAVES: list[ConnectSchema] = [
    *(schema(kind) for kind in SchemaType if kind not in (SchemaType.ARRAY, SchemaType.MAP, SchemaType.STRUCT)),
    *(decimal(scale, precision) for scale in (0, 2, 18, 20) for precision in (20, 38, 76, None)),
    date(),
    time(),
    timestamp(),
]
NUMBERS = (
    st.integers(-(2**70), 2**70).map(str) | st.floats().map(str) | st.sampled_from(["0x1f", "+5", "TRUE", "", " 1"])
)


@st.composite
def leaves(draw: st.DrawFn) -> tuple[ConnectSchema, list[Any]]:
    """A schema without parts, and values; texts mostly look like numbers."""
    kind = draw(st.sampled_from(LEAVES)).replace(optional=True)
    each = values(kind)
    if kind.type is SchemaType.STRING:
        each = st.none() | (NUMBERS if draw(st.booleans()) else st.integers(-128, 127).map(str))
    elif kind.type in (SchemaType.FLOAT32, SchemaType.FLOAT64) and draw(st.booleans()):
        each = st.floats(-(2.0**34), 2.0**34, width=32)
    return kind, draw(st.lists(each, min_size=1, max_size=8))


@settings(max_examples=250, deadline=None)
@given(leaves(), st.sampled_from(TARGETS), st.booleans())
def test_a_cast_of_a_column_gives_what_the_casts_of_its_rows_give(
    drawn: tuple[ConnectSchema, list[Any]], target: SchemaType, whole: bool
) -> None:
    kind, found = drawn
    row = struct([("a", kind)])
    records = [
        Record("t", None, None, kind if whole else row, value if whole else {"a": value}, origin_index=at)
        for at, value in enumerate(found)
    ]
    agree(made(CastValue, spec=target.name if whole else f"a:{target.name}"), records)


@pytest.mark.parametrize(
    ("scale", "number", "text"),
    [(0, Decimal("1E28"), "1" + "0" * 28), (2, Decimal(5), "5.00"), (7, Decimal(0), "0E-7")],
)
def test_a_decimal_prints_with_the_digits_of_its_schema(scale: int, number: Decimal, text: str) -> None:
    row = struct([("a", decimal(scale, 38))])
    subject = made(CastValue, spec="a:string")
    record = Record("t", None, None, row, {"a": number})
    assert [one.value for one in (subject.apply(record), *by_batch(subject, from_records([record])))] == [
        {"a": text}
    ] * 2


@pytest.mark.parametrize("maps", [[{"a": "5"}, {"a": None}], [{"a": "5"}, {"a": 6}], [{"a": 2**70}], [{}, {"a": True}]])
def test_maps_are_cast_alike_whether_their_values_make_a_column_or_not(maps: list[Any]) -> None:
    agree(made(CastValue, spec="a:int8"), [Record("t", value=one, origin_index=at) for at, one in enumerate(maps)])


@pytest.mark.parametrize("split", [False, True])
def test_offsets_are_those_of_the_rows_that_are_left(split: bool) -> None:
    kind = struct([("id", schema(SchemaType.INT64))], optional=True)
    subject = made(InsertFieldValue, offset_field="offset", partition_field="partition")
    values_of_rows: list[Any] = [{"id": 0}, None, {"id": 2}, {"id": 3}]
    records = [
        Record("t", None, None, kind, value, partition=4, origin_index=at) for at, value in enumerate(values_of_rows)
    ]
    origin = SinkOrigin("t", pa.array([4] * 4, pa.int32()), pa.array([10, 11, 12, 13]))
    (batch,) = from_records(records, origin)
    batch = batch.filter(pa.array([True, split, True, False]))
    rows = [record.value for done in subject.apply_batch(batch) for record in done.records()]
    wanted = [{"id": 0, "offset": 10, "partition": 4}, None, {"id": 2, "offset": 12, "partition": 4}]
    assert rows == (wanted if split else [wanted[0], wanted[2]])
