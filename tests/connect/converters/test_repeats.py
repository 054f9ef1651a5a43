"""What is made once a value is what would be made of each row."""

import math

import pyarrow as pa
import pytest

from headrace.connect.api import SchemaType, schema, to_column
from headrace.connect.converters.json import JsonConverter
from headrace.connect.converters.json.repeats import MANY, once_each, repeats

ODD = [0.0, -0.0, 1.0, 5.1, 1e7, 1e-7, 1.5e300, math.nan, math.inf, -math.inf]


def test_values_repeat_where_a_sample_has_few() -> None:
    assert repeats(pa.array([1, 2, None, 3] * MANY))
    assert not repeats(pa.array(range(MANY)))
    assert not repeats(pa.array([1] * (MANY - 1)))


def test_nulls_and_order_stay() -> None:
    column = pa.array([3, None, 1, 3, None])
    assert once_each(column, lambda values: values.cast(pa.string())).to_pylist() == ["3", None, "1", "3", None]


@pytest.mark.parametrize("kind", [SchemaType.FLOAT32, SchemaType.FLOAT64])
@pytest.mark.parametrize("odd", [ODD, [number for number in ODD if math.isfinite(number)], [None, 0.5, -0.0]])
def test_floats_that_repeat_are_written_as_they_are_one_by_one(kind: SchemaType, odd: list[float | None]) -> None:
    one = schema(kind, optional=True)
    numbers = [number if kind is SchemaType.FLOAT64 or number != 1.5e300 else 1.5e30 for number in odd]
    converter = JsonConverter()
    converter.configure({"schemas.enable": "false"}, is_key=False)
    column = to_column(one, numbers * MANY)
    assert isinstance(column, pa.Array) and repeats(column)
    singly = [converter.from_connect("t", one, to_column(one, [number]), None, 1)[0] for number in numbers]
    together = converter.from_connect("t", one, column, None, len(column))
    assert list(together) == singly * MANY
