"""The column forms of JsonConverter against its row forms, on every Connect type."""

import json
import re
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from headrace.connect.api import ConnectSchema, Converted, DataError, SchemaType, struct, to_column, to_values
from headrace.connect.api.schema import decimal, schema
from headrace.connect.converters.json import JsonConverter
from headrace.connect.converters.json.column_decoder import InexactError, decode_column, decode_exact
from headrace.connect.converters.json.form import Form, MisfitError
from tests.connect.strategies import any_schemas, columns_of_rows, same


def converter(**properties: Any) -> JsonConverter:
    made = JsonConverter()
    made.configure({name.replace("_", "."): value for name, value in properties.items()}, is_key=False)
    return made


SETTINGS = st.fixed_dictionaries(
    {"decimal_format": st.sampled_from(["BASE64", "numeric"]), "replace_null_with_default": st.booleans()}
)


def rows_of(converted: list[Converted]) -> list[Any]:
    rows: list[Any] = []
    for run in converted:
        assert run.start == len(rows)
        rows += to_values(run.schema, run.column, run.length)
    return rows


def filled(kind: ConnectSchema | None, value: Any) -> Any:
    """The row value with nulls replaced by defaults, as the converter does."""
    if kind is None:
        return value
    if value is None:
        return kind.default
    match kind.type:
        case SchemaType.STRUCT:
            return {field.name: filled(field.schema, value[field.name]) for field in kind.fields}
        case SchemaType.ARRAY:
            return [filled(kind.value_schema, item) for item in value]
        case SchemaType.MAP:
            return {key: filled(kind.value_schema, item) for key, item in value.items()}
    return value


@settings(max_examples=100)
@given(columns_of_rows(), SETTINGS, st.booleans())
def test_a_column_is_written_as_its_rows_are(
    made: tuple[ConnectSchema, list[Any]], options: dict[str, Any], envelope: bool
) -> None:
    kind, rows = made
    column = to_column(kind, rows)
    assume(isinstance(column, pa.Array))
    subject = converter(schemas_enable=envelope, **options)
    by_column = subject.from_connect("t", kind, column, None, len(rows))
    by_row = subject.from_connect("t", kind, rows, None, len(rows))
    assert [json.loads(payload or b"") for payload in by_column] == [json.loads(payload or b"") for payload in by_row]


@settings(max_examples=60)
@given(columns_of_rows(), st.data())
def test_a_slice_of_a_column_is_written_as_the_rows_of_the_slice(
    made: tuple[ConnectSchema, list[Any]], data: st.DataObject
) -> None:
    kind, rows = made
    column = to_column(kind, rows)
    assume(isinstance(column, pa.Array))
    start = data.draw(st.integers(0, len(rows)))
    stop = data.draw(st.integers(start, len(rows)))
    subject = converter()
    whole = subject.from_connect("t", kind, column, None, len(rows))
    part = subject.from_connect("t", kind, column[start:stop], None, stop - start)
    assert list(part) == list(whole)[start:stop]


@settings(max_examples=100)
@given(columns_of_rows(), SETTINGS)
def test_what_is_written_is_read_back(made: tuple[ConnectSchema, list[Any]], options: dict[str, Any]) -> None:
    kind, rows = made
    subject = converter(**options)
    payloads = subject.from_connect("t", kind, to_column(kind, rows), None, len(rows))
    for _ in range(2):  # The second time every envelope is known.
        back = subject.to_connect("t", payloads)
        wanted = [filled(kind, row) for row in rows] if options["replace_null_with_default"] else rows
        assert same(rows_of(back), wanted)
        assert [(run.length, run.schema) for run in back] == [(len(rows), kind)]


@settings(max_examples=60)
@given(columns_of_rows(), SETTINGS, st.sampled_from(["blanks", "payload first", "blank at the end", "not ASCII"]))
def test_a_known_envelope_gives_what_the_full_parser_gives(
    made: tuple[ConnectSchema, list[Any]], options: dict[str, Any], writer: str
) -> None:
    kind, rows = made
    subject = converter(**options)
    payloads = subject.from_connect("t", kind, to_column(kind, rows), None, len(rows))
    known = rows_of(subject.to_connect("t", list(payloads) * 2))
    others = [rewritten(payload or b"", writer) for payload in payloads]
    assert same(rows_of(converter(**options).to_connect("t", others * 2)), known)


