"""The modes: which rows come, in which order, with which offsets, and where a task goes on."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from headrace.connect.api import ConnectError, SchemaType
from headrace.jdbc.source.reader import TableReader
from headrace.testing.postgres import Database
from tests.jdbc.source.harness import (
    FakeContext,
    column,
    offsets,
    partition,
    poll_nothing,
    poll_rows,
    properties,
    running,
    values,
)

V1 = {"protocol": "1", "table": "public.t"}
IRIS = (
    "CREATE TABLE iris_data (id SERIAL PRIMARY KEY, timestamp timestamp, sepal_length float8, sepal_width float8,"
    " petal_length float8, petal_width float8, target int);"
)


def test_the_tutorials_table_arrives_as_the_tutorial_shows_it(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            IRIS + "INSERT INTO iris_data (timestamp, sepal_length, sepal_width, petal_length, petal_width, target)"
            " VALUES ('2023-01-02 03:04:05.678', 6.5, 3.0, 5.8, 2.2, 2)"
        )
    props = properties(database, mode="incrementing", incrementing_column_name="id", table_whitelist="iris_data")
    with running(props) as task:
        (batch,) = poll_rows(task, 1)
    schema = batch.value_schema
    assert schema is not None and (batch.topic, schema.name, schema.optional) == ("t-iris_data", "iris_data", False)
    assert [(field.name, field.schema.type, field.schema.optional) for field in schema.fields] == [
        ("id", SchemaType.INT32, False),
        ("timestamp", SchemaType.INT64, True),
        *((name, SchemaType.FLOAT64, True) for name in ("sepal_length", "sepal_width", "petal_length", "petal_width")),
        ("target", SchemaType.INT32, True),
    ]
    assert schema.fields[1].schema.name == "org.apache.kafka.connect.data.Timestamp"
    assert batch.key is None and batch.key_schema is None and batch.timestamp is None
    (row,) = values([batch])
    assert row["timestamp"] == datetime(2023, 1, 2, 3, 4, 5, 678000, UTC)
    assert (row["id"], row["sepal_length"], row["target"]) == (1, 6.5, 2)
    assert partition(batch) == {"protocol": "1", "table": "public.iris_data"}
    assert offsets([batch]) == [{"incrementing": 1}]


def test_incrementing_reads_in_order_and_then_only_what_is_new(database: Database) -> None:
    props = properties(database, mode="incrementing", incrementing_column_name="id", table_whitelist="t")
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (id int8 NOT NULL, v text); INSERT INTO t VALUES (30, 'c'), (-1, 'a'), (2, 'b')"
        )
        with running(props) as task:
            first = poll_rows(task, 3)
            assert column(first, "v") == ["a", "b", "c"]
            assert offsets(first) == [{"incrementing": -1}, {"incrementing": 2}, {"incrementing": 30}]
            poll_nothing(task, 1)
            connection.execute("INSERT INTO t VALUES (31, 'd'), (5, 'too late')")
            assert column(poll_rows(task, 1), "v") == ["d"]


def test_incrementing_goes_on_after_the_stored_offset(database: Database) -> None:
    props = properties(database, mode="incrementing", incrementing_column_name="id", table_whitelist="t")
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id serial); INSERT INTO t SELECT FROM generate_series(1, 9)")
    for stored in (V1, {"table": "t"}):
        with running(props, FakeContext([(stored, {"incrementing": 7})])) as task:
            assert column(poll_rows(task, 2), "id") == [8, 9]
    both = [({"table": "t"}, {"incrementing": 2}), (V1, {"incrementing": 8})]
    with running(props, FakeContext(both)) as task:
        assert column(poll_rows(task, 1), "id") == [9]


def test_the_incrementing_column_is_found_by_itself(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (a int, b int GENERATED ALWAYS AS IDENTITY); INSERT INTO t VALUES (7), (6)")
        connection.execute("CREATE TABLE u (a int)")
    with running(properties(database, mode="incrementing", table_whitelist="t")) as task:
        assert offsets(poll_rows(task, 2)) == [{"incrementing": 1}, {"incrementing": 2}]
    with (
        running(properties(database, mode="incrementing", table_whitelist="u")) as task,
        pytest.raises(ConnectError, match=r"table public\.u has no columns that count .* set incrementing.column.name"),
    ):
        task.poll()


def test_a_numeric_column_may_be_the_incrementing_one(database: Database) -> None:
    props = properties(database, mode="incrementing", incrementing_column_name="id", table_whitelist="t")
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id numeric(20,0) NOT NULL); INSERT INTO t VALUES (2), (10)")
    with running(props) as task:
        assert offsets(poll_rows(task, 2)) == [{"incrementing": 2}, {"incrementing": 10}]


def test_timestamp_follows_updates_and_names_a_time_only_when_all_of_it_is_out(database: Database) -> None:
    props = properties(database, mode="timestamp", timestamp_column_name="at", table_whitelist="t", batch_max_rows=2)
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (v text PRIMARY KEY, at timestamp NOT NULL); INSERT INTO t VALUES"
            " ('a', '2024-01-01 00:00:00.123456'), ('b', '2024-01-02'), ('c', '2024-01-02'), ('d', '2024-01-02')"
        )
        with running(props) as task:
            first = poll_rows(task, 4)
            assert [len(batch) for batch in first] == [2, 2]
            assert column(first, "v")[0] == "a" and sorted(column(first, "v")[1:]) == ["b", "c", "d"]
            one = {"timestamp": 1704067200123, "timestamp_nanos": 123456000}
            two = {"timestamp": 1704153600000, "timestamp_nanos": 0}
            assert offsets(first) == [one, one, one, two]
            poll_nothing(task, 1)
            connection.execute("UPDATE t SET at = '2024-01-03' WHERE v = 'a'")
            assert column(poll_rows(task, 1), "v") == ["a"]
        for stored, expected in ((one, ["a", "b", "c", "d"]), (two, ["a"])):
            with running(props, FakeContext([(V1, stored)])) as task:
                assert sorted(column(poll_rows(task, len(expected)), "v")) == expected


def test_a_time_that_spans_batches_stays_incomplete_to_the_last_row(database: Database) -> None:
    props = properties(database, mode="timestamp", timestamp_column_name="at", table_whitelist="t")
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (n int, at timestamptz NOT NULL);"
            "INSERT INTO t SELECT n, '2024-01-02 00:00+00' FROM generate_series(1, 200000) n"
        )
    with running(props) as task:
        batches = poll_rows(task, 200_000)
    assert len(batches) > 10 and max(map(len, batches)) <= 10_000
    found = offsets(batches)
    assert found[-1] == {"timestamp": 1704153600000, "timestamp_nanos": 0}
    assert all(offset == {} for offset in found[:-1])


def test_a_time_in_the_future_waits_for_its_day(database: Database) -> None:
    props = properties(database, mode="timestamp", timestamp_column_name="at", table_whitelist="t")
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (v text, at timestamptz NOT NULL);"
            "INSERT INTO t VALUES ('now', now()), ('later', now() + interval '1 day')"
        )
        with running(props) as task:
            assert column(poll_rows(task, 1), "v") == ["now"]
            poll_nothing(task, 1)
            connection.execute("INSERT INTO t VALUES ('too', now())")
            assert column(poll_rows(task, 1), "v") == ["too"]


def test_the_delay_leaves_young_rows_alone(database: Database) -> None:
    delay = properties(
        database, mode="timestamp", timestamp_column_name="at", table_whitelist="t", timestamp_delay_interval_ms=60_000
    )
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (v text, at timestamptz NOT NULL);"
            "INSERT INTO t VALUES ('young', now()), ('old', now() - interval '2 minutes')"
        )
    with running(delay) as task:
        assert column(poll_rows(task, 1), "v") == ["old"]
        poll_nothing(task, 1)


@pytest.mark.parametrize("server_zone", ["UTC", "Asia/Seoul", "America/New_York"])
def test_now_is_the_servers_clock_for_times_without_a_zone(database: Database, server_zone: str) -> None:
    props = properties(database, mode="timestamp", timestamp_column_name="at", table_whitelist="t")
    with database.connect() as connection:
        connection.execute(f"ALTER DATABASE {database.name} SET timezone = '{server_zone}'".encode())
        connection.execute("CREATE TABLE t (v text, at timestamp NOT NULL DEFAULT now())")
    with database.connect() as connection:
        connection.execute("INSERT INTO t VALUES ('a')")
        with running(props) as task:
            assert column(poll_rows(task, 1, within_s=5), "v") == ["a"]
            connection.execute("INSERT INTO t VALUES ('b')")
            assert column(poll_rows(task, 1, within_s=5), "v") == ["b"]


def test_db_timezone_says_what_a_time_without_a_zone_means(database: Database) -> None:
    props = properties(
        database, mode="timestamp", timestamp_column_name="at", table_whitelist="t", db_timezone="Asia/Seoul"
    )
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (at timestamp NOT NULL); INSERT INTO t VALUES ('2024-01-02 09:00:00.5')")
        with running(props) as task:
            batches = poll_rows(task, 1)
            stored = offsets(batches)[0]
        assert column(batches, "at") == [datetime(2024, 1, 2, 0, 0, 0, 500000, UTC)]
        assert stored == {"timestamp": 1704153600500, "timestamp_nanos": 500000000}
        connection.execute("INSERT INTO t VALUES ('2024-01-02 09:00:00.500001')")
        with running(props, FakeContext([(V1, stored)])) as task:
            assert offsets(poll_rows(task, 1)) == [{"timestamp": 1704153600500, "timestamp_nanos": 500001000}]


def test_the_first_timestamp_column_that_is_not_null_counts(database: Database) -> None:
    props = properties(database, mode="timestamp", timestamp_column_name="changed,made", table_whitelist="t")
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (v text, made timestamp NOT NULL, changed timestamptz);"
            "INSERT INTO t VALUES ('b', '2024-01-02', NULL), ('a', '2024-01-03', '2024-01-01 00:00+00')"
        )
        with running(props) as task:
            assert column(poll_rows(task, 2), "v") == ["a", "b"]
            connection.execute("UPDATE t SET changed = '2024-02-01 00:00+00' WHERE v = 'b'")
            assert column(poll_rows(task, 1), "v") == ["b"]


def test_timestamp_and_incrementing_names_both_and_splits_a_time(database: Database) -> None:
    props = properties(
        database,
        mode="timestamp+incrementing",
        timestamp_column_name="at",
        incrementing_column_name="id",
        table_whitelist="t",
    )
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (id serial PRIMARY KEY, at timestamp NOT NULL);"
            "INSERT INTO t (at) VALUES ('2024-01-02'), ('2024-01-02'), ('2024-01-01')"
        )
        with running(props) as task:
            batches = poll_rows(task, 3)
            assert column(batches, "id") == [3, 1, 2]
            assert offsets(batches)[1] == {"incrementing": 1, "timestamp": 1704153600000, "timestamp_nanos": 0}
            poll_nothing(task, 1)
            connection.execute("INSERT INTO t (at) VALUES ('2024-01-02')")
            assert column(poll_rows(task, 1), "id") == [4]
            connection.execute("UPDATE t SET at = '2024-01-05' WHERE id = 1")
            assert column(poll_rows(task, 1), "id") == [1]
        with running(props, FakeContext([(V1, offsets(batches)[1])])) as task:
            assert column(poll_rows(task, 3), "id") == [2, 4, 1]


def test_bulk_reads_the_whole_table_at_every_interval(database: Database) -> None:
    props = properties(database, mode="bulk", table_whitelist="t", poll_interval_ms=50)
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (v int); INSERT INTO t VALUES (1), (2)")
        with running(props) as task:
            assert sorted(column(poll_rows(task, 2), "v")) == [1, 2]
            connection.execute("INSERT INTO t VALUES (3)")
            batches = poll_rows(task, 3)
            assert sorted(column(batches, "v")) == [1, 2, 3] and offsets(batches) == [{}, {}, {}]


def test_a_query_is_followed_like_a_table(database: Database) -> None:
    query = "SELECT a.id, upper(b.name) AS name FROM a JOIN b USING (id) WHERE a.id < 100 -- all of them\n;"
    props = properties(database, mode="incrementing", incrementing_column_name="a.id", query=query)
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE a (id serial); CREATE TABLE b (id int, name text);"
            "INSERT INTO a SELECT FROM generate_series(1, 3); INSERT INTO b VALUES (1, 'x'), (3, 'y')"
        )
    with running(props) as task:
        batches = poll_rows(task, 2)
    assert values(batches) == [{"id": 1, "name": "X"}, {"id": 3, "name": "Y"}]
    assert (batches[0].topic, partition(batches[0])) == ("t-", {"query": "query"})
    assert batches[0].value_schema is not None and batches[0].value_schema.name is None
    with running(props, FakeContext([({"query": "query"}, {"incrementing": 1})])) as task:
        assert column(poll_rows(task, 1), "name") == ["Y"]


def test_a_query_in_bulk_mode_with_a_suffix(database: Database) -> None:
    props = properties(database, mode="bulk", query="SELECT n FROM generate_series(1, 9) n", query_suffix="LIMIT 4")
    with running(props) as task:
        assert column(poll_rows(task, 4)[:1], "n") == [1, 2, 3, 4]


def test_batch_max_rows_binds(database: Database) -> None:
    props = properties(
        database, mode="incrementing", incrementing_column_name="id", table_whitelist="t", batch_max_rows=7
    )
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id serial); INSERT INTO t SELECT FROM generate_series(1, 50)")
    with running(props) as task:
        polls = [task.poll() for _ in range(8)]
    assert all(len(batches) == 1 and len(batches[0]) <= 7 for batches in polls)
    assert [n for batches in polls for n in column(list(batches), "id")] == list(range(1, 51))


def test_left_out_it_means_ten_thousand_rows_a_batch(database: Database) -> None:
    props = properties(database, mode="incrementing", incrementing_column_name="id", table_whitelist="t")
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id serial); INSERT INTO t SELECT FROM generate_series(1, 120000)")
    with running(props) as task:
        batches = poll_rows(task, 120_000)
    assert 5_000 < max(map(len, batches)) <= 10_000
    assert column(batches, "id") == list(range(1, 120_001))


def test_initial_values_bound_a_first_start(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE t (id serial, at timestamptz NOT NULL);"
            "INSERT INTO t (at) SELECT timestamptz '2024-01-01 00:00+00' + n * interval '1 day'"
            " FROM generate_series(0, 9) n"
        )
    ids = {"mode": "incrementing", "incrementing_column_name": "id", "table_whitelist": "t"}
    with running(properties(database, **ids, incrementing_initial=8)) as task:
        assert column(poll_rows(task, 2), "id") == [9, 10]
    times = {"mode": "timestamp", "timestamp_column_name": "at", "table_whitelist": "t"}
    after = int(datetime(2024, 1, 9, tzinfo=UTC).timestamp() * 1000)
    with running(properties(database, **times, timestamp_initial=after)) as task:
        assert column(poll_rows(task, 1), "at") == [datetime(2024, 1, 9, tzinfo=UTC) + timedelta(days=1)]
    with database.connect() as connection, running(properties(database, **times, timestamp_initial=-1)) as task:
        poll_nothing(task, 1)
        connection.execute("INSERT INTO t (at) VALUES (now())")
        assert column(poll_rows(task, 1), "id") == [11]


def test_several_tables_have_their_own_topics_and_offsets(database: Database) -> None:
    props = properties(database, mode="incrementing", incrementing_column_name="id", table_whitelist="a, other.b")
    with database.connect() as connection:
        connection.execute(
            "CREATE SCHEMA other; CREATE TABLE a (id serial); CREATE TABLE other.b (id serial);"
            "INSERT INTO a SELECT FROM generate_series(1, 3); INSERT INTO other.b SELECT FROM generate_series(1, 2)"
        )
    with running(props) as task:
        batches = poll_rows(task, 5)
    found = {batch.topic: (partition(batch)["table"], column([batch], "id")) for batch in batches}
    assert found == {"t-a": ("public.a", [1, 2, 3]), "t-b": ("other.b", [1, 2])}


def test_names_of_every_kind(database: Database) -> None:
    props = properties(
        database, mode="incrementing", incrementing_column_name='i"d', table_whitelist='"My.Table, 100%"'
    )
    props["table.whitelist"] = '"Odd.Table 100%"'
    with database.connect() as connection:
        connection.execute(
            'CREATE TABLE "Odd.Table 100%" ("i""d" serial, "select" text, "한글 %s" int);'
            'INSERT INTO "Odd.Table 100%" ("select", "한글 %s") VALUES (\'x\', 5)'.encode()
        )
    with running(props) as task:
        assert values(poll_rows(task, 1)) == [{'i"d': 1, "select": "x", "한글 %s": 5}]


def test_a_column_that_comes_or_goes_is_taken_up(database: Database) -> None:
    props = properties(database, mode="incrementing", incrementing_column_name="id", table_whitelist="t")
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id serial, a int); INSERT INTO t (a) VALUES (1)")
        with running(props) as task:
            assert values(poll_rows(task, 1)) == [{"id": 1, "a": 1}]
            connection.execute("ALTER TABLE t ADD b text DEFAULT 'x'; INSERT INTO t (a) VALUES (2)")
            assert values(poll_rows(task, 1)) == [{"id": 2, "a": 2, "b": "x"}]
            connection.execute("ALTER TABLE t DROP a, ALTER id TYPE int8; INSERT INTO t (b) VALUES ('y')")
            assert values(poll_rows(task, 1)) == [{"id": 3, "b": "y"}]


def test_views_partitions_and_children(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE p (id serial, k int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
            "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p (k) VALUES (1), (2), (1);"
            "CREATE VIEW v AS SELECT id, k * 10 AS k FROM p"
        )
    for table, ks in (("p", [1, 2, 1]), ("v", [10, 20, 10])):
        props = properties(
            database, mode="incrementing", incrementing_column_name="id", table_whitelist=table, validate_non_null=False
        )
        with running(props) as task:
            assert column(poll_rows(task, 3), "k") == ks


def test_a_column_that_changes_between_the_look_and_the_read_is_looked_at_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails where batches are taken for what was described, whatever has come."""
    props = properties(database, mode="incrementing", incrementing_column_name="id", table_whitelist="t")
    with database.connect() as connection:
        connection.execute("CREATE TABLE t (id serial, a int); INSERT INTO t (a) VALUES (1)")
        with running(props) as task:
            poll_rows(task, 1)
            monkeypatch.setattr(TableReader, "_has_changed", lambda self, session: False)
            connection.execute("ALTER TABLE t ALTER a TYPE float8; INSERT INTO t (a) VALUES (2.5)")
            (batch,) = poll_rows(task, 1)
    assert values([batch]) == [{"id": 2, "a": 2.5}]
    assert batch.value_schema is not None and batch.value_schema.fields[1].schema.type is SchemaType.FLOAT64


def test_a_table_that_is_made_anew_is_followed_with_its_new_locks(database: Database) -> None:
    props = properties(database, mode="incrementing", incrementing_column_name="id", table_whitelist="t")
    with database.connect() as connection, database.connect() as late:
        connection.execute("CREATE TABLE t (id serial, a int); INSERT INTO t (a) VALUES (1)")
        with running(props) as task:
            poll_rows(task, 1)
            connection.execute("DROP TABLE t; CREATE TABLE t (id serial, a int); INSERT INTO t VALUES (10, 10)")
            connection.execute("SELECT setval('t_id_seq', 10)")
            with late.transaction():
                late.execute("INSERT INTO t (a) VALUES (11)")
                connection.execute("INSERT INTO t (a) VALUES (12)")
                stopper = threading.Timer(0.5, task._context.stopping.set)
                stopper.start()
                assert list(task.poll()) == []
            task._context.stopping.clear()
            assert column(poll_rows(task, 3), "a") == [10, 11, 12]
