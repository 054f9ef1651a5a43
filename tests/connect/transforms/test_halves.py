"""The base of the transformations of key and value: what it does with batches of every form."""

from typing import Any

import pyarrow as pa
import pytest

from headrace.connect.api import (
    Batch,
    ConfigDef,
    ConnectSchema,
    Record,
    SchemaType,
    from_records,
    schema,
    to_values,
)
from headrace.connect.transforms.halves import Changed, ChangedColumn, HalfTransformation, KeyHalf, ValueHalf, runs

TEXT = schema(SchemaType.STRING, optional=True)
NUMBER = schema(SchemaType.INT64, optional=True)


class Length(HalfTransformation):
    """The length of a text; of null, 0."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef()

    def configure(self, properties: Any) -> None:
        self.columns_seen = 0

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        return schema and NUMBER, len(value or "")

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        self.columns_seen += 1
        changed = [len(value or "") for value in column.to_pylist()]
        if self.PASSES_TOMBSTONES:
            changed = [None if value is None else size for value, size in zip(column.to_pylist(), changed, strict=True)]
        return schema and NUMBER, pa.array(changed, pa.int64())


class LengthKey(KeyHalf, Length):
    pass


class LengthValue(ValueHalf, Length):
    pass


class PassesNull(LengthValue):
    PASSES_NULL = True


class ChangesTombstones(LengthValue):
    PASSES_TOMBSTONES = False


def made(kind: type[Length]) -> Length:
    subject = kind()
    subject.configure({})
    return subject


def records(*halves: tuple[ConnectSchema | None, Any]) -> list[Record]:
    return [
        Record("t", TEXT, f"k{row}", kind, value, timestamp=row, origin_index=row)
        for row, (kind, value) in enumerate(halves)
    ]


def by_batches(subject: Length, batches: list[Batch]) -> list[Record]:
    return [record for batch in batches for done in subject.apply_batch(batch) for record in done.records()]


@pytest.mark.parametrize("kind", [LengthKey, LengthValue, PassesNull, ChangesTombstones])
@pytest.mark.parametrize(
    "halves",
    [
        [(TEXT, "a"), (TEXT, "bcd")],
        [(TEXT, "a"), (None, None), (TEXT, "bcd"), (None, None), (None, None)],
        [(None, "a"), (None, None), (None, "bcd")],
        [(None, None), (None, None)],
    ],
)
def test_rows_and_batches_give_the_same_records(kind: type[Length], halves: list[Any]) -> None:
    given = records(*halves)
    subject = made(kind)
    assert by_batches(subject, from_records(given)) == [subject.apply(record) for record in given]


def test_a_null_that_passes_keeps_its_schema_and_cuts_the_batch() -> None:
    given = records((TEXT, "a"), (TEXT, None), (None, None), (TEXT, "bcd"))
    subject = made(PassesNull)
    done = by_batches(subject, from_records(given))
    assert [(record.value_schema, record.value) for record in done] == [
        (NUMBER, 1),
        (TEXT, None),
        (None, None),
        (NUMBER, 3),
    ]
    assert done == [subject.apply(record) for record in given]


def test_the_key_of_a_tombstone_is_changed_as_any_other() -> None:
    given = records((TEXT, "a"), (None, None))
    done = by_batches(made(LengthKey), from_records(given))
    assert [(record.key, record.value_schema) for record in done] == [(2, TEXT), (2, None)]


def test_columns_are_changed_as_a_whole() -> None:
    subject = made(LengthValue)
    (batch,) = from_records(records((TEXT, "a"), (None, None), (TEXT, "b")))
    (done,) = subject.apply_batch(batch)
    assert subject.columns_seen == 1
    assert done.tombstone.to_pylist() == [False, True, False]


def test_schemaless_columns_of_one_shape_are_columns_too() -> None:
    subject = made(LengthValue)
    batch = Batch("t", 2, value=pa.array(["a", None]), tombstone=pa.array([False, True]))
    (done,) = subject.apply_batch(batch)
    assert subject.columns_seen == 1
    assert to_values(None, done.value, 2) == [1, None]
    assert done.tombstone.to_pylist() == [False, True]


def test_what_becomes_null_without_schema_is_a_tombstone() -> None:
    class Nothing(LengthValue):
        def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
            return None, None if value == "a" else value

    (done,) = made(Nothing).apply_batch(from_records(records((None, "a"), (None, "b")))[0])
    assert done.tombstone.to_pylist() == [True, False]


@pytest.mark.parametrize(
    ("flags", "lengths"), [([True, True], [2]), ([True, False, False, True], [1, 2, 1]), ([False], [1])]
)
def test_runs_are_cut_where_the_mask_changes(flags: list[bool], lengths: list[int]) -> None:
    batch = Batch("t", len(flags), TEXT, pa.array(["k"] * len(flags)))
    assert [len(part) for part in runs(batch, pa.array(flags))] == lengths
