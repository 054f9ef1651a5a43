"""Watches the target table for rows that have become visible, with a connection of its own.

One index look-up a poll: every 5 ms while few rows are under way, every 20 ms while many are, and none while none is.
The moment of a row is the end of the poll that saw it, so a latency is never understated, and overstated by one poll.
"""

import time
from typing import ClassVar

import psycopg

from headrace.demo.activity import Activity
from headrace.demo.iris import TABLE
from headrace.demo.ledger import Ledger

POLL_S = 0.005
BUSY_POLL_S = 0.02
BUSY_ROWS = 1_000


class Arrivals(Activity):
    """Settles the ledger. Rows become visible in the order of their ids: one topic partition, one task, one writer."""

    name_shown: ClassVar[str] = "arrivals"

    def __init__(self, dsn: str, ledger: Ledger) -> None:
        super().__init__()
        self._dsn, self._ledger = dsn, ledger

    def act(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True, prepare_threshold=1) as connection:
            while not self.stopping.is_set():
                if not self._ledger.backlog:
                    self._ledger.written.wait(0.1)
                    self._ledger.written.clear()
                    continue
                found = connection.execute(f"SELECT max(id) FROM {TABLE}").fetchone()
                if found is not None and found[0] is not None:
                    self._ledger.settle(found[0], time.monotonic())
                self.stopping.wait(POLL_S if self._ledger.backlog < BUSY_ROWS else BUSY_POLL_S)
