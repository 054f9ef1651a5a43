"""PostgreSQL 12 and later: quoting, and tables as the catalog has them."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import psycopg

from headrace.jdbc.dialects.base import Dialect, Table, TableColumn, TableId

_TABLE_TYPES: Final = {
    "r": "TABLE",
    "p": "PARTITIONED TABLE",
    "v": "VIEW",
    "m": "MATERIALIZED VIEW",
    "f": "FOREIGN TABLE",
}
_SYSTEM: Final = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"

_TABLES: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind::text = ANY(%s) AND NOT c.relispartition AND {_SYSTEM}
  AND has_schema_privilege(n.oid, 'USAGE')
ORDER BY 1, 2
"""

_SAME_NAME: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_SYSTEM}
ORDER BY 1
"""

_TABLE: Final = """
SELECT c.oid::int8, n.nspname, c.relname, c.relkind::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

_COLUMNS: Final = """
WITH RECURSIVE domains AS (
  SELECT t.oid AS domain, t.typbasetype AS base, t.typtypmod AS modifier, t.typnotnull AS required
  FROM pg_type t WHERE t.typtype = 'd'
  UNION ALL
  SELECT d.domain, t.typbasetype, COALESCE(NULLIF(d.modifier, -1), t.typtypmod), d.required OR t.typnotnull
  FROM domains d JOIN pg_type t ON t.oid = d.base WHERE t.typtype = 'd'
), bases AS (
  SELECT d.* FROM domains d JOIN pg_type t ON t.oid = d.base WHERE t.typtype <> 'd'
)
SELECT a.attname, t.typname, t.typtype::text, t.typcategory::text,
  COALESCE(NULLIF(a.atttypmod, -1), NULLIF(d.modifier, -1), -1),
  format_type(a.atttypid, a.atttypmod), NOT (a.attnotnull OR COALESCE(d.required, false)),
  array_position(i.indkey::int2[], a.attnum), a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
  a.attidentity <> '' OR COALESCE(pg_get_expr(e.adbin, e.adrelid) LIKE 'nextval(%%', false), a.attgenerated <> ''
FROM pg_attribute a
LEFT JOIN bases d ON d.domain = a.atttypid
JOIN pg_type t ON t.oid = COALESCE(d.base, a.atttypid)
LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
WHERE a.attrelid = %s::int8::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""

_FINGERPRINT: Final = """
SELECT c.oid || ':' || c.relkind::text || string_agg(
  format(';%%s %%s %%s %%s %%s', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull), '' ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.oid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY c.oid, c.relkind
"""


class PostgresDialect(Dialect):
    """PostgreSQL; the connection is psycopg's."""

    name: ClassVar[str] = "PostgreSqlDatabaseDialect"
    max_identifier_bytes: ClassVar[int] = 63

    def quote(self, identifier: str) -> str:
        doubled = identifier.replace('"', '""')
        return f'"{doubled}"'

    def literal(self, text: str) -> str:
        doubled = text.replace("'", "''")
        if "\\" in doubled:
            escaped = doubled.replace("\\", "\\\\")
            return f"E'{escaped}'"
        return f"'{doubled}'"

    def tables(self, connection: "psycopg.Connection[Any]", types: Sequence[str]) -> list[TableId]:
        wanted = {kind.strip().upper() for kind in types}
        kinds = [letter for letter, name in _TABLE_TYPES.items() if name in wanted]
        return [TableId(*row) for row in connection.execute(_TABLES, (kinds,))]

    def find(self, connection: "psycopg.Connection[Any]", table: TableId) -> list[TableId]:
        found = connection.execute(_TABLE, (self.quote_table(table),)).fetchone()
        if found is not None:
            return [TableId(found[1], found[2])]
        if table.schema is not None:
            return []
        return self.named(connection, table.name)

    def named(self, connection: "psycopg.Connection[Any]", name: str) -> list[TableId]:
        return [TableId(*row) for row in connection.execute(_SAME_NAME, (name,))]

    def reflect(self, connection: "psycopg.Connection[Any]", table: TableId) -> Table | None:
        found = connection.execute(_TABLE, (self.quote_table(table),)).fetchone()
        if found is None:
            return None
        oid, schema, name, kind = found
        columns = [_column(row) for row in connection.execute(_COLUMNS, (oid,))]
        return Table(TableId(schema, name), oid, _TABLE_TYPES[kind], tuple(columns))

    def fingerprint(self, connection: "psycopg.Connection[Any]", table: TableId) -> str | None:
        found = connection.execute(_FINGERPRINT, (self.quote_table(table),)).fetchone()
        return None if found is None else str(found[0])


def _column(row: Sequence[Any]) -> TableColumn:
    name, kind_name, kind, category, modifier, text, nullable, key, default, auto, generated = row
    return TableColumn(
        name=name,
        type=kind_name,
        type_text=text,
        nullable=nullable,
        kind="a" if category == "A" else kind,
        length=type_length(kind_name, modifier),
        precision=numeric_precision(kind_name, modifier),
        scale=numeric_scale(kind_name, modifier),
        key=None if key is None else key + 1,
        has_default=default,
        autoincrement=auto,
        generated=generated,
    )


def type_length(kind: str, modifier: int) -> int | None:
    """The length in a type's modifier: characters, or bits."""
    if modifier < 0:
        return None
    if kind in ("varchar", "bpchar"):
        return modifier - 4
    return modifier if kind in ("bit", "varbit") else None


def numeric_precision(kind: str, modifier: int) -> int | None:
    """The precision in the modifier of a numeric; None for a bare one."""
    return (modifier - 4) >> 16 & 0xFFFF if kind == "numeric" and modifier >= 4 else None


def numeric_scale(kind: str, modifier: int) -> int | None:
    """The scale in the modifier of a numeric: 11 bits with a sign, since PostgreSQL 15."""
    if kind != "numeric" or modifier < 4:
        return None
    return ((modifier - 4 & 0x7FF) ^ 1024) - 1024
