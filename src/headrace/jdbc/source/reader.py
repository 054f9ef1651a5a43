"""One table (or the query) of a source task: how far it is read, and its next batches.

A window is what lies between the position and a high mark; it is read in one statement, as a stream. Thread rule: the
task's thread.
"""

import logging
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import psycopg
import pyarrow as pa

from headrace.connect.api import Batch, ConnectError, DataError, SourceOrigin, arrow_type, to_values
from headrace.jdbc.connection import Stopped
from headrace.jdbc.dialects import Dialect, TableId
from headrace.jdbc.source import columns as readers
from headrace.jdbc.source import statements, visibility
from headrace.jdbc.source.config import SourceConfig
from headrace.jdbc.source.fault import SchemaChanged
from headrace.jdbc.source.keys import BATCH_ROWS, BULK
from headrace.jdbc.source.offsets import Offsets, Position, complete_times
from headrace.jdbc.source.relation import Relation, describe_query, describe_table, statement
from headrace.jdbc.source.session import Session

log = logging.getLogger(__name__)

_BEFORE_ALL: Final = np.iinfo(np.int64).min
"""The time of -infinity."""


@dataclass(frozen=True, slots=True)
class Window:
    """A statement that runs: its rows to come, and the relation as it was when it began."""

    relation: Relation
    batches: Iterator[tuple[pa.RecordBatch, pa.RecordBatch | None]]


