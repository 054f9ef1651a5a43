"""Columns against rows: any schema, any rows, through each transformation that reshapes."""

from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.connect.api import Record, Transformation
from headrace.connect.transforms.extract_field import ExtractFieldKey, ExtractFieldValue
from headrace.connect.transforms.flatten import FlattenKey, FlattenValue
from headrace.connect.transforms.hoist_field import HoistFieldKey, HoistFieldValue
from headrace.connect.transforms.replace_field import ReplaceFieldKey, ReplaceFieldValue
from headrace.connect.transforms.set_schema_metadata import SetSchemaMetadataKey, SetSchemaMetadataValue
from headrace.connect.transforms.value_to_key import ValueToKey
from tests.connect.transforms.agreeing import made
from tests.connect.transforms.drawn import SHAPES, agree_on_its_half, agree_without_schema, rows_of_one_schema

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
    agree_on_its_half(subject, records)


@settings(max_examples=100, deadline=None)
@given(transformations(), SHAPES, st.data())
def test_schemaless_columns_of_one_shape_give_what_their_rows_give(
    subject: tuple[Transformation, bool], shape: pa.DataType, data: st.DataObject
) -> None:
    agree_without_schema(subject, shape, data)
