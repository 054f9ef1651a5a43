"""The transformations that reshape: what each makes of one record, and what it refuses."""

from typing import Any

import pyarrow as pa
import pytest

from headrace.connect.api import (
    Batch,
    ConfigError,
    ConnectSchema,
    DataError,
    Record,
    SchemaType,
    Transformation,
    from_records,
    schema,
    struct,
)
from headrace.connect.runtime.host.plugins import transform_class
from headrace.connect.transforms.extract_field import ExtractFieldKey, ExtractFieldValue
from headrace.connect.transforms.flatten import FlattenKey, FlattenValue
from headrace.connect.transforms.hoist_field import HoistFieldKey, HoistFieldValue
from headrace.connect.transforms.replace_field import ReplaceFieldKey, ReplaceFieldValue
from headrace.connect.transforms.set_schema_metadata import SetSchemaMetadataKey, SetSchemaMetadataValue
from headrace.connect.transforms.value_to_key import ValueToKey
from tests.connect.transforms.agreeing import by_batch, made, value_of

TEXT, NUMBER = schema(SchemaType.STRING), schema(SchemaType.INT32)
MAYBE = schema(SchemaType.STRING, optional=True)
WITH_DEFAULT = schema(SchemaType.STRING, default="d")
ROW = struct([("id", NUMBER), ("name", WITH_DEFAULT), ("note", MAYBE)], name="row", version=3)
VALUE = {"id": 1, "name": None, "note": None}


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("ExtractField", ExtractFieldKey, ExtractFieldValue),
        ("Flatten", FlattenKey, FlattenValue),
        ("HoistField", HoistFieldKey, HoistFieldValue),
        ("ReplaceField", ReplaceFieldKey, ReplaceFieldValue),
        ("SetSchemaMetadata", SetSchemaMetadataKey, SetSchemaMetadataValue),
    ],
)
def test_java_names_and_native_names_are_the_same(name: str, key: type, value: type) -> None:
    kebab = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
    for half, wanted in (("Key", key), ("Value", value)):
        java = f"org.apache.kafka.connect.transforms.{name}${half}"
        assert transform_class(java, "type") is transform_class(f"{kebab}-{half.lower()}", "type") is wanted


def test_value_to_key_has_one_name_of_each_kind() -> None:
    java = transform_class("org.apache.kafka.connect.transforms.ValueToKey", "type")
    assert java is transform_class("value-to-key", "type") is ValueToKey


@pytest.mark.parametrize(
    ("properties", "kind", "value", "wanted"),
    [
        ({"field": "id"}, ROW, VALUE, (NUMBER, 1)),
        ({"field": "name"}, ROW, VALUE, (WITH_DEFAULT, "d")),
        ({"field": "name", "replace_null_with_default": "false"}, ROW, VALUE, (WITH_DEFAULT, None)),
        ({"field": "id"}, ROW, None, (NUMBER, None)),
        ({"field": "id"}, None, {"id": 5}, (None, 5)),
        ({"field": "id"}, None, {}, (None, None)),
        ({"field": "id"}, None, None, (None, None)),
        ({"field": "a.b", "field_syntax_version": "V2"}, None, {"a": {"b": [1]}}, (None, [1])),
    ],
)
def test_extract_field(properties: Any, kind: ConnectSchema | None, value: Any, wanted: Any) -> None:
    assert value_of(made(ExtractFieldValue, **properties), kind, value) == wanted


def test_a_field_that_is_null_is_a_null_with_schema_and_no_tombstone() -> None:
    (batch,) = from_records([Record("t", value_schema=ROW, value=VALUE), Record("t")])
    (done,) = made(ExtractFieldValue, field="note").apply_batch(batch)
    assert [(record.value_schema, record.value) for record in done.records()] == [(MAYBE, None), (None, None)]


