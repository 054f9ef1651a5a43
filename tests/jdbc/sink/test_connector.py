"""The connector: what a configuration alone shows, and what the database says beforehand."""

import json
import logging
from importlib.metadata import entry_points
from typing import Any

import pytest

from headrace.connect.api import ConfigError, ConnectError
from headrace.jdbc.dialects import TableId
from headrace.jdbc.sink.connector import JdbcSinkConnector
from headrace.jdbc.sink.keys import ACCEPTED, sink_config
from headrace.jdbc.sink.settings import read_settings
from headrace.jdbc.sink.task import JdbcSinkTask
from headrace.testing.postgres import Database
from tests.jdbc.sink.harness import Context, settings

TUTORIAL = json.loads("""{
    "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
    "connection.url": "jdbc:postgresql://target-postgres-server:5432/targetdatabase",
    "connection.user": "targetuser",
    "connection.password": "targetpassword",
    "table.name.format": "iris_data",
    "topics": "postgres-source-iris_data",
    "auto.create": false,
    "auto.evolve": false,
    "tasks.max": 2,
    "transforms": "TimestampConverter",
    "transforms.TimestampConverter.type": "org.apache.kafka.connect.transforms.TimestampConverter$Value",
    "transforms.TimestampConverter.field": "timestamp",
    "transforms.TimestampConverter.format": "yyyy-MM-dd HH:mm:ss.S",
    "transforms.TimestampConverter.target.type": "Timestamp"
}""")
URL = {"connection.url": "jdbc:postgresql://db/x"}


def errors(properties: dict[str, Any], *, connect: bool = False) -> dict[str, list[str]]:
    return {
        value.name: value.errors for value in JdbcSinkConnector.validate(properties, connect=connect) if value.errors
    }


def test_the_tutorials_file_is_valid_and_every_task_gets_it() -> None:
    assert errors(TUTORIAL) == {}
    connector = JdbcSinkConnector()
    properties = {name: str(value) for name, value in TUTORIAL.items()}
    connector.start(Context(), properties)  # type: ignore[arg-type]
    assert connector.task_configs(2) == [properties, properties]
    assert connector.task_class() is JdbcSinkTask
    connector.stop()


@pytest.mark.parametrize(
    "name",
    [
        "jdbc-sink",
        "io.confluent.connect.jdbc.JdbcSinkConnector",
        "io.aiven.connect.jdbc.JdbcSinkConnector",
        "com.redpanda.kafka.connect.jdbc.JdbcSinkConnector",
    ],
)
def test_the_connector_is_found_under_its_names(name: str) -> None:
    (entry,) = entry_points(group="headrace.connectors", name=name)
    assert entry.load() is JdbcSinkConnector


def test_defaults_are_those_of_the_known_connectors() -> None:
    found = read_settings(sink_config().parse(URL))
    assert (found.insert_mode, found.pk_mode, found.pk_fields, found.table_name_format) == (
        "insert",
        "none",
        (),
        "${topic}",
    )
    assert not (found.auto_create or found.auto_evolve or found.delete_enabled)
    assert (found.time_zone, found.replace_null_with_default, found.quote_always) == ("UTC", True, True)
    assert (found.batch_size, found.max_retries, found.retry_backoff_ms) == (None, None, None)


