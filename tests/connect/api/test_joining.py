"""Batches of one kind become one, whatever form their columns have."""

import pyarrow as pa

from headrace.connect.api import Batch, Header, Record, SchemaType, from_records, schema
from headrace.connect.api.joining import join, same_kind

INT = schema(SchemaType.INT32, optional=True)


def batch(values: list[int | None], *, key: str | None = None, **more: object) -> Batch:
    (made,) = from_records(
        Record("t", value_schema=INT, value=value, key=key, **more)
        for value in values  # type: ignore[arg-type]
    )
    return made


def test_rows_follow_one_another_and_absent_columns_are_null() -> None:
    header = Header("h", None, 1)
    parts = [batch([1, None]), batch([None]), batch([3], key="k", timestamp=5, partition=2, headers=(header,))]
    made = join(parts)
    assert [record.value for record in made.records()] == [1, None, None, 3]
    assert list(made.records()) == [record for part in parts for record in part.records()]
    assert isinstance(made.value, pa.Array)


def test_a_list_among_the_columns_makes_a_list() -> None:
    large = Batch("t", 1, value_schema=INT, value=[2**40])
    made = join([batch([1]), large])
    assert made.value == [1, 2**40]


def test_tombstones_stay_tombstones() -> None:
    parts = [batch([1]), *from_records([Record("t", value_schema=INT, value=2), Record("t")])]
    assert [record.value_schema for record in join(parts).records()] == [INT, INT, None]


def test_only_batches_of_one_topic_and_one_pair_of_schemas_are_of_one_kind() -> None:
    one = batch([1])
    assert same_kind(one, batch([2]))
    assert not same_kind(one, Batch("u", 1, value_schema=INT))
    assert not same_kind(one, Batch("t", 1, value_schema=INT.replace(optional=False)))
    assert not same_kind(one, Batch("t", 1, key_schema=INT, value_schema=INT))
