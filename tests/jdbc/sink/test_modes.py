"""Insert modes and key modes: what is in the table after the records are."""

import threading
import uuid
from collections.abc import Callable

import pytest

from headrace.connect.api import ConnectError, DataError, SchemaType, schema, struct
from tests.jdbc.sink.harness import INT32, INT64, PLAIN, STRING, UPSERT, Sink, batch, named, optional

Make = Callable[..., Sink]
TABLE = "CREATE TABLE t (id int PRIMARY KEY, name text)"
KEYED = struct([("name", optional(STRING))])


def upsert(sink: Make, ddl: str = TABLE, **more: str) -> Sink:
    return sink(ddl, **{name.replace(".", "_"): value for name, value in (UPSERT | more).items()})


def all_of(sink: Sink) -> list[tuple[object, ...]]:
    return sink.rows("SELECT * FROM t ORDER BY 1")


def test_insert_adds_rows(sink: Make) -> None:
    one = sink(TABLE)
    one.put(PLAIN, named([(1, "a"), (2, None)]))
    one.put(PLAIN, named([(3, "c")]))
    assert all_of(one) == [(1, "a"), (2, None), (3, "c")]


def test_insert_of_a_redelivered_record_names_upsert(sink: Make) -> None:
    one = sink(TABLE)
    one.put(PLAIN, named([(1, "a")]))
    with pytest.raises(DataError, match=r"table public\.t: duplicate key .*\(id\)=\(1\).*insert\.mode=upsert"):
        one.put(PLAIN, named([(2, "b"), (1, "a")]))
    assert all_of(one) == [(1, "a")]
    one.put(PLAIN, named([(2, "b")]))
    assert all_of(one) == [(1, "a"), (2, "b")]


def test_upsert_replaces_rows_that_are_there(sink: Make) -> None:
    one = upsert(sink)
    one.put(PLAIN, named([(1, "a"), (2, "b")]))
    one.put(PLAIN, named([(2, "B"), (3, "C")]))
    one.put(PLAIN, named([(2, "B"), (3, "C")]))
    assert all_of(one) == [(1, "a"), (2, "B"), (3, "C")]


