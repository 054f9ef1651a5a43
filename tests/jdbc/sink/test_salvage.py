"""Records that the database refuses, where errors are tolerated: left out and reported, and all others written."""

import random
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from headrace.connect.api import Batch, ConnectError, DataError, struct
from headrace.jdbc.sink.postgresql import statements
from tests.jdbc.sink.harness import FLOAT64, INT32, INT64, PLAIN, STRING, UPSERT, Sink, batch, named, optional

Make = Callable[..., Sink]
TOLERANT = {"errors_tolerance": "all"}
UPSERTING = {name.replace(".", "_"): value for name, value in UPSERT.items()} | TOLERANT
CHECKED = "CREATE TABLE t (id int PRIMARY KEY, name text CHECK (name <> 'bad'))"


def offsets_of(given: Batch, *rows: int) -> list[int]:
    return [given.kafka_position(row)[2] for row in rows]


def put(one: Sink, kind: Any, rows: list[Any], **more: Any) -> Batch:
    given = batch(kind, rows, **more)
    one.task.put([given])
    return given


def reported(one: Sink) -> list[int]:
    return one.context.errant_record_reporter.offsets


def reasons(one: Sink) -> list[str]:
    return one.context.errant_record_reporter.reasons


BAD = [
    ("int CHECK (x > 0)", INT32, 1, -1, 'violates check constraint "t_x_check"'),
    ("int NOT NULL", optional(INT32), 1, None, "null value in column"),
    ("int UNIQUE", INT32, None, 2, r"duplicate key .*\(x\)=\(2\)"),
    ("int REFERENCES other", INT32, 1, 7, "violates foreign key"),
    ("int REFERENCES other DEFERRABLE INITIALLY DEFERRED", INT32, 1, 7, "violates foreign key"),
    ("smallint", INT32, 1, 40_000, "value 40000 of record .* does not fit type smallint"),
    ("int", FLOAT64, 1.0, 1.5, "value 1.5 of record .* does not fit type integer"),
    ("int", STRING, "1", "abc", "value 'abc' of record"),
    ("varchar(2)", STRING, "ab", "abc", "too long"),
    ("numeric(4,2)", FLOAT64, 1.0, 1000.0, "numeric field overflow"),
    ("jsonb", STRING, "{}", "{", "invalid input syntax for type json"),
    ("timestamp", STRING, "2020-01-01", "noon", "value 'noon' of record"),
    ("text", STRING, "a", "a\0b", "NUL"),
    ("text UNIQUE", STRING, None, random.Random(0).randbytes(5000).hex(), "maximum size is"),
    ("domain_of", STRING, "ab", "abc", "violates check constraint"),
    ("int4range", STRING, "[1,2)", "[2,1)", "range lower bound"),
]


@pytest.mark.parametrize("mode", ["insert", "upsert"])
@pytest.mark.parametrize(("column", "kind", "good", "bad", "words"), BAD, ids=[case[0] for case in BAD])
def test_a_record_that_the_table_refuses_is_left_out_with_its_reason(
    sink: Make, mode: str, column: str, kind: Any, good: Any, bad: Any, words: str
) -> None:
    other = "CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1);"
    other += "CREATE DOMAIN domain_of AS text CHECK (length(value) < 3);"
    one = sink(f"{other} CREATE TABLE t (id int PRIMARY KEY, x {column})", **(UPSERTING | {"insert_mode": mode}))
    values = [good if good is not None else f"{number}" if kind is STRING else number for number in range(20)]
    values[13] = bad
    rows = [{"id": number, "x": value} for number, value in enumerate(values)]
    given = put(one, struct([("id", INT32), ("x", kind)]), rows)
    assert one.rows("SELECT id FROM t ORDER BY 1") == [(number,) for number in range(20) if number != 13]
    assert reported(one) == offsets_of(given, 13)
    (error,) = (error for _, error in one.context.errant_record_reporter.reported)
    assert isinstance(error, DataError)
    with pytest.raises(DataError, match=words):
        raise error
    assert f"topic-0@{offsets_of(given, 13)[0]}" in str(error)
    assert not isinstance(error.__context__, psycopg.Error)  # its repr and frames know the password


