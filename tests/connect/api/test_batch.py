from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.api import (
    Batch,
    Header,
    Record,
    SchemaType,
    SinkOrigin,
    SourceOrigin,
    from_records,
    struct,
    to_column,
)
from headrace.connect.api.schema import schema

INT = schema(SchemaType.INT32)
TEXT = schema(SchemaType.STRING, optional=True)
ROW = struct([("id", INT), ("text", TEXT)], name="row")


def batch(length: int = 6) -> Batch:
    """A sink's batch in which each column tells its row, the keys schemaless."""
    return Batch(
        topic="t",
        length=length,
        key=[{"k": row} for row in range(length)],
        value_schema=ROW,
        value=to_column(ROW, [{"id": row, "text": f"row {row}"} for row in range(length)]),
        timestamp=pa.array(range(length), pa.int64()),
        partition=pa.array([row if row % 2 else None for row in range(length)], pa.int32()),
        headers=tuple((Header("h", None, row),) for row in range(length)),
        origin=SinkOrigin("source-topic", pa.array([3] * length, pa.int32()), pa.array(range(100, 100 + length))),
    )


def rows(given: Batch) -> list[Any]:
    return [
        (r.key["k"], r.value["id"], r.timestamp, r.partition, r.headers[0].value, r.origin_index)
        for r in given.records()
    ]


def expected(picks: list[int]) -> list[Any]:
    return [(row, row, row, row if row % 2 else None, row, row) for row in picks]


@given(st.integers(-8, 8), st.integers(-8, 8), st.integers(-8, 8), st.integers(-8, 8))
def test_slice_gives_the_rows_that_a_list_slice_gives(a: int, b: int, c: int, d: int) -> None:
    once = batch().slice(a, b)
    assert rows(once) == expected(list(range(6))[a:b])
    assert once.length == len(rows(once))
    assert rows(once.slice(c, d)) == expected(list(range(6))[a:b][c:d])


@given(st.lists(st.integers(0, 5)), st.data())
def test_take_gives_these_rows_in_this_order_with_their_origins(picks: list[int], data: st.DataObject) -> None:
    once = batch().take(pa.array(picks, pa.int64()))
    assert rows(once) == expected(picks)
    again = data.draw(st.lists(st.integers(0, len(picks) - 1))) if picks else []
    assert rows(once.take(pa.array(again, pa.int64()))) == expected([picks[row] for row in again])


@given(st.lists(st.sampled_from([True, False, None]), min_size=6, max_size=6))
def test_filter_gives_the_rows_where_the_mask_is_true(mask: list[bool | None]) -> None:
    kept = batch().filter(pa.array(mask, pa.bool_()))
    assert rows(kept) == expected([row for row in range(6) if mask[row]])


def test_a_slice_shares_the_memory_of_its_batch() -> None:
    whole = batch(1_000)
    assert isinstance(whole.value, pa.Array)
    part = whole.slice(10, 20).value
    assert isinstance(part, pa.Array)
    assert part.field(0).buffers()[1].address == whole.value.field(0).buffers()[1].address
    assert whole.slice(0, 1_000) is whole


def test_a_row_keeps_its_kafka_position_through_every_step() -> None:
    picked = batch().slice(1, 6).filter(pa.array([True, False, True, False, True])).slice(1, 3)
    assert [picked.kafka_position(row) for row in range(2)] == [("source-topic", 3, 103), ("source-topic", 3, 105)]
    with pytest.raises(TypeError, match="source's batch"):
        picked.source_offset(0)


def test_a_row_keeps_its_source_offset_through_every_step() -> None:
    origin = SourceOrigin({"table": "t"}, [{"id": row} for row in range(6)])
    made = Batch("t", 6, value=[1, 2, 3, 4, 5, 6], origin=origin)
    assert made.source_offset(4) == {"id": 4}
    assert made.slice(2, 5).take(pa.array([2, 0])).source_offset(0) == {"id": 4}
    with pytest.raises(TypeError, match="sink's batch"):
        made.kafka_position(0)


def test_a_tombstone_is_a_record_without_value_and_schema() -> None:
    made = Batch("t", 3, value_schema=TEXT, value=pa.array(["a", None, None]), tombstone=pa.array([False, False, True]))
    assert [(r.value, r.value_schema) for r in made.records()] == [("a", TEXT), (None, TEXT), (None, None)]


def test_records_and_batches_are_two_forms_of_one_thing() -> None:
    whole = batch()
    (back,) = from_records(whole.records(), whole.origin)
    assert list(back.records()) == list(whole.records())
    assert back.value.equals(whole.value)  # type: ignore[union-attr]


def record(row: int, kind: str, topic: str = "t") -> Record:
    made = {
        "int": (INT, row),
        "text": (TEXT, str(row)),
        "null text": (TEXT, None),
        "schemaless": (None, {"row": row}),
        "tombstone": (None, None),
    }
    value_schema, value = made[kind]
    return Record(topic, value_schema=value_schema, value=value, origin_index=row)


def lengths(kinds: str) -> list[int]:
    return [len(run) for run in from_records(record(*pair) for pair in enumerate(kinds.split(", ")))]


@pytest.mark.parametrize(
    ("kinds", "runs"),
    [
        ("int, int, int", [3]),
        ("int, text, int", [1, 1, 1]),
        ("text, null text, text", [3]),
        ("int, tombstone, int", [3]),
        ("int, tombstone, text", [2, 1]),
        ("tombstone, tombstone, int, int", [4]),
        ("tombstone, int, tombstone, text, tombstone", [3, 2]),
        ("tombstone, tombstone", [2]),
        ("schemaless, tombstone, schemaless", [3]),
        ("schemaless, int, schemaless", [1, 1, 1]),
        ("tombstone, schemaless, int", [2, 1]),
        ("schemaless, tombstone, int", [2, 1]),
    ],
)
def test_a_run_ends_where_the_schema_changes_and_not_at_a_tombstone(kinds: str, runs: list[int]) -> None:
    assert lengths(kinds) == runs


@given(st.lists(st.tuples(st.sampled_from(["int", "text", "null text", "schemaless", "tombstone"]), st.booleans())))
def test_every_record_comes_back_from_its_batch_in_order(made: list[tuple[str, bool]]) -> None:
    records = [record(row, kind, "a" if flag else "b") for row, (kind, flag) in enumerate(made)]
    batches = from_records(records)
    assert [row for run in batches for row in run.records()] == records
    assert [run.topic for run in batches if len(run) == 0] == []


def test_no_records_make_no_batch() -> None:
    assert from_records([]) == []


def test_a_run_ends_where_the_topic_or_the_key_schema_changes() -> None:
    records = [
        Record("t", INT, 1),
        Record("t", INT, 2),
        Record("u", INT, 3),
        Record("u", None, None),
        Record("u", INT, 4),
    ]
    assert [len(run) for run in from_records(records)] == [2, 1, 1, 1]


def test_with_key_and_with_value_leave_the_rest_alone() -> None:
    changed = batch().with_key(INT, pa.array(range(6), pa.int32())).with_value(None, [None] * 6)
    assert changed.key_schema is INT
    assert changed.value == [None] * 6
    assert changed.timestamp is batch().timestamp or changed.timestamp.equals(batch().timestamp)  # type: ignore[union-attr]
