"""No row is skipped: after a high mark is read, wait for the transactions that may yet commit a row below it.

The rule, for an incrementing column that the database fills: an INSERT locks its table (RowExclusiveLock) before it
takes a number. So once H = max(id) is read and that transaction has ended, whoever will still commit an id <= H holds
that lock then; when all who held it have ended, `id <= H` is complete. For timestamps, which now() takes from the start
of the transaction, it is every transaction of the database that was alive then. Bounding by pg_snapshot_xmin is not
enough: a transaction takes its numbers before it has an xid.

Thread rule: runs in the task's thread, on a connection of its own transactionless (autocommit) session.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg

log = logging.getLogger(__name__)

Wait = Callable[[float], bool]
FIRST_PAUSE_S: Final = 0.001
LONGEST_PAUSE_S: Final = 0.05
PATIENCE_S: Final = 30.0
"""How long to wait before a warning, and between warnings; it is never given up."""

WRITERS_OF_TABLE: Final = """
WITH RECURSIVE family AS (
  SELECT %s::int8::oid AS oid
  UNION
  SELECT i.inhrelid FROM pg_inherits i JOIN family f ON i.inhparent = f.oid
)
SELECT DISTINCT l.virtualtransaction, l.pid FROM pg_locks l
WHERE l.locktype = 'relation' AND l.relation IN (SELECT oid FROM family) AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.mode IN ('RowExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND l.pid IS NOT NULL AND l.pid <> pg_backend_pid()
"""
"""ShareUpdateExclusiveLock is left out: VACUUM takes it, and who inserts holds RowExclusiveLock beside it."""

TRANSACTIONS_OF_DATABASE: Final = """
SELECT l.virtualtransaction, l.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND l.granted AND l.pid <> pg_backend_pid()
  AND a.datname = current_database() AND a.application_name IS DISTINCT FROM %s
  AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
"""
"""A virtualxid names no database; its backend does. Readers of ours write nothing, and nor does autovacuum."""

_ALIVE: Final = """
SELECT virtualtransaction, pid FROM pg_locks
WHERE locktype = 'virtualxid' AND granted AND virtualtransaction = ANY(%s)
"""

Holder = tuple[str, int]


def writers_of(connection: "psycopg.Connection[Any]", oid: int) -> list[Holder]:
    """The transactions that may have inserted into a table, its partitions and children included."""
    return connection.execute(WRITERS_OF_TABLE, (oid,)).fetchall()


def transactions(connection: "psycopg.Connection[Any]", own_application: str) -> list[Holder]:
    """All transactions of this database, except those of sessions that call themselves `own_application`."""
    return connection.execute(TRANSACTIONS_OF_DATABASE, (own_application,)).fetchall()


def wait_until_ended(connection: "psycopg.Connection[Any]", holders: Sequence[Holder], wait: Wait, what: str) -> bool:
    """Wait until each of these transactions has ended; false where the stop came first."""
    began, warned, pause = time.monotonic(), 0.0, FIRST_PAUSE_S
    while holders:
        if wait(pause):
            return False
        pause = min(pause * 2, LONGEST_PAUSE_S)
        holders = connection.execute(_ALIVE, ([name for name, _ in holders],)).fetchall()
        waited = time.monotonic() - began
        if holders and waited - warned > PATIENCE_S:
            warned = waited
            log.warning("%s", _lag(what, waited, holders))
    return True


def _lag(what: str, waited: float, holders: Sequence[Holder]) -> str:
    pids = ", ".join(str(pid) for _, pid in holders[:10])
    more = f" and {len(holders) - 10} more" if len(holders) > 10 else ""
    return (
        f"{what} lags {waited:.0f} s: transactions are open that may yet commit rows which come before those already "
        f"there (backends {pids}{more}); commit them, or end them by pg_terminate_backend"
    )
