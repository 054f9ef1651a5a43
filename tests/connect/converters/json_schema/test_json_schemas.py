"""JsonSchemaConverter's schemas and values: there and back, columns against rows, and what other writers write."""

import json
from typing import Any

import jsonschema_rs
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from headrace.connect.api import ConnectSchema, DataError, SchemaType, struct, to_column, to_values
from headrace.connect.api.schema import DECIMAL, decimal, schema
from headrace.connect.converters.json.form import UNION, Form, MisfitError
from headrace.connect.converters.json_schema.converter import JsonReadForm, JsonWriteForm, Validity
from headrace.connect.converters.json_schema.naming import ENUM, JsonSchemaOptions
from headrace.connect.converters.json_schema.schema_reader import to_connect
from headrace.connect.converters.json_schema.schema_writer import json_schema_text, to_json_schema
from tests.connect.converters.avro.shapes import HEAD, filled
from tests.connect.strategies import any_schemas, same, values

INT32, INT64, STRING = (schema(kind) for kind in (SchemaType.INT32, SchemaType.INT64, SchemaType.STRING))
FORM = Form(with_registry=True)


def written(kind: ConnectSchema, form: Form = FORM, **options: bool) -> Any:
    return json.loads(json_schema_text(to_json_schema(kind, form, JsonSchemaOptions(**options))))


def read(json_schema: Any, **options: bool) -> ConnectSchema:
    return to_connect(json.dumps(json_schema), {}, FORM, JsonSchemaOptions(**options))


def forms(kind: ConnectSchema, form: Form = FORM, **options: bool) -> tuple[JsonWriteForm, JsonReadForm]:
    text = json_schema_text(to_json_schema(kind, form, JsonSchemaOptions(**options)))
    reading = to_connect(text, {}, form, JsonSchemaOptions(**options))
    return JsonWriteForm(kind, text, form, None), JsonReadForm(reading, form, None)


@st.composite
def rows(draw: st.DrawFn) -> tuple[ConnectSchema, list[Any]]:
    kind = draw(any_schemas())
    return kind, draw(st.lists(values(kind.replace(optional=False)), min_size=1, max_size=6))


FORMS = st.sampled_from([FORM, Form(numeric_decimals=True, with_registry=True)])


@settings(max_examples=80)
@given(rows(), FORMS, st.sampled_from([1, 120]))
def test_a_column_is_written_as_its_rows_are_and_read_back(
    made: tuple[ConnectSchema, list[Any]], form: Form, times: int
) -> None:
    kind, some = made
    some = some * times  # many are read without an object each
    column = to_column(kind, some)
    assume(isinstance(column, pa.Array))
    write, reading = forms(kind, form)
    assert reading.schema is kind
    messages = write.encode(column, HEAD)
    by_row = [HEAD + write.encode_row(value) for value in some]
    assert [json.loads(message[5:]) for message in messages.to_pylist()] == [json.loads(row[5:]) for row in by_row]
    wanted = [filled(kind, value) for value in some]
    assert same(to_values(kind, reading.decode(messages), len(some)), wanted)
    assert same(to_values(kind, reading.decode(pa.array(by_row, pa.large_binary())), len(some)), wanted)


@settings(max_examples=60)
@given(rows())
def test_nulls_that_are_left_out_are_read_as_nulls(made: tuple[ConnectSchema, list[Any]]) -> None:
    kind, some = made
    form = Form(with_registry=True, omit_nulls=True, replace_null=False)
    column = to_column(kind, some)
    assume(isinstance(column, pa.Array))
    write, reading = forms(kind, form, optional_for_nonrequired=True)
    messages = write.encode(column, HEAD)
    assert [json.loads(message[5:]) for message in messages.to_pylist()] == [
        json.loads(write.encode_row(value)) for value in some
    ]
    assert same(to_values(reading.schema, reading.decode(messages), len(some)), some)


@settings(max_examples=60)
@given(any_schemas())
def test_a_schema_is_valid_json_schema(kind: ConnectSchema) -> None:
    jsonschema_rs.meta.validate(written(kind))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (STRING, {"type": "string"}),
        (schema(SchemaType.INT8), {"type": "integer", "connect.type": "int8"}),
        (schema(SchemaType.FLOAT32), {"type": "number", "connect.type": "float32"}),
        (schema(SchemaType.BYTES), {"type": "string", "connect.type": "bytes"}),
        (INT64.replace(optional=True), {"oneOf": [{"type": "null"}, {"type": "integer", "connect.type": "int64"}]}),
        (
            decimal(2),
            {
                "type": "number",
                "title": DECIMAL,
                "connect.type": "bytes",
                "connect.version": 1,
                "connect.parameters": {"scale": "2"},
            },
        ),
        (
            schema(SchemaType.MAP, key_schema=STRING, value_schema=STRING),
            {"type": "object", "connect.type": "map", "additionalProperties": {"type": "string"}},
        ),
        (
            schema(SchemaType.MAP, key_schema=INT32, value_schema=STRING),
            {
                "type": "array",
                "connect.type": "map",
                "items": {
                    "type": "object",
                    "properties": {
                        "key": {"type": "integer", "connect.type": "int32", "connect.index": 0},
                        "value": {"type": "string", "connect.index": 1},
                    },
                },
            },
        ),
        (
            struct([("b", STRING.replace(default="x", doc="d")), ("a", STRING.replace(optional=True))], name="r.R"),
            {
                "type": "object",
                "title": "r.R",
                "properties": {
                    "b": {"type": "string", "description": "d", "default": "x", "connect.index": 0},
                    "a": {"oneOf": [{"type": "null"}, {"type": "string"}], "connect.index": 1},
                },
            },
        ),
    ],
)
def test_schemas_are_laid_out_as_confluents_converter_lays_them_out(kind: ConnectSchema, expected: Any) -> None:
    assert written(kind) == expected
    assert read(expected) is kind


