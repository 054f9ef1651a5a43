"""The SQL that rows are written with.

Sans-IO. Rows come by one of two roads: a stage (a temporary table of the session that COPY fills), or arrays of text as
parameters ($1, $2 ...), where the server allows no COPY or no temporary table. Both are read as a relation with the
table's columns and `headrace_row`, which rises with the rows' order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headrace.jdbc.dialects import TableId
from headrace.jdbc.sink.postgresql.table import DIALECT, MARK, SinkColumn, SinkTable

ROW: Final = "headrace_row"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a statement writes: these columns of this table; `keys` are the names of those that identify a row."""

    table: SinkTable
    columns: tuple[SinkColumn, ...]
    keys: tuple[str, ...] = ()

    @property
    def others(self) -> tuple[SinkColumn, ...]:
        """The columns that an update may change."""
        return tuple(column for column in self.columns if column.name not in self.keys and not column.identity_always)


def names(columns: Sequence[SinkColumn] | Sequence[str], prefix: str = "") -> str:
    """Quoted names, separated by commas."""
    texts = [column if isinstance(column, str) else column.name for column in columns]
    return ", ".join(prefix + DIALECT.quote(text) for text in texts)


def _table(table: SinkTable) -> str:
    return DIALECT.quote_table(table.name)


def begin(tables: Sequence[SinkTable], *, with_number: bool) -> str:
    """Begin a transaction that no column of these tables changes in, and ask for their marks.

    Binary COPY would read a number of another type than it was sent as without a word. `with_number` asks first for the
    transaction's number, by which its fate can be asked later.
    """
    texts = ["BEGIN"]
    if with_number:
        texts.append("SELECT pg_current_xact_id()::text")
    for table in tables:
        named = DIALECT.literal(_table(table))
        texts.append(f"LOCK TABLE {_table(table)} IN ROW EXCLUSIVE MODE; {MARK.format(table=f'to_regclass({named})')}")
    return ";".join(texts)


HOLD: Final = "SAVEPOINT headrace"
HOLD_AGAIN: Final = "RELEASE SAVEPOINT headrace; SAVEPOINT headrace"
UNDO: Final = "ROLLBACK TO SAVEPOINT headrace"
CHECK_DEFERRED: Final = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"
"""Lets constraints speak that would be silent until the commit."""

FATE: Final = "SELECT pg_xact_status($1::text::xid8)"
"""Whether the transaction of that number has committed: committed, aborted or in progress."""


def copy(target: str, columns: Sequence[SinkColumn], *, binary: bool) -> str:
    return f"COPY {target} ({names(columns)}) FROM STDIN" + (" (FORMAT binary)" if binary else "")


def copy_table(shape: Shape, *, binary: bool) -> str:
    return copy(_table(shape.table), shape.columns, binary=binary)


def create_stage(stage: str, shape: Shape) -> str:
    """A temporary table with the types of the columns and none of their rules; it is empty after each transaction."""
    source = f"SELECT {names(shape.columns)} FROM {_table(shape.table)} WITH NO DATA"
    return f"CREATE TEMPORARY TABLE {DIALECT.quote(stage)} ON COMMIT DELETE ROWS AS {source}"


def from_stage(stage: str) -> str:
    """The stage as a relation; a row's place in a table that was filled once is its order."""
    return f"(SELECT *, ctid AS {ROW} FROM pg_temp.{DIALECT.quote(stage)}) AS s"


def from_arrays(columns: Sequence[SinkColumn]) -> str:
    """Arrays of text, one a column, as a relation; types without length, so that nothing is cut in silence."""
    inner = [f"c{number}" for number in range(len(columns))]
    cells = ", ".join(
        f"{name}::{column.cast} AS {DIALECT.quote(column.name)}" for name, column in zip(inner, columns, strict=True)
    )
    arrays = ", ".join(f"${number + 1}::text[]" for number in range(len(columns)))
    return f"(SELECT {cells}, {ROW} FROM unnest({arrays}) WITH ORDINALITY AS u({', '.join(inner)}, {ROW})) AS s"


def last_of_each(source: str, shape: Shape) -> str:
    """The relation's last row of each key, in the keys' order, as a relation."""
    keys = names(shape.keys)
    rows = f"SELECT DISTINCT ON ({keys}) * FROM {source} ORDER BY {keys}, {ROW} DESC"
    return f"({rows}) AS s"


def insert(source: str, shape: Shape) -> str:
    columns = names(shape.columns)
    overriding = " OVERRIDING SYSTEM VALUE" if any(column.identity_always for column in shape.columns) else ""
    return f"INSERT INTO {_table(shape.table)} ({columns}){overriding} SELECT {columns} FROM {source}"


def upsert(source: str, shape: Shape) -> str:
    """Insert, or replace the row of the same key; nothing is done to it where the key is all there is."""
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in (DIALECT.quote(c.name) for c in shape.others))
    action = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
    return f"{insert(source, shape)} ON CONFLICT ({names(shape.keys)}) {action}"


def update(source: str, shape: Shape) -> str:
    changes = ", ".join(f"{name} = s.{name}" for name in (DIALECT.quote(c.name) for c in shape.others))
    return f"UPDATE {_table(shape.table)} AS t SET {changes} FROM {source} WHERE {_same_key(shape)}"


def delete(source: str, shape: Shape) -> str:
    return f"DELETE FROM {_table(shape.table)} AS t USING {source} WHERE {_same_key(shape)}"


def any_between(shape: Shape, key: str) -> str:
    """Whether the table has a row with this key from $1 to $2."""
    column = next(column for column in shape.columns if column.name == key)
    low_to_high = f"$1::text::{column.cast} AND $2::text::{column.cast}"
    return f"SELECT EXISTS (SELECT FROM {_table(shape.table)} WHERE {DIALECT.quote(key)} BETWEEN {low_to_high})"


def any_of(shape: Shape) -> str:
    """Whether the table has a row with one of the keys in $1, an array of text."""
    (key,) = (column for column in shape.columns if column.name in shape.keys)
    values = f"ANY($1::text[]::{key.cast}[])"
    return f"SELECT EXISTS (SELECT FROM {_table(shape.table)} WHERE {DIALECT.quote(key.name)} = {values})"


def _same_key(shape: Shape) -> str:
    return " AND ".join(f"t.{name} = s.{name}" for name in (DIALECT.quote(key) for key in shape.keys))


def create_table(name: TableId, columns: Sequence[tuple[str, str, bool]], keys: Sequence[str]) -> str:
    """DDL of a table; a column is its name, its type with default, and whether it takes nulls."""
    lines = [f"{DIALECT.quote(column)} {kind}{'' if nullable else ' NOT NULL'}" for column, kind, nullable in columns]
    if keys:
        lines.append(f"PRIMARY KEY ({names(keys)})")
    return f"CREATE TABLE IF NOT EXISTS {DIALECT.quote_table(name)} ({', '.join(lines)})"


def add_columns(name: TableId, columns: Sequence[tuple[str, str, bool]]) -> str:
    """DDL of columns that a table lacks; without a default they take nulls: rows that are there have none of them."""
    lines = [
        f"ADD COLUMN IF NOT EXISTS {DIALECT.quote(column)} {kind}"
        + (" NOT NULL" if not nullable and " DEFAULT " in kind else "")
        for column, kind, nullable in columns
    ]
    return f"ALTER TABLE {DIALECT.quote_table(name)} {', '.join(lines)}"
