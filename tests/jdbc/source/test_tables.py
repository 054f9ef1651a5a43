"""Tables that come, go and change while a task reads them."""

import logging
import time

import pytest

from headrace.connect.api import ConnectError, SchemaType
from headrace.jdbc.source.connector import JdbcSourceConnector
from headrace.jdbc.source.task import JdbcSourceTask
from headrace.testing.postgres import Database
from tests.jdbc.source.harness import (
    FakeContext,
    column,
    offsets,
    poll_nothing,
    poll_rows,
    properties,
    running,
    task_properties,
    values,
)

BY_ID = {"mode": "incrementing", "incrementing_column_name": "id"}


@pytest.fixture
def tables(database: Database) -> Database:
    with database.connect() as connection:
        for name in ("a", "b"):
            connection.execute(f"CREATE TABLE {name} (id serial, v int); INSERT INTO {name} (v) VALUES (1)".encode())
    return database


def test_a_table_that_is_dropped_leaves_the_others_of_its_task_alone(
    tables: Database, caplog: pytest.LogCaptureFixture
) -> None:
    props = properties(tables, **BY_ID, table_whitelist="a,b", table_poll_interval_ms=1)
    with tables.connect() as connection, running(props) as task:
        poll_rows(task, 2)
        connection.execute("DROP TABLE a; INSERT INTO b (v) VALUES (2)")
        assert column(poll_rows(task, 1), "v") == [2]
        poll_nothing(task)
        connection.execute("INSERT INTO b (v) VALUES (3)")
        assert column(poll_rows(task, 1), "v") == [3]
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == ["table public.a has been dropped; it is read on if it comes back"]


def test_a_table_that_is_swapped_for_another_is_read_on(tables: Database) -> None:
    props = properties(tables, **BY_ID, table_whitelist="a")
    with tables.connect() as connection, running(props) as task:
        poll_rows(task, 1)
        connection.execute("DROP TABLE a")
        poll_nothing(task)
        connection.execute("CREATE TABLE a (id int NOT NULL, w text); INSERT INTO a VALUES (1, 'old'), (2, 'new')")
        assert values(poll_rows(task, 1)) == [{"id": 2, "w": "new"}]


def test_a_task_whose_only_table_stays_away_fails_and_says_so(tables: Database) -> None:
    props = properties(tables, **BY_ID, table_whitelist="a", table_poll_interval_ms=100)
    with tables.connect() as connection, running(props) as task:
        poll_rows(task, 1)
        connection.execute("DROP TABLE a")
        with pytest.raises(ConnectError, match=r"there is no table public\.a in database"):
            poll_for(task, 20)


def test_a_listed_table_that_was_never_there_fails_the_task(tables: Database) -> None:
    props = properties(tables, **BY_ID, table_whitelist="a,gone")
    with running(props) as task, pytest.raises(ConnectError, match="there is no table gone in database"):
        task.poll()


def test_a_table_that_a_pattern_chose_may_go_between_the_look_and_the_start(tables: Database) -> None:
    props = task_properties(properties(tables, **BY_ID, table_include_list=r"public\..*"))
    with tables.connect() as connection:
        connection.execute("DROP TABLE a")
        with started(props) as task:
            assert [batch.topic for batch in poll_rows(task, 1)] == ["t-b"]
        connection.execute("DROP TABLE b")
        with started(props) as task:
            poll_nothing(task, 1)