class TableReader:
    """Reads one source partition; `table` None is the query."""

    def __init__(
        self, config: SourceConfig, dialect: Dialect, table: TableId | None, partition: dict[str, Any], start: Position
    ) -> None:
        self.config, self.dialect, self.table, self.partition = config, dialect, table, partition
        self.position = start
        self.due = 0.0
        self.counts = readers.Counts()
        self._topic = config.prefix + (table.name if table else "")
        self._relation: Relation | None = None
        self._fingerprint: str | None = None
        self._window: Window | None = None
        self._made: deque[Batch] = deque()
        self._warned: set[str] = set()
        self._missing_since: float | None = None

    @property
    def missing_for_s(self) -> float:
        """How long the table has been gone; 0 where it is there."""
        return 0.0 if self._missing_since is None else time.monotonic() - self._missing_since

    @property
    def name(self) -> str:
        return f"table {self.table}" if self.table else "query"

    def read(self, session: Session) -> list[Batch]:
        """The next batches; empty where there is nothing more now, and then `due` says when to look again.

        Raises Stopped, ConnectError (TableMissing among them, after which `leave` is called), and the errors of
        psycopg and of the stream, after which `reset` is called.
        """
        if not self._made and (self._window is not None or self._begin(session)):
            self._advance()
        if not self._made:
            self.due = time.monotonic() + self.config.poll_interval_ms / 1000
            return []
        if self.config.max_rows is not None:
            return [self._made.popleft()]
        made, self._made = list(self._made), deque()
        return made

    def reset(self) -> None:
        """Forget the statement that ran: its connection is gone. What has been made of it stays."""
        self._window = None

    def leave(self) -> None:
        """The table is gone: look for it again after an interval."""
        self._window = self._relation = None
        self.due = time.monotonic() + self.config.poll_interval_ms / 1000
        if self._missing_since is None:
            self._missing_since = time.monotonic()
            log.warning("%s has been dropped; it is read on if it comes back", self.name)

    def _advance(self) -> None:
        assert self._window is not None
        relation = self._window.relation
        try:
            batch, following = next(self._window.batches)
        except StopIteration:
            self._window = None
            return
        if batch.schema.types[: len(relation.columns)] != relation.raw_types:
            log.info("%s has changed while it was read; reading on with its columns as they are now", self.name)
            self._window = self._relation = None
            raise SchemaChanged
        self._made.extend(self._batches(relation, batch, following))
        self._warn()

    # Windows.

    def _begin(self, session: Session) -> bool:
        """As `_open`; a fault that comes of a table that has changed since it was described is SchemaChanged."""
        described = self._relation is not None
        try:
            return self._open(session)
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            self._relation = None
            if not described or self.table is None:
                raise
            raise SchemaChanged from None

    def _open(self, session: Session) -> bool:
        """Begin a window; false where there is nothing new."""
        if self.config.mode == BULK:
            relation = self._describe(session)
            self._window = Window(relation, _single(self._stream(session, relation, [])))
            return True
        relation = self._relation or self._describe(session)
        self._start(session, relation)
        high = self._high(session, relation)
        if high is None:
            return False
        self._wait_for_writers(session, relation)
        if self._has_changed(session):
            self._relation = None
            return self._open(session)
        where = statements.conditions(relation.cursor, self.position, high)
        stream = self._stream(session, relation, where)
        follows = relation.cursor.times and relation.cursor.incrementing is None
        self._window = Window(relation, _with_following(stream) if follows else _single(stream))
        return True

    def _stream(self, session: Session, relation: Relation, where: list[str]) -> Iterator[pa.RecordBatch]:
        return session.streams.read(statement(relation, where, self.config.suffix))

    def _describe(self, session: Session) -> Relation:
        relation = self._described(session)
        for level, text in relation.losses:
            if text not in self._warned:
                self._warned.add(text)
                log.log(level, "%s: %s; headrace.exact.types=true keeps all of it, as text", self.name, text)
        return relation

    def _described(self, session: Session) -> Relation:
        connection = session.connection
        if self.table is None:
            assert self.config.query is not None
            self._relation = describe_query(connection, self.dialect, self.config.query, self.config)
        else:
            self._fingerprint = self.dialect.fingerprint(connection, self.table)
            self._relation = describe_table(connection, self.dialect, self.table, self.config)
            if self._missing_since is not None:
                log.info("%s is there again", self.name)
                self._missing_since = None
        return self._relation

    def _has_changed(self, session: Session) -> bool:
        """Whether the table is another one, or has other columns, than when it was described."""
        if self.table is None:
            return False
        return self.dialect.fingerprint(session.connection, self.table) != self._fingerprint

    def _start(self, session: Session, relation: Relation) -> None:
        """Take the initial values of the config where there is no offset."""
        time_us, incrementing = self.position.time_us, self.position.incrementing
        initial = self.config.timestamp_initial_ms
        if relation.cursor.times and time_us is None and initial is not None:
            time_us = initial * 1000
            if self.config.starts_now:
                now = statements.now_sql(relation.cursor, 0)
                time_us = _one(session, f"SELECT {statements.microseconds_sql(relation.cursor.instant_sql(now))}")
        if relation.cursor.incrementing is not None and incrementing is None and not relation.cursor.times:
            incrementing = self.config.incrementing_initial
        self.position = Position(time_us, incrementing)

    def _high(self, session: Session, relation: Relation) -> Position | None:
        """The mark to read up to; None where nothing lies beyond the position."""
        cursor = relation.cursor
        if not cursor.times:
            highest = _one(session, statements.high_incrementing(cursor, relation.sql))
            last = self.position.incrementing
            self._look_back(cursor, highest, last)
            return None if highest is None or (last is not None and highest <= last) else Position(None, highest)
        latest = _one(session, statements.high_time(cursor, relation.sql, self.config.delay_ms))
        last = self.position.time_us
        if latest is None or (last is not None and latest < last):
            return None
        if latest == last and not self._more_at(session, relation):
            return None
        return Position(latest, None)

    def _look_back(self, cursor: statements.Cursor, highest: int | None, last: int | None) -> None:
        """Say so where the numbers have begun anew: rows that come now are not read."""
        if highest is None or last is None or highest >= last or "" in self._warned:
            return
        self._warned.add("")
        log.warning(
            "%s: the highest %s is %d, and rows up to %d have been read already: if the table was made anew, or its "
            "sequence set back, stop the connector and delete its offsets to read it again",
            *(self.name, cursor.incrementing_sql.rpartition(".")[2], highest, last),
        )

    def _more_at(self, session: Session, relation: Relation) -> bool:
        """Whether there are rows beyond the position that have its very time."""
        if relation.cursor.incrementing is None or self.position.incrementing is None:
            return False
        where = statements.conditions(relation.cursor, self.position, self.position)
        return _one(session, f"SELECT 1 FROM {relation.sql} WHERE {' AND '.join(where)} LIMIT 1") is not None

    def _wait_for_writers(self, session: Session, relation: Relation) -> None:
        connection = session.connection
        if relation.oid is not None and not relation.cursor.times:
            holders = visibility.writers_of(connection, relation.oid)
        else:
            holders = visibility.transactions(connection, self.config.target.application)
        if not visibility.wait_until_ended(connection, holders, session.wait, self.name):
            raise Stopped(f"stopped while waiting for transactions on {self.name}")

    # Batches.

    def _batches(self, relation: Relation, batch: pa.RecordBatch, following: pa.RecordBatch | None) -> Iterator[Batch]:
        value = self._value(relation, batch)
        offsets = self._offsets(relation, batch, following)
        rows = batch.num_rows
        most = self.config.max_rows or BATCH_ROWS
        parts = -(-rows // most)
        size = -(-rows // parts)
        for start in range(0, rows, size):
            stop = min(start + size, rows)
            part = slice(start, stop)
            yield Batch(
                topic=self._topic,
                length=stop - start,
                value_schema=relation.schema,
                value=value[part],
                origin=SourceOrigin(self.partition, offsets[part]),
            )
        if self.config.mode != BULK:
            self.position = offsets.position(rows - 1)

    def _value(self, relation: Relation, batch: pa.RecordBatch) -> Any:
        """The rows as a struct column over the batch's own buffers, or as a list of dicts where Arrow has no type."""
        made = [reader.finish(batch.column(at), self.counts) for at, reader in enumerate(relation.columns)]
        kind = arrow_type(relation.schema)
        if kind is not None and not any(isinstance(column, list) for column in made):
            return pa.StructArray.from_arrays(made, fields=list(kind))
        names = [reader.name for reader in relation.columns]
        values = [
            self._row_values(reader, column, batch.num_rows)
            for reader, column in zip(relation.columns, made, strict=True)
        ]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]

    def _row_values(self, reader: readers.ColumnReader, column: Any, rows: int) -> list[Any]:
        try:
            return to_values(reader.schema, column, rows)
        except DataError as error:
            fix = "headrace.exact.types=true carries it, as text"
            raise ConnectError(f"{self.name}, column {reader.name}: {error}; {fix}") from None

    def _offsets(self, relation: Relation, batch: pa.RecordBatch, following: pa.RecordBatch | None) -> Offsets:
        times = incrementing = None
        if relation.incrementing_at is not None:
            incrementing = batch.column(relation.incrementing_at).to_numpy(zero_copy_only=False).astype(np.int64)
        if relation.time_at is not None:
            times = _times(batch, relation.time_at)
            if incrementing is None:
                next_us = None if following is None else int(_times(following.slice(0, 1), relation.time_at)[0])
                times = complete_times(times, self.position.time_us, next_us)
        return Offsets(batch.num_rows, times, incrementing)

    def _warn(self) -> None:
        """Say once a column that values are cut or infinite."""
        for name, count in self.counts.cut.items():
            if name not in self._warned:
                self._warned.add(name)
                log.warning(
                    "%s: column %s has times finer than a millisecond (%d so far), which are cut to milliseconds; "
                    "timestamp.granularity=micros_long keeps them",
                    *(self.name, name, count),
                )
        for name, count in self.counts.infinite.items():
            if name not in self._warned:
                self._warned.add(name)
                log.warning("%s: column %s has infinite times (%d so far)", self.name, name, count)


def _one(session: Session, sql: str) -> Any:
    row = session.connection.execute(sql.encode()).fetchone()
    return None if row is None else row[0]


def _times(batch: pa.RecordBatch, at: int) -> Any:
    numbers = readers.times_us(batch.column(at))
    return np.where(numbers < readers.OLDEST_US, _BEFORE_ALL, numbers)


def _single(stream: Iterator[pa.RecordBatch]) -> Iterator[tuple[pa.RecordBatch, None]]:
    return ((batch, None) for batch in stream if batch.num_rows)


def _with_following(stream: Iterator[pa.RecordBatch]) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch | None]]:
    """Each batch with the one after it."""
    held = None
    for batch in stream:
        if batch.num_rows:
            if held is not None:
                yield held, batch
            held = batch
    if held is not None:
        yield held, None
