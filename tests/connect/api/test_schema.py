import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from headrace.connect.api import ConnectSchema, SchemaType, struct
from headrace.connect.api.schema import _pool, decimal, schema, timestamp
from tests.connect.strategies import any_schemas


def iris() -> ConnectSchema:
    return struct(
        [("id", schema(SchemaType.INT32)), ("at", timestamp(optional=True)), ("n", decimal(2, 10))],
        name="iris",
    )


def test_equal_schemas_are_one_object() -> None:
    assert iris() is iris()
    assert iris() == iris()
    assert len({iris(), iris()}) == 1


@given(any_schemas())
def test_a_schema_comes_through_pickle_and_copies_as_itself(kind: ConnectSchema) -> None:
    assert pickle.loads(pickle.dumps(kind)) is kind
    assert copy.copy(kind) is kind
    assert copy.deepcopy(kind) is kind


def test_threads_that_make_the_same_schema_at_once_get_one_object() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: struct([(f"f{number % 50}", iris())]), range(2_000)))
    assert len({id(kind) for kind in made}) == 50


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (0.0, -0.0), (1, 1.0), (Decimal("1.0"), Decimal("1.00")), ("1", b"1"), ([1], [True]), ({"a": 1}, {})],
)
def test_defaults_that_python_holds_equal_make_different_schemas(one: Any, other: Any) -> None:
    assert schema(SchemaType.STRING, default=one) is not schema(SchemaType.STRING, default=other)


def test_replace_changes_only_what_is_named_and_gives_an_interned_schema() -> None:
    optional = iris().replace(optional=True)
    assert optional.optional and optional.fields == iris().fields
    assert optional.replace(optional=False) is iris()


def test_an_unknown_attribute_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="a schema has no colour"):
        schema(SchemaType.INT8, colour="red")
    with pytest.raises(TypeError, match="a schema has no colour"):
        iris().replace(colour="red")


def test_fields_and_parameters_are_found_by_name() -> None:
    found = iris().field("n")
    assert found is not None and found.schema.parameter("scale") == "2"
    assert found.schema.parameter("connect.decimal.precision") == "10"
    assert found.schema.parameter("other") is None
    assert iris().field("other") is None


def test_a_schema_that_nobody_holds_leaves_the_pool() -> None:
    before = len(_pool)
    made = [struct([("x", schema(SchemaType.INT8, doc=str(number)))]) for number in range(100)]
    assert len(_pool) >= before + 200
    del made
    assert len(_pool) < before + 100
