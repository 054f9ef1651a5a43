"""Avro schemas: what Java's Avro prints, refuses and finds incompatible."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.registry.errors import InvalidSchema
from headrace.registry.formats import parse
from tests.registry.desk import record_of


def canonical(text: str, **references: str) -> str:
    return parse("AVRO", text, references).canonical


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ('"string"', '"string"'),
        ("string", '"string"'),
        ('{"type" : "string"}', '"string"'),
        ('{"type":"int","logicalType":"date"}', '{"type":"int","logicalType":"date"}'),
        ('["null", {"type":"string"}]', '["null","string"]'),
        ('{"items":"int","type":"array","x":1}', '{"type":"array","items":"int","x":1}'),
        ('{"values":["null","long"],"type":"map"}', '{"type":"map","values":["null","long"]}'),
        (
            '{"name":"E","symbols":["B","A"],"type":"enum","default":"A","aliases":["n.F"],"doc":"d"}',
            '{"type":"enum","name":"E","doc":"d","symbols":["B","A"],"default":"A","aliases":["n.F"]}',
        ),
        (
            '{"type":"fixed","size":16,"name":"a.b.F","p":{"y":1,"x":2}}',
            '{"type":"fixed","name":"F","namespace":"a.b","size":16,"p":{"y":1,"x":2}}',
        ),
        (
            (
                '{"fields":[{"order":"descending","default":null,"type":["null","a.R"],"name":"next","doc":"d"}],'
                '"name":"R","namespace":"a","type":"record","doc":"한글"}'
            ),
            (
                '{"type":"record","name":"R","namespace":"a","doc":"한글","fields":[{"name":"next","type":["null","R"],'
                '"doc":"d","default":null,"order":"descending"}]}'
            ),
        ),
        (
            (
                '{"type":"record","name":"o.Out","fields":[{"name":"a","type":{"type":"record","name":"In","namespace":"i",'
                '"fields":[{"name":"b","type":"o.Out"}]}},{"name":"c","type":"i.In"}]}'
            ),
            (
                '{"type":"record","name":"Out","namespace":"o","fields":[{"name":"a","type":{"type":"record","name":"In",'
                '"namespace":"i","fields":[{"name":"b","type":"o.Out"}]}},{"name":"c","type":"i.In"}]}'
            ),
        ),
    ],
)
def test_a_schema_is_printed_as_java_prints_it(written, printed):
    assert canonical(written) == printed
    assert canonical(printed) == printed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is no JSON"),
        ('{"type":"record"}', "No name in schema"),
        ('{"type":"record","name":"R"}', "Record has no fields"),
        ('{"type":"record","name":"1R","fields":[]}', "Illegal initial character in: 1R"),
        ('{"type":"record","name":"R-x","fields":[]}', "Illegal character in: R-x"),
        ('{"type":"record","name":"R","fields":[{"name":"a"}]}', "No field type"),
        ('{"type":"nonsense"}', 'Undefined schema: "nonsense"'),
        ('["int","int"]', "Duplicate in union:int"),
        ('[["int"],"null"]', "Nested union"),
        (record_of("a int", "a string"), "Duplicate field a in record R"),
        ('{"type":"enum","name":"E","symbols":["A","A"]}', "Duplicate enum symbol: A"),
        ('{"type":"enum","name":"E","symbols":["A"],"default":"B"}', "Enum Default: B"),
        ('{"type":"fixed","name":"F"}', "Invalid or no size"),
        ('{"type":"array"}', "Array has no items type"),
        ("12", "not yet supported"),
    ],
)
def test_a_text_that_is_no_schema_is_refused_with_the_reason(text, why):
    with pytest.raises(InvalidSchema) as refused:
        canonical(text)
    assert why in str(refused.value)
    assert (refused.value.code, refused.value.status) == (42201, 422)


def test_a_name_that_a_reference_defines_is_printed_by_its_name_and_resolved_in_full():
    inner = record_of("x int", name="n.Inner")
    text = '{"type":"record","name":"n.Outer","fields":[{"name":"i","type":"Inner"}]}'
    schema = parse("AVRO", text, {"n.Inner": inner})
    assert '"type":"Inner"' in schema.canonical
    assert '"fields":[{"name":"x","type":"int"}]' in schema.resolved()
    with pytest.raises(InvalidSchema, match=r'Undefined schema: "n\.Inner"'):
        canonical(text)


def test_the_normal_form_knows_no_order_of_properties_and_aliases():
    one = parse("AVRO", '{"type":"bytes","z":1,"scale":0,"logicalType":"decimal","precision":4,"a":{"y":1,"x":2}}', {})
    assert one.normalized().canonical == (
        '{"type":"bytes","logicalType":"decimal","precision":4,"a":{"x":2,"y":1},"z":1}'
    )
    two = parse("AVRO", '{"type":"enum","name":"E","symbols":["A"],"aliases":["Z","B"],"doc":""}', {})
    assert two.normalized().canonical == '{"type":"enum","name":"E","symbols":["A"],"aliases":["B","Z"]}'


def found(reader: str, writer: str) -> list[str]:
    texts = parse("AVRO", reader, {}).incompatibilities(parse("AVRO", writer, {}))
    return [
        text.partition("'")[2].partition("'")[0] + " " + text.partition("path '")[2].partition("'")[0] for text in texts
    ]


ENUM = '{"type":"enum","name":"E","symbols":["A","B"]}'
FIXED = '{"type":"fixed","name":"F","size":4}'


@pytest.mark.parametrize(
    ("reader", "writer", "differences"),
    [
        ('"int"', '"int"', []),
        ('"long"', '"int"', []),
        ('"double"', '"long"', []),
        ('"bytes"', '"string"', []),
        ('"int"', '"long"', ["TYPE_MISMATCH /"]),
        ('["null","long"]', '"int"', []),
        ('["null","string"]', '"int"', ["MISSING_UNION_BRANCH /"]),
        ('"int"', '["int","string"]', ["TYPE_MISMATCH /"]),
        ('["int"]', '["int","string"]', ["MISSING_UNION_BRANCH /1"]),
        ('{"type":"array","items":"int"}', '{"type":"array","items":"string"}', ["TYPE_MISMATCH /items"]),
        ('{"type":"map","values":"int"}', '{"type":"map","values":"string"}', ["TYPE_MISMATCH /values"]),
        (ENUM.replace(',"B"', ""), ENUM, ["MISSING_ENUM_SYMBOLS /symbols"]),
        (ENUM.replace(',"B"]', '],"default":"A"'), ENUM, []),
        (ENUM, ENUM.replace(',"B"', ""), []),
        (FIXED, FIXED.replace("4", "5"), ["FIXED_SIZE_MISMATCH /size"]),
        (record_of("a int"), record_of("a int", "b int"), []),
        (record_of("a int", "b int"), record_of("a int"), ["READER_FIELD_MISSING_DEFAULT_VALUE /fields/1"]),
        (record_of("a int", "b int=1"), record_of("a int"), []),
        (record_of("a int", name="S"), record_of("a int"), ["NAME_MISMATCH /name"]),
        (record_of("a int", name="n.R"), record_of("a int", name="m.R"), []),
        (
            '{"type":"record","name":"R","fields":[{"name":"b","type":"int","aliases":["a"]}]}',
            record_of("a int"),
            [],
        ),
    ],
)
def test_what_a_reader_cannot_read_is_named_with_its_place(reader, writer, differences):
    assert found(reader, writer) == differences


def test_a_type_that_holds_itself_is_compared_once():
    text = '{"type":"record","name":"R","fields":[{"name":"next","type":["null","R"]},{"name":"x","type":"%s"}]}'
    assert found(text % "int", text % "int") == []
    assert found(text % "int", text % "string") == ["TYPE_MISMATCH /fields/1/type"]


PRIMITIVE = st.sampled_from(["null", "int", "long", "float", "double", "bytes", "string", "boolean"])
SCHEMAS = st.recursive(
    PRIMITIVE,
    lambda inner: st.one_of(
        inner.map(lambda each: {"type": "array", "items": each}),
        inner.map(lambda each: {"type": "map", "values": each}),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda fields: {"fields": [{"type": each, "name": name} for name, each in fields.items()], "type": "record"}
        ),
    ),
    max_leaves=8,
)


def named(value: object, number: list[int]) -> object:
    """Every record with a name of its own."""
    if isinstance(value, list):
        return [named(each, number) for each in value]
    if not isinstance(value, dict):
        return value
    shown = {key: named(each, number) for key, each in value.items()}
    if value.get("type") == "record":
        number[0] += 1
        shown["name"] = f"R{number[0]}"
    return shown


@given(SCHEMAS)
def test_every_schema_reads_itself_and_its_print_means_the_same(value):
    schema = parse("AVRO", json.dumps(named(value, [0])), {})
    printed = parse("AVRO", schema.canonical, {})
    assert printed.canonical == schema.canonical
    assert printed.resolved() == schema.resolved()
    assert schema.incompatibilities(printed) == []
    assert schema.normalized().normalized().canonical == schema.normalized().canonical
