"""JdbcSourceTask: polls its tables, or its query, in turn.

One owner: everything here belongs to the task's thread, but for `cancel`.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final

from headrace.connect.api import Batch, ConnectError, SourceTask, SourceTaskContext
from headrace.jdbc import errors
from headrace.jdbc.connection import Stopped
from headrace.jdbc.dialects import Dialect, PostgresDialect, TableId
from headrace.jdbc.errors import Verdict
from headrace.jdbc.source import config as configs
from headrace.jdbc.source.config import SourceConfig
from headrace.jdbc.source.fault import INTERRUPTIONS, Fault
from headrace.jdbc.source.offsets import partitions, position
from headrace.jdbc.source.reader import TableReader
from headrace.jdbc.source.relation import TableMissing, find_table
from headrace.jdbc.source.rules import shared_topics
from headrace.jdbc.source.session import Session

log = logging.getLogger(__name__)

IDLE_S: Final = 1.0
"""How long a poll without rows may take."""
LOST_IN_A_ROW: Final = 10
"""How often a connection may break with nothing read in between."""


class JdbcSourceTask(SourceTask):
    def start(self, context: SourceTaskContext, properties: Mapping[str, str]) -> None:
        self._context = context
        self._config: SourceConfig = configs.parse(properties)
        self._dialect: Dialect = PostgresDialect()
        self._session = Session(self._config.target, context.wait, self._config.max_rows, self._config.isolation)
        self._readers: list[TableReader] = []
        self._failures, self._told = 0, ""
        unused = configs.unused(properties) + list(self._config.target.url.ignored)
        if unused and context.task == 0:
            log.warning("connector %s: taken and not acted on: %s", context.connector, ", ".join(unused))

    def poll(self) -> Sequence[Batch]:
        try:
            return self._poll()
        except Stopped:
            return []

    def stop(self) -> None:
        for reader in getattr(self, "_readers", ()):
            for name, count in reader.counts.cut.items():
                log.info("%s: %d times of column %s were cut to milliseconds", reader.name, count, name)
        if hasattr(self, "_session"):
            self._session.close()

    def cancel(self) -> None:
        if hasattr(self, "_session"):
            self._session.cut()

    def _poll(self) -> Sequence[Batch]:
        reader: TableReader | None = None
        try:
            if not self._readers:
                self._readers = self._find_tables()
            deadline = time.monotonic() + IDLE_S
            while not self._context.stopping.is_set():
                reader = self._next(deadline)
                if reader is None:
                    return []
                try:
                    batches = reader.read(self._session)
                except TableMissing as missing:
                    batches = []
                    self._without(reader, missing)
                self._failures, self._told = 0, ""
                if batches:
                    return batches
        except INTERRUPTIONS as error:
            fault = Fault.of(error, _name(reader), self._config.target.user)
        else:
            return []
        self._recover(reader, fault)
        return []

    def _next(self, deadline: float) -> TableReader | None:
        """The reader that is due first, waited for until the deadline; None where none is, or the stop came."""
        now = time.monotonic()
        if not self._readers:
            self._context.wait(deadline - now)
            return None
        reader = min(self._readers, key=lambda each: each.due)
        if reader.due <= now:
            return reader
        stopped = self._context.wait(max(0.0, min(reader.due, deadline) - now))
        return None if stopped or reader.due > deadline else reader

    def _find_tables(self) -> list[TableReader]:
        if self._config.query is not None:
            return [self._reader(None)]
        found = list(filter(None, (self._find(TableId.parse(name)) for name in self._config.tables)))
        for fault in shared_topics(map(str, found)):
            raise ConnectError(fault)
        return [self._reader(table) for table in dict.fromkeys(found)]

    def _find(self, table: TableId) -> TableId | None:
        """The table's full name; None where a pattern chose it and it is gone since."""
        try:
            return find_table(self._session.connection, self._dialect, table, self._config)
        except TableMissing:
            if self._config.tables_listed:
                raise
            log.warning("table %s has been dropped; it is left out", table)
            return None

    def _without(self, reader: TableReader, missing: TableMissing) -> None:
        """Go on without a table that is gone, as long as there is another, or this one may come back soon."""
        reader.leave()
        if not self._config.tables_listed:
            return  # the connector notices, and gives this task other tables
        patience_s = self._config.table_poll_interval_ms / 1000
        if all(each.missing_for_s > patience_s for each in self._readers):
            raise ConnectError(str(missing))

    def _reader(self, table: TableId | None) -> TableReader:
        known = partitions(table)
        offsets = (self._context.offset(partition) for partition in known)
        start = position(next((offset for offset in offsets if offset), None))
        return TableReader(self._config, self._dialect, table, known[0], start)

    def _recover(self, reader: TableReader | None, fault: Fault) -> None:
        """Make ready to go on from the last row that was handed out, or raise ConnectError."""
        self._failures += 1
        if reader is not None:
            reader.reset()
        if self._context.stopping.is_set():
            return
        if fault.lost:
            self._reconnect(_name(reader), fault)
        elif not fault.passing or self._is_tried_out():
            raise ConnectError(fault.sentence)
        elif fault.words:  # without, it is a table that has changed, and no fault as long as that ends
            self._tell(f"{fault.sentence}; trying again")
        if self._failures > 1:
            self._context.wait(min(self._config.target.backoff_ms / 1000, 0.1 * 2**self._failures))

    def _is_tried_out(self) -> bool:
        most = self._config.query_attempts
        return most is not None and self._failures > most

    def _reconnect(self, name: str, fault: Fault) -> None:
        """Give both connections up; the next poll opens them again, and waits where that helps."""
        found = errors.diagnose(fault.words, self._config.target.login)
        full = fault.opening and found.verdict is Verdict.WAIT
        if found.verdict is Verdict.FAIL or (self._failures > LOST_IN_A_ROW and not full):
            raise ConnectError(found.sentence)
        why = found.sentence if full else f"the connection is lost ({fault.words})"
        self._tell(f"{name}: {why}; connecting again")
        self._session.close()

    def _tell(self, text: str) -> None:
        """Say it once, until something else is to be said or a read has succeeded."""
        if text != self._told:
            log.warning("%s", text)
            self._told = text


def _name(reader: TableReader | None) -> str:
    return "database" if reader is None else reader.name
