import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings

from headrace.connect.api import ConnectSchema, DataError, SchemaType, arrow_type, struct, to_column, to_values
from headrace.connect.api.schema import Field, date, decimal, schema, time, timestamp
from tests.connect.strategies import columns_of_rows, same

INT = schema(SchemaType.INT32)
STRING = schema(SchemaType.STRING, optional=True)


@settings(max_examples=100)
@given(columns_of_rows())
def test_rows_come_back_from_their_column(made: tuple[ConnectSchema, list[Any]]) -> None:
    kind, rows = made
    column = to_column(kind, rows)
    assert arrow_type(kind) is None or isinstance(column, pa.Array)
    assert same(to_values(kind, column, len(rows)), rows)


@pytest.mark.parametrize(
    ("kind", "arrow"),
    [
        (schema(SchemaType.INT8), pa.int8()),
        (schema(SchemaType.FLOAT32), pa.float32()),
        (schema(SchemaType.BYTES), pa.binary()),
        (date(), pa.date32()),
        (time(), pa.time32("ms")),
        (timestamp(), pa.timestamp("ms", tz="UTC")),
        (decimal(2, 10), pa.decimal128(10, 2)),
        (decimal(2, 39), pa.decimal256(39, 2)),
        (decimal(2), pa.decimal256(76, 2)),
        (schema(SchemaType.ARRAY, value_schema=INT), pa.list_(pa.int32())),
        (schema(SchemaType.MAP, key_schema=INT, value_schema=STRING), pa.map_(pa.int32(), pa.string())),
        (struct([("a", INT), ("b", STRING)]), pa.struct([("a", pa.int32()), ("b", pa.string())])),
    ],
)
def test_each_schema_has_its_arrow_type(kind: ConnectSchema, arrow: pa.DataType) -> None:
    assert arrow_type(kind) == arrow


@pytest.mark.parametrize(
    "kind",
    [
        None,
        decimal(2, 77),
        decimal(77),
        struct([("a", decimal(2, 77))]),
        schema(SchemaType.ARRAY, value_schema=decimal(2, 77)),
        schema(SchemaType.STRUCT, fields=[Field("a", INT), Field("a", INT)]),
    ],
)
def test_where_arrow_has_no_type_a_column_is_a_list(kind: ConnectSchema | None) -> None:
    assert arrow_type(kind) is None
    assert to_column(kind, (1, None)) == [1, None]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (INT, 2**31),
        (INT, 1.5),
        (INT, True),
        (schema(SchemaType.INT64), 2**63),
        (schema(SchemaType.FLOAT64), True),
        (schema(SchemaType.FLOAT64), 2**53 + 1),
        (STRING, b"bytes"),
        (STRING, "\ud800"),
        (schema(SchemaType.BYTES), "text"),
        (decimal(2, 10), Decimal("1.234")),
        (decimal(2, 10), Decimal("NaN")),
        (date(), dt.datetime(2026, 1, 1)),
        (struct([("a", INT)]), {"a": 1.5}),
        (struct([("a", INT)]), "no struct"),
        (schema(SchemaType.ARRAY, value_schema=INT), 1),
    ],
)
def test_a_value_that_arrow_would_change_makes_the_column_a_list(kind: ConnectSchema, value: Any) -> None:
    assert to_column(kind, [None, value]) == [None, value]


def test_a_missing_column_is_all_nulls() -> None:
    assert to_values(INT, None, 2) == [None, None]


def test_a_year_that_python_does_not_have_is_said_as_such() -> None:
    column = pa.array([253_402_300_800_000], pa.timestamp("ms", tz="UTC"))
    with pytest.raises(DataError, match="outside the years 1 to 9999"):
        to_values(timestamp(), column, 1)
