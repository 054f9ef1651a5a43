"""JdbcSourceConnector: checks the configuration and gives each task its tables.

Thread rule: a thread of the connector looks for tables where a pattern chooses them; it and the runtime's thread share
`_tables` and `_failure`, each replaced as a whole.
"""

import contextlib
import logging
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import psycopg

import headrace
from headrace.connect.api import (
    ConfigDef,
    ConfigError,
    ConfigValue,
    ConnectError,
    ConnectorContext,
    SourceConnector,
    SourceTask,
)
from headrace.jdbc import connection as connections
from headrace.jdbc import errors
from headrace.jdbc.connection import Stopped, Target
from headrace.jdbc.dialects import PostgresDialect, TableId
from headrace.jdbc.source import config as configs
from headrace.jdbc.source.check import check_database
from headrace.jdbc.source.keys import TABLES_KEY, config_def
from headrace.jdbc.source.rules import shared_topics
from headrace.jdbc.source.task import JdbcSourceTask

log = logging.getLogger(__name__)


class JdbcSourceConnector(SourceConnector):
    """Copies tables, or the rows of a query, into topics."""

    version: ClassVar[str] = headrace.__version__

    def __init__(self) -> None:
        self._properties: dict[str, str] = {}
        self._tables: tuple[str, ...] | None = None
        self._failure: ConnectError | None = None
        self._watcher: threading.Thread | None = None
        self._stopping = threading.Event()

    @classmethod
    def config_def(cls) -> ConfigDef:
        return config_def()

    @classmethod
    def task_class(cls) -> type[SourceTask]:
        return JdbcSourceTask

    @classmethod
    def java_task_class(cls, connector_class: str) -> str:
        """Java's tasks are in a package of their own below the connectors'."""
        package, dot, _ = connector_class.rpartition(".")
        return f"{package}.source.JdbcSourceTask" if dot else super().java_task_class(connector_class)

    @classmethod
    def validate(cls, properties: Mapping[str, Any], *, connect: bool = False) -> list[ConfigValue]:
        values = configs.validate(properties)
        if connect and not any(value.errors for value in values):
            by_name = {value.name: value for value in values}
            for key, text in check_database(configs.parse(properties), _listed(properties)):
                by_name[key].errors.append(text)
        return values

    def start(self, context: ConnectorContext, properties: Mapping[str, str]) -> None:
        self._properties = dict(properties)
        config = configs.parse(properties)
        selection = Selection(config_def().parse(properties))
        if config.query is not None or selection.listed:
            self._tables = tuple(selection.listed)
            return
        self._watcher = threading.Thread(
            target=self._watch,
            args=(context, config.target, selection),
            name=f"tables of {context.connector}",
            daemon=True,
        )
        self._watcher.start()

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        if self._failure is not None:
            raise self._failure
        if configs.parse(self._properties).query is not None:
            return [dict(self._properties)]
        tables = [PostgresDialect().quote_table(TableId.parse(name)) for name in self._tables or ()]
        groups = [tables[at::max_tasks] for at in range(min(len(tables), max_tasks))]
        return [self._properties | {TABLES_KEY: ",".join(group)} for group in groups]

    def stop(self) -> None:
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join(timeout=connections.CONNECT_TIMEOUT_S)

    def _watch(self, context: ConnectorContext, target: Target, selection: "Selection") -> None:
        """Look for the tables again and again; tell the runtime when they change."""
        before = False
        while not self._stopping.is_set():
            try:
                found = selection.look(target, self._stopping.wait, before)
                before = True
                for fault in shared_topics(found):
                    raise ConnectError(fault)
            except Stopped:
                return
            except psycopg.Error as error:
                log.warning("connector %s: %s", context.connector, errors.explain(error, "looking for tables"))
            except ConnectError as error:
                self._failure = error
                log.error("connector %s: %s", context.connector, error)
                context.request_task_reconfiguration()
                return
            else:
                if found != self._tables:
                    self._tables = found
                    if not found:
                        log.warning("connector %s: no table is chosen by its configuration", context.connector)
                    context.request_task_reconfiguration()
            self._stopping.wait(selection.interval_ms / 1000)


class Selection:
    """Which tables the config chooses."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.listed: list[str] = list(dict.fromkeys(filter(None, values["table.whitelist"])))
        self.interval_ms: int = values["table.poll.interval.ms"]
        self._excluded = set(values["table.blacklist"])
        self._include = [re.compile(pattern) for pattern in values["table.include.list"]]
        self._exclude = [re.compile(pattern) for pattern in values["table.exclude.list"]]
        self._schemas = values["schema.pattern"]
        self._types = values["table.types"]

    def look(self, target: Target, wait: connections.Wait, connected_before: bool) -> tuple[str, ...]:
        """The tables that there are now, by their full names."""
        with contextlib.closing(connections.connect(target, wait, connected_before=connected_before)) as connection:
            tables = PostgresDialect().tables(connection, self._types)
            return tuple(
                PostgresDialect().quote_table(table)
                for table in tables
                if self._chosen(connection, table, target.database)
            )

    def _chosen(self, connection: "psycopg.Connection[Any]", table: TableId, database: str) -> bool:
        if self._schemas is not None:
            row = connection.execute("SELECT %s LIKE %s", (table.schema, self._schemas)).fetchone()
            if row is None or not row[0]:
                return False
        names = [str(table), f"{database}.{table}"]
        if not self._include:
            return not self._excluded & {table.name, *names}
        return _any(self._include, names) and not _any(self._exclude, names)


def _any(patterns: Sequence["re.Pattern[str]"], names: Sequence[str]) -> bool:
    return any(pattern.fullmatch(name) for pattern in patterns for name in names)


def _listed(properties: Mapping[str, Any]) -> list[str]:
    with contextlib.suppress(ConfigError):
        return Selection(config_def().parse(properties)).listed
    return []
