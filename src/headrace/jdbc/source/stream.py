"""Rows of a statement as Arrow record batches: COPY in binary, read as it comes, memory bounded.

Thread rule: the task's thread, but for `cancel`, and for the thread that reads the next batch ahead. The connection is
its own (ADBC has a libpq of its own), opened after psycopg's login has worked.
"""

import contextlib
import logging
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
from adbc_driver_manager import Error as AdbcError

from headrace.connect.api import name_thread

log = logging.getLogger(__name__)

BATCH_BYTES: Final = 1 << 20
SMALLEST_BATCH_BYTES: Final = 1 << 14
ROW_BYTES: Final = 64
CLOSE_S: Final = 5.0
_abandoned: Final[list["RowStreams"]] = []
"""Kept from the collector, which would close the driver under the thread that is in it."""
_HINT: Final = "adbc.postgresql.batch_size_hint_bytes"
_USE_COPY: Final = "adbc.postgresql.use_copy"
_SESSION: Final = """
SELECT set_config('datestyle', 'ISO, MDY', false), set_config('intervalstyle', 'postgres', false),
  set_config('extra_float_digits', '1', false), set_config('bytea_output', 'hex', false),
  set_config('timezone', 'UTC', false)
"""
"""What the text form of a value depends on."""


class StreamBroken(Exception):
    """The stream ended before its end. `sqlstate` where the server named one; `lost`: the connection is gone.

    `opening`: it was never there, in spite of a login that worked.
    """

    def __init__(self, text: str, sqlstate: str | None, lost: bool, opening: bool) -> None:
        super().__init__(text)
        self.sqlstate, self.lost, self.opening = sqlstate, lost, opening


class RowStreams:
    """A connection whose statements are read as streams, one at a time."""

    def __init__(self, conninfo: str, max_rows: int | None = None, isolation: str = "DEFAULT") -> None:
        """`conninfo` holds the password. `max_rows`: where few rows are wanted at a time. `isolation`: a level's name
        with underlines, or DEFAULT."""
        hint = BATCH_BYTES if max_rows is None else min(BATCH_BYTES, max(SMALLEST_BATCH_BYTES, max_rows * ROW_BYTES))
        self._cursor: Any = None
        self._pending: Future[pa.RecordBatch | None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead", initializer=name_thread)
        with _faults(opening=True):
            self._connection = adbc.connect(conninfo, autocommit=True)
            with contextlib.closing(self._connection.cursor()) as cursor:
                cursor.adbc_statement.set_options(**{_USE_COPY: "false"})
                for statement in (_SESSION, *_isolation(isolation)):
                    cursor.execute(statement)
                    cursor.fetchall()
            self._cursor = self._connection.cursor()
            self._cursor.adbc_statement.set_options(**{_HINT: str(hint)})

    def read(self, statement: str) -> Iterator[pa.RecordBatch]:
        """The record batches of a SELECT, which may be empty but for its schema. Raises StreamBroken."""
        with _faults():
            self._cursor.execute(statement)
            yield from self._ahead(self._cursor.fetch_record_batch())

    def _ahead(self, reader: Any) -> Iterator[pa.RecordBatch]:
        """One batch is read, without the interpreter's lock, while the one before is worked on."""
        self._pending = self._thread.submit(_next, reader)
        try:
            while (batch := self._pending.result()) is not None:
                self._pending = self._thread.submit(_next, reader)
                yield batch
        finally:
            self._end_reading(None)

    def _end_reading(self, timeout_s: float | None) -> bool:
        """End the read that goes on ahead, if one does; false where it has not ended in time."""
        if self._pending is None or self._pending.done():
            return True
        self.cancel()
        return self._pending in wait([self._pending], timeout_s).done

    def cancel(self) -> None:
        """From another thread: end the statement that runs."""
        if self._cursor is not None:
            with contextlib.suppress(AdbcError):
                self._cursor.adbc_cancel()

    def close(self) -> None:
        """The driver is not to be closed under a thread that reads: it would crash. What does not end stays open."""
        if not self._end_reading(CLOSE_S):
            log.warning("a statement does not end; its connection is left to the server to end")
            _abandoned.append(self)
            self._thread.shutdown(wait=False)
            return
        for each in (self._cursor, self._connection):
            with contextlib.suppress(AdbcError, OSError):
                if each is not None:
                    each.close()
        self._cursor = None
        self._thread.shutdown(wait=False)


def _isolation(level: str) -> list[str]:
    """The statement that sets the level of the session, where one is asked for."""
    if level == "DEFAULT":
        return []
    return [f"SELECT set_config('default_transaction_isolation', '{level.replace('_', ' ').lower()}', false)"]


def _next(reader: Any) -> pa.RecordBatch | None:
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None


@contextlib.contextmanager
def _faults(opening: bool = False) -> Iterator[None]:
    """Every kind of error of the driver as StreamBroken, in the server's words and without the driver's objects."""
    try:
        yield
    except (AdbcError, OSError, pa.ArrowException) as error:
        text = str(error)
        found = re.search(r"SQLSTATE: (\w{5})", text)
        lost = not isinstance(error, pa.ArrowInvalid) and "ERROR:" not in text
        raise StreamBroken(_words(text), found[1] if found else None, lost, opening) from None


def _words(text: str) -> str:
    found = re.search(r"(?:ERROR|FATAL): +([^\n]*)", text)
    return found[1] if found else " ".join(text.split("\n")[0].split())