def test_extracted_columns_share_their_memory() -> None:
    (batch,) = from_records(
        [Record("t", value_schema=ROW, value={"id": n, "name": "x", "note": None}) for n in range(9)]
    )
    (done,) = made(ExtractFieldValue, field="id").apply_batch(batch.slice(2, 7))
    assert done.value.to_pylist() == [2, 3, 4, 5, 6]
    assert done.value.buffers()[1].address == batch.value.field(0).buffers()[1].address


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (ROW, VALUE, "Unknown field: nothing"),
        (TEXT, "x", r"Only Struct objects supported for \[field extraction\], found: java.lang.String"),
        (TEXT, None, "Cannot look up fields on non-struct type"),
        (None, 5, r"Only Map objects supported in absence of schema for \[field extraction\], found: java.lang.Long"),
    ],
)
def test_extract_field_refuses_in_javas_words(kind: ConnectSchema | None, value: Any, text: str) -> None:
    subject = made(ExtractFieldValue, field="nothing")
    with pytest.raises(DataError, match=text):
        subject.apply(Record("t", value_schema=kind, value=value))
    with pytest.raises(DataError, match=text):
        subject.apply_batch(from_records([Record("t", value_schema=kind, value=value)])[0])


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (TEXT, "x", (struct([("f", TEXT)]), {"f": "x"})),
        (MAYBE, None, (struct([("f", MAYBE)]), {"f": None})),
        (ROW, VALUE, (struct([("f", ROW)]), {"f": VALUE})),
        (None, [1, "a"], (None, {"f": [1, "a"]})),
        (None, None, (None, {"f": None})),
    ],
)
def test_hoist_field(kind: ConnectSchema | None, value: Any, wanted: Any) -> None:
    assert value_of(made(HoistFieldValue, field="f"), kind, value) == wanted


def test_a_hoisted_tombstone_is_a_map_among_structs() -> None:
    records = [Record("t", value_schema=TEXT, value="x"), Record("t"), Record("t", value_schema=TEXT, value="y")]
    subject = made(HoistFieldValue, field="f")
    assert by_batch(subject, from_records(records)) == [
        Record("t", value_schema=struct([("f", TEXT)]), value={"f": "x"}),
        Record("t", value={"f": None}),
        Record("t", value_schema=struct([("f", TEXT)]), value={"f": "y"}),
    ]


def test_a_null_that_may_not_be_is_not_hoisted() -> None:
    text = 'null used for required field: "f", schema type: STRING'
    subject = made(HoistFieldKey, field="f")
    with pytest.raises(DataError, match=text):
        subject.apply(Record("t", TEXT, None))
    with pytest.raises(DataError, match=text):
        subject.apply_batch(Batch("t", 2, TEXT, pa.array(["x", None])))


@pytest.mark.parametrize(
    ("properties", "wanted"),
    [
        ({}, [("id", NUMBER, 1), ("name", WITH_DEFAULT, "d"), ("note", MAYBE, None)]),
        ({"exclude": "name"}, [("id", NUMBER, 1), ("note", MAYBE, None)]),
        ({"include": "note,id,other"}, [("id", NUMBER, 1), ("note", MAYBE, None)]),
        ({"include": "id,name", "exclude": "id"}, [("name", WITH_DEFAULT, "d")]),
        ({"renames": "id:key,note:id", "exclude": "name"}, [("key", NUMBER, 1), ("id", MAYBE, None)]),
        ({"include": "other"}, []),
    ],
)
def test_replace_field(properties: Any, wanted: list[Any]) -> None:
    updated, value = value_of(made(ReplaceFieldValue, **properties), ROW, VALUE)
    assert updated is struct([(name, kind) for name, kind, _ in wanted], name="row", version=3)
    assert value == {name: item for name, _, item in wanted}
    plain = {"id": 1, "name": "d", "note": None}
    assert value_of(made(ReplaceFieldValue, **properties), None, plain) == (None, value)


def test_what_is_left_of_a_struct_is_required_and_has_no_default() -> None:
    kind = ROW.replace(optional=True, default={"id": 1, "name": "n", "note": None}, doc="words")
    updated, _ = value_of(made(ReplaceFieldValue, include="id"), kind, VALUE)
    assert updated is struct([("id", NUMBER)], name="row", version=3, doc="words")


@pytest.mark.parametrize("start", [0, 1, 8, 9])
def test_a_struct_without_fields_keeps_its_nulls(start: int) -> None:
    column = pa.array([{"id": 1}, None] * 10).slice(start)
    batch = Batch("t", len(column), value=column, tombstone=column.is_null())
    (done,) = made(ReplaceFieldValue, exclude="id").apply_batch(batch)
    assert done.value.to_pylist() == [None if row is None else {} for row in column.to_pylist()]