def poll_for(task: JdbcSourceTask, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        task.poll()


class started:
    """A task of a task's own config."""

    def __init__(self, props: dict[str, str]) -> None:
        self.task, self.props = JdbcSourceTask(), props

    def __enter__(self) -> JdbcSourceTask:
        self.task.start(FakeContext(), self.props)
        return self.task

    def __exit__(self, *_: object) -> None:
        self.task.stop()


def test_a_schema_pattern_says_which_table_of_a_name_is_meant(tables: Database) -> None:
    with tables.connect() as connection:
        connection.execute("CREATE SCHEMA s; CREATE TABLE s.a (id serial, v int); INSERT INTO s.a (v) VALUES (7)")
    with running(properties(tables, **BY_ID, table_whitelist="a", schema_pattern="s")) as task:
        assert column(poll_rows(task, 1), "v") == [7]
    both = properties(tables, **BY_ID, table_whitelist="a", schema_pattern="%")
    with running(both) as task, pytest.raises(ConnectError, match=r"write one of public\.a, s\.a in table.whitelist"):
        task.poll()
    none = properties(tables, **BY_ID, table_whitelist="a", schema_pattern="x")
    with running(none) as task, pytest.raises(ConnectError, match="no table a in the schemas like x"):
        task.poll()
    found = {value.name: value.errors for value in JdbcSourceConnector.validate(none, connect=True) if value.errors}
    assert "no table a in the schemas like x" in found["table.whitelist"][0]


def test_columns_that_are_added_and_changed_lose_no_row(tables: Database) -> None:
    """The rows before the change have the old schema, those after it the new one."""
    with tables.connect() as connection, running(properties(tables, **BY_ID, table_whitelist="a,b")) as task:
        batches = poll_rows(task, 2)
        connection.execute("INSERT INTO a (v) VALUES (2); ALTER TABLE a ADD w text, ALTER v TYPE numeric(8,2)")
        connection.execute("INSERT INTO a (v, w) VALUES (3.5, 'x'); INSERT INTO b (v) VALUES (2)")
        connection.execute("ALTER TABLE b RENAME v TO u; INSERT INTO b (u) VALUES (3)")
        batches += poll_rows(task, 4)
    rows = [(batch.topic, row) for batch in batches for row in values([batch])]
    assert [row["id"] for topic, row in rows if topic == "t-a"] == [1, 2, 3]
    assert [row.get("v", row.get("u")) for topic, row in rows if topic == "t-b"] == [1, 2, 3]
    last = [batch.value_schema for batch in batches if batch.topic == "t-a"][-1]
    assert last is not None
    assert [(field.name, field.schema.type) for field in last.fields] == [
        ("id", SchemaType.INT32),
        ("v", SchemaType.BYTES),
        ("w", SchemaType.STRING),
    ]


def test_a_column_that_is_followed_and_dropped_is_named(tables: Database) -> None:
    with tables.connect() as connection, running(properties(tables, **BY_ID, table_whitelist="a")) as task:
        poll_rows(task, 1)
        connection.execute("ALTER TABLE a DROP id")
        with pytest.raises(ConnectError, match=r"table public\.a has no column id: correct incrementing.column.name"):
            poll_nothing(task)


def test_numbers_that_begin_anew_are_warned_of(tables: Database, caplog: pytest.LogCaptureFixture) -> None:
    stored = [({"protocol": "1", "table": "public.a"}, {"incrementing": 5})]
    props = properties(tables, **BY_ID, table_whitelist="a")
    with tables.connect() as connection, running(props, FakeContext(stored)) as task:
        poll_nothing(task)
        connection.execute("INSERT INTO a VALUES (6, 6)")
        assert offsets(poll_rows(task, 1)) == [{"incrementing": 6}]
    (said,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert 'the highest "id" is 1, and rows up to 5 have been read already' in said


def test_columns_are_found_by_table_with_the_database_in_the_name_or_without(tables: Database) -> None:
    mapping = rf"public\.a:[id],{tables.name}\.public\.b:v"
    mapping = mapping.replace("[id]", "id")
    props = properties(
        tables, mode="incrementing", table_whitelist="a,b", incrementing_column_mapping=mapping, validate_non_null=False
    )
    with tables.connect() as connection:
        connection.execute("UPDATE b SET v = 40")
    with running(props) as task:
        batches = poll_rows(task, 2)
    assert {batch.topic: offsets([batch]) for batch in batches} == {
        "t-a": [{"incrementing": 1}],
        "t-b": [{"incrementing": 40}],
    }


def test_timestamp_columns_by_table(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE a (made timestamptz, changed timestamptz); CREATE TABLE b (at timestamptz NOT NULL);"
            "INSERT INTO a VALUES ('2024-01-01 00:00+00', NULL); INSERT INTO b VALUES ('2024-01-02 00:00+00')"
        )
    props = properties(database, mode="timestamp", table_whitelist="a,b", validate_non_null=False)
    props["timestamp.columns.mapping"] = r"public\.a:[changed|made],public\.b:[at]"
    with running(props) as task:
        batches = poll_rows(task, 2)
    assert {batch.topic: offsets([batch])[0]["timestamp"] for batch in batches} == {
        "t-a": 1704067200000,
        "t-b": 1704153600000,
    }


@pytest.mark.parametrize(("mode", "expected"), [("REPEATABLE_READ", "repeatable read"), ("DEFAULT", "read committed")])
def test_rows_are_read_at_the_isolation_level_that_is_asked_for(database: Database, mode: str, expected: str) -> None:
    query = "SELECT current_setting('transaction_isolation') AS level"
    props = properties(database, mode="bulk", query=query, transaction_isolation_mode=mode, poll_interval_ms=60_000)
    with running(props) as task:
        assert column(poll_rows(task, 1), "level") == [expected]