def test_more_properties_are_forbidden_and_required_ones_named_where_that_is_asked_for() -> None:
    kind = struct([("a", STRING), ("b", STRING.replace(optional=True))])
    assert written(kind, additional=False)["additionalProperties"] is False
    made = written(kind, optional_for_nonrequired=True)
    assert made["required"] == ["a"]
    assert made["properties"]["b"] == {"type": "string", "connect.index": 1}
    assert read(made, optional_for_nonrequired=True) is kind


def test_an_enum_keeps_its_symbols() -> None:
    kind = read({"enum": ["X", "Y"]})
    assert dict(kind.parameters) == {ENUM: "", f"{ENUM}.X": "X", f"{ENUM}.Y": "Y"}
    assert written(kind) == {"enum": ["X", "Y"]}


FOREIGN = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "size": {"type": ["null", "number"]},
        "home": {"$ref": "#/definitions/place"},
        "work": {"anyOf": [{"$ref": "#/definitions/place"}, {"type": "null"}]},
        "what": {"oneOf": [{"type": "integer"}, {"type": "string"}, {"$ref": "#/definitions/place"}]},
    },
    "definitions": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def test_schemas_of_other_writers_are_read() -> None:
    kind = read(FOREIGN)
    place = struct([("city", STRING)])
    assert [(field.name, field.schema) for field in kind.fields[:4]] == [
        ("id", INT64),
        ("size", schema(SchemaType.FLOAT64, optional=True)),
        ("home", place),
        ("work", place.replace(optional=True)),
    ]
    union = kind.fields[4].schema
    assert union.name == UNION and [field.schema.type for field in union.fields] == [
        SchemaType.INT64,
        SchemaType.STRING,
        SchemaType.STRUCT,
    ]


@pytest.mark.parametrize(("what", "at"), [(5, 0), ("five", 1), ({"city": "Ulm"}, 2)])
def test_a_union_is_the_branch_that_fits(what: Any, at: int) -> None:
    kind = read(FOREIGN)
    value = {"id": 1, "size": None, "home": {"city": "Bonn"}, "work": None, "what": what}
    (found,) = to_values(
        kind, JsonReadForm(kind, FORM, None).decode(pa.array([HEAD + json.dumps(value).encode()], pa.binary())), 1
    )
    names = [f"{UNION}.field.{number}" for number in range(3)]
    assert found["what"] == {name: what if number == at else None for number, name in enumerate(names)}
    write, reading = forms(kind)
    messages = write.encode(to_column(kind, [found]), HEAD)
    assert json.loads(messages[0].as_py()[5:]) == value
    assert json.loads(write.encode_row(found)) == value
    assert to_values(kind, reading.decode(messages), 1) == [found]


def test_a_union_with_nothing_set_or_nothing_that_fits_is_refused() -> None:
    kind = read(FOREIGN)
    write, _ = forms(kind)
    row = {
        "id": 1,
        "size": None,
        "home": {"city": "x"},
        "work": None,
        "what": dict.fromkeys(f.name for f in kind.fields[4].schema.fields),
    }
    with pytest.raises(MisfitError, match="0 branches of a union are set"):
        write.encode_row(row)
    message = HEAD + json.dumps({**row, "what": [1]}).encode()
    with pytest.raises(MisfitError, match="fits no branch"):
        JsonReadForm(kind, FORM, None).decode(pa.array([message], pa.binary()))


@pytest.mark.parametrize(
    ("json_schema", "words"),
    [
        (True, "takes any value"),
        ({}, "type None"),
        ({"allOf": [{"type": "string"}]}, "allOf"),
        ({"type": "array"}, "no items"),
        ({"oneOf": [{"type": "null"}]}, "null alone"),
        ({"$ref": "#/definitions/x"}, "where there is nothing"),
        ({"$ref": "other.json"}, "none of its references"),
        ({"type": "object", "properties": {"n": {"$ref": "#"}}, "$ref": "#"}, "holds itself"),
        ({"type": "integer", "default": "x"}, "the default of a JSON schema does not fit it"),
    ],
)
def test_what_connect_has_no_type_for_is_refused_by_name(json_schema: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(json_schema)


def test_references_are_followed_by_their_names() -> None:
    text = json.dumps({"type": "object", "properties": {"a": {"$ref": "b.json#/definitions/c"}}})
    other = json.dumps({"definitions": {"c": {"type": "string"}}})
    assert to_connect(text, {"b.json": other}, FORM, JsonSchemaOptions()) is struct([("a", STRING)])


def test_what_the_schema_does_not_allow_is_refused_with_its_place() -> None:
    validity = Validity(json.dumps({"type": "object", "properties": {"a": {"type": "integer", "maximum": 3}}}), {})
    validity.expect(b'{"a": 3}')
    with pytest.raises(MisfitError, match=r"does not allow it: 4 is greater") as error:
        validity.expect(b'{"a": 4}')
    assert error.value.path == ["a"]
