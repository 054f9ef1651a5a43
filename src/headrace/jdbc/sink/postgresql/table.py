"""A target table as the sink sees it: its columns, their types, its unique keys, and by which road rows may go in.

`read_table` asks the server, once a table and connection; everything else here is sans-IO.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from headrace.jdbc.dialects import PostgresDialect, TableId

DIALECT: Final = PostgresDialect()
TABLE_KINDS: Final = {"r": "TABLE", "p": "PARTITIONED TABLE", "v": "VIEW", "f": "FOREIGN TABLE"}
"""pg_class.relkind as `table.types` has it."""


@dataclass(frozen=True, slots=True)
class SinkColumn:
    """A column of a target table.

    `base`: the type's name in pg_type, a domain resolved (`int4`, `_text`). `kind`: its pg_type.typtype (b, e, r ...).
    `shown`: the type as SQL writes it; `cast`: the same without length or precision. `exact_text`: text that differs in
    bytes differs for the column too.
    """

    name: str
    base: str
    kind: str = "b"
    shown: str = ""
    cast: str = ""
    not_null: bool = False
    has_default: bool = False
    identity_always: bool = False
    generated: bool = False
    exact_text: bool = True

    @property
    def needs_value(self) -> bool:
        return self.not_null and not self.has_default


@dataclass(frozen=True, slots=True)
class SinkTable:
    """A target table; `uniques`: the columns of each unique index that ON CONFLICT can use, in index order."""

    name: TableId
    columns: tuple[SinkColumn, ...]
    uniques: tuple[tuple[str, ...], ...] = ()
    kind: str = "r"
    """pg_class.relkind: r table, p partitioned table, f foreign table, v view."""
    copyable: bool = True
    """COPY may write it: no view, no foreign table, no rule, no row security."""
    stageable: bool = True
    """This session may make temporary tables."""
    mark: str | None = None
    """What changes when a column's name or type does."""

    def column(self, field: str) -> SinkColumn | None:
        """The column of a field: by its exact name, else by the one that differs in case alone."""
        name = cut_name(field)
        exact = next((column for column in self.columns if column.name == name), None)
        if exact is not None:
            return exact
        alike = [column for column in self.columns if column.name.lower() == name.lower()]
        return alike[0] if len(alike) == 1 else None

    def unique_on(self, names: Iterable[str]) -> tuple[str, ...] | None:
        """The unique key that is made of exactly these columns, in its index's order."""
        wanted = set(names)
        return next((unique for unique in self.uniques if set(unique) == wanted), None)


def cut_name(name: str) -> str:
    """The name as PostgreSQL keeps it: at most 63 bytes, no character cut in two."""
    return name.encode()[: DIALECT.max_identifier_bytes].decode(errors="ignore")


def parse_name(text: str, *, fold: bool = False) -> TableId:
    """`table` or `schema.table` as PostgreSQL keeps the names; a part in double quotes may hold dots.

    With `fold`, parts outside quotes are put in lower case, as SQL does. Raises ConfigError.

    >>> parse_name('Public."Iris.Data"', fold=True)
    TableId(schema='public', name='Iris.Data')
    """
    if fold:
        text = "".join(part if part.startswith('"') else part.lower() for part in re.split(r'("(?:[^"]|"")*")', text))
    found = TableId.parse(text)
    return TableId(found.schema and cut_name(found.schema), cut_name(found.name))


MARK: Final = """
SELECT md5(string_agg(concat_ws(' ', attnum, attname, atttypid, atttypmod), ',' ORDER BY attnum))
FROM pg_attribute WHERE attrelid = {table} AND attnum > 0 AND NOT attisdropped
"""

_TABLE: Final = f"""
SELECT ({MARK.format(table="c.oid")}), c.oid::int8, n.nspname, c.relname, c.relkind::text,
       c.relkind IN ('r', 'p') AND NOT c.relhasrules AND NOT row_security_active(c.oid),
       has_database_privilege(current_database(), 'TEMP') AND NOT pg_is_in_recovery()
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%s) AND c.relkind IN ('r', 'p', 'f', 'v')
"""

_COLUMNS: Final = """
WITH RECURSIVE base(start, oid) AS (
  SELECT DISTINCT atttypid, atttypid FROM pg_attribute WHERE attrelid = %(table)s AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT base.start, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typtype = 'd'
)
SELECT a.attname, t.typname, t.typtype::text, format_type(a.atttypid, a.atttypmod), format_type(a.atttypid, -1),
       a.attnotnull, a.atthasdef OR a.attidentity <> '', a.attidentity = 'a', a.attgenerated <> '',
       coalesce(l.collisdeterministic, true)
FROM pg_attribute a
JOIN base ON base.start = a.atttypid
JOIN pg_type t ON t.oid = base.oid AND t.typtype <> 'd'
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE a.attrelid = %(table)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""

_UNIQUES: Final = """
SELECT array(SELECT a.attname::text
             FROM unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(number, position)
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY position)
FROM pg_index i
WHERE i.indrelid = %s AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY NOT i.indisprimary, i.indexrelid
"""


def read_table(connection: "psycopg.Connection[Any]", name: TableId) -> SinkTable | None:
    """The table as the server has it now; None where there is none of that name."""
    found = connection.execute(_TABLE, [DIALECT.quote_table(name)]).fetchone()
    if found is None:
        return None
    mark, oid, schema, table, kind, copyable, stageable = found
    columns: Sequence[Any] = connection.execute(_COLUMNS, {"table": oid}).fetchall()
    uniques = connection.execute(_UNIQUES, [oid]).fetchall()
    return SinkTable(
        TableId(schema, table),
        tuple(SinkColumn(*row) for row in columns),
        tuple(tuple(row[0]) for row in uniques),
        kind,
        copyable,
        stageable,
        mark,
    )
