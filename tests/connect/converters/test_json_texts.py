"""Columns of JSON texts against the parser: the same values, or a doubt."""

import math
from base64 import b64encode
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.connect.api import ConnectSchema, SchemaType, schema, struct, to_values
from headrace.connect.api.schema import date, decimal, time, timestamp
from headrace.connect.converters.json import JsonConverter
from headrace.connect.converters.json.column_decoder import decode_column, decode_exact
from headrace.connect.converters.json.envelope import parse_exactly
from headrace.connect.converters.json.form import Form
from headrace.connect.converters.json.text_columns import DoubtError, decode_texts
from tests.connect.strategies import same, values

INNER = struct([("a", schema(SchemaType.INT16, optional=True)), ("b", schema(SchemaType.STRING))], name="inner")
WIDE = struct(
    {
        "byte": schema(SchemaType.INT8),
        "short": schema(SchemaType.INT16, optional=True),
        "int": schema(SchemaType.INT32),
        "long": schema(SchemaType.INT64, optional=True),
        "float": schema(SchemaType.FLOAT32),
        "double": schema(SchemaType.FLOAT64, optional=True),
        "flag": schema(SchemaType.BOOLEAN, optional=True),
        'name "quoted" é': schema(SchemaType.STRING, optional=True),
        "inner": INNER,
        "day": date(),
        "at": time(optional=True),
        "stamp": timestamp(optional=True),
        "end": schema(SchemaType.STRING),
    }.items(),
    name="wide",
)


def texts(*rows: bytes) -> pa.BinaryArray:
    return pa.array(rows, pa.binary())


def parsed(kind: ConnectSchema, rows: list[bytes]) -> list[Any]:
    form = Form()
    return to_values(kind, decode_column(kind, [orjson.loads(row) for row in rows], form), len(rows))


def one_field(kind: ConnectSchema) -> ConnectSchema:
    return struct([("v", kind)])


@settings(max_examples=150)
@given(st.lists(values(WIDE), min_size=1, max_size=20))
def test_what_our_own_encoder_writes_is_read_as_the_parser_reads_it(rows: list[dict[str, Any]]) -> None:
    writer = JsonConverter()
    writer.configure({"schemas.enable": "false"}, is_key=False)
    written = [payload or b"" for payload in writer.from_connect("t", WIDE, rows, None, len(rows))]
    try:
        column = decode_texts(WIDE, texts(*written))
    except DoubtError:
        assert any(b'"NaN"' in text or b'Infinity"' in text for text in written)
        return
    assert same(to_values(WIDE, column, len(rows)), parsed(WIDE, written))


NUMBERS = st.text(st.sampled_from("0123456789+-.eE"), min_size=1, max_size=7) | st.sampled_from(
    ["01", "-01", "1.", ".5", "-.5", "+1", "1e5", "1E+5", "1e", "-", "--1", "1-2", "0x1F", "inf", "-inf", "nan", "NaN",
     "1.e5", "1e.5", "1e999", "-0", "-0.0", "0e0", " 1", "1 ", "1_0", "9223372036854775808", "٣", "null", "nul", "true"]
)  # fmt: skip


@settings(max_examples=500)
@given(
    st.lists(NUMBERS, min_size=1, max_size=4), st.sampled_from([SchemaType.INT32, SchemaType.INT64, SchemaType.FLOAT64])
)
def test_a_text_is_taken_as_a_number_only_where_json_does(numbers: list[str], kind: SchemaType) -> None:
    wanted = one_field(schema(kind, optional=True))
    rows = [f'{{"v":{number}}}'.encode() for number in numbers]
    try:
        column = decode_texts(wanted, texts(*rows))
    except DoubtError:
        return
    expected = [orjson.loads(row)["v"] for row in rows]  # raises where a text is no JSON
    found = [row["v"] for row in to_values(wanted, column, len(rows))]
    assert found == expected
    assert all(isinstance(value, float) == (kind is SchemaType.FLOAT64) for value in found if value is not None)


@pytest.mark.parametrize("number", ["0", "-0", "5", "-17", "1.5", "1e5", "1E+5", "0.1", "4.300000000000001", "5e-324"])
def test_plain_numbers_are_in_no_doubt(number: str) -> None:
    column = decode_texts(one_field(schema(SchemaType.FLOAT64)), texts(f'{{"v":{number}}}'.encode()))
    assert column.to_pylist()[0]["v"] == float(number)
    assert math.copysign(1, column.to_pylist()[0]["v"]) == math.copysign(1, float(number))


