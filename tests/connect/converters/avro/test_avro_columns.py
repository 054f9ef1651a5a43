"""The column forms of AvroConverter against its row forms and against fastavro, on every type."""

import io
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from fastavro.utils import generate_many
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from headrace.avro.parser import Parser
from headrace.connect.api import ConnectSchema, SchemaType, arrow_type, struct, to_column, to_values
from headrace.connect.api.schema import decimal, schema
from headrace.connect.converters.avro import column_decoder
from headrace.connect.converters.avro.converter import AvroReadForm, AvroWriteForm
from headrace.connect.converters.avro.naming import AvroOptions
from headrace.connect.converters.avro.row_decoder import decode
from headrace.connect.converters.avro.row_encoder import Writing
from headrace.connect.converters.json.form import MisfitError
from headrace.connect.records.varint import varint
from tests.connect.converters.avro.shapes import HEAD, by_fastavro, filled, forms, read, rows, written
from tests.connect.strategies import same


@settings(max_examples=80)
@given(rows(), st.booleans())
def test_a_column_is_written_as_its_rows_are(made: tuple[ConnectSchema, list[Any]], ignore_default: bool) -> None:
    kind, values = made
    column = to_column(kind, values)
    assume(isinstance(column, pa.Array))
    _, write, _ = forms(kind, ignore_default=ignore_default)
    assert write.encode(column, HEAD).to_pylist() == [HEAD + write.encode_row(value) for value in values]


@settings(max_examples=40)
@given(rows(), st.data())
def test_a_slice_of_a_column_is_written_as_the_rows_of_the_slice(
    made: tuple[ConnectSchema, list[Any]], data: st.DataObject
) -> None:
    kind, values = made
    column = to_column(kind, values)
    assume(isinstance(column, pa.Array))
    start = data.draw(st.integers(0, len(values) - 1))
    stop = data.draw(st.integers(start + 1, len(values)))
    _, write, _ = forms(kind)
    assert write.encode(column[start:stop], HEAD).to_pylist() == write.encode(column, HEAD).to_pylist()[start:stop]


@settings(max_examples=80)
@given(rows())
def test_what_is_written_is_read_back_with_its_schema(made: tuple[ConnectSchema, list[Any]]) -> None:
    kind, values = made
    node, write, reading = forms(kind)
    assert reading.schema is kind
    payloads = [write.encode_row(value) for value in values]
    messages = pa.array([HEAD + payload for payload in payloads], pa.binary())
    wanted = [filled(kind, value) for value in values]
    column = reading.decode(messages)
    assert same(to_values(kind, column, len(values)), wanted)
    assert same([decode(node, kind, payload, AvroOptions()) for payload in payloads], wanted)
    assert not isinstance(column, list) or isinstance(to_column(kind, wanted), list)


@settings(max_examples=80)
@given(rows())
def test_fastavro_reads_the_bytes_and_writes_them_again(made: tuple[ConnectSchema, list[Any]]) -> None:
    kind, values = made
    assume(not (kind.type is SchemaType.BYTES and not kind.optional))  # written without their length
    _, write, _ = forms(kind)
    peer = by_fastavro(write.text)
    for value in values:
        payload = write.encode_row(value)
        assert written(peer, read(peer, payload)) == payload


RECORD = '{"type": "record", "name": "r", "fields": [{"name": "a", "type": %s}, {"name": "z", "type": "int"}]}'
TYPES = {
    "numbers": '{"type": "record", "name": "n", "fields": [{"name": "i", "type": "int"}, {"name": "l", "type": "long"},'
    ' {"name": "f", "type": "float"}, {"name": "d", "type": "double"}, {"name": "b", "type": "boolean"}]}',
    "texts": '{"type": "map", "values": ["string", "null"]}',
    "enum": '{"type": "enum", "name": "x.Suit", "symbols": ["HEARTS", "SPADES"]}',
    "fixed": '{"type": "fixed", "name": "md5", "size": 16}',
    "union": '["null", "int", "string", {"type": "record", "name": "i", "fields": [{"name": "q", "type": "double"}]}]',
    "union of two": '["long", "boolean"]',
    "null behind": '["string", "null"]',
    "array of arrays": '{"type": "array", "items": {"type": "array", "items": ["null", "bytes"]}}',
    "array of records": '{"type": "array", "items": {"type": "record", "name": "i", "fields":'
    ' [{"name": "m", "type": {"type": "map", "values": "long"}}, {"name": "t", "type": ["null", "string"]}]}}',
}  # fmt: skip


