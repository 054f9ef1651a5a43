"""JdbcSourceConnector: checks the configuration and gives each task its tables.

Thread rule: a thread of the connector looks for tables where a pattern chooses them; it and the runtime's thread share
`_tables`, `_failure` and `_looked`; the first two are replaced as a whole.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Final

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
from headrace.jdbc.source.selection import Selection
from headrace.jdbc.source.task import JdbcSourceTask

log = logging.getLogger(__name__)

PARTITIONED: Final = "PARTITIONED TABLE"
LOOK_PAUSE_S: Final = 0.05


class JdbcSourceConnector(SourceConnector):
    """Copies tables, or the rows of a query, into topics."""

    version: ClassVar[str] = headrace.__version__

    def __init__(self) -> None:
        self._properties: dict[str, str] = {}
        self._tables: tuple[str, ...] | None = None
        self._failure: ConnectError | None = None
        self._watcher: threading.Thread | None = None
        self._looked = threading.Event()
        self._startup_s = 0.0
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
        self._properties, self._context = dict(properties), context
        values = config_def().parse(properties)
        selection = Selection(values)
        self._startup_s = values["table.monitoring.startup.polling.limit.ms"] / 1000
        if configs.parse(properties).query is not None or selection.listed:
            self._tables = tuple(selection.listed)
            self._looked.set()
            return
        self._watcher = threading.Thread(
            target=self._watch,
            args=(selection, values["table.poll.interval.ms"] / 1000),
            name=f"tables of {context.connector}",
            daemon=True,
        )
        self._watcher.start()

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        self._await_first_look()
        if self._failure is not None:
            raise self._failure
        if configs.parse(self._properties).query is not None:
            return [dict(self._properties)]
        tables = [PostgresDialect().quote_table(TableId.parse(name)) for name in self._tables or ()]
        groups = [tables[at::max_tasks] for at in range(min(len(tables), max_tasks))]
        return [self._properties | {TABLES_KEY: ",".join(group)} for group in groups]

    def _await_first_look(self) -> None:
        """Give the first look a while, so that the connector seldom starts without tasks."""
        deadline = time.monotonic() + self._startup_s
        while not self._looked.wait(LOOK_PAUSE_S) and not self._context.stopping.is_set():
            if time.monotonic() > deadline:
                log.warning(
                    "connector %s: the tables are not known yet; there are no tasks until they are",
                    self._context.connector,
                )
                return

    def stop(self) -> None:
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join(timeout=connections.CONNECT_TIMEOUT_S)

    def _watch(self, selection: Selection, interval_s: float) -> None:
        """Look for the tables again and again; tell the runtime when they change."""
        target = configs.parse(self._properties).target
        while not self._stopping.is_set():
            try:
                found = self._look(selection, target)
            except Stopped:
                return
            except psycopg.Error as error:
                log.warning("connector %s: %s", self._context.connector, errors.explain(error, "looking for tables"))
            except ConnectError as error:
                self._failure = error
                log.error("connector %s: %s", self._context.connector, error)
                self._tell()
                return
            else:
                self._take(found)
            self._stopping.wait(interval_s)

    def _look(self, selection: Selection, target: Target) -> tuple[str, ...]:
        """The tables that there are now and are chosen, by their full names."""
        before = self._tables is not None
        with contextlib.closing(
            connections.connect(target, self._stopping.wait, connected_before=before)
        ) as connection:
            there = PostgresDialect().tables(connection, selection.types)
            if not before:
                self._name_partitioned(selection, connection, target.database)
        found = tuple(PostgresDialect().quote_table(table) for table in selection.chosen(there, target.database))
        for fault in shared_topics(found):
            raise ConnectError(fault)
        return found

    def _name_partitioned(self, selection: Selection, connection: "psycopg.Connection[Any]", database: str) -> None:
        """Partitioned tables that are left out for their type alone: neither they nor their partitions are copied."""
        if PARTITIONED in {kind.strip().upper() for kind in selection.types}:
            return
        passed_over = selection.chosen(PostgresDialect().tables(connection, [PARTITIONED]), database)
        if passed_over:
            log.warning(
                "connector %s: partitioned tables are not copied: %s; set table.types=TABLE,%s to copy them",
                *(self._context.connector, ", ".join(map(str, passed_over)), PARTITIONED),
            )

    def _take(self, found: tuple[str, ...]) -> None:
        known, self._tables = self._tables, found
        if known is not None:
            for word, names in (("new", set(found) - set(known)), ("dropped", set(known) - set(found))):
                if names:
                    log.info("connector %s: tables %s: %s", self._context.connector, word, ", ".join(sorted(names)))
        if known != found:
            if not found:
                log.warning("connector %s: no table is chosen by its configuration", self._context.connector)
            self._tell()

    def _tell(self) -> None:
        """What there is to copy is known, or has changed."""
        self._looked.set()
        self._context.request_task_reconfiguration()


def _listed(properties: Mapping[str, Any]) -> list[str]:
    with contextlib.suppress(ConfigError):
        return Selection(config_def().parse(properties)).listed
    return []