@pytest.mark.parametrize(
    ("properties", "key", "words"),
    [
        ({"connection.url": ""}, "connection.url", "connection.url is missing"),
        ({"connection.url": "jdbc:oracle:thin:@x"}, "connection.url", "only for PostgreSQL"),
        ({"insert.mode": "merge"}, "insert.mode", "String must be one of: insert, upsert, update"),
        ({"insert.mode": "upsert"}, "pk.mode", "insert.mode=upsert needs a primary key"),
        ({"insert.mode": "update"}, "pk.mode", "insert.mode=update needs a primary key"),
        ({"pk.mode": "value"}, "pk.mode", "String must be one of: none, kafka, record_key, record_value"),
        ({"pk.mode": "kafka", "pk.fields": "a,b"}, "pk.fields", "three names"),
        ({"delete.enabled": "true"}, "delete.enabled", "needs pk.mode=record_key"),
        ({"batch.size": "-1"}, "batch.size", "Value must be at least 0"),
        ({"insert.mode": "UPSERT"}, "pk.mode", "insert.mode=upsert needs a primary key"),
        ({"insert.mode": "Upsert"}, "insert.mode", "String must be one of"),
        ({"delete.enabled": "true", "pk.mode": "record_value"}, "delete.enabled", "needs pk.mode=record_key"),
        ({"pk.mode": "record_value", "pk.fields": "id,x,id"}, "pk.fields", "id is named twice"),
        ({"dialect.name": "MySqlDatabaseDialect"}, "dialect.name", "PostgreSqlDatabaseDialect"),
        ({"table.types": "TABLE,INDEX"}, "table.types", "TABLE, PARTITIONED TABLE, VIEW, FOREIGN TABLE"),
        ({"topics.to.tables.mapping": "a:b,c"}, "topics.to.tables.mapping", "'c' is no pair: write topic:table"),
        ({"topics.to.tables.mapping": "a:b,a:c"}, "topics.to.tables.mapping", "topic a has two tables"),
        ({"topics.to.tables.mapping": "a:b.c.d.e"}, "topics.to.tables.mapping", "write table or schema.table"),
        ({"topics": "fine,a.b.c.d"}, "table.name.format", "for topic a.b.c.d: 'a.b.c.d' is no table name"),
        ({"quote.sql.identifiers": "never", "sql.quote.identifiers": "true"}, "sql.quote.identifiers", "the opposite"),
        ({"timestamp.precision.mode": "seconds"}, "timestamp.precision.mode", "microseconds, nanoseconds"),
        ({"max.retries": "-1"}, "max.retries", "Value must be at least 0"),
        ({"table.name.format": "a.b.c.d"}, "table.name.format", "write table or schema.table"),
        ({"db.timezone": "Mars"}, "db.timezone", "no such time zone"),
        ({"auto.create": "si"}, "auto.create", "either true or false"),
        ({"quote.sql.identifiers": "maybe"}, "quote.sql.identifiers", "String must be one of"),
    ],
)
def test_a_bad_configuration_is_refused_with_key_and_remedy(properties: dict[str, str], key: str, words: str) -> None:
    found = errors(URL | properties)
    assert list(found) == [key]
    assert words in found[key][0]


def test_topics_with_many_dots_are_fine_where_they_are_not_the_tables_name() -> None:
    topics = URL | {"topics": "a.b.c.d"}
    assert errors(topics | {"table.name.format": '"${topic}"'}) == {}
    assert errors(topics | {"table.name.normalize": "true"}) == {}
    assert errors(topics | {"topics.to.tables.mapping": "a.b.c.d:t"}) == {}


def test_values_in_upper_case_are_taken_as_the_known_connectors_do() -> None:
    given = {"insert.mode": "UPSERT", "pk.mode": "RECORD_VALUE", "pk.fields": "id", "batch.size": "0"}
    assert errors(URL | given) == {}
    found = read_settings(sink_config().parse(URL | given))
    assert (found.insert_mode, found.pk_mode, found.batch_size) == ("upsert", "record_value", None)
    assert read_settings(sink_config().parse(URL | {"insert.mode": "multi"})).insert_mode == "insert"


@pytest.mark.parametrize(
    ("format", "more", "table"),
    [
        ("${topic}", {}, ("my", "topic-1")),
        ('"${topic}"', {}, (None, "my.topic-1")),
        ("s.x_${topic}", {"table.name.normalize": "true"}, (None, "s_x_my_topic_1")),
        ("${topic}", {"topics.to.tables.mapping": "other:o, my.topic-1 : S.Iris"}, ("S", "Iris")),
        ("${topic}", {"topics.to.tables.mapping": 'other:o,my.topic-1:"a.b"'}, (None, "a.b")),
        ("T_${topic}", {"topics.to.tables.mapping": "other:o", "quote.sql.identifiers": "never"}, ("t_my", "topic-1")),
        ("T", {"sql.quote.identifiers": "false"}, (None, "t")),
    ],
)
def test_the_table_of_a_topic(format: str, more: dict[str, str], table: tuple[str | None, str]) -> None:
    found = read_settings(sink_config().parse(URL | more | {"table.name.format": format}))
    assert found.table_name("my.topic-1") == TableId(*table)


