"""Task configs name the task's class as Java's workers do."""

import json

import pytest

from headrace.connect.api import Connector
from headrace.jdbc.sink.connector import JdbcSinkConnector
from headrace.jdbc.source.connector import JdbcSourceConnector
from tests.connect import recordings

PLUGINS: dict[str, type[Connector]] = {
    "io.aiven.connect.jdbc.JdbcSourceConnector": JdbcSourceConnector,
    "io.aiven.connect.jdbc.JdbcSinkConnector": JdbcSinkConnector,
    "org.apache.kafka.connect.file.FileStreamSourceConnector": Connector,
}


def recorded() -> set[tuple[str, str]]:
    """The connector's class and the task's of every task that Java's workers wrote."""
    classes: dict[str, str] = {}
    pairs: set[tuple[str, str]] = set()
    for topic in ("connect-configs", "eager-configs", "compatible-configs"):
        for record in recordings.records(topic):
            key, value = record.key.decode(), json.loads(record.value or b"null")
            if key.startswith("connector-") and value:
                classes[key.removeprefix("connector-")] = value["properties"]["connector.class"]
            if key.startswith("task-") and value and "task.class" in value["properties"]:
                pairs.add((classes[key.removeprefix("task-").rpartition("-")[0]], value["properties"]["task.class"]))
    return pairs


def test_the_classes_are_those_that_java_wrote():
    found = recorded()
    assert {connector for connector, _ in found} == PLUGINS.keys()
    for connector, task in found:
        assert PLUGINS[connector].java_task_class(connector) == task


@pytest.mark.parametrize(
    ("plugin", "connector", "task"),
    [
        (
            JdbcSourceConnector,
            "io.confluent.connect.jdbc.JdbcSourceConnector",
            "io.confluent.connect.jdbc.source.JdbcSourceTask",
        ),
        (
            JdbcSinkConnector,
            "io.confluent.connect.jdbc.JdbcSinkConnector",
            "io.confluent.connect.jdbc.sink.JdbcSinkTask",
        ),
        (JdbcSinkConnector, "jdbc-sink", "jdbc-sinkTask"),
    ],
)
def test_the_course_names_and_our_own_have_theirs(plugin, connector, task):
    assert plugin.java_task_class(connector) == task
