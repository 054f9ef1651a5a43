"""A transformation with a predicate: which rows it changes, in which order they go on, and where they came from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.api import (
    Batch,
    ConfigDef,
    DataError,
    Header,
    Predicate,
    Record,
    SchemaType,
    Transformation,
    from_records,
    schema,
)
from headrace.connect.runtime.host.conditional import Conditional, unconditional
from headrace.connect.transforms.filter import Filter

INT, STRING = schema(SchemaType.INT32), schema(SchemaType.STRING)


class Plugin:
    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef()

    def configure(self, properties: Mapping[str, Any]) -> None: ...


class Marked(Plugin, Predicate):
    """A user's predicate, by rows alone: records with a header."""

    closed = False

    def test(self, record: Record) -> bool:
        return bool(record.headers)

    def close(self) -> None:
        self.closed = True


class ToText(Plugin, Transformation):
    """A user's transformation, by rows alone: another schema, and another topic for every third."""

    closed = False

    def apply(self, record: Record) -> Record | None:
        if record.value == 13:
            raise DataError("13 is no number")
        topic = "third" if record.value % 3 == 0 else record.topic
        return (
            None if record.value == 7 else replace(record, topic=topic, value_schema=STRING, value=f"<{record.value}>")
        )

    def close(self) -> None:
        self.closed = True


class Doubled(ToText):
    """The schema stays."""

    def apply(self, record: Record) -> Record | None:
        return replace(record, value=None if record.value is None else record.value * 2)


def rows(numbers: list[int | None], marked: list[bool]) -> Batch:
    header = (Header("h", None, "x"),)
    records = [
        Record("t", value_schema=INT, value=number, headers=header if mark else (), origin_index=index)
        for index, (number, mark) in enumerate(zip(numbers, marked, strict=True))
    ]
    (batch,) = from_records(records)
    return batch


def records_of(batches: list[Batch]) -> list[Record]:
    return [record for batch in batches for record in batch.records()]


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=12), st.booleans(), st.booleans())
def test_a_batch_gives_the_records_that_its_rows_give_one_by_one(
    pairs: list[tuple[int, bool]], negate: bool, same_schema: bool
) -> None:
    stage = Conditional(Doubled() if same_schema else ToText(), Marked(), negate=negate)
    batch = rows([number for number, _ in pairs], [mark for _, mark in pairs])
    for given_batch in (batch, batch.slice(1, len(batch))):
        if len(given_batch):
            singly = [made for record in given_batch.records() if (made := stage.apply(record)) is not None]
            assert records_of(stage.apply_batch(given_batch)) == singly


def test_rows_that_keep_their_schema_stay_one_batch() -> None:
    stage = Conditional(Doubled(), Marked(), negate=False)
    (made,) = stage.apply_batch(rows([1, 2, 3, None], [True, False, True, False]))
    assert made.value is not None and pa.array(made.value).to_pylist() == [2, 2, 6, None]


def test_rows_that_get_another_schema_cut_the_batch_where_it_changes() -> None:
    stage = Conditional(ToText(), Marked(), negate=True)
    made = stage.apply_batch(rows([1, 2, 4, 5], [True, True, False, False]))
    assert [(batch.value_schema, len(batch)) for batch in made] == [(INT, 2), (STRING, 2)]


def test_filter_leaves_the_others_and_where_they_came_from() -> None:
    batch = rows([1, 2, 3, 4], [True, False, True, False])
    (made,) = Conditional(Filter(), Marked(), negate=False).apply_batch(batch)
    assert [record.value for record in made.records()] == [2, 4]
    assert made.origin_index is not None and made.origin_index.to_pylist() == [1, 3]
    assert Conditional(Filter(), Marked(), negate=False).apply_batch(rows([1], [True])) == []


def test_a_batch_without_a_row_that_is_meant_goes_on_as_it_is() -> None:
    batch = rows([13, 13], [False, False])
    (made,) = Conditional(ToText(), Marked(), negate=False).apply_batch(batch)
    assert made is batch


def test_a_record_that_cannot_be_transformed_fails_the_batch_only_where_it_is_meant() -> None:
    batch = rows([13, 2], [False, True])
    assert len(records_of(Conditional(ToText(), Marked(), negate=False).apply_batch(batch))) == 2
    with pytest.raises(DataError, match="13 is no number"):
        Conditional(ToText(), Marked(), negate=True).apply_batch(batch)


def test_closing_closes_both_and_a_failure_names_the_transformation() -> None:
    transformation, predicate = ToText(), Marked()
    stage = Conditional(transformation, predicate, negate=False)
    stage.close()
    assert (transformation.closed, predicate.closed) == (True, True)
    assert unconditional(stage) is transformation and unconditional(transformation) is transformation
