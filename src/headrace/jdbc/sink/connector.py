"""JdbcSinkConnector: checks the configuration; every task gets all of it, and the worker shares out the partitions."""

import contextlib
import logging
from collections.abc import Mapping
from typing import Any

import psycopg

from headrace.connect.api import ConfigDef, ConfigError, ConfigValue, ConnectorContext, SinkConnector, SinkTask
from headrace.jdbc import connection as connections
from headrace.jdbc import errors
from headrace.jdbc.sink.keys import sink_config
from headrace.jdbc.sink.postgresql.look import look
from headrace.jdbc.sink.settings import faults_across, listed_topics, not_acted_on, read_settings
from headrace.jdbc.sink.task import JdbcSinkTask

log = logging.getLogger(__name__)


class JdbcSinkConnector(SinkConnector):
    """Rows from topics into the tables of a database."""

    version = "0.1.0"

    @classmethod
    def config_def(cls) -> ConfigDef:
        return sink_config()

    @classmethod
    def task_class(cls) -> type[SinkTask]:
        return JdbcSinkTask

    @classmethod
    def java_task_class(cls, connector_class: str) -> str:
        """Java's tasks are in a package of their own below the connectors'."""
        package, dot, _ = connector_class.rpartition(".")
        return f"{package}.sink.JdbcSinkTask" if dot else super().java_task_class(connector_class)

    @classmethod
    def validate(cls, properties: Mapping[str, Any], *, connect: bool = False) -> list[ConfigValue]:
        values = cls.config_def().validate(properties)
        by_name = {value.name: value for value in values}
        config = {value.name: None if value.errors else value.value for value in values}
        topics = listed_topics(properties)
        for name, texts in faults_across(config, topics).items():
            by_name[name].errors.extend(texts)
        try:
            target = None if by_name["connection.url"].errors else connections.target(config)
        except ConfigError as error:
            by_name["connection.url"].errors.append(str(error))
        if connect and not any(value.errors for value in values) and target is not None:
            for name, text in _ask(target, config, properties):
                by_name[name].errors.append(text)
        return values

    def start(self, context: ConnectorContext, properties: Mapping[str, str]) -> None:
        read_settings(self.config_def().parse(properties), listed_topics(properties))
        self._properties = dict(properties)
        note = not_acted_on(properties)
        if note:
            log.warning("%s: %s", context.connector, note)

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [dict(self._properties) for _ in range(max_tasks)]

    def stop(self) -> None:
        return


def _ask(target: connections.Target, config: Mapping[str, Any], properties: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the database has against the configuration: keys and sentences."""
    found = connections.try_connect(target)
    if not isinstance(found, psycopg.Connection):
        return [(key, found.sentence) for key in _blamed(found.sentence)]
    settings = read_settings(config)
    with contextlib.closing(found):
        try:
            return look(found, settings, properties)
        except ConfigError as error:
            return [("table.name.format", str(error))]
        except psycopg.Error as error:
            return [("connection.url", errors.explain(error, "the target database", target.user))]


def _blamed(sentence: str) -> list[str]:
    """The keys that a sentence of a failed connect names."""
    return [key for key in ("connection.user", "connection.password") if key in sentence] or ["connection.url"]
