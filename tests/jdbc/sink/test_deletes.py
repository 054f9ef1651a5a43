"""Tombstones: deletes among upserts, in order, of keys of every kind."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from headrace.connect.api import DataError, struct
from headrace.jdbc.sink.postgresql.writer import Writer
from tests.jdbc.sink.harness import FLOAT64, INT32, INT64, STRING, Sink, batch, optional

Make = Callable[..., Sink]
NAME = struct([("name", optional(STRING))])
DELETES = {"insert_mode": "upsert", "pk_mode": "record_key", "pk_fields": "id", "delete_enabled": True}
TABLE = "CREATE TABLE t (id int PRIMARY KEY, name text, kept text DEFAULT 'd')"


def one_by_one(table: dict[Any, tuple[Any, str]], keys: list[Any], values: list[Any]) -> None:
    """What a row of `id, name, kept` is after each record in turn."""
    for key, value in zip(keys, values, strict=True):
        if value is None:
            table.pop(key, None)
        else:
            table[key] = (value["name"], table[key][1] if key in table else "d")


@pytest.mark.parametrize("chance_of_delete", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(4))
def test_upserts_and_deletes_in_any_order_end_as_one_by_one(sink: Make, chance_of_delete: float, seed: int) -> None:
    chance = random.Random(seed)
    one = sink(f"{TABLE}; INSERT INTO t SELECT i, 'old', 'kept' FROM generate_series(0, 40) i", **DELETES)
    expected: dict[Any, tuple[Any, str]] = dict.fromkeys(range(41), ("old", "kept"))
    for turn in range(3):
        keys = [chance.randrange(60) for _ in range(200)]
        values = [None if chance.random() < chance_of_delete else {"name": f"{turn}-{at}"} for at in range(200)]
        one.put(NAME, values, key_schema=INT32, keys=keys)
        one_by_one(expected, keys, values)
        assert one.rows("TABLE t ORDER BY id") == [(id, *row) for id, row in sorted(expected.items())]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modes of the statements that writers write, in order."""
    found: list[str] = []
    write = Writer._write
    monkeypatch.setattr(Writer, "_write", lambda self, work: (found.append(work.plan.mode), write(self, work))[1])
    return found


def test_deletes_and_upserts_that_take_turns_are_two_statements(sink: Make, statements: list[str]) -> None:
    one = sink(TABLE, **DELETES)
    values = [None if at % 2 else {"name": f"{at}"} for at in range(1000)]
    one.put(NAME, values, key_schema=INT32, keys=[at % 7 for at in range(1000)])
    assert statements == ["delete", "upsert"]
    assert one.rows("SELECT name FROM t ORDER BY 1") == [("994",), ("996",), ("998",)]


@pytest.mark.parametrize("column", ["numeric", "char(3)", "varchar(3)"])
def test_keys_that_only_the_server_can_compare_are_deleted_in_their_turn(
    sink: Make, statements: list[str], column: str
) -> None:
    one = sink(f"CREATE TABLE t (id {column} PRIMARY KEY, name text)", **DELETES)
    keys = ["1.0", "1", "1.00", "2", "2.0"] if column == "numeric" else ["a", "a ", "a  ", "b", "b"]
    same = column == "numeric" or column == "char(3)"
    one.put(NAME, [{"name": "x"}, None, {"name": "y"}, {"name": "z"}, None], key_schema=STRING, keys=keys)
    assert len(statements) == 4
    rows = [name for (name,) in one.rows("SELECT name FROM t ORDER BY 1")]
    assert rows == (["y"] if same else ["x", "y"])


@pytest.mark.parametrize(
    ("column", "kind", "first", "second"),
    [
        ("text", STRING, "a", "b"),
        ("uuid", STRING, "0f8fad5b-d9cb-469f-a165-70867728950e", "1f8fad5b-d9cb-469f-a165-70867728950e"),
        ("bigint", INT64, 2**60, -1),
        ("float8", FLOAT64, 0.5, -2.5),
        ("bigint", INT32, 1, 2),
    ],
)
def test_primitive_keys_of_every_type(sink: Make, column: str, kind: Any, first: Any, second: Any) -> None:
    one = sink(f"CREATE TABLE t (id {column} PRIMARY KEY, name text)", **DELETES)
    keys = [first, second, first, second, first]
    one.put(NAME, [{"name": "a"}, {"name": "b"}, None, {"name": "c"}, {"name": "d"}], key_schema=kind, keys=keys)
    assert one.rows("SELECT name FROM t ORDER BY 1") == [("c",), ("d",)]
    one.put(NAME, [None], key_schema=kind, keys=[first])
    assert one.rows("SELECT name FROM t") == [("c",)]