@pytest.mark.parametrize(
    "row",
    [
        b'{"a":1,"b":"x" }',
        b'{ "a":1,"b":"x"}',
        b'{"a": 1,"b":"x"}',
        b'{"b":"x","a":1}',
        b'{"a":1}',
        b'{"a":1,"b":"x","c":1}',
        b'{"a":1,"b":"x"}}',
        b'{"a":1,"b":"x"',
        b'{"a":1,"a":2,"b":"x"}',
        b'{"a":1,"b":"\\x"}',
        b'{"a":1,"b":"\\ud800"}',
        b'{"a":1,"b":"x\\"}',
        b'{"a":1,"b":"x\\\\"y"}',
        b'{"a":1\\,"b":"x"}',
        b'{"a":1,"\\u0062":"x"}',
        b'\\{"a":1,"b":"x"}',
        b'{"a":1,"b":"x"}\\',
        b'{"a":1,"b":"line\nbreak"}',
        b'{"a":1,"b":5}',
        b'{"a":"1","b":"x"}',
        b'{"a":1,"b":null}',
        b'{"a":70000,"b":"x"}',
        b'{"a":1.0,"b":"x"}',
        b'{"a":true,"b":"x"}',
        b'{"a":1,"b":"\xff"}',
        b"null",
        b"",
        b"{",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_of_another_shape_is_in_doubt_wherever_it_stands(row: bytes, place: int) -> None:
    good = b'{"a":7,"b":"good"}'
    rows = [good, good]
    rows.insert(place, row)
    with pytest.raises(DoubtError):
        decode_texts(INNER, texts(*rows))


def test_two_rows_whose_faults_would_make_up_for_each_other_are_in_doubt() -> None:
    with pytest.raises(DoubtError):
        decode_texts(INNER, texts(b'{"a":7,"b":"x"}{"a":7,"b":"x"}', b""))
    with pytest.raises(DoubtError):
        decode_texts(INNER, texts(b'{"a":7,"b":"x', b'"}{"a":7,"b":"x"}'))


ESCAPED = [
    b"\\u0041", b'\\"', b"\\\\", b'\\\\\\"', b"\\n\\t\\r\\b\\f\\/", b"x\\u00e9\\ud83d\\ude00", "é\\\\".encode(),
    b'\\",\\"a\\":2',
    b"\\u0000", b'{\\"a\\":1}',
]  # fmt: skip


@pytest.mark.parametrize("text", ESCAPED)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_escapes_are_read_beside_texts_without_any(text: bytes, place: int) -> None:
    rows = [b'{"a":7,"b":"plain"}', b'{"a":null,"b":""}']
    rows.insert(place, b'{"a":1,"b":"' + text + b'"}')
    assert decode_texts(INNER, texts(*rows)).to_pylist() == [orjson.loads(row) for row in rows]


@settings(max_examples=300)
@given(st.lists(st.tuples(st.none() | st.integers(-9, 9), st.text('ab\\"\n{:,é\0')), min_size=1, max_size=8))
def test_texts_of_any_escapes_are_read_as_the_parser_reads_them(rows: list[tuple[int | None, str]]) -> None:
    values = [{"a": number, "b": text} for number, text in rows]
    assert decode_texts(INNER, texts(*map(orjson.dumps, values))).to_pylist() == values


@given(st.lists(st.text('\\"nx,:{}', max_size=9), min_size=1, max_size=4))
def test_backslashes_and_quotes_anywhere_are_read_as_json_or_are_in_doubt(pieces: list[str]) -> None:
    rows = [f'{{"a":1,"b":"{piece}"}}'.encode() for piece in pieces]
    try:
        column = decode_texts(INNER, texts(*rows))
    except DoubtError:
        return
    assert column.to_pylist() == [orjson.loads(row) for row in rows]


DECIMALS = [decimal(2, 12, optional=True), decimal(0, 5, optional=True), decimal(2, optional=True), decimal(-2, 9)]
DIGITS = st.text("0123456789", min_size=1, max_size=14)
NUMERALS = NUMBERS | st.builds("{}{}{}".format, st.sampled_from(["", "-"]), DIGITS, st.sampled_from(["", "e1", "E-1"]))
NUMERALS |= st.builds("{}.{}".format, DIGITS, DIGITS)


@settings(max_examples=500)
@given(st.lists(NUMERALS, min_size=1, max_size=3), st.sampled_from(DECIMALS))
def test_numbers_are_the_decimals_that_the_parser_makes_of_them(numbers: list[str], kind: ConnectSchema) -> None:
    rows = [f'{{"v":{number}}}'.encode() for number in numbers]
    agrees_with_the_row_decoder(one_field(kind), rows)


BASE64 = st.binary(max_size=40).map(lambda data: b64encode(data).decode()) | st.text("AB+/=-_ \\", max_size=8)


@settings(max_examples=500)
@given(
    st.lists(BASE64 | st.none(), min_size=1, max_size=4),
    st.sampled_from([*DECIMALS, schema(SchemaType.BYTES, optional=True)]),
)
def test_base64_is_what_the_parser_makes_of_it(contents: list[str | None], kind: ConnectSchema) -> None:
    rows = [b'{"v":null}' if text is None else f'{{"v":"{text}"}}'.encode() for text in contents]
    agrees_with_the_row_decoder(one_field(kind), rows)


def agrees_with_the_row_decoder(kind: ConnectSchema, rows: list[bytes]) -> None:
    try:
        column = decode_texts(kind, texts(*rows))
    except DoubtError:
        return
    wanted = decode_exact(
        kind, [parse_exactly(row) for row in rows], Form()
    )  # raises where it should have been in doubt
    assert to_values(kind, column, len(rows)) == to_values(kind, wanted, len(rows))


def test_decimals_in_base64_and_as_numbers_are_in_no_doubt() -> None:
    kind = one_field(decimal(2, 12, optional=True))
    for rows in ([b'{"v":"AfQ="}', b'{"v":null}', b'{"v":"/w=="}'], [b'{"v":5.00}', b'{"v":null}', b'{"v":-0.01}']):
        found = [row["v"] for row in decode_texts(kind, texts(*rows)).to_pylist()]
        assert found == [Decimal("5.00"), None, Decimal("-0.01")]


def test_a_decimal_of_more_digits_than_its_column_is_in_doubt() -> None:
    kind = one_field(decimal(0, 2))
    assert decode_texts(kind, texts(b'{"v":"Yw=="}')).to_pylist() == [{"v": Decimal(99)}]
    for row in (b'{"v":"ZA=="}', b'{"v":100}', b'{"v":1.5}'):
        with pytest.raises(DoubtError):
            decode_texts(kind, texts(row))


def test_commas_braces_and_letters_inside_of_texts_are_text() -> None:
    column = decode_texts(INNER, texts('{"a":1,"b":"x,}é{:null"}'.encode(), b'{"a":null,"b":""}'))
    assert column.to_pylist() == [{"a": 1, "b": "x,}é{:null"}, {"a": None, "b": ""}]


def test_a_slice_is_read_as_its_own_rows() -> None:
    whole = texts(b"\x01 no json", b'{"a":1,"b":"x"}', b'{"a":2,"b":"y"}', b"\x02")
    assert [row["a"] for row in decode_texts(INNER, whole.slice(1, 2)).to_pylist()] == [1, 2]


def test_a_converter_reads_a_column_of_messages_as_it_reads_a_list_of_them() -> None:
    subject = JsonConverter()
    subject.configure({}, is_key=False)
    rows = [{"a": number % 1000, "b": f"row {number}"} for number in range(500)]
    messages = list(subject.from_connect("t", INNER, rows, None, len(rows)))
    (run,) = subject.to_connect_column("t", texts(*[message or b"" for message in messages]))
    assert (run.start, run.length, run.schema) == (0, 500, INNER)
    assert isinstance(run.column, pa.Array)
    assert to_values(INNER, run.column, 500) == rows


def test_a_change_of_schema_and_a_tombstone_in_mid_column_make_runs() -> None:
    subject = JsonConverter()
    subject.configure({}, is_key=False)
    other = struct([("c", schema(SchemaType.INT32))], name="other")
    first = list(subject.from_connect("t", INNER, [{"a": 1, "b": "x"}] * 200, None, 200))
    second = list(subject.from_connect("t", other, [{"c": 2}] * 200, None, 200))
    runs = subject.to_connect_column("t", pa.array([*first, None, *second], pa.binary()))
    assert [(run.start, run.length, run.schema) for run in runs] == [(0, 201, INNER), (201, 200, other)]
