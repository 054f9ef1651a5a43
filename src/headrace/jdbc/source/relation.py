"""What is copied: a table or a query, with its columns as they are now and the columns it is followed by.

Runs catalog queries on psycopg's connection; psycopg's errors pass through.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import psycopg
import pyarrow as pa

from headrace.connect.api import ConnectError, ConnectSchema, struct
from headrace.jdbc.dialects import Dialect, TableColumn, TableId
from headrace.jdbc.dialects.postgresql import numeric_precision, numeric_scale, type_length
from headrace.jdbc.source import columns as readers
from headrace.jdbc.source import statements
from headrace.jdbc.source.columns import ColumnReader
from headrace.jdbc.source.config import SourceConfig
from headrace.jdbc.source.selection import like
from headrace.jdbc.source.statements import Cursor, TimeZones

_TIME_TYPES: Final = ("timestamp", "timestamptz", "date")
_INTEGER_TYPES: Final = ("int2", "int4", "int8")
_PLAIN_TABLES: Final = ("TABLE", "PARTITIONED TABLE", "MATERIALIZED VIEW")

_TYPES: Final = """
SELECT t.oid::int8, t.typname, t.typtype::text, t.typcategory::text FROM pg_type t WHERE t.oid::int8 = ANY(%s)
"""


class TableMissing(ConnectError):
    """There is no such table, or no longer."""


@dataclass(frozen=True, slots=True)
class Relation:
    """`sql` stands after FROM; `oid` where locks tell who writes to it, None for a view or a query.

    `incrementing_at` and `time_at` are the places of the cursor's values among what is selected: `columns`, then
    `extra`.
    """

    name: str
    sql: str
    oid: int | None
    columns: tuple[ColumnReader, ...]
    schema: ConnectSchema
    cursor: Cursor
    extra: tuple[str, ...]
    incrementing_at: int | None
    time_at: int | None
    losses: tuple[tuple[int, str], ...] = ()
    """What does not come through whole: level, and column, type and what, for people."""

    @property
    def raw_types(self) -> list[pa.DataType]:
        """The Arrow types that the columns arrive with."""
        return [column.raw for column in self.columns]


class _Place(NamedTuple):
    """Where rows come from, as in Relation."""

    name: str
    sql: str
    oid: int | None


def describe_table(
    connection: "psycopg.Connection[Any]", dialect: Dialect, table: TableId, config: SourceConfig
) -> Relation:
    """A table as it is now. Raises ConnectError where it is gone or a column of the config is missing."""
    found = dialect.reflect(connection, table)
    if found is None:
        raise missing_table(table, config)
    name = f"table {found.id}"
    if not found.columns:
        raise ConnectError(f"{name} has no columns")
    _check_permission(connection, found.oid, found.columns, name, config)
    cursor = _cursor(dialect, found.columns, name, str(found.id), config)
    sql = f"{dialect.quote_table(found.id) if config.quote else found.id} AS {statements.ALIAS}"
    oid = found.oid if found.type in _PLAIN_TABLES else None
    return _relation(_Place(name, sql, oid), found.columns, cursor, config, found.id.name)


def describe_query(
    connection: "psycopg.Connection[Any]", dialect: Dialect, query: str, config: SourceConfig
) -> Relation:
    """The query's columns as they are now."""
    sql = f"({query}\n) AS {statements.ALIAS}"
    columns = _query_columns(connection, sql)
    cursor = _cursor(dialect, columns, "query", "query", config)
    return _relation(_Place("query", sql, None), columns, cursor, config, None)


def find_table(
    connection: "psycopg.Connection[Any]", dialect: Dialect, wanted: TableId, config: SourceConfig
) -> TableId:
    """The full name of a table of the config. Raises TableMissing, and ConnectError where several are meant."""
    if wanted.schema is None and config.schema_pattern is not None:
        alike = dialect.named(connection, wanted.name)
        found = [table for table in alike if like(config.schema_pattern, table.schema or "")]
    else:
        found = dialect.find(connection, wanted)
    if not found:
        raise missing_table(wanted, config)
    if len(found) > 1:
        names = ", ".join(str(each) for each in found)
        raise ConnectError(f"table {wanted} is in several schemas: write one of {names} in table.whitelist")
    return found[0]


def missing_table(table: TableId, config: SourceConfig) -> TableMissing:
    where = f"database {config.target.database!r} at {config.target.url.server}"
    if table.schema is None and config.schema_pattern is not None:
        where = f"the schemas like {config.schema_pattern} of {where}"
    return TableMissing(f"there is no table {table} in {where}: create it, or correct table.whitelist")


def _relation(
    place: _Place, columns: Sequence[TableColumn], cursor: Cursor, config: SourceConfig, schema_name: str | None
) -> Relation:
    choices = readers.Choices(config.numeric_mapping, config.granularity, config.time_zone, config.exact)
    dialect = cursor.dialect
    made = [readers.reader(column, cursor.name(column.name), choices, dialect.literal) for column in columns]
    names = [column.name for column in columns]
    extra: list[str] = []
    incrementing_at = time_at = None
    if cursor.incrementing is not None:
        if cursor.incrementing.type in _INTEGER_TYPES:
            incrementing_at = names.index(cursor.incrementing.name)
        else:
            incrementing_at = len(made) + len(extra)
            extra.append(f"{cursor.incrementing_sql}::int8")
    if cursor.times:
        time_at = names.index(cursor.times[0].name)
        if len(cursor.times) > 1 or not pa.types.is_timestamp(made[time_at].raw):
            time_at = len(made) + len(extra)
            extra.append(cursor.instant_sql(cursor.time_sql))
    schema = struct([(column.name, column.schema) for column in made], name=schema_name)
    found = [(column, readers.loss(column, choices)) for column in columns]
    losses = tuple((loss[0], f"{column.name} ({column.type_text}): {loss[1]}") for column, loss in found if loss)
    return Relation(
        place.name, place.sql, place.oid, tuple(made), schema, cursor, tuple(extra), incrementing_at, time_at, losses
    )


