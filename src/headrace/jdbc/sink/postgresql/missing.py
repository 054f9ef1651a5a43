"""What to say of a table that is not there: where it was looked for, what is there instead, the DDL that makes it."""

from typing import Any, Final

import psycopg

from headrace.jdbc.dialects import TableId
from headrace.jdbc.sink.fields import Layout
from headrace.jdbc.sink.postgresql import statements
from headrace.jdbc.sink.postgresql.ddl import possible_definitions
from headrace.jdbc.sink.postgresql.table import DIALECT

_ALIKE: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE lower(c.relname) = lower($1) AND c.relkind IN ('r', 'p', 'f', 'v')
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY 1, 2 LIMIT 5
"""


_OTHER: Final = """
SELECT CASE relkind WHEN 'm' THEN 'a materialized view' WHEN 'S' THEN 'a sequence' WHEN 'i' THEN 'an index'
       WHEN 'I' THEN 'an index' ELSE 'no table' END
FROM pg_class WHERE oid = to_regclass($1)
"""


def missing_table(
    connection: "psycopg.Connection[Any]", name: TableId, layout: Layout | None = None, *, keyed: bool = False
) -> str:
    """One sentence; with `layout` the DDL of the table is in it, with its key where rows are `keyed`."""
    other = psycopg.RawCursor(connection).execute(_OTHER, (DIALECT.quote_table(name),)).fetchone()
    if other is not None:
        place = f"{name} in database {connection.info.dbname!r}"
        return f"{place} is {other[0]}, which takes no rows: correct table.name.format"
    text = f"there is no table {name} in database {connection.info.dbname!r}: "
    rows = psycopg.RawCursor(connection).execute(_ALIKE, (name.name,)).fetchall()
    alike = [str(TableId(*row)) for row in rows]
    if alike:
        text += f"there is {', '.join(alike)}, which table.name.format may name; or "
    text += "set auto.create=true, or correct table.name.format, or create it"
    columns = None if layout is None else possible_definitions(layout.fields)
    if layout is None or columns is None:
        return text
    return f"{text}: {statements.create_table(name, columns, layout.keys if keyed else ())}"
