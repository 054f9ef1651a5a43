"""Columns against rows: any schema, any rows, through each transformation that reshapes."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.connect.api import Batch, Record, Transformation
from headrace.connect.transforms.extract_field import ExtractFieldKey, ExtractFieldValue
from headrace.connect.transforms.flatten import FlattenKey, FlattenValue
from headrace.connect.transforms.hoist_field import HoistFieldKey, HoistFieldValue
from headrace.connect.transforms.replace_field import ReplaceFieldKey, ReplaceFieldValue
from headrace.connect.transforms.set_schema_metadata import SetSchemaMetadataKey, SetSchemaMetadataValue
from headrace.connect.transforms.value_to_key import ValueToKey
from tests.connect.strategies import same
from tests.connect.transforms.agreeing import agree, made
from tests.connect.transforms.drawn import SHAPES, halves_of, of_shape, rows_of_one_schema

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


@settings(max_examples=60, deadline=None)
@given(transformations(), rows_of_one_schema())
def test_columns_give_what_rows_give(subject: tuple[Transformation, bool], records: list[Record]) -> None:
    transformation, on_key = subject
    if on_key:
        records = [
            replace(row, key_schema=row.value_schema, key=row.value, value_schema=None, value={}) for row in records
        ]
    agree(transformation, records)


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