def test_a_null_that_may_not_be_is_refused_where_it_is_not_replaced() -> None:
    subject = made(ReplaceFieldValue, replace_null_with_default="false")
    with pytest.raises(DataError, match='null used for required field: "name", schema type: STRING'):
        value_of(subject, ROW, VALUE)
    with pytest.raises(DataError, match='null used for required field: "name", schema type: STRING'):
        subject.apply_batch(from_records([Record("t", value_schema=ROW, value=VALUE)])[0])


@pytest.mark.parametrize(
    ("renames", "text"),
    [("id:name", "field name duplication name"), ("other:id", "other is not a valid field name")],
)
def test_renames_that_meet_are_refused(renames: str, text: str) -> None:
    with pytest.raises(DataError, match=text):
        value_of(made(ReplaceFieldValue, renames=renames), ROW, VALUE)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("renames", "a", r"Invalid value \[a\] for configuration renames: Invalid rename mapping: a"),
        ("renames", "a:b,c:", r"Invalid rename mapping: c:"),
        ("exclude", "a,,b", "Configuration 'exclude' values must not be empty"),
        ("include", ",", "Configuration 'include' values must not be empty"),
    ],
)
def test_lists_that_replace_field_cannot_use_are_refused(key: str, value: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as refused:
        made(ReplaceFieldKey, **{key: value})
    assert list(refused.value.errors) == [key]


@pytest.mark.parametrize(("old", "new"), [("blacklist", "exclude"), ("whitelist", "include")])
def test_keys_that_kafka_has_no_more_are_warned_of(old: str, new: str, caplog: pytest.LogCaptureFixture) -> None:
    assert value_of(made(ReplaceFieldValue, **{old: "id"}), None, {"id": 1}) == (None, {"id": 1})
    assert f"{old} is no key since Apache Kafka 4.0 and does nothing; write {new}" in caplog.text


DEEP = struct([("leaf", TEXT), ("filled", WITH_DEFAULT)])


@pytest.mark.parametrize(
    ("kind", "leaf", "filled"),
    [
        (DEEP, TEXT, WITH_DEFAULT),
        (DEEP.replace(optional=True), MAYBE, MAYBE.replace(default="d")),
        (DEEP.replace(default={"leaf": "x", "filled": "y"}), TEXT.replace(default="x"), WITH_DEFAULT),
    ],
)
def test_what_lies_in_a_struct_takes_after_it(kind: ConnectSchema, leaf: ConnectSchema, filled: ConnectSchema) -> None:
    outer = struct([("n", NUMBER), ("in", kind)], name="outer")
    flat = struct([("n", NUMBER), ("in.leaf", leaf), ("in.filled", filled)], name="outer")
    subject = made(FlattenValue)
    assert value_of(subject, outer, {"n": 1, "in": {"leaf": "a", "filled": None}}) == (
        flat,
        {"n": 1, "in.leaf": "a", "in.filled": "d"},
    )
    if kind is not DEEP:
        assert value_of(subject, outer, {"n": 1, "in": None}) == (flat, {"n": 1, "in.leaf": None, "in.filled": None})


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"a": {"b": {"c": 1}, "d": [{"e": 2}]}, "f": None}, {"a_b_c": 1, "a_d": [{"e": 2}], "f": None}),
        ({"a": {}, "b": {"c": None}}, {"b_c": None}),
        ({}, {}),
        (None, None),
    ],
)
def test_maps_in_maps_are_flattened(value: Any, wanted: Any) -> None:
    assert value_of(made(FlattenValue, delimiter="_"), None, value) == (None, wanted)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([("in.leaf", TEXT), ("in", DEEP)], "field name duplication in.leaf"),
        (
            [("in", struct([("m", schema(SchemaType.MAP, key_schema=TEXT, value_schema=TEXT, optional=True))]))],
            r"does not support MAP for record with schemas \(for field in.m\)",
        ),
    ],
)
def test_what_cannot_be_flattened_is_refused(fields: list[tuple[str, ConnectSchema]], text: str) -> None:
    kind = struct(fields)
    value = {"in.leaf": "x", "in": {"leaf": "y", "filled": "z", "m": None}}
    record = Record("t", value_schema=kind, value={field.name: value[field.name] for field in kind.fields})
    for run in (made(FlattenValue).apply, lambda row: made(FlattenValue).apply_batch(from_records([row])[0])):
        with pytest.raises(DataError, match=text):
            run(record)


