"""The connector: which tables its tasks get, and what validate finds out from the database."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from headrace.connect.api import ConnectError
from headrace.connect.runtime.host.plugins import connector_class
from headrace.jdbc.source.connector import JdbcSourceConnector
from headrace.jdbc.source.task import JdbcSourceTask
from headrace.testing.postgres import Database
from tests.conftest import free_port
from tests.jdbc.source.harness import FakeContext, properties


@contextlib.contextmanager
def started(props: dict[str, str]) -> Iterator[tuple[JdbcSourceConnector, FakeContext]]:
    connector, context = JdbcSourceConnector(), FakeContext()
    connector.start(context, props)
    try:
        yield connector, context
    finally:
        connector.stop()


def tables(configs: list[dict[str, str]]) -> list[list[str]]:
    return [config["tables"].split(",") for config in configs]


def listed(database: Database, **keys: Any) -> dict[str, str]:
    return properties(database, mode="incrementing", incrementing_column_name="id", **keys)


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("jdbc-source", "jdbc-sourceTask"),
        ("io.confluent.connect.jdbc.JdbcSourceConnector", "io.confluent.connect.jdbc.source.JdbcSourceTask"),
        ("io.aiven.connect.jdbc.JdbcSourceConnector", "io.aiven.connect.jdbc.source.JdbcSourceTask"),
        (
            "com.redpanda.kafka.connect.jdbc.JdbcSourceConnector",
            "com.redpanda.kafka.connect.jdbc.source.JdbcSourceTask",
        ),
    ],
)
def test_the_connector_is_found_under_the_names_of_the_known_ones(name: str, task: str) -> None:
    assert connector_class(name) is JdbcSourceConnector
    assert JdbcSourceConnector.java_task_class(name) == task


def test_tasks_are_as_many_as_tables_and_tasks_max_at_most(database: Database) -> None:
    with started(listed(database, table_whitelist="a,b, other.c")) as (connector, _):
        assert connector.task_class() is JdbcSourceTask
        assert tables(connector.task_configs(2)) == [['"a"', '"other"."c"'], ['"b"']]
        assert tables(connector.task_configs(9)) == [['"a"'], ['"b"'], ['"other"."c"']]


def test_a_query_has_one_task(database: Database) -> None:
    with started(listed(database, query="SELECT 1 AS id")) as (connector, _):
        (config,) = connector.task_configs(4)
        assert config["query"] == "SELECT 1 AS id" and "tables" not in config


def test_a_whitelist_needs_no_database_to_be_split(database: Database) -> None:
    props = listed(database, table_whitelist="a") | {"connection.url": f"jdbc:postgresql://127.0.0.1:{free_port()}/x"}
    with started(props) as (connector, _):
        assert len(connector.task_configs(1)) == 1


ALL = ['"public"."a"', '"public"."ab"', '"s"."a2"']


@pytest.fixture
def schemas(database: Database) -> Database:
    with database.connect() as connection:
        connection.execute(
            "CREATE SCHEMA s; CREATE TABLE a (id serial); CREATE TABLE ab (id serial); CREATE TABLE s.a2 (id serial);"
            "CREATE VIEW av AS SELECT 1 AS id"
        )
    return database


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"table_include_list": r"public\.a.*"}, ['"public"."a"', '"public"."ab"']),
        ({"table_include_list": r".*\.a.*", "table_exclude_list": ".*ab"}, ['"public"."a"', '"s"."a2"']),
        ({"table_include_list": r"test_.*\.s\.a2"}, ['"s"."a2"']),
        ({"table_blacklist": "a"}, ['"public"."ab"', '"s"."a2"']),
        ({"table_blacklist": "a", "schema_pattern": "pub%"}, ['"public"."ab"']),
        ({"table_include_list": ".*", "table_types": "VIEW"}, ['"public"."av"']),
        (
            {"table_include_list": ".*", "table_types": "view,table", "catalog_pattern": "test%"},
            [*ALL, '"public"."av"'],
        ),
        ({"schema_pattern": "%"}, ALL),
        ({"schema_pattern": "%", "catalog_pattern": "other"}, []),
        ({"table_blacklist": 'public.ab,"s"."a2"'}, ['"public"."a"']),
    ],
)
def test_patterns_choose_tables(schemas: Database, keys: dict[str, str], expected: list[str]) -> None:
    with started(listed(schemas, **keys)) as (connector, context):
        assert context.reconfigured.wait(10)
        assert sorted(name for group in tables(connector.task_configs(9)) for name in group) == sorted(expected)


def test_a_table_that_is_made_later_is_taken_up(schemas: Database) -> None:
    props = listed(schemas, table_include_list=r"public\.a.*", table_poll_interval_ms=50)
    with started(props) as (connector, context), schemas.connect() as connection:
        assert context.reconfigured.wait(10)
        context.reconfigured.clear()
        connection.execute("CREATE TABLE a3 (id serial); DROP TABLE ab")
        assert context.reconfigured.wait(10)
        found = [name for group in tables(connector.task_configs(9)) for name in group]
        assert '"public"."a3"' in found


def test_tasks_wait_for_the_first_look_at_the_tables(schemas: Database) -> None:
    """Fails where a connector is given no tasks first, and its tables after that."""
    with started(listed(schemas, table_include_list=".*")) as (connector, _):
        assert len(connector.task_configs(2)) == 2


def test_partitioned_tables_that_are_passed_over_are_named(schemas: Database, caplog: pytest.LogCaptureFixture) -> None:
    with schemas.connect() as connection:
        connection.execute(
            "CREATE TABLE p (id serial) PARTITION BY RANGE (id);"
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9)"
        )
    with started(listed(schemas, table_include_list=r"public\.p.*")) as (connector, _):
        assert connector.task_configs(2) == []
    assert "partitioned tables are not copied: public.p; set table.types=TABLE,PARTITIONED TABLE" in caplog.text
    caplog.clear()
    both = listed(schemas, table_include_list=r"public\.p.*", table_types="TABLE,PARTITIONED TABLE")
    with started(both) as (connector, _):
        assert tables(connector.task_configs(2)) == [['"public"."p"']]
    assert "not copied" not in caplog.text


def test_a_database_that_is_away_does_not_hold_the_connector_up_for_longer_than_the_limit(schemas: Database) -> None:
    props = listed(schemas, table_include_list=".*", table_monitoring_startup_polling_limit_ms=20)
    with started(props | {"connection.url": f"jdbc:postgresql://127.0.0.1:{free_port()}/x"}) as (connector, _):
        assert connector.task_configs(2) == []


def test_a_pattern_with_a_wrong_password_fails_when_tasks_are_asked_for(schemas: Database) -> None:
    props = listed(schemas, table_include_list=".*") | {"connection.password": "wrong"}
    with started(props) as (connector, context):
        assert context.reconfigured.wait(10)
        with pytest.raises(ConnectError, match="refuses the password"):
            connector.task_configs(1)


def test_patterns_that_choose_two_tables_for_one_topic_fail(schemas: Database) -> None:
    with schemas.connect() as connection:
        connection.execute("CREATE TABLE s.a (id serial)")
    with started(listed(schemas, table_include_list=".*")) as (connector, context):
        assert context.reconfigured.wait(10)
        with pytest.raises(ConnectError, match=r"tables public.a and s.a would share a topic"):
            connector.task_configs(1)


def errors(props: dict[str, str], connect: bool = True) -> dict[str, list[str]]:
    return {value.name: value.errors for value in JdbcSourceConnector.validate(props, connect=connect) if value.errors}


def test_validate_asks_the_database_only_when_it_may(schemas: Database) -> None:
    props = listed(schemas, table_whitelist="a") | {"connection.password": "wrong"}
    assert errors(props, connect=False) == {}
    found = errors(props)
    assert set(found) == {"connection.user", "connection.password"}
    assert "refuses the password of user 'headrace'" in found["connection.password"][0]


def test_validate_tells_beforehand_what_a_task_would_fail_with(schemas: Database) -> None:
    assert errors(listed(schemas, table_whitelist="a,s.a2")) == {}
    assert "there is no table gone" in errors(listed(schemas, table_whitelist="a,gone"))["table.whitelist"][0]
    missing = listed(schemas, table_whitelist="a") | {"incrementing.column.name": "nr"}
    assert "has no column nr" in errors(missing)["incrementing.column.name"][0]
    missing = listed(schemas, query="SELECT nr FROM a")
    assert 'column "nr" does not exist' in errors(missing)["query"][0]
    away = listed(schemas, table_whitelist="a") | {"connection.url": f"jdbc:postgresql://127.0.0.1:{free_port()}/x"}
    assert "no PostgreSQL server answers at" in errors(away)["connection.url"][0]
    gone = listed(schemas, table_whitelist="a") | {"connection.url": schemas.jdbc_url + "_gone"}
    assert "there is no database" in errors(gone)["connection.url"][0]
