"""Records and columns of any kind, for transformations whose columns are held against their rows."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from headrace.connect.api import Batch, ConnectSchema, Record, Transformation, struct
from tests.connect.strategies import any_schemas, same, values
from tests.connect.transforms.agreeing import agree, by_batch, outcome

# Made once: Hypothesis validates each new strategy, which takes longer than to draw from it.
ANY = any_schemas()


def nested(depth: int) -> st.SearchStrategy[ConnectSchema]:
    """Structs of the fields a, b and x, of any schema or struct again; some optional, some with a default."""
    part = ANY if depth == 0 else ANY | nested(depth - 1)
    plain = st.builds(
        lambda fields, optional: struct(fields.items(), optional=optional),
        st.dictionaries(st.sampled_from("abx"), part, max_size=3),
        st.booleans(),
    )

    def with_default(kind: ConnectSchema) -> st.SearchStrategy[ConnectSchema]:
        return values(kind.replace(optional=False)).map(lambda value: kind.replace(default=value))

    return plain | plain.flatmap(with_default)


SCHEMAS = st.none() | ANY | nested(2)
PLAIN = st.lists(
    st.recursive(
        st.none() | st.integers(-9, 9) | st.text(max_size=2),
        lambda inner: st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=3),
    ),
    min_size=1,
    max_size=6,
)


@st.composite
def rows_of_one_schema(draw: st.DrawFn) -> list[Record]:
    kind = draw(SCHEMAS)
    drawn = draw(PLAIN if kind is None else st.lists(values(kind) | st.none(), min_size=1, max_size=6))
    lost = draw(st.sets(st.integers(0, 5), max_size=2))
    halves = [(None, None) if row in lost else (kind, value) for row, value in enumerate(drawn)]
    return [Record("t", value_schema=k, value=v, origin_index=row) for row, (k, v) in enumerate(halves)]


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


def agree_on_its_half(subject: tuple[Transformation, bool], records: list[Record]) -> None:
    """Columns of values, or of keys where the transformation works on keys, become what their rows become."""
    transformation, on_key = subject
    if on_key:
        records = [
            replace(row, key_schema=row.value_schema, key=row.value, value_schema=None, value={}) for row in records
        ]
    agree(transformation, records)


def agree_without_schema(subject: tuple[Transformation, bool], shape: pa.DataType, data: st.DataObject) -> None:
    """A column of one shape becomes what its rows become as a list; the column is a slice of a longer one."""
    transformation, on_key = subject
    rows = data.draw(st.lists(of_shape(shape), min_size=1, max_size=5))
    column = pa.array([rows[0], *rows], shape).slice(1)
    tombstone = column.is_null() if column.null_count else None
    whole = Batch("t", len(rows), timestamp=pa.array([0] * len(rows)))
    whole = replace(whole, key=column) if on_key else replace(whole, value=column, tombstone=tombstone)
    lists = replace(whole, key=rows) if on_key else replace(whole, value=rows)
    assert same(halves_of(transformation, whole), halves_of(transformation, lists))


def halves_of(transformation: Transformation, batch: Batch) -> Any:
    """Key and value of each row that comes out, or the text of the refusal."""
    return outcome(lambda: [[row.key, row.value] for row in by_batch(transformation, [batch])])