def rewritten(payload: bytes, writer: str) -> bytes:
    """The message as another program would write it."""
    if writer == "blank at the end":
        return payload + b" \n"
    whole = json.loads(payload, parse_float=lambda text: f"@digits {text}@")
    if writer == "payload first":
        whole = {"payload": whole["payload"], "schema": whole["schema"]}
    text = json.dumps(whole, ensure_ascii=writer != "not ASCII").encode()
    return re.sub(rb'"@digits ([^"@]*)@"', rb"\1", text)  # json would write a float's own digits, not those it read


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**66), 2**66) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "text", "NaN", "-Infinity", "AQ==", "A", 0, 1, 5.0, 2**31, 2**53 + 1, -1, 86_400_000]),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), parts, max_size=3),
    max_leaves=6,
)  # fmt: skip
SMALL = st.sampled_from([kind for kind in SchemaType if kind.value not in ("array", "map", "struct")]).flatmap(
    lambda kind: st.sampled_from([schema(kind), schema(kind, optional=True)])
)
LOOSE = SMALL | st.lists(SMALL, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from(
        [
            struct(zip("abc", parts, strict=False)),
            struct(zip("abc", parts, strict=False), optional=True),
            schema(SchemaType.ARRAY, value_schema=parts[0]),
            schema(SchemaType.MAP, key_schema=schema(SchemaType.STRING), value_schema=parts[0]),
        ]
    )
)


def outcome(decode: Any, kind: ConnectSchema, values: list[Any]) -> tuple[str, Any]:
    try:
        return "rows", to_values(kind, decode(kind, values, Form()), len(values))
    except MisfitError as error:
        return "refused", (error.path, str(error))


