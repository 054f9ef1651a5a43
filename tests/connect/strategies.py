"""Hypothesis strategies: any Connect schema, and row values that fit it."""

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from headrace.connect.api import ConnectSchema, SchemaType, struct
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP, date, decimal, schema, time, timestamp

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
BITS = {SchemaType.INT8: 8, SchemaType.INT16: 16, SchemaType.INT32: 32, SchemaType.INT64: 64}
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@st.composite
def decimals(draw: st.DrawFn, scale: int, precision: int) -> Decimal:
    digits = min(precision, 30)
    unscaled = draw(st.integers(-(10**digits) + 1, 10**digits - 1))
    # Not by scaleb: it rounds to 28 digits, and 29 of them get another exponent than the schema's scale.
    return Decimal((int(unscaled < 0), tuple(map(int, str(abs(unscaled)))), -scale))


def values(kind: ConnectSchema) -> st.SearchStrategy[Any]:
    """Row values of a schema; None too where it is optional."""
    plain = _plain(kind)
    return st.none() | plain if kind.optional else plain


def _plain(kind: ConnectSchema) -> st.SearchStrategy[Any]:
    if kind.name == DECIMAL:
        return decimals(int(kind.parameter("scale") or 0), int(kind.parameter("connect.decimal.precision") or 30))
    if kind.name == DATE:
        return st.dates()
    if kind.name == TIME:
        return st.integers(0, 86_399_999).map(lambda ms: (EPOCH + dt.timedelta(milliseconds=ms)).time())
    if kind.name == TIMESTAMP:
        millis = st.integers(-62_135_596_800_000, 253_402_300_799_999)
        return millis.map(lambda ms: EPOCH + dt.timedelta(milliseconds=ms))
    match kind.type:
        case SchemaType.STRUCT:
            return st.fixed_dictionaries({field.name: values(field.schema) for field in kind.fields})
        case SchemaType.ARRAY:
            assert kind.value_schema is not None
            return st.lists(values(kind.value_schema), max_size=3)
        case SchemaType.MAP:
            assert kind.value_schema is not None and kind.key_schema is not None
            return st.dictionaries(values(kind.key_schema), values(kind.value_schema), max_size=3)
        case SchemaType.BOOLEAN:
            return st.booleans()
        case SchemaType.STRING:
            return st.text(st.characters(codec="utf-8"))
        case SchemaType.BYTES:
            return st.binary(max_size=20)
        case SchemaType.FLOAT64:
            return st.floats()
        case SchemaType.FLOAT32:
            return st.floats(width=32)
    bits = BITS[kind.type]
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@st.composite
def decimal_schemas(draw: st.DrawFn) -> ConnectSchema:
    precision = draw(st.none() | st.integers(1, 80))
    scale = draw(st.integers(0, 10))
    return decimal(scale, precision, optional=draw(st.booleans()))


@st.composite
def leaf_schemas(draw: st.DrawFn) -> ConnectSchema:
    """A schema without parts; sometimes named, optional, documented, with a default."""
    kind = draw(st.sampled_from([*(t for t in SchemaType if t.value not in ("array", "map", "struct")), "logical"]))
    if kind == "logical":
        make = draw(st.sampled_from([date, time, timestamp, None]))
        found = draw(decimal_schemas()) if make is None else make(optional=draw(st.booleans()))
    else:
        found = schema(kind, optional=draw(st.booleans()), doc=draw(st.none() | st.just("words")))
    if draw(st.integers(0, 4)) == 0:
        return found.replace(default=draw(_plain(found)))
    return found


KEYS = st.sampled_from([SchemaType.STRING, SchemaType.INT32, SchemaType.BOOLEAN]).map(schema)


def _combined(parts: st.SearchStrategy[ConnectSchema]) -> st.SearchStrategy[ConnectSchema]:
    optional = st.booleans()
    fields = st.lists(st.tuples(NAMES, parts), max_size=4, unique_by=lambda pair: pair[0])
    return st.one_of(
        st.builds(lambda item, o: schema(SchemaType.ARRAY, value_schema=item, optional=o), parts, optional),
        st.builds(
            lambda key, item, o: schema(SchemaType.MAP, key_schema=key, value_schema=item, optional=o),
            KEYS,
            parts,
            optional,
        ),
        st.builds(lambda pairs, o: struct(pairs, name="row", optional=o), fields, optional),
    )


def any_schemas() -> st.SearchStrategy[ConnectSchema]:
    return st.recursive(leaf_schemas(), _combined, max_leaves=6)


@st.composite
def columns_of_rows(draw: st.DrawFn, max_size: int = 6) -> tuple[ConnectSchema, list[Any]]:
    """A schema and rows that fit it."""
    kind = draw(any_schemas())
    return kind, draw(st.lists(values(kind), min_size=1, max_size=max_size))


def same(left: Any, right: Any) -> bool:
    """Equality of row values that tells NaN as itself, 0.0 from -0.0 and 1 from 1.0 and True."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return repr(left) == repr(right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
