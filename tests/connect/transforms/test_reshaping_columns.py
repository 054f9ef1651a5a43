"""Columns against rows: any schema, any rows, through each transformation that reshapes."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.connect.api import Batch, ConnectSchema, Record, Transformation, struct
from headrace.connect.transforms.extract_field import ExtractFieldKey, ExtractFieldValue
from headrace.connect.transforms.flatten import FlattenKey, FlattenValue
from headrace.connect.transforms.hoist_field import HoistFieldKey, HoistFieldValue
from headrace.connect.transforms.replace_field import ReplaceFieldKey, ReplaceFieldValue
from headrace.connect.transforms.set_schema_metadata import SetSchemaMetadataKey, SetSchemaMetadataValue
from headrace.connect.transforms.value_to_key import ValueToKey
from tests.connect.strategies import any_schemas, same, values
from tests.connect.transforms.agreeing import agree, by_batch, made, outcome

PAIRS: list[tuple[type[Transformation], type[Transformation], dict[str, str]]] = [
    (ExtractFieldValue, ExtractFieldKey, {"field": "a"}),
    (ExtractFieldValue, ExtractFieldKey, {"field": "a.b", "field.syntax.version": "V2"}),
    (ExtractFieldValue, ExtractFieldKey, {"field": "a", "replace.null.with.default": "false"}),
    (HoistFieldValue, HoistFieldKey, {"field": "a"}),
    (ReplaceFieldValue, ReplaceFieldKey, {"exclude": "a", "renames": "b:c"}),
    (ReplaceFieldValue, ReplaceFieldKey, {"include": "b", "replace.null.with.default": "false"}),
    (FlattenValue, FlattenKey, {"delimiter": "_"}),
    (SetSchemaMetadataValue, SetSchemaMetadataKey, {"schema.name": "n"}),
    (ValueToKey, ValueToKey, {"fields": "a"}),
]


def transformations() -> st.SearchStrategy[tuple[Transformation, bool]]:
    """A transformation, and whether it works on keys."""

    def make(pair: tuple[type[Transformation], type[Transformation], dict[str, str]], key: bool) -> Any:
        return made(pair[1 if key else 0], **pair[2]), key and pair[1] is not ValueToKey

    return st.builds(make, st.sampled_from(PAIRS), st.booleans())


def nested(depth: int) -> st.SearchStrategy[ConnectSchema]:
    """Structs of the fields a, b and x, of any schema or struct again; some optional, some with a default."""
    part = any_schemas() if depth == 0 else any_schemas() | nested(depth - 1)
    plain = st.builds(
        lambda fields, optional: struct(fields.items(), optional=optional),
        st.dictionaries(st.sampled_from("abx"), part, max_size=3),
        st.booleans(),
    )

    def with_default(kind: ConnectSchema) -> st.SearchStrategy[ConnectSchema]:
        return values(kind.replace(optional=False)).map(lambda value: kind.replace(default=value))

    return plain | plain.flatmap(with_default)


@st.composite
def rows_of_one_schema(draw: st.DrawFn) -> list[Record]:
    kind = draw(st.none() | any_schemas() | nested(2))
    if kind is None:
        plain = st.recursive(
            st.none() | st.integers(-9, 9) | st.text(max_size=2),
            lambda inner: st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=3),
        )
        drawn = draw(st.lists(plain, min_size=1, max_size=6))
    else:
        drawn = draw(st.lists(values(kind) | st.none(), min_size=1, max_size=6))
    lost = draw(st.sets(st.integers(0, 5), max_size=2))
    halves = [(None, None) if row in lost else (kind, value) for row, value in enumerate(drawn)]
    return [Record("t", value_schema=k, value=v, origin_index=row) for row, (k, v) in enumerate(halves)]


@settings(max_examples=60, deadline=None)
@given(transformations(), rows_of_one_schema())
def test_columns_give_what_rows_give(subject: tuple[Transformation, bool], records: list[Record]) -> None:
    transformation, on_key = subject
    if on_key:
        records = [
            replace(row, key_schema=row.value_schema, key=row.value, value_schema=None, value={}) for row in records
        ]
    agree(transformation, records)


SHAPES = st.recursive(
    st.sampled_from([pa.int64(), pa.string(), pa.float64(), pa.bool_(), pa.list_(pa.int64()), pa.null()]),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c", "a_b"]), inner, max_size=3).map(
        lambda fields: pa.struct(list(fields.items()))
    ),
    max_leaves=5,
)


def of_shape(kind: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_struct(kind):
        parts = st.tuples(*(of_shape(field.type) for field in kind))
        return st.none() | parts.map(lambda items: dict(zip(kind.names, items, strict=True)))
    plain: dict[pa.DataType, st.SearchStrategy[Any]] = {
        pa.int64(): st.integers(-5, 5),
        pa.string(): st.text(max_size=2),
        pa.float64(): st.floats(),
        pa.bool_(): st.booleans(),
        pa.list_(pa.int64()): st.lists(st.integers(0, 2), max_size=2),
    }
    return st.none() | plain.get(kind, st.none())


@settings(max_examples=100, deadline=None)
@given(transformations(), SHAPES, st.data())
def test_schemaless_columns_of_one_shape_give_what_their_rows_give(
    subject: tuple[Transformation, bool], shape: pa.DataType, data: st.DataObject
) -> None:
    transformation, on_key = subject
    rows = data.draw(st.lists(of_shape(shape), min_size=1, max_size=5))
    column = pa.array([rows[0], *rows], shape).slice(1)
    tombstone = column.is_null() if column.null_count else None
    whole = Batch("t", len(rows), key=column) if on_key else Batch("t", len(rows), value=column, tombstone=tombstone)
    lists = replace(whole, key=rows) if on_key else replace(whole, value=rows)
    assert same(halves_of(transformation, whole), halves_of(transformation, lists))


def halves_of(transformation: Transformation, batch: Batch) -> Any:
    """Key and value of each row that comes out, or the text of the refusal."""
    return outcome(lambda: [[row.key, row.value] for row in by_batch(transformation, [batch])])
