"""Fills the source table: at a steady rate, or as fast as the pipeline takes it."""

import time
from typing import ClassVar

import psycopg

from headrace.demo.activity import Activity
from headrace.demo.iris import COLUMNS, COPY_IN, TABLE, IrisRows
from headrace.demo.ledger import Ledger, RateMeter

BLOCK_ROWS = 2_000
AHEAD_S = 1.0
"""At full speed the source is ahead of the target by what arrives in this time: the pipeline never waits for rows, the
latency says something, and the drain at the end is short."""
LEAST_AHEAD_ROWS = 20_000

_INSERT = f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))}) RETURNING id"
_LAST_ID = f"SELECT currval(pg_get_serial_sequence('{TABLE}', 'id'))"


class Generator(Activity):
    """`rate` in rows a second, 0 for as fast as it goes. Every insert is a transaction of its own."""

    name_shown: ClassVar[str] = "generator"

    def __init__(self, dsn: str, rate: float, ledger: Ledger) -> None:
        super().__init__()
        self._dsn, self._rate, self._ledger = dsn, rate, ledger
        self._rows = IrisRows()
        self._meter = RateMeter()

    def act(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            began = time.monotonic()
            while not self.stopping.is_set():
                count = self._due(time.monotonic() - began)
                if count:
                    self._insert(connection, count)
                else:
                    self.stopping.wait(self._pause())

    def _due(self, seconds: float) -> int:
        """How many rows to insert now, `seconds` after the beginning."""
        if self._rate:
            return min(BLOCK_ROWS, int(seconds * self._rate) + 1 - self._ledger.inserted)
        ahead = max(LEAST_AHEAD_ROWS, self._meter.rate(seconds, self._ledger.seen) * AHEAD_S)
        return BLOCK_ROWS if self._ledger.backlog + BLOCK_ROWS <= ahead else 0

    def _pause(self) -> float:
        return min(1 / self._rate, 0.1) / 2 if self._rate and self._rate < 50 else 0.005

    def _insert(self, connection: psycopg.Connection, count: int) -> None:
        at = time.monotonic()
        if count == 1:
            values = self._rows.lines(1).decode().rstrip("\n").split("\t")
            found = connection.execute(_INSERT, values).fetchone()
        else:
            with connection.cursor() as cursor, cursor.copy(COPY_IN) as copy:
                copy.write(self._rows.lines(count))
            found = connection.execute(_LAST_ID).fetchone()
        assert found is not None
        self._ledger.note(found[0], count, at)