@pytest.mark.parametrize("zone", ["UTC", "Z", "UTC+2", "GMT+09:00", "-0330", "Asia/Seoul", "CET"])
def test_time_zones_are_named_as_in_java(zone: str) -> None:
    assert errors(URL | {"db.timezone": zone}) == {}


def test_a_start_refuses_what_validate_refuses() -> None:
    with pytest.raises(ConfigError, match=r"needs a primary key"):
        JdbcSinkConnector().start(Context(), URL | {"insert.mode": "upsert"})  # type: ignore[arg-type]


def test_keys_that_are_not_acted_on_are_named_in_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    given = dict.fromkeys(ACCEPTED, "x")
    assert errors(URL | given) == {}
    with caplog.at_level(logging.WARNING):
        JdbcSinkConnector().start(Context(), URL | given)  # type: ignore[arg-type]
    (record,) = caplog.records
    assert all(name in record.getMessage() for name in ACCEPTED)


def test_the_wrong_password_of_the_tutorial_is_told_beforehand(database: Database) -> None:
    wrong = settings(database, connection_password="targetpassword")
    assert errors(wrong) == {}
    found = errors(wrong, connect=True)
    assert list(found) == ["connection.user", "connection.password"]
    assert "refuses the password of user 'headrace'" in found["connection.password"][0]
    assert "targetpassword" not in str(found)


def test_a_missing_database_and_a_missing_table_are_told_beforehand(database: Database) -> None:
    nowhere = settings(database, connection_url=database.server.jdbc_url("nowhere"))
    assert "there is no database 'nowhere'" in errors(nowhere, connect=True)["connection.url"][0]
    no_table = settings(database, topics="iris, iris", table_name_format="x_${topic}")
    found = errors(no_table, connect=True)
    assert list(found) == ["table.name.format"]
    assert found["table.name.format"][0] == (
        f"there is no table x_iris in database '{database.name}': "
        "set auto.create=true, or correct table.name.format, or create it"
    )
    assert errors(no_table | {"auto.create": "true"}, connect=True) == {}


def test_a_configuration_that_the_database_agrees_with(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE iris (id int)")
    assert errors(settings(database, topics="iris", table_name_format="${topic}"), connect=True) == {}


@pytest.mark.parametrize(
    ("given", "key", "words"),
    [
        (
            {"pk.fields": "no"},
            "pk.fields",
            "pk.fields names 'no', and table public.iris has no such column; it has id, ",
        ),
        ({"pk.fields": "name"}, "pk.fields", 'no primary key or unique index on ("name")'),
        ({"pk.fields": "id", "fields.whitelist": "name,nome"}, "fields.whitelist", "fields.whitelist names 'nome'"),
        ({"pk.fields": "id", "table.types": "VIEW"}, "table.types", "public.iris is a TABLE, and table.types=VIEW"),
    ],
)
def test_what_the_table_shows_is_told_beforehand_and_at_the_start(
    database: Database, given: dict[str, str], key: str, words: str
) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE iris (id int PRIMARY KEY, name text)")
    upsert = {"insert.mode": "upsert", "pk.mode": "record_value", "topics": "iris", "table.name.format": "${topic}"}
    properties = settings(database) | upsert | given
    found = errors(properties, connect=True)
    assert list(found) == [key]
    assert words in found[key][0]
    task = JdbcSinkTask()
    with pytest.raises(ConnectError) as caught:
        task.start(Context(), properties)
    assert words in str(caught.value)


def test_the_table_of_topics_that_are_not_known_yet_is_told_where_the_format_names_it(database: Database) -> None:
    given = settings(database, topics_regex="a.*", table_name_format="nowhere")
    assert "there is no table nowhere" in errors(given, connect=True)["table.name.format"][0]
    assert errors(given | {"table.name.format": "${topic}"}, connect=True) == {}