def as_connect(kind: ConnectSchema | None, value: Any) -> Any:
    """What fastavro was given, as the Connect schema has it."""
    assert kind is not None
    if value is None:
        return None
    if kind.name == "io.confluent.connect.avro.Union":
        return {
            field.name: as_connect(field.schema, value) if _is(field.schema, value) else None for field in kind.fields
        }
    match kind.type:
        case SchemaType.STRUCT:
            return {field.name: as_connect(field.schema, value[field.name]) for field in kind.fields}
        case SchemaType.ARRAY:
            return [as_connect(kind.value_schema, item) for item in value]
        case SchemaType.MAP:
            return {key: as_connect(kind.value_schema, item) for key, item in value.items()}
    return value


def _is(kind: ConnectSchema, value: Any) -> bool:
    types = {
        SchemaType.INT32: int,
        SchemaType.INT64: int,
        SchemaType.STRING: str,
        SchemaType.STRUCT: dict,
        SchemaType.BOOLEAN: bool,
    }
    return type(value) is types[kind.type]


@pytest.mark.parametrize("name", TYPES)
def test_what_fastavro_writes_is_read(name: str) -> None:
    text = RECORD % TYPES[name]
    peer = by_fastavro(text)
    reading = AvroReadForm(Parser().parse(text), AvroOptions())
    values = list(generate_many(peer, 40))
    payloads = [written(peer, value) for value in values]
    column = reading.decode(pa.array([HEAD + payload for payload in payloads], pa.large_binary()))
    assert isinstance(column, pa.Array)
    # fastavro's numbers of 32 bits are given with more digits than they are written with.
    wanted = [as_connect(reading.schema, read_plain(peer, payload)) for payload in payloads]
    assert same(to_values(reading.schema, column, len(values)), wanted)


def read_plain(peer: Any, payload: bytes) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(payload), peer, None)


def test_blocks_of_arrays_are_read_however_they_are_cut() -> None:
    """Several blocks, and blocks that begin with their size in bytes, as other writers make them."""
    reading = AvroReadForm(Parser().parse('{"type": "array", "items": "int"}'), AvroOptions())
    one, sized, empty = b"\x02\x02\x04\x04\x06\x00", b"\x03\x04\x02\x04\x02\x06\x00", b"\x00"
    messages = pa.array([HEAD + payload for payload in (one, sized, empty, one)], pa.binary())
    assert reading.decode(messages).to_pylist() == [[1, 2, 3], [1, 2, 3], [], [1, 2, 3]]


def test_long_arrays_are_read_row_by_row_and_come_out_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = schema(SchemaType.ARRAY, value_schema=schema(SchemaType.STRING))
    values = [[str(number) for number in range(size)] for size in (0, 30, 7)]
    _, write, reading = forms(kind)
    messages = write.encode(to_column(kind, values), HEAD)
    in_columns = reading.decode(messages)
    monkeypatch.setattr(column_decoder, "MOST_ROUNDS", 5)
    assert in_columns.to_pylist() == reading.decode(messages).to_pylist() == values


