"""Columns of few values: written from tables, byte for byte as row by row."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.connect.api import ConnectSchema, SchemaType, schema, struct, to_column
from headrace.connect.converters.json import JsonConverter
from headrace.connect.converters.json.repeated import MANY, Repeated, few_decimals, few_integers, folded

ROWS = 4 * MANY


def agree(kind: ConnectSchema, rows: list[Any]) -> None:
    """The column's payloads are those of its rows."""
    subject = JsonConverter()
    subject.configure({"schemas.enable": "false"}, is_key=False)
    column = to_column(kind, rows)
    assert isinstance(column, pa.Array)
    assert list(subject.from_connect("t", kind, column, None, len(rows))) == list(
        subject.from_connect("t", kind, rows, None, len(rows))
    )


def drawn(chosen: list[Any]) -> list[Any]:
    return [chosen[at] for at in np.random.default_rng(1).integers(0, len(chosen), ROWS)]


KINDS = {
    SchemaType.INT8: st.integers(-128, 127),
    SchemaType.INT16: st.integers(-50, 50) | st.integers(32_700, 32_767),
    SchemaType.INT64: st.integers(2**63 - 60, 2**63 - 1) | st.integers(-(2**63), -(2**63) + 9),
    SchemaType.FLOAT32: st.integers(-60, 60).map(lambda whole: float(np.float32(whole / 10))),
    SchemaType.FLOAT64: st.integers(-60, 60).map(lambda whole: whole / 10)
    | st.integers(0, 60).map(lambda whole: whole / 100)
    | st.sampled_from([-0.0, 0.0, 1e300, 5e-324, 0.1 + 0.2, 1e7]),
}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_structs_of_few_values_are_written_as_their_rows_are(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=4))
    optional = data.draw(st.booleans())
    fields = [(f'field "{number}" ' + "x" * 30 * number, schema(one, optional=optional)) for number, one in
              enumerate(kinds)]  # fmt: skip
    choices = [KINDS[one] | st.none() if optional else KINDS[one] for one in kinds]
    columns = [drawn(data.draw(st.lists(choice, min_size=1, max_size=5))) for choice in choices]
    names = [name for name, _ in fields]
    agree(struct(fields), [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)])


@pytest.mark.parametrize("odd", [-0.0, 0.05, 1e300, 4.300000000000001, 100.0])
def test_one_float_that_does_not_fit_the_table_is_written_as_it_is(odd: float) -> None:
    agree(schema(SchemaType.FLOAT64), [*drawn([0.0, 0.1, 4.3, 4.0]), odd])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_have_no_table(value: float) -> None:
    assert few_decimals(np.full(ROWS, value)) is None
    assert few_decimals(np.array([0.5, value] * ROWS)) is None


def test_a_table_is_made_of_near_values_only() -> None:
    assert few_integers(np.arange(ROWS)) is None
    assert few_integers(np.arange(3)) is None
    assert few_decimals(np.arange(ROWS) / 10) is None
    found = few_integers(np.tile(np.array([-128, 127], np.int8), 40 * ROWS))
    assert found is not None
    assert found.column()[:2].to_pylist() == ["-128", "127"]


def test_tables_and_what_stands_beside_them_become_one() -> None:
    places = np.array([0, 1, 1], np.int32)
    left, right = Repeated(["a", "b"], places), Repeated(["x", "y"], places[::-1])
    (whole,) = folded(["{", left, ",", right, "}"])
    assert whole.column().to_pylist() == ["{a,y}", "{b,y}", "{b,x}"]


def test_large_tables_and_long_texts_stay_apart() -> None:
    wide = Repeated(list(map(str, range(20))), np.zeros(3, np.int32))
    assert len(folded([wide, ",", wide])) == 2
    assert len(folded(["long" * 50, wide])) == 2
    assert len(folded([wide, "long" * 50])) == 2