@pytest.mark.parametrize("rows", [5, 500])
def test_rows_of_one_batch_that_hit_the_same_key_end_as_they_would_one_by_one(sink: Make, rows: int) -> None:
    one = upsert(sink)
    pairs = [(number * 7 % (rows // 2), f"{number}") for number in range(rows)]
    one.put(PLAIN, named(pairs))
    assert all_of(one) == sorted(dict(pairs).items())


def test_keys_that_are_the_same_to_the_server_alone_end_as_they_would_one_by_one(sink: Make) -> None:
    one = upsert(sink, "CREATE TABLE t (id numeric PRIMARY KEY, name text)")
    kind = struct([("id", STRING), ("name", STRING)])
    one.put(kind, [{"id": text, "name": text} for text in ("1", "2.50", "1.0", "2.5", "01")])
    assert all_of(one) == [(1, "01"), (2.5, "2.5")]


def test_text_keys_that_a_collation_makes_one_are_found_out(sink: Make) -> None:
    one = upsert(sink, "CREATE TABLE t (id varchar(2) PRIMARY KEY, name text)")
    kind = struct([("id", STRING), ("name", STRING)])
    one.put(kind, [{"id": text, "name": text} for text in ("a", "ab  ", "ab ")])
    assert all_of(one) == [("a", "a"), ("ab", "ab ")]


def test_new_keys_and_old_keys_in_large_batches(sink: Make) -> None:
    one = upsert(sink)
    for start in (0, 1000, 500, 2000, 0):
        one.put(PLAIN, named([(number, f"from {start}") for number in range(start, start + 1000)]))
    counts = one.rows("SELECT name, count(*) FROM t GROUP BY 1 ORDER BY 1")
    assert counts == [("from 0", 1000), ("from 1000", 500), ("from 2000", 1000), ("from 500", 500)]


def test_another_writer_that_takes_a_new_key_meanwhile_is_survived(sink: Make) -> None:
    one = upsert(sink)
    two = upsert(sink, "SELECT 1")
    rows = [(number, "one") for number in range(100)]
    with one.database.connect() as other, other.transaction():
        other.execute("INSERT INTO t VALUES (50, 'other')")
        thread = threading.Thread(target=two.put, args=(PLAIN, named(rows)))
        thread.start()
        thread.join(0.2)  # it found no key, began to copy, and waits for ours
        assert thread.is_alive()
    thread.join(30)
    assert all_of(one) == rows


@pytest.mark.parametrize("step", [1, 2])
def test_keys_between_those_of_another_task_are_told_to_be_new(sink: Make, step: int) -> None:
    tasks = [upsert(sink), upsert(sink, "SELECT 1")]
    for start in range(0, 4000, 1000):
        for shift, one in enumerate(tasks):
            ids = range(start + shift, start + 1000, 2)
            one.put(PLAIN, named([(number, f"{shift}") for number in ids][::step]))
    assert tasks[0].rows("SELECT count(*), sum(id % 2) FROM t") == [(4000 // step, 2000 // step)]


def test_an_old_key_among_many_new_ones_is_replaced_all_the_same(sink: Make) -> None:
    """Whatever a sample of the keys says: the server refuses a copy that is not new, and it is done again."""
    one = upsert(sink)
    for old in range(0, 1000, 37):
        one.run("TRUNCATE t")
        one.put(PLAIN, named([(old, "old"), (5000, "end")]))
        one.put(PLAIN, named([(number, "new") for number in range(1000)]))
        counts = one.rows("SELECT name, count(*) FROM t GROUP BY 1 ORDER BY 1")
        assert counts == [("end", 1), ("new", 1000)]


@pytest.mark.parametrize("kind", ["text", "uuid"])
def test_keys_that_have_no_plain_order(sink: Make, kind: str) -> None:
    one = upsert(sink, f"CREATE TABLE t (id {kind} PRIMARY KEY, name text)")
    fields = struct([("id", STRING), ("name", STRING)])
    ids = [str(uuid.uuid5(uuid.NAMESPACE_URL, f"{number}")) for number in range(900)]
    for turn, (start, stop) in enumerate([(0, 300), (300, 600), (250, 650), (600, 900)]):
        one.put(fields, [{"id": text, "name": f"{turn}"} for text in ids[start:stop]])
    counts = one.rows("SELECT name, count(*) FROM t GROUP BY 1 ORDER BY 1")
    assert counts == [("0", 250), ("2", 350), ("3", 300)]


def test_upsert_with_nothing_but_a_key_does_nothing_to_rows_there(sink: Make) -> None:
    one = upsert(sink, "CREATE TABLE t (id int PRIMARY KEY, name text DEFAULT 'd')")
    kind = struct([("id", INT32)])
    one.put(kind, [{"id": 1}, {"id": 1}])
    one.put(kind, [{"id": 1}, {"id": 2}])
    assert all_of(one) == [(1, "d"), (2, "d")]


def test_upsert_keeps_columns_that_the_records_do_not_have(sink: Make) -> None:
    one = upsert(sink, "CREATE TABLE t (id int PRIMARY KEY, name text, more text DEFAULT 'm')")
    one.put(PLAIN, named([(1, "a")]))
    one.rows("UPDATE t SET more = 'kept' RETURNING 1")
    one.put(PLAIN, named([(1, "b")]))
    assert all_of(one) == [(1, "b", "kept")]


def test_update_changes_rows_that_are_there_and_adds_none(sink: Make) -> None:
    one = sink(f"{TABLE}; INSERT INTO t VALUES (1, 'a')", insert_mode="update", pk_mode="record_value", pk_fields="id")
    one.put(PLAIN, named([(1, "b"), (1, "c"), (2, "x")]))
    assert all_of(one) == [(1, "c")]


def test_deletes_and_upserts_of_one_batch_go_in_order(sink: Make) -> None:
    one = sink(TABLE, insert_mode="upsert", pk_mode="record_key", pk_fields="id", delete_enabled=True)
    values = [{"name": "a"}, None, {"name": "b"}, {"name": "c"}, None, {"name": "d"}]
    one.put(KEYED, values, key_schema=INT32, keys=[1, 1, 2, 3, 2, 1])
    assert all_of(one) == [(1, "d"), (3, "c")]
    one.put(KEYED, [None, None], key_schema=INT32, keys=[1, 9])
    assert all_of(one) == [(3, "c")]


def test_a_tombstone_without_deletes_is_a_fault_of_the_record(sink: Make) -> None:
    one = sink(TABLE, pk_mode="record_key", pk_fields="id")
    with pytest.raises(DataError, match=r"record topic-0@\d+ has no value .*delete\.enabled"):
        one.put(KEYED, [{"name": "a"}, None], key_schema=INT32, keys=[1, 2])
    assert all_of(one) == []


def test_pk_mode_kafka_keeps_topic_partition_and_offset(sink: Make) -> None:
    ddl = "CREATE TABLE t (id int, __connect_topic text, __connect_partition int, __connect_offset bigint, name text, "
    one = sink(
        ddl + "PRIMARY KEY (__connect_topic, __connect_partition, __connect_offset))",
        insert_mode="upsert",
        pk_mode="kafka",
    )
    given = batch(PLAIN, named([(1, "a"), (1, "b")]), partition=3)
    one.task.put([given])
    one.task.put([given])
    rows = one.rows("SELECT name, __connect_topic, __connect_partition, __connect_offset FROM t ORDER BY 1")
    assert rows == [("a", *given.kafka_position(0)), ("b", *given.kafka_position(1))]


def test_pk_mode_record_key_takes_fields_of_the_key(sink: Make) -> None:
    one = sink(
        "CREATE TABLE t (a int, b bigint, name text, PRIMARY KEY (b, a))", insert_mode="upsert", pk_mode="record_key"
    )
    key = struct([("a", INT32), ("b", INT64)])
    keys = [{"a": 2, "b": 1}, {"a": 1, "b": 1}, {"a": 2, "b": 1}]
    one.put(KEYED, [{"name": name} for name in "xyz"], key_schema=key, keys=keys)
    assert all_of(one) == [(1, 1, "y"), (2, 1, "z")]


def test_a_key_that_is_no_struct_needs_one_column(sink: Make) -> None:
    one = sink(TABLE, insert_mode="upsert", pk_mode="record_key")
    with pytest.raises(ConnectError, match=r"key is INT32.*set pk\.fields"):
        one.put(KEYED, [{"name": "a"}], key_schema=INT32, keys=[1])


def test_a_record_without_key_is_a_fault_of_the_record(sink: Make) -> None:
    one = sink(TABLE, insert_mode="upsert", pk_mode="record_key", pk_fields="id")
    with pytest.raises(DataError, match=r"pk\.mode=record_key, and its key is null"):
        one.put(KEYED, [{"name": "a"}])
    kind = schema(SchemaType.INT32, optional=True)
    with pytest.raises(DataError, match=r"'id' of its key is null"):
        one.put(KEYED, [{"name": "a"}, {"name": "b"}], key_schema=kind, keys=[1, None])


def test_fields_whitelist_chooses_what_is_written(sink: Make) -> None:
    one = upsert(sink, "CREATE TABLE t (id int PRIMARY KEY, kept text)", **{"fields.whitelist": "kept"})
    kind = struct([("id", INT32), ("kept", STRING), ("left", STRING)])
    one.put(kind, [{"id": 1, "kept": "k", "left": "l"}])
    assert all_of(one) == [(1, "k")]


def test_batch_size_bounds_statements_and_not_the_transaction(sink: Make) -> None:
    one = sink(TABLE, batch_size=2)
    with pytest.raises(DataError):
        one.put(PLAIN, named([(1, "a"), (2, "b"), (3, "c"), (1, "d")]))
    assert all_of(one) == []
    two = upsert(sink, "SELECT 1", **{"batch.size": "2"})
    two.put(PLAIN, named([(1, "a"), (2, "b"), (1, "c"), (3, "d"), (3, "e")]))
    assert all_of(two) == [(1, "c"), (2, "b"), (3, "e")]


def test_batches_of_several_schemas_and_topics_are_one_transaction(sink: Make) -> None:
    one = sink("CREATE TABLE a (id int, name text); CREATE TABLE b (id int, x int)", table_name_format="${topic}")
    other = struct([("id", INT32), ("x", INT32)])
    first = batch(PLAIN, named([(1, "a")]), topic="a")
    second = batch(other, [{"id": 1, "x": 2}], topic="b")
    third = batch(PLAIN, named([(2, "b")]), topic="a")
    one.task.put([first, second, third])
    assert one.rows("SELECT id, name FROM a ORDER BY 1") == [(1, "a"), (2, "b")]
    with pytest.raises(ConnectError, match="there is no table missing"):
        one.task.put([batch(PLAIN, named([(3, "c")]), topic="a"), batch(PLAIN, named([(1, "a")]), topic="missing")])
    assert one.rows("SELECT count(*) FROM a") == [(2,)]