def _cursor(
    dialect: Dialect, columns: Sequence[TableColumn], name: str, full_name: str, config: SourceConfig
) -> Cursor:
    by_name = {column.name: column for column in columns}
    zones = TimeZones(config.time_zone, config.time_zone if config.time_zone_given else None)
    incrementing = _incrementing(columns, by_name, name, full_name, config) if config.uses_incrementing else None
    times = _times(by_name, name, full_name, config) if config.uses_timestamp else ()
    return Cursor(dialect, incrementing, times, zones, config.quote)


def _incrementing(
    columns: Sequence[TableColumn], by_name: dict[str, TableColumn], name: str, full_name: str, config: SourceConfig
) -> TableColumn:
    wanted = _mapped(config.incrementing_mapping, full_name, config) or config.incrementing
    if not wanted:
        counting = [column for column in columns if column.autoincrement]
        if len(counting) != 1:
            raise ConnectError(
                f"{name} has {len(counting) or 'no'} columns that count by themselves (serial, identity): "
                "set incrementing.column.name"
            )
        return _not_null(counting[0], name, config)
    column = _column(wanted, by_name, name, "incrementing.column.name")
    if column.type not in _INTEGER_TYPES and not (column.type == "numeric" and (column.scale or 0) <= 0):
        raise ConnectError(
            f"column {column.name} of {name} is {column.type_text}, and an incrementing column is an integer: "
            "correct incrementing.column.name"
        )
    return _not_null(column, name, config)


def _times(by_name: dict[str, TableColumn], name: str, full_name: str, config: SourceConfig) -> tuple[TableColumn, ...]:
    wanted = _mapped(config.timestamps_mapping, full_name, config) or config.timestamps
    columns = tuple(_column(each, by_name, name, "timestamp.column.name") for each in wanted)
    for column in columns:
        if column.type not in _TIME_TYPES:
            raise ConnectError(
                f"column {column.name} of {name} is {column.type_text}, not a timestamp: correct timestamp.column.name"
            )
    if not columns:
        raise ConnectError(f"{name} has no timestamp column by timestamp.columns.mapping: add an entry for it")
    if name != "query" and config.validate_non_null and all(column.nullable for column in columns):
        raise ConnectError(
            f"column {', '.join(column.name for column in columns)} of {name} may be null, and rows where it is are "
            "never found: make one NOT NULL, or set validate.non.null=false"
        )
    return columns


def _mapped(mapping: Sequence[tuple[str, Any]], full_name: str, config: SourceConfig) -> Any:
    names = (full_name, f"{config.target.database}.{full_name}")
    return next((columns for regex, columns in mapping if any(re.fullmatch(regex, name) for name in names)), None)


def _column(wanted: str, by_name: dict[str, TableColumn], name: str, key: str) -> TableColumn:
    """The column of that name; of `alias.column` the column, and in another case where only one is meant."""
    for candidate in (wanted, wanted.rpartition(".")[2].strip('"')):
        if candidate in by_name:
            return by_name[candidate]
    alike = [column for column in by_name.values() if column.name.lower() == wanted.lower()]
    if len(alike) == 1:
        return alike[0]
    raise ConnectError(f"{name} has no column {wanted}: correct {key} (it has {', '.join(by_name)})")


def _not_null(column: TableColumn, name: str, config: SourceConfig) -> TableColumn:
    if column.nullable and config.validate_non_null and name != "query":
        raise ConnectError(
            f"column {column.name} of {name} may be null, and rows where it is are never found: make it NOT NULL, or "
            "set validate.non.null=false"
        )
    return column


def _check_permission(
    connection: "psycopg.Connection[Any]", oid: int, columns: Sequence[TableColumn], name: str, config: SourceConfig
) -> None:
    allowed = connection.execute("SELECT has_table_privilege(%s::int8::oid, 'SELECT')", (oid,)).fetchone()
    if allowed and not allowed[0]:
        each = "SELECT has_column_privilege(%s::int8::oid, %s, 'SELECT')"
        for column in columns:
            row = connection.execute(each, (oid, column.name)).fetchone()
            if row and not row[0]:
                raise ConnectError(
                    f"user {config.target.user!r} may not read column {column.name} of {name}: "
                    f"GRANT SELECT ON {name.removeprefix('table ')} TO {config.target.user}"
                )


def _query_columns(connection: "psycopg.Connection[Any]", sql: str) -> list[TableColumn]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {sql} LIMIT 0".encode())
        result, described = cursor.pgresult, cursor.description or []
        assert result is not None
        modifiers = [result.fmod(at) for at in range(len(described))]
        rows = cursor.execute(_TYPES, ([each.type_code for each in described],)).fetchall()
    types = {oid: facts for oid, *facts in rows}
    made = []
    for each, modifier in zip(described, modifiers, strict=True):
        kind, letter, category = types[each.type_code]
        made.append(
            TableColumn(
                name=each.name,
                type=kind,
                type_text=kind,
                nullable=True,
                kind="a" if category == "A" else letter,
                length=type_length(kind, modifier),
                precision=numeric_precision(kind, modifier),
                scale=numeric_scale(kind, modifier),
            )
        )
    return made


def statement(relation: Relation, where: Sequence[str], suffix: str) -> str:
    """The SELECT of the relation's rows."""
    end = statements.order(relation.cursor) if where else ""
    tail = f" {suffix}" if suffix else ""
    return statements.rows(relation.columns, relation.extra, relation.sql, where, f"{end}{tail}")