def test_composite_keys_are_deleted_as_a_whole(sink: Make) -> None:
    key = struct([("a", INT32), ("b", STRING)])
    given = DELETES | {"pk_fields": ""}
    one = sink("CREATE TABLE t (b text, a int, name text, PRIMARY KEY (a, b))", **given)
    keys = [{"a": at % 2, "b": f"{at % 3}"} for at in range(12)]
    values = [None if at in (6, 9) else {"name": f"{at}"} for at in range(12)]
    one.put(NAME, values, key_schema=key, keys=keys)
    assert one.rows("SELECT a, b, name FROM t ORDER BY 1, 2") == [
        (0, "1", "10"),
        (0, "2", "8"),
        (1, "1", "7"),
        (1, "2", "11"),
    ]


def test_deletes_with_plain_inserts_go_in_their_turn(sink: Make) -> None:
    one = sink(TABLE, **(DELETES | {"insert_mode": "insert"}))
    values = [{"name": "a"}, None, {"name": "b"}, None, {"name": "c"}, {"name": "d"}]
    one.put(NAME, values, key_schema=INT32, keys=[1, 1, 1, 1, 1, 2])
    assert one.rows("SELECT id, name FROM t ORDER BY 1") == [(1, "c"), (2, "d")]


def test_deletes_with_updates_go_in_their_turn(sink: Make) -> None:
    one = sink(f"{TABLE}; INSERT INTO t VALUES (1, 'a'), (2, 'b')", **(DELETES | {"insert_mode": "update"}))
    one.put(NAME, [{"name": "x"}, None, {"name": "y"}, {"name": "z"}], key_schema=INT32, keys=[1, 1, 1, 2])
    assert one.rows("SELECT id, name FROM t") == [(2, "z")]


def test_a_delete_of_what_is_not_there_and_of_a_table_through_a_view(sink: Make) -> None:
    one = sink("CREATE TABLE u (id int PRIMARY KEY, name text); CREATE VIEW t AS SELECT * FROM u", **DELETES)
    one.put(NAME, [None, {"name": "a"}, None, {"name": "b"}], key_schema=INT32, keys=[9, 1, 1, 2])
    assert one.rows("TABLE u") == [(2, "b")]


def test_a_tombstone_without_a_key_is_a_fault_of_the_record(sink: Make) -> None:
    one = sink(TABLE, **DELETES)
    with pytest.raises(DataError, match=r"'id' of its key is null"):
        one.put(NAME, [{"name": "a"}, None], key_schema=optional(INT32), keys=[1, None])
    with pytest.raises(DataError, match=r"pk\.mode=record_key, and its key is null"):
        one.put(NAME, [None])
    assert one.rows("TABLE t") == []


def test_a_delete_that_the_database_refuses_is_left_out_and_what_came_before_stays(sink: Make) -> None:
    """Fails where rows are folded while bad ones are looked for: the update before the delete would be lost."""
    one = sink(
        f"{TABLE}; INSERT INTO t VALUES (1, 'old'); CREATE TABLE child (id int REFERENCES t);"
        "INSERT INTO child VALUES (1)",
        errors_tolerance="all",
        **DELETES,
    )
    given = batch(NAME, [{"name": "new"}, None, {"name": "x"}, None], key_schema=INT32, keys=[1, 1, 2, 2])
    one.task.put([given])
    assert one.rows("SELECT id, name FROM t") == [(1, "new")]
    assert one.context.errant_record_reporter.offsets == [given.kafka_position(1)[2]]
    assert "violates foreign key" in one.context.errant_record_reporter.reasons[0]