@pytest.mark.parametrize("subject", [made(ReplaceFieldValue, exclude="id"), made(FlattenValue)])
def test_a_null_keeps_the_schema_that_it_had(subject: Transformation) -> None:
    kind = ROW.replace(optional=True)
    assert value_of(subject, kind, None) == (kind, None)
    records = [Record("t", value_schema=kind, value=VALUE), Record("t", value_schema=kind), Record("t")]
    first, second, third = by_batch(subject, from_records(records))
    assert (first.value_schema is kind, second.value_schema is kind, third.value_schema) == (False, True, None)


@pytest.mark.parametrize(
    ("replace_null", "name"),
    [("true", "d"), ("false", None)],
)
def test_value_to_key(replace_null: str, name: str | None) -> None:
    kind = struct([("id", NUMBER), ("name", MAYBE.replace(default="d")), ("note", MAYBE)])
    records = [Record("t", TEXT, "old", kind, {"id": n, "name": None, "note": "x"}) for n in range(3)]
    subject = made(ValueToKey, fields="name, id,name", replace_null_with_default=replace_null)
    wanted = struct([("name", MAYBE.replace(default="d")), ("id", NUMBER)])
    done = by_batch(subject, from_records(records))
    assert done == [subject.apply(record) for record in records]
    assert [(record.key_schema, record.key) for record in done] == [(wanted, {"name": name, "id": n}) for n in range(3)]
    assert [record.value for record in done] == [record.value for record in records]


def test_keys_of_maps_hold_null_for_what_is_missing() -> None:
    records = [Record("t", TEXT, "old", None, {"id": 1}), Record("t", TEXT, "old", None, {"name": "x", "id": 2})]
    subject = made(ValueToKey, fields="id,name")
    assert [(row.key_schema, row.key) for row in by_batch(subject, from_records(records))] == [
        (None, {"id": 1, "name": None}),
        (None, {"id": 2, "name": "x"}),
    ]


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (Record("t"), "absence of schema for .copying fields from value to key., found: null"),
        (Record("t", value_schema=ROW), "Only Struct objects supported .*found: null"),
        (Record("t", value_schema=struct([("id", NUMBER)]), value={"id": 1}), "Field does not exist: name"),
    ],
)
def test_what_has_no_such_fields_gives_no_key(record: Record, text: str) -> None:
    subject = made(ValueToKey, fields="id,name")
    with pytest.raises(DataError, match=text):
        subject.apply(record)
    with pytest.raises(DataError, match=text):
        subject.apply_batch(from_records([record])[0])


@pytest.mark.parametrize(
    ("fields", "text"), [("", "'fields' must not be empty"), ("a,", "'fields' values must not be empty")]
)
def test_a_key_needs_fields(fields: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        made(ValueToKey, fields=fields)


@pytest.mark.parametrize(
    ("properties", "name", "version"),
    [
        ({"schema_name": "n"}, "n", 3),
        ({"schema_version": "7"}, "row", 7),
        ({"schema_name": "n", "schema_version": "7"}, "n", 7),
    ],
)
def test_set_schema_metadata(properties: Any, name: str, version: int) -> None:
    kind = ROW.replace(optional=True, default={"id": 1, "name": "n", "note": None})
    subject = made(SetSchemaMetadataValue, **properties)
    wanted = kind.replace(name=name, version=version)
    assert value_of(subject, kind, VALUE) == (wanted, {"id": 1, "name": "d", "note": None})
    assert value_of(subject, kind, None) == (wanted, None)
    assert value_of(subject, None, None) == (None, None)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (None, {"a": 1}, r"Schema required for \[updating schema metadata\]"),
        (TEXT, "x", "Cannot list fields on non-struct type"),
    ],
)
def test_metadata_of_anything_but_a_struct_are_refused(kind: ConnectSchema | None, value: Any, text: str) -> None:
    with pytest.raises(DataError, match=text):
        value_of(made(SetSchemaMetadataValue, schema_name="n"), kind, value)


def test_nothing_to_set_is_refused() -> None:
    with pytest.raises(ConfigError, match="Neither schema name nor version configured") as refused:
        made(SetSchemaMetadataKey)
    assert list(refused.value.errors) == ["schema.name"]
