"""Records whose schema changes in mid-stream: fields come, go and widen, old and new interleaved."""

import threading
from collections.abc import Callable

import pytest

from headrace.connect.api import ConnectError, SchemaType, schema, struct
from tests.jdbc.sink.harness import FLOAT64, INT32, INT64, PLAIN, STRING, UPSERT, Sink, batch, named, optional

Make = Callable[..., Sink]
UPSERTING = {name.replace(".", "_"): value for name, value in UPSERT.items()}
TABLE = "CREATE TABLE t (id int PRIMARY KEY, name text)"
COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum"
WIDER = struct([("id", INT32), ("name", optional(STRING)), ("x", optional(INT32))], name="wider")
BARE = struct([("id", INT32)], name="bare")


def test_a_field_that_comes_is_added_and_old_records_go_on(sink: Make) -> None:
    one = sink(TABLE, auto_evolve=True, **UPSERTING)
    for id in range(0, 6, 2):
        old, new = batch(PLAIN, named([(id, "a")])), batch(WIDER, [{"id": id + 1, "name": "b", "x": id}])
        one.task.put([old, new, old])
    assert one.rows("TABLE t ORDER BY id") == [
        (id, "a", None) if id % 2 == 0 else (id, "b", id - 1) for id in range(6)
    ]  # fmt: skip


def test_a_field_that_goes_leaves_its_column_to_upserts_and_null_to_inserts(sink: Make) -> None:
    one = sink(TABLE, **UPSERTING)
    one.put(PLAIN, named([(1, "a")]))
    one.put(BARE, [{"id": 1}, {"id": 2}])
    assert one.rows("TABLE t ORDER BY id") == [(1, "a"), (2, None)]


@pytest.mark.parametrize("mode", ["insert", "upsert"])
def test_a_number_that_widens_is_written_while_it_fits(sink: Make, mode: str) -> None:
    one = sink("CREATE TABLE t (id int PRIMARY KEY, x bigint)", **(UPSERTING | {"insert_mode": mode}))
    narrow, wide = struct([("id", INT32), ("x", INT32)]), struct([("id", INT32), ("x", INT64)])
    text = struct([("id", INT32), ("x", STRING)])
    real = struct([("id", INT32), ("x", FLOAT64)])
    given = [
        batch(kind, [{"id": id, "x": value}])
        for id, (kind, value) in enumerate([(narrow, 1), (wide, 2**40), (narrow, 3), (text, "4"), (real, 5.0)])
    ]
    one.task.put(given)
    assert one.rows("SELECT x FROM t ORDER BY id") == [(1,), (2**40,), (3,), (4,), (5,)]


