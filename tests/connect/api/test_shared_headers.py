import pytest

from headrace.connect.api import Header, SchemaType, schema
from headrace.connect.api.shared_headers import MOST, changed, shared_headers


def header(name: str) -> Header:
    return Header(name, schema(SchemaType.INT32), 1)


def test_rows_that_share_a_tuple_have_its_index() -> None:
    one, two = (header("a"),), (header("a"), header("b"))
    shared = shared_headers((two, one, (), two, one))
    assert shared is not None
    found, index = shared
    assert found == [two, one, ()]
    assert index.tolist() == [0, 1, 2, 0, 1]


def test_equal_tuples_that_are_two_objects_are_two() -> None:
    rows = tuple([(header("a"),) for _ in range(2)])
    shared = shared_headers(rows)
    assert shared is not None and len(shared[0]) == 2


def test_many_tuples_are_not_shared_wherever_they_begin() -> None:
    many = tuple((header(str(row)),) for row in range(MOST + 1))
    assert shared_headers(many) is None
    assert shared_headers((many[0],) * 1000 + many) is None
    shared = shared_headers(many[:MOST] * 100)
    assert shared is not None and shared[1].tolist() == list(range(MOST)) * 100


def test_no_rows_share_nothing() -> None:
    shared = shared_headers(())
    assert shared is not None and shared[0] == [] and len(shared[1]) == 0


@pytest.mark.parametrize("distinct", [1, MOST, MOST + 1])
def test_each_row_is_changed_and_shares_what_it_shared(distinct: int) -> None:
    rows = tuple((header(str(row)),) for row in range(distinct)) * 3
    doubled = changed(rows, lambda row: row * 2)
    assert doubled == tuple(row * 2 for row in rows)
    assert distinct > MOST or len(set(map(id, doubled))) == distinct