def test_many_bad_records_among_many(sink: Make) -> None:
    for mode, ids in (("insert", range(1000)), ("upsert", range(1000, 2000))):
        one = sink(CHECKED if mode == "insert" else "", **(UPSERTING | {"insert_mode": mode}))
        bad = [row for row in range(1000) if row % 97 == 5 or 400 < row < 420 or row in (0, 999)]
        given = put(one, PLAIN, named([(number, "bad" if row in bad else "a") for row, number in enumerate(ids)]))
        assert reported(one) == offsets_of(given, *bad)
        assert one.rows(f"SELECT count(*) FROM t WHERE id >= {ids[0]}") == [(1000 - len(bad),)]


def test_all_records_may_be_bad(sink: Make) -> None:
    one = sink(CHECKED, **UPSERTING)
    given = put(one, PLAIN, named([(number, "bad") for number in range(100)]))
    assert reported(one) == offsets_of(given, *range(100))
    assert one.rows("SELECT count(*) FROM t") == [(0,)]


def test_the_last_good_record_of_a_key_is_what_stays(sink: Make) -> None:
    """Fails where the rows of a batch are reduced to the last of each key before the bad ones are out."""
    one = sink(CHECKED, **UPSERTING)
    put(one, PLAIN, named([(1, "a"), (2, "b"), (1, "c"), (1, "bad"), (3, "d"), (2, "bad"), (3, "e")]))
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(1, "c"), (2, "b"), (3, "e")]
    assert len(reported(one)) == 2


def test_deletes_among_bad_records_go_in_order(sink: Make) -> None:
    one = sink(CHECKED, insert_mode="upsert", pk_mode="record_key", pk_fields="id", delete_enabled=True, **TOLERANT)
    kind = struct([("name", optional(STRING))])
    values = [{"name": "a"}, None, {"name": "bad"}, {"name": "b"}, {"name": "bad"}, None, {"name": "c"}]
    given = put(one, kind, values, key_schema=INT32, keys=[1, 1, 1, 2, 2, 2, 3])
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(3, "c")]
    assert reported(one) == offsets_of(given, 2, 4)


def test_records_that_need_no_database_to_be_refused(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, name text)", insert_mode="upsert", pk_mode="record_key", **TOLERANT,
               pk_fields="id")  # fmt: skip
    kind = struct([("name", optional(STRING))])
    values = [{"name": "a"}, None, {"name": "b"}, {"name": "c"}]
    given = put(one, kind, values, key_schema=optional(INT32), keys=[1, 2, None, 3])
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(1, "a"), (3, "c")]
    assert reported(one) == offsets_of(given, 1, 2)
    assert "has no value (a tombstone)" in reasons(one)[0]
    assert "'id' of its key is null" in reasons(one)[1]


def test_records_whose_schema_does_not_go_with_the_table(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, name text)", **TOLERANT)
    other = struct([("id", INT32), ("new", STRING)])
    good, bad = batch(PLAIN, named([(1, "a")])), batch(other, [{"id": 2, "new": "x"}, {"id": 3, "new": "y"}])
    one.task.put([good, bad, batch(PLAIN, named([(4, "d")]))])
    assert one.rows("TABLE t ORDER BY id") == [(1, "a"), (4, "d")]
    assert reported(one) == offsets_of(bad, 0, 1)
    assert all("has no column for field 'new'" in text for text in reasons(one))


def test_values_without_schema_among_others(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int, name text)", **TOLERANT)
    plain = batch(None, [{"id": 2}])
    one.task.put([batch(PLAIN, named([(1, "a")])), plain])
    assert one.rows("TABLE t") == [(1, "a")]
    assert reported(one) == offsets_of(plain, 0)


