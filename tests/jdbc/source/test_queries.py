"""Queries: their own clauses, their modes, what they are called, and what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headrace.connect.api import ConnectError
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

QUERY = {"query": "query"}


@pytest.fixture
def orders(database: Database) -> Database:
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE orders (id serial PRIMARY KEY, at timestamptz NOT NULL, price numeric(8,2), kind text);"
            "INSERT INTO orders (at, price, kind) SELECT timestamptz '2024-01-01 00:00+00' + n * interval '1 hour', n,"
            " CASE n % 2 WHEN 0 THEN 'even' ELSE 'odd' END FROM generate_series(1, 6) n"
        )
    return database


QUERIES = [
    "SELECT id, at FROM orders WHERE kind = 'odd'",
    "SELECT id, at FROM orders WHERE kind = 'odd';",
    "SELECT id, at FROM orders WHERE kind = 'odd' ORDER BY price DESC ; ",
    "-- the odd ones\nSELECT id, at FROM orders WHERE kind = 'odd' -- no more",
    "/* the odd; ones */ SELECT id, at FROM orders WHERE kind = 'odd' /* end */;",
    "WITH odd AS (SELECT * FROM orders WHERE kind = 'odd') SELECT id, at FROM odd",
    "SELECT max(id) AS id, max(at) AS at FROM orders WHERE kind = 'odd' GROUP BY price",
    "SELECT id, at FROM orders WHERE kind = 'odd' AND 'a;b' LIKE '%;%' LIMIT 100",
    "SELECT id, at FROM orders WHERE kind = 'odd' UNION ALL SELECT id, at FROM orders WHERE false",
]


@pytest.mark.parametrize("mode", ["bulk", "incrementing", "timestamp", "timestamp+incrementing"])
def test_a_query_with_clauses_of_its_own_works_in_every_mode(orders: Database, mode: str) -> None:
    keys: dict[str, Any] = {"mode": mode, "poll_interval_ms": 60_000}
    if "incrementing" in mode:
        keys["incrementing_column_name"] = "id"
    if "timestamp" in mode:
        keys["timestamp_column_name"] = "at"
    for query in QUERIES:
        with running(properties(orders, **keys, query=query)) as task:
            batches = poll_rows(task, 3)
        assert sorted(column(batches, "id")) == [1, 3, 5], query
        assert {batch.topic for batch in batches} == {"t-"} and partition(batches[0]) == QUERY


def test_a_masked_query_works_and_is_not_shown(orders: Database) -> None:
    props = properties(orders, mode="bulk", poll_interval_ms=60_000)
    props["query.masked"] = "SELECT id FROM orders WHERE kind = 'secret' OR id = 2"
    with running(props) as task:
        assert column(poll_rows(task, 1), "id") == [2]
        assert "secret" not in repr(task._config)
    props["query.masked"] = "SELECT nothing FROM orders"
    with running(props) as task, pytest.raises(ConnectError, match='column "nothing" does not exist') as caught:
        task.poll()
    assert "SELECT" not in str(caught.value)


def test_a_query_goes_on_where_it_stopped_and_finds_what_is_new(orders: Database) -> None:
    keys = {"mode": "timestamp+incrementing", "timestamp_column_name": "at", "incrementing_column_name": "id"}
    props = properties(orders, **keys, query="SELECT * FROM orders WHERE kind = 'even'")
    with orders.connect() as connection, running(props) as task:
        batches = poll_rows(task, 3)
        assert column(batches, "id") == [2, 4, 6]
        poll_nothing(task)
        connection.execute("INSERT INTO orders (at, kind) VALUES (now(), 'odd'), (now(), 'even')")
        assert column(poll_rows(task, 1), "id") == [8]
    with running(props, FakeContext([(QUERY, offsets(batches)[1])])) as task:
        assert column(poll_rows(task, 2), "id") == [6, 8]


def test_a_suffix_ends_every_statement_that_reads_rows(orders: Database) -> None:
    keys = {"mode": "incrementing", "incrementing_column_name": "id", "table_whitelist": "orders"}
    with running(properties(orders, **keys, query_suffix="LIMIT 4")) as task:
        assert column(poll_rows(task, 6), "id") == [1, 2, 3, 4, 5, 6]


def test_a_column_that_is_followed_must_be_among_those_of_the_query(orders: Database) -> None:
    props = properties(orders, mode="incrementing", incrementing_column_name="id", query="SELECT price FROM orders")
    with running(props) as task, pytest.raises(ConnectError, match="query has no column id: correct incrementing"):
        task.poll()


def test_two_columns_of_one_name_are_refused_with_the_fix(orders: Database) -> None:
    query = "SELECT a.*, b.* FROM orders a JOIN orders b USING (id)"
    props = properties(orders, mode="bulk", query=query)
    with running(props) as task, pytest.raises(ConnectError, match=r"give the columns of `query` names of their own"):
        task.poll()


def test_values_of_a_query_have_the_types_of_its_expressions(orders: Database) -> None:
    query = "SELECT id * 2.5 AS a, at AT TIME ZONE 'UTC' AS b, price::text AS c, NULL AS d FROM orders WHERE id = 1"
    with running(properties(orders, mode="bulk", query=query, poll_interval_ms=60_000)) as task:
        assert values(poll_rows(task, 1)) == [
            {"a": "2.5", "b": datetime(2024, 1, 1, 1, tzinfo=UTC), "c": "1.00", "d": None}
        ]


@pytest.mark.parametrize("refuse", [True, False])
def test_columns_that_may_be_null_are_refused_or_their_nulls_left_out(orders: Database, refuse: bool) -> None:
    keys = {"mode": "timestamp", "timestamp_column_name": "seen", "table_whitelist": "orders"}
    with orders.connect() as connection:
        connection.execute("ALTER TABLE orders ADD seen timestamptz; UPDATE orders SET seen = at WHERE id < 3")
    with running(properties(orders, **keys, validate_non_null=refuse)) as task:
        if refuse:
            with pytest.raises(
                ConnectError, match=r"column seen of table public\.orders may be null.*validate.non.null"
            ):
                task.poll()
        else:
            assert column(poll_rows(task, 2), "id") == [1, 2]
            poll_nothing(task)
