"""Connect schemas as Avro schemas, and Avro schemas of others as Connect schemas."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings

from headrace.avro.parser import Parser
from headrace.connect.api import ConnectSchema, DataError, SchemaType, struct, to_column
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP, decimal, schema
from headrace.connect.converters.avro.naming import ENUM, AvroOptions, scrubbed
from headrace.connect.converters.avro.schema_reader import to_connect
from headrace.connect.converters.avro.schema_writer import avro_text, to_avro
from headrace.connect.converters.json.form import MisfitError
from tests.connect.converters.avro.shapes import HEAD, by_fastavro, forms, nameable
from tests.connect.strategies import any_schemas


def avro(kind: ConnectSchema, **options: Any) -> Any:
    return json.loads(avro_text(to_avro(kind, AvroOptions(**options))))


def connect(json_schema: Any, **options: Any) -> ConnectSchema:
    return to_connect(Parser().parse(json.dumps(json_schema)), AvroOptions(**options))


INT32, INT64, STRING = (schema(kind) for kind in (SchemaType.INT32, SchemaType.INT64, SchemaType.STRING))


@settings(max_examples=150)
@given(any_schemas())
def test_a_schema_comes_back_and_fastavro_takes_it(kind: ConnectSchema) -> None:
    named = nameable(kind)
    text = avro_text(to_avro(named, AvroOptions()))
    assert to_connect(Parser().parse(text), AvroOptions()) is named
    by_fastavro(text)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (INT32, "int"),
        (schema(SchemaType.INT8), {"type": "int", "connect.type": "int8"}),
        (schema(SchemaType.INT16, doc="d"), {"type": "int", "connect.doc": "d", "connect.type": "int16"}),
        (INT64.replace(optional=True), ["null", "long"]),
        (INT32.replace(optional=True, default=7), [{"type": "int", "connect.default": 7}, "null"]),
        (
            STRING.replace(name="my.Text", version=3),
            {"type": "string", "connect.version": 3, "connect.name": "my.Text"},
        ),
        (
            schema(SchemaType.MAP, key_schema=STRING, value_schema=INT32),
            {"type": "map", "values": "int"},
        ),
        (
            decimal(3, 12),
            {
                "type": "bytes",
                "scale": 3,
                "precision": 12,
                "connect.version": 1,
                "connect.parameters": {"scale": "3", "connect.decimal.precision": "12"},
                "connect.name": DECIMAL,
                "logicalType": "decimal",
            },
        ),
        (
            schema(SchemaType.MAP, key_schema=INT32, value_schema=STRING),
            {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "MapEntry",
                    "namespace": "io.confluent.connect.avro",
                    "fields": [{"name": "key", "type": "int"}, {"name": "value", "type": "string"}],
                },
            },
        ),
        (
            struct([("a", INT32.replace(default=5)), ("b", STRING.replace(optional=True))]),
            {
                "type": "record",
                "name": "ConnectDefault",
                "namespace": "io.confluent.connect.avro",
                "fields": [
                    {"name": "a", "type": {"type": "int", "connect.default": 5}, "default": 5},
                    {"name": "b", "type": ["null", "string"], "default": None},
                ],
            },
        ),
        (
            struct([], name="a.b.C", doc="d"),
            {
                "type": "record",
                "name": "C",
                "namespace": "a.b",
                "doc": "d",
                "fields": [],
                "connect.doc": "d",
                "connect.name": "a.b.C",
            },
        ),
    ],
)
def test_schemas_are_laid_out_as_confluents_converter_lays_them_out(kind: ConnectSchema, expected: Any) -> None:
    assert avro(kind) == expected
    assert connect(expected) is kind


def test_without_meta_data_there_is_avro_alone() -> None:
    kind = struct([("a", schema(SchemaType.INT8)), ("d", decimal(2, 5, optional=True))], name="r")
    assert avro(kind, meta_data=False) == {
        "type": "record",
        "name": "r",
        "fields": [
            {"name": "a", "type": "int"},
            {
                "name": "d",
                "type": ["null", {"type": "bytes", "scale": 2, "precision": 5, "logicalType": "decimal"}],
                "default": None,
            },
        ],
    }


def test_structs_without_a_name_are_numbered() -> None:
    inner = struct([("x", INT32)])
    made = avro(struct([("a", inner), ("b", struct([("y", INT32)])), ("c", inner)]))
    names = [field["type"] if isinstance(field["type"], str) else field["type"]["name"] for field in made["fields"]]
    assert made["name"] == "ConnectDefault"
    assert names == ["ConnectDefault2", "ConnectDefault3", "ConnectDefault4"]
    assert connect(made) is struct([("a", inner), ("b", struct([("y", INT32)])), ("c", inner)])


def test_a_struct_that_is_used_twice_is_written_once() -> None:
    inner = struct([("x", INT32)], name="n.I")
    made = avro(struct([("a", inner), ("b", inner.replace(optional=True))], name="n.O"))
    assert [field["type"] for field in made["fields"]][1] == ["null", "I"]


def test_two_structs_of_one_name_are_refused() -> None:
    kind = struct([("a", struct([("x", INT32)], name="I")), ("b", struct([("y", INT32)], name="I"))], name="O")
    with pytest.raises(DataError, match=r"two different types are both named I.*SetSchemaMetadata"):
        avro(kind)


def test_names_that_avro_does_not_take_are_refused_or_scrubbed() -> None:
    kind = struct([("a b", INT32), ("2nd", INT32)], name="my-table")
    with pytest.raises(DataError, match=r"the schema has the name 'my-table'.*scrub\.invalid\.names=true"):
        avro(kind)
    made = avro(kind, scrub=True)
    assert (made["name"], [field["name"] for field in made["fields"]]) == ("my_table", ["a_b", "x2nd"])
    assert made["connect.name"] == "my-table"
    with pytest.raises(DataError, match=r"'a b' and 'a_b' of r would both be named a_b"):
        avro(struct([("a b", INT32), ("a_b", INT32)], name="r"), scrub=True)
    _, write, reading = forms(kind, scrub=True)
    row = {"a b": 1, "2nd": 2}
    assert reading.decode(write.encode(to_column(kind, [row]), HEAD)).to_pylist() == [{"a_b": 1, "x2nd": 2}]
    assert write.encode_row(row) == b"\x02\x04"


def test_scrubbing_leaves_good_names_alone() -> None:
    assert scrubbed("io.acme.Row_2") == "io.acme.Row_2"


@pytest.mark.parametrize(
    ("json_schema", "kind"),
    [
        ({"type": "int", "logicalType": "date"}, (SchemaType.INT32, DATE)),
        ({"type": "int", "logicalType": "time-millis"}, (SchemaType.INT32, TIME)),
        ({"type": "long", "logicalType": "timestamp-millis"}, (SchemaType.INT64, TIMESTAMP)),
        ({"type": "long", "logicalType": "timestamp-micros"}, (SchemaType.INT64, None)),
        ({"type": "string", "logicalType": "uuid"}, (SchemaType.STRING, None)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9}, (SchemaType.BYTES, DECIMAL)),
        ({"type": "fixed", "name": "f", "size": 4}, (SchemaType.BYTES, "f")),
        ({"type": "enum", "name": "a.E", "symbols": ["X"]}, (SchemaType.STRING, "a.E")),
    ],
)
def test_types_of_other_writers_are_read(json_schema: Any, kind: tuple[SchemaType, str | None]) -> None:
    found = connect(json_schema)
    assert (found.type, found.name) == kind


def test_enums_and_fixeds_keep_what_they_were() -> None:
    fields = [
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["X", "Y"]}},
        {"name": "f", "type": {"type": "fixed", "name": "F", "size": 2}},
    ]
    kind = connect({"type": "record", "name": "R", "fields": fields})
    assert dict(kind.fields[0].schema.parameters) == {ENUM: "E", f"{ENUM}.X": "X", f"{ENUM}.Y": "Y"}
    made = avro(kind, enhanced=True)
    assert made["fields"][0]["type"]["symbols"] == ["X", "Y"]
    assert made["fields"][1]["type"]["size"] == 2
    assert connect(made, enhanced=True) is kind
    _, write, reading = forms(kind, enhanced=True)
    rows = [{"e": "Y", "f": b"ab"}, {"e": "X", "f": b"\0\1"}]
    messages = write.encode(to_column(kind, rows), HEAD)
    assert messages.to_pylist() == [HEAD + write.encode_row(row) for row in rows] == [HEAD + b"\2ab", HEAD + b"\0\0\1"]
    assert reading.decode(messages).to_pylist() == rows
    for bad, words in (({"e": "Z", "f": b"ab"}, "no symbol of E"), ({"e": "X", "f": b"abc"}, "3 bytes, and F has 2")):
        with pytest.raises(MisfitError, match=words):
            write.encode(to_column(kind, [bad]), HEAD)
        with pytest.raises(MisfitError, match=words):
            write.encode_row(bad)


UNION = ["null", "int", {"type": "record", "name": "a.R", "fields": [{"name": "x", "type": "string"}]}]


@pytest.mark.parametrize(("enhanced", "member"), [(False, "R"), (True, "a.R")])
def test_a_union_is_a_struct_with_a_field_a_branch(enhanced: bool, member: str) -> None:
    kind = connect(UNION, enhanced=enhanced)
    assert kind.optional and [field.name for field in kind.fields] == ["int", member]
    assert connect(avro(kind, enhanced=enhanced), enhanced=enhanced) is kind
    outer = struct([("u", kind)], name="o")
    _, write, reading = forms(outer, enhanced=enhanced)
    rows = [
        {"u": {"int": 5, member: None}},
        {"u": None},
        {"u": {"int": None, member: {"x": "y"}}},
    ]
    messages = write.encode(to_column(outer, rows), HEAD)
    assert messages.to_pylist() == [HEAD + write.encode_row(row) for row in rows]
    assert messages.to_pylist() == [HEAD + b"\x02\x0a", HEAD + b"\x00", HEAD + b"\x04\x02y"]
    assert reading.decode(messages).to_pylist() == rows


def test_two_set_branches_are_refused() -> None:
    kind = struct([("u", connect(UNION))], name="o")
    row = {"u": {"int": 5, "R": {"x": "y"}}}
    _, write, _ = forms(kind)
    for encode in (lambda: write.encode(to_column(kind, [row]), HEAD), lambda: write.encode_row(row)):
        with pytest.raises(MisfitError, match="two branches"):
            encode()


def test_a_union_of_one_type_is_that_type_unless_it_is_kept() -> None:
    assert connect(["int"]) is INT32
    kept = connect(["int"], flatten_singletons=False)
    assert [field.name for field in kept.fields] == ["int"] and not kept.optional
    _, write, reading = forms(kept, flatten_singletons=False)
    messages = write.encode(pa.array([{"int": 3}], pa.struct([("int", pa.int32())])), HEAD)
    assert reading.decode(messages).to_pylist() == [{"int": 3}]


def test_maps_with_optional_string_keys_are_arrays_unless_they_are_allowed() -> None:
    kind = schema(SchemaType.MAP, key_schema=STRING.replace(optional=True), value_schema=INT32)
    assert avro(kind)["type"] == "array"
    assert avro(kind, optional_map_keys=True) == {"type": "map", "values": "int"}
    assert connect({"type": "map", "values": "int"}, optional_map_keys=True) is kind


def test_named_maps_and_a_second_unnamed_one_are_told_from_arrays() -> None:
    entries = {"key_schema": INT32, "value_schema": STRING}
    kind = struct(
        [
            ("a", schema(SchemaType.MAP, name="x.M", **entries)),
            ("b", schema(SchemaType.MAP, **entries)),
            ("c", schema(SchemaType.MAP, key_schema=INT32, value_schema=INT32)),
        ],
        name="r",
    )
    assert connect(avro(kind)) is kind
    by_fastavro(json.dumps(avro(kind)))


@pytest.mark.parametrize(
    ("json_schema", "words"),
    [
        ("null", "that Connect has a type for"),
        (["null"], "union of null alone"),
        (
            {"type": "record", "name": "L", "fields": [{"name": "n", "type": ["null", "L"]}]},
            "the record L holds itself",
        ),
        (
            [{"type": "fixed", "name": "a.F", "size": 1}, {"type": "fixed", "name": "b.F", "size": 1}],
            r"enhanced\.avro\.schema\.support",
        ),
        (
            {"type": "record", "name": "R", "fields": [{"name": "n", "type": "int", "default": "x"}]},
            "the default of int does not fit it",
        ),
    ],
)
def test_what_connect_has_no_type_for_is_refused_by_name(json_schema: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        connect(json_schema)


def test_docs_and_defaults_of_types_may_be_discarded() -> None:
    inner = {"type": "int", "connect.doc": "of the type", "connect.default": 1}
    record = {"type": "record", "name": "R", "doc": "r", "fields": [{"name": "n", "type": inner, "default": 2}]}
    kind = connect(record, discard_type_doc_default=True)
    assert (kind.doc, kind.fields[0].schema.doc, kind.fields[0].schema.default) == (None, None, 2)
    assert connect(record).fields[0].schema.doc == "of the type"


def test_nulls_are_written_as_the_default_unless_that_is_ignored() -> None:
    kind = struct([("n", INT32.replace(optional=True, default=7))], name="r")
    for ignore, wanted in ((False, b"\x00\x0e"), (True, b"\x02")):
        _, write, _ = forms(kind, ignore_default=ignore)
        assert write.encode(to_column(kind, [{"n": None}]), b"").to_pylist() == [wanted]
        assert write.encode_row({"n": None}) == wanted