@pytest.mark.parametrize(
    ("schema_text", "payload", "words"),
    [
        ('"string"', b"\x08abc", "4 bytes are announced, and 3 are left"),
        ('"string"', b"\x04\xff\xfe", "no text in UTF-8"),
        ('"string"', b"\x07", "-4 bytes are announced"),
        ('"int"', b"\x02\x02", "1 bytes are left behind the value"),
        ('"int"', b"\x80\x80\x80\x80\x80\x01", "beyond the range of int32"),
        ('"long"', b"\xff" * 11, "more than ten bytes"),
        ('"boolean"', b"\x02", "2 is no boolean"),
        ('["null", "int"]', b"\x04\x02", "2 is the number of no branch"),
        (TYPES["enum"], b"\x04", "2 is the number of no symbol of x.Suit"),
        ('{"type": "array", "items": "int"}', b"\xfe\xff\xff\x0f", "items are announced in a message of 4 bytes"),
        ('{"type": "int", "logicalType": "time-millis"}', varint(86_400_000), "is no time of day"),
        (RECORD % '"double"', b"\x00" * 5, "8 bytes are announced, and 5 are left"),
    ],
)
@pytest.mark.parametrize("beside", [0, 3])
def test_a_broken_payload_is_named_and_never_guessed(schema_text: str, payload: bytes, words: str, beside: int) -> None:
    reading = AvroReadForm(Parser().parse(schema_text), AvroOptions())
    good = written(by_fastavro(schema_text), next(generate_many(by_fastavro(schema_text), 1)))
    messages = pa.array([HEAD + payload, *[HEAD + good] * beside], pa.binary())
    with pytest.raises(MisfitError, match=words):
        reading.decode(messages)


@settings(max_examples=80)
@given(st.sampled_from(sorted(TYPES)), st.lists(st.binary(max_size=30), min_size=1, max_size=4))
def test_noise_is_refused_or_read_alike_by_columns_and_rows(name: str, payloads: list[bytes]) -> None:
    node = Parser().parse(RECORD % TYPES[name])
    reading = AvroReadForm(node, AvroOptions())
    try:
        by_row = [decode(node, reading.schema, payload, AvroOptions()) for payload in payloads]
    except MisfitError:
        with pytest.raises(MisfitError):
            reading.decode(pa.array([HEAD + payload for payload in payloads], pa.binary()))
        return
    column = reading.decode(pa.array([HEAD + payload for payload in payloads], pa.binary()))
    assert same(to_values(reading.schema, column, len(payloads)), by_row)


@settings(max_examples=50)
@given(st.lists(st.integers(-(2**200), 2**200), min_size=1), st.sampled_from([10, 38, 60, 76]))
def test_decimals_of_every_width_are_the_bytes_of_their_number(numbers: list[int], precision: int) -> None:
    limit = 10**precision
    kind = struct([("d", decimal(0, precision))])
    values = [{"d": Decimal(number % limit * (1 if number > 0 else -1))} for number in numbers]
    _, write, reading = forms(kind)
    column = to_column(kind, values)
    assert column.type == arrow_type(kind)
    messages = write.encode(column, HEAD)
    for value, message in zip(values, messages.to_pylist(), strict=True):
        plain = message[len(HEAD) + 1 :]
        number = int(value["d"])
        assert int.from_bytes(plain, "big", signed=True) == number
        assert len(plain) == (number + (number < 0)).bit_length() // 8 + 1
    assert reading.decode(messages).to_pylist() == values


def test_a_decimal_in_a_fixed_is_filled_with_its_sign() -> None:
    text = '{"type": "fixed", "name": "money", "size": 20, "logicalType": "decimal", "precision": 30, "scale": 2}'
    node = Parser().parse(RECORD % text)
    reading = AvroReadForm(node, AvroOptions())
    values = [{"a": Decimal("-1.50"), "z": 1}, {"a": Decimal("70000000000000000000.25"), "z": 2}]
    peer = by_fastavro(RECORD % text)
    payloads = [
        written(peer, {"a": int(value["a"].scaleb(2)).to_bytes(20, "big", signed=True), "z": value["z"]})
        for value in values
    ]
    assert reading.decode(pa.array([HEAD + payload for payload in payloads], pa.binary())).to_pylist() == values
    write = AvroWriteForm(reading.schema, Writing(node, AvroOptions()))
    assert write.encode(to_column(reading.schema, values), b"").to_pylist() == payloads
    assert [write.encode_row(value) for value in values] == payloads