def test_old_and_new_schemas_of_the_same_columns_go_into_one_statement(
    sink: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headrace.jdbc.sink.postgresql.writer import Writer

    one = sink(TABLE)
    newer = PLAIN.replace(version=2)
    written: list[int] = []
    write = Writer._write
    monkeypatch.setattr(Writer, "_write", lambda self, work: (written.append(len(work)), write(self, work))[1])
    one.task.put([batch(PLAIN if id % 2 else newer, named([(id, f"{id}")])) for id in range(50)])
    assert written == [50]
    assert one.rows("SELECT * FROM t ORDER BY 1") == [(id, f"{id}") for id in range(50)]


def test_a_field_with_a_default_fills_the_rows_that_are_there(sink: Make) -> None:
    one = sink(f"{TABLE}; INSERT INTO t VALUES (1, 'a')", auto_evolve=True, **UPSERTING)
    kind = struct([("id", INT32), ("name", optional(STRING)), ("n", schema(SchemaType.INT32, default=7))])
    one.put(kind, [{"id": 2, "name": "b", "n": 1}])
    assert one.rows("TABLE t ORDER BY id") == [(1, "a", 7), (2, "b", 1)]
    assert one.rows("SELECT attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'n'") == [(True,)]


def test_a_required_field_without_a_default_is_refused_with_what_to_do(sink: Make) -> None:
    one = sink(TABLE, auto_evolve=True, **UPSERTING)
    kind = struct([("id", INT32), ("must", INT64), ("may", optional(STRING))])
    with pytest.raises(
        ConnectError, match=r"field 'must' of topic topic, and auto\.evolve adds none .*optional"
    ) as caught:
        one.put(kind, [{"id": 1, "must": 1, "may": "x"}])
    assert 'ALTER TABLE "public"."t" ADD COLUMN IF NOT EXISTS "must" BIGINT' in str(caught.value)
    assert one.rows(COLUMNS) == [("id",), ("name",)]


def test_a_view_is_not_widened_and_that_is_said(sink: Make) -> None:
    one = sink("CREATE TABLE u (id int PRIMARY KEY); CREATE VIEW t AS SELECT * FROM u", auto_evolve=True, **UPSERTING)
    with pytest.raises(ConnectError, match=r"public\.t is a view and has no column for field 'name'"):
        one.put(PLAIN, named([(1, "a")]))


def test_tasks_that_widen_the_same_table_at_once(sink: Make) -> None:
    tasks = [sink(TABLE if number == 0 else "", auto_evolve=True, **UPSERTING) for number in range(3)]
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(tasks))

    def write(one: Sink, number: int) -> None:
        try:
            for turn in range(8):
                fields = [("id", INT32), *((f"c{at}", optional(INT32)) for at in range(turn + 1))]
                barrier.wait(30)
                ids = range(turn * 300 + number * 100, turn * 300 + number * 100 + 100)
                one.put(struct(fields), [{"id": id, f"c{turn}": id} for id in ids])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(one, number)) for number, one in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    filled = " + ".join(f"count(c{turn})" for turn in range(8))
    assert tasks[0].rows(f"SELECT count(*), {filled} FROM t") == [(2400, 2400)]


def test_a_column_added_by_somebody_else_meanwhile_is_no_fault(sink: Make) -> None:
    one = sink(TABLE, auto_evolve=True, **UPSERTING)
    one.put(PLAIN, named([(1, "a")]))
    one.run("ALTER TABLE t ADD x bigint, ADD y text DEFAULT 'd'")
    one.put(WIDER, [{"id": 2, "name": "b", "x": 3}])
    assert one.rows("TABLE t ORDER BY id") == [(1, "a", None, "d"), (2, "b", 3, "d")]


def test_a_missing_permission_to_widen_is_said(sink: Make) -> None:
    one = sink(TABLE)
    role = f"plain_{one.database.name}"
    one.run(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT ALL ON t TO {role}")
    other = sink(connection_user=role, connection_password="pw", auto_evolve=True)
    try:
        with pytest.raises(ConnectError, match=r"must be owner of table t"):
            other.put(WIDER, [{"id": 2, "name": "b", "x": 3}])
    finally:
        other.task.stop()
        one.run(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_deletes_before_the_table_is_made_find_nothing_to_delete(sink: Make) -> None:
    one = sink(auto_create=True, insert_mode="upsert", pk_mode="record_key", pk_fields="id", delete_enabled=True)
    kind = struct([("name", optional(STRING))])
    one.put(kind, [None], key_schema=INT32, keys=[1])
    assert one.rows("SELECT to_regclass('t')") == [(None,)]
    one.put(kind, [None, {"name": "a"}, {"name": "b"}, None], key_schema=INT32, keys=[1, 1, 2, 2])
    assert one.rows("TABLE t") == [(1, "a")]


def test_a_table_dropped_and_made_anew_with_other_columns(sink: Make) -> None:
    one = sink(TABLE, auto_create=True, auto_evolve=True, **UPSERTING)
    one.put(PLAIN, named([(1, "a")]))
    one.run("DROP TABLE t; CREATE TABLE t (name varchar(10), id bigint PRIMARY KEY)")
    one.put(PLAIN, named([(2, "b")]))
    assert one.rows("TABLE t") == [("b", 2)]
    one.run("DROP TABLE t")
    one.put(PLAIN, named([(3, "c")]))
    assert one.rows("TABLE t") == [(3, "c")]