def test_a_row_that_a_policy_refuses(sink: Make) -> None:
    one = sink("CREATE TABLE u (id int PRIMARY KEY, name text);"
               "CREATE VIEW t AS SELECT * FROM u WHERE id > 0 WITH CHECK OPTION", **TOLERANT)  # fmt: skip
    given = put(one, PLAIN, named([(1, "a"), (-1, "b"), (2, "c")]))
    assert one.rows("TABLE u") == [(1, "a"), (2, "c")]
    assert reported(one) == offsets_of(given, 1)


def test_a_trigger_that_refuses_with_a_state_of_its_own(sink: Make) -> None:
    one = sink(
        "CREATE TABLE t (id int, name text);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "IF NEW.id = 2 THEN RAISE EXCEPTION 'not this one' USING ERRCODE = 'UX001'; END IF; RETURN NEW; END$$;"
        "CREATE TRIGGER no BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        **TOLERANT,
    )
    given = put(one, PLAIN, named([(1, "a"), (2, "b"), (3, "c")]))
    assert one.rows("SELECT id FROM t") == [(1,), (3,)]
    assert reported(one) == offsets_of(given, 1)
    assert "not this one [SQLSTATE UX001]" in reasons(one)[0]


def test_a_row_that_no_partition_takes(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);"
               "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100)", **UPSERTING)  # fmt: skip
    given = put(one, PLAIN, named([(number, "a") for number in (1, 100, 2)]))
    assert one.rows("SELECT id FROM t ORDER BY 1") == [(1,), (2,)]
    assert reported(one) == offsets_of(given, 1)


def test_a_missing_table_fails_the_task_all_the_same(sink: Make) -> None:
    one = sink(**TOLERANT)
    with pytest.raises(ConnectError, match="there is no table t"):
        put(one, PLAIN, named([(1, "a")]))
    assert reported(one) == []