@settings(max_examples=300)
@given(any_schemas() | LOOSE | st.just(struct([("a", schema(SchemaType.INT32))])), st.lists(JSON, max_size=3))
def test_any_json_is_read_or_refused_by_columns_as_it_is_row_by_row(kind: ConnectSchema, values: list[Any]) -> None:
    values = orjson.loads(json.dumps(values))
    try:
        by_column = outcome(decode_column, kind, values)
    except InexactError:
        return  # It asks for the row decoder.
    by_row = outcome(decode_exact, kind, values)
    assert by_column[0] == by_row[0]
    assert same(list(by_column), list(by_row)) or by_column == by_row


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (SchemaType.INT32, 2**31, "2147483648 is beyond the range of int32"),
        (SchemaType.INT32, 1.5, "1.5 is no int32"),
        (SchemaType.INT32, "1", "'1' is no int32"),
        (SchemaType.INT32, True, "True is no int32"),
        (SchemaType.INT64, 2**64, "1.8446744073709552e+19 is beyond|18446744073709551616 is beyond"),
        (SchemaType.INT32, None, "null, but this int32 is required"),
        (SchemaType.STRING, 1, "1 is no string"),
        (SchemaType.BOOLEAN, "true", "'true' is no boolean"),
        (SchemaType.FLOAT64, "1.0", "'1.0' is no double"),
        (SchemaType.BYTES, "no base64!", "'no base64!' is no base64 text"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_field(kind: SchemaType, value: Any, message: str) -> None:
    row = struct([("id", schema(SchemaType.INT32)), ("inner", struct([("x", schema(kind))]))], name="row")
    good: Any = {SchemaType.STRING: "", SchemaType.BOOLEAN: True, SchemaType.BYTES: b""}.get(kind, 1)
    good = 1.0 if kind is SchemaType.FLOAT64 else good
    subject = converter()
    (payload,) = subject.from_connect("orders", row, [{"id": 1, "inner": {"x": good}}], None, 1)
    message_with = orjson.loads(payload or b"")
    message_with["payload"]["inner"]["x"] = value
    with pytest.raises(DataError, match=f"topic orders: field inner.x of row: ({message})"):
        subject.to_connect("orders", [payload, json.dumps(message_with).encode()])


def test_a_missing_field_is_null() -> None:
    row = struct([("a", schema(SchemaType.INT32)), ("b", schema(SchemaType.INT32, optional=True))])
    subject = converter()
    (payload,) = subject.from_connect("t", row, [{"a": 1, "b": 2}], None, 1)
    assert payload is not None
    assert rows_of(subject.to_connect("t", [payload, payload.replace(b',"b":2', b"")])) == [
        {"a": 1, "b": 2},
        {"a": 1, "b": None},
    ]
    with pytest.raises(DataError, match="field a: null, but this int32 is required and has no default"):
        subject.to_connect("t", [payload.replace(b'"a":1,', b"")])


def test_a_field_that_the_schema_does_not_have_is_passed_over_and_the_last_of_two_counts() -> None:
    row = struct([("a", schema(SchemaType.INT32))])
    subject = converter()
    (payload,) = subject.from_connect("t", row, [{"a": 1}], None, 1)
    assert payload is not None
    messages = [payload, payload.replace(b'"a":1', b'"a":1,"z":[{}]'), payload.replace(b'"a":1', b'"a":1,"a":2')]
    assert rows_of(subject.to_connect("t", messages)) == [{"a": 1}, {"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    "payload", [b'{"a":1},"b":2', b"", b'{"a":1}{"a":2}', b'{"a":1}}', b'{"a":[{}', b'{"a":1},"schema":null,"x":1']
)
def test_a_known_prefix_before_something_that_is_no_payload_is_refused(payload: bytes) -> None:
    row = struct([("a", schema(SchemaType.INT32))])
    subject = converter()
    (good,) = subject.from_connect("t", row, [{"a": 1}], None, 1)
    assert good is not None
    prefix = good[: -len(b'{"a":1}}')]
    assert rows_of(subject.to_connect("t", [good])) == [{"a": 1}]
    for bad in ([good, prefix + payload + b"}", good], [prefix + payload + b"}"]):
        with pytest.raises(DataError):
            subject.to_connect("t", bad)


def test_a_schema_behind_a_known_prefix_wins_as_in_the_full_parser() -> None:
    row = struct([("a", schema(SchemaType.INT32))])
    subject = converter()
    (good,) = subject.from_connect("t", row, [{"a": 1}], None, 1)
    assert good is not None
    odd = good[:-1] + b',"schema":null}'
    runs = subject.to_connect("t", [good, odd])
    assert [run.schema for run in runs] == [row, None]
    assert rows_of(runs) == [{"a": 1}, {"a": 1}]


def test_a_null_payload_ends_no_run() -> None:
    kind = schema(SchemaType.INT32)
    subject = converter()
    payloads = [None, *subject.from_connect("t", kind, [1, 2], None, 2), None]
    (run,) = subject.to_connect("t", payloads)
    assert (run.start, run.length, run.schema) == (0, 4, kind)
    assert run.tombstone is not None and run.tombstone.to_pylist() == [True, False, False, True]
    assert to_values(kind, run.column, 4) == [None, 1, 2, None]
    assert list(subject.from_connect("t", kind, run.column, run.tombstone, 4)) == payloads


def test_schemas_that_alternate_make_runs_in_order() -> None:
    one, two = schema(SchemaType.INT32), struct([("a", schema(SchemaType.STRING))])
    subject = converter()
    payloads = [
        *subject.from_connect("t", one, [1, 2], None, 2),
        None,
        *subject.from_connect("t", two, [{"a": "x"}], None, 1),
        *subject.from_connect("t", one, [3], None, 1),
    ]
    for _ in range(2):
        runs = subject.to_connect("t", payloads)
        assert [(run.start, run.length, run.schema) for run in runs] == [(0, 3, one), (3, 1, two), (4, 1, one)]
        assert rows_of(runs) == [1, 2, None, {"a": "x"}, 3]


def test_only_tombstones_make_one_run_without_schema() -> None:
    (run,) = converter().to_connect("t", [None, None])
    assert (run.schema, run.column, run.length) == (None, None, 2)
    assert list(converter().from_connect("t", None, None, run.tombstone, 2)) == [None, None]
    assert converter().to_connect("t", []) == []


def test_the_caches_are_bounded() -> None:
    subject = converter(schemas_cache_size=3)
    for number in range(10):
        kind = struct([(f"f{number}", schema(SchemaType.INT32))])
        payloads = subject.from_connect("t", kind, [{f"f{number}": 1}], None, 1)
        assert rows_of(subject.to_connect("t", list(payloads) * 2)) == [{f"f{number}": 1}] * 2
    assert len(subject._envelopes._prefixes) == 3
    assert len(subject._envelopes._schemas) == 3
    assert len(subject._prefixes) <= 3


def test_numeric_decimals_keep_every_digit_also_where_another_field_needs_the_row_decoder() -> None:
    row = struct([("n", decimal(30)), ("i", schema(SchemaType.INT32))])
    subject = converter(decimal_format="NUMERIC")
    digits = "1.234567890123456789012345678901"
    text = subject.from_connect("t", row, [{"n": 1, "i": 1}], None, 1)[0] or b""
    messages = [text, text.replace(b"1.000000000000000000000000000000", digits.encode()).replace(b'"i":1', b'"i":5.0')]
    assert [str(value["n"]) for value in rows_of(subject.to_connect("t", messages))][1] == digits.ljust(32, "0")


def test_a_column_too_wide_for_one_array_of_text_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from headrace.connect.converters.json import converter as module

    kind = schema(SchemaType.STRING)
    column = to_column(kind, [str(number) * 10 for number in range(100)])
    whole = converter().from_connect("t", kind, column, None, 100)
    monkeypatch.setattr(module, "ENCODE_LIMIT_BYTES", 1_000)
    assert converter().from_connect("t", kind, column, None, 100) == whole
