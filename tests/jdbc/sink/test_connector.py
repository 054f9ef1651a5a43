"""The connector: what a configuration alone shows, and what the database says beforehand."""

import json
import logging
from importlib.metadata import entry_points
from typing import Any

import pytest

from headrace.connect.api import ConfigError
from headrace.jdbc.sink.connector import JdbcSinkConnector
from headrace.jdbc.sink.settings import ACCEPTED, read_settings, sink_config
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
    ["jdbc-sink", "io.confluent.connect.jdbc.JdbcSinkConnector", "io.aiven.connect.jdbc.JdbcSinkConnector"],
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
        ({"batch.size": "0"}, "batch.size", "Value must be at least 1"),
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