def test_without_tolerance_nothing_is_written_and_nothing_reported(sink: Make) -> None:
    one = sink(CHECKED)
    with pytest.raises(DataError, match="t_name_check"):
        put(one, PLAIN, named([(1, "a"), (2, "bad")]))
    assert one.rows("TABLE t") == []
    assert reported(one) == []


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The savepoints of a test: one a try that went well, one a try that did not."""
    found: list[str] = []
    execute = psycopg.Connection.execute

    def count(self: Any, query: Any, *more: Any, **named: Any) -> Any:
        if query in (statements.HOLD_AGAIN, statements.UNDO):
            found.append(query)
        return execute(self, query, *more, **named)

    monkeypatch.setattr(psycopg.Connection, "execute", count)
    return found


@pytest.mark.parametrize("row", [0, 1, 5000, 9998, 9999])
def test_one_bad_record_in_ten_thousand_is_found_in_the_logarithm_of_tries(
    sink: Make, counted: list[str], row: int
) -> None:
    one = sink(CHECKED, **UPSERTING)
    put(
        one, PLAIN, named([(number, "a") for number in range(10_000)])
    )  # so that the next go by a stage: no line is said
    given = put(one, PLAIN, named([(number, "bad" if number == row else "b") for number in range(10_000)]))
    assert reported(one) == offsets_of(given, row)
    assert one.rows("SELECT name, count(*) FROM t GROUP BY 1 ORDER BY 1") == [("a", 1), ("b", 9_999)]
    assert len(counted) <= 17  # log2 of 10,000 is 13.3; one for all, one for the row alone, one for what follows


def test_a_copy_that_says_its_row_is_believed(sink: Make, counted: list[str]) -> None:
    one = sink(CHECKED, **TOLERANT)
    bad = {17, 4000, 9000}
    put(one, PLAIN, named([(number, "bad" if number in bad else "a") for number in range(10_000)]))
    assert len(reported(one)) == 3
    assert len(counted) <= 3 * 3 + 5


def test_a_deadlock_is_tried_again_and_no_record_is_blamed(sink: Make) -> None:
    one = sink(
        "CREATE TABLE t (id int, name text); CREATE TABLE once (n int);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "IF NEW.id = 5 AND nextval('tries') < 3 THEN RAISE EXCEPTION 'x' USING ERRCODE = 'deadlock_detected'; END IF;"
        "RETURN NEW; END$$; CREATE SEQUENCE tries;"
        "CREATE TRIGGER no BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        **TOLERANT,
    )
    put(one, PLAIN, named([(number, "a") for number in range(10)]))
    assert one.rows("SELECT count(*) FROM t") == [(10,)]
    assert reported(one) == []
    assert one.context.waits == 2


def test_a_widened_number_that_does_not_fit_is_left_out(sink: Make) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, x int)", **UPSERTING)
    narrow, wide = struct([("id", INT32), ("x", INT32)]), struct([("id", INT32), ("x", INT64)])
    bad = batch(wide, [{"id": 2, "x": 2}, {"id": 3, "x": 2**40}])
    one.task.put([batch(narrow, [{"id": 1, "x": 1}]), bad, batch(narrow, [{"id": 4, "x": 4}])])
    assert one.rows("TABLE t ORDER BY id") == [(1, 1), (2, 2), (4, 4)]
    assert reported(one) == offsets_of(bad, 1)


@pytest.mark.parametrize("batch_size", [0, 7])
@pytest.mark.parametrize("seed", range(2))
def test_any_mix_of_good_bad_and_deleted_ends_as_one_by_one(sink: Make, seed: int, batch_size: int) -> None:
    chance = random.Random(seed)
    keyed = {"insert_mode": "upsert", "pk_mode": "record_key", "pk_fields": "id", "delete_enabled": True}
    one = sink(CHECKED, batch_size=batch_size, **keyed, **TOLERANT)
    expected: dict[int, str] = {}
    bad: set[int] = set()
    for turn in range(2):
        keys = [chance.randrange(20) for _ in range(50)]
        names = [chance.choice(["bad", None, f"{turn}-{at}", f"{turn}+{at}"]) for at in range(50)]
        values = [None if name is None else {"name": name} for name in names]
        given = put(one, struct([("name", optional(STRING))]), values, key_schema=INT32, keys=keys)
        for row, (key, name) in enumerate(zip(keys, names, strict=True)):
            if name == "bad":
                bad.update(offsets_of(given, row))
            elif name is None:
                expected.pop(key, None)
            else:
                expected[key] = name
        assert one.rows("TABLE t ORDER BY id") == sorted(expected.items())
    assert set(reported(one)) <= bad
    assert len(reported(one)) == len(set(reported(one))) > 0


def test_a_child_before_its_parent_is_no_fault_where_the_commit_is_fine(sink: Make) -> None:
    deferred = "REFERENCES t DEFERRABLE INITIALLY DEFERRED"
    one = sink(f"CREATE TABLE t (id int PRIMARY KEY, parent int {deferred}, n smallint)", **UPSERTING)
    kind = struct([("id", INT32), ("parent", INT32), ("n", INT32)])
    rows = [{"id": 1, "parent": 3, "n": 1}, {"id": 2, "parent": 3, "n": 70_000}, {"id": 3, "parent": 3, "n": 1}]
    given = put(one, kind, rows)
    assert one.rows("SELECT id FROM t ORDER BY 1") == [(1,), (3,)]
    assert reported(one) == offsets_of(given, 1)


def test_updates_that_are_refused_leave_their_rows_as_they_were(sink: Make) -> None:
    one = sink(f"{CHECKED}; INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')", insert_mode="update",
               pk_mode="record_value", pk_fields="id", **TOLERANT)  # fmt: skip
    given = put(one, PLAIN, named([(1, "A"), (2, "bad"), (9, "bad"), (3, "C")]))
    assert one.rows("TABLE t ORDER BY id") == [(1, "A"), (2, "b"), (3, "C")]
    assert reported(one) == offsets_of(given, 1)
