"""What configuration and table show together before the first record: sentences with the key to blame and the fix.

Sans-IO.
"""

from collections.abc import Sequence

from headrace.connect.api import ConnectError
from headrace.jdbc.sink.postgresql import statements
from headrace.jdbc.sink.postgresql.table import TABLE_KINDS, SinkTable
from headrace.jdbc.sink.settings import SinkSettings

Faults = list[tuple[str, str]]
"""Keys and sentences."""


def table_faults(settings: SinkSettings, tables: Sequence[SinkTable]) -> Faults:
    """What of the configuration cannot work with these tables."""
    faults = [fault for table in tables for fault in _of_table(settings, table)]
    if settings.auto_evolve or not tables:
        return faults
    unknown = [field for field in settings.fields_whitelist if all(table.column(field) is None for table in tables)]
    text = "fields.whitelist names {!r}, and {}"
    return faults + [("fields.whitelist", text.format(field, _lack(tables[0]))) for field in sorted(unknown)]


def check_kind(settings: SinkSettings, table: SinkTable) -> None:
    """Raises ConnectError where tables of this kind are not to be written."""
    for _, text in _kind_faults(settings, table):
        raise ConnectError(text)


def no_unique_key(table: SinkTable, keys: Sequence[str]) -> str | None:
    """What to say of an upsert by these columns; None where the table has a key of them, or is a view."""
    if table.kind == "v" or table.unique_on(keys) is not None:
        return None
    names = statements.names(keys)
    return (
        f"table {table.name} has no primary key or unique index on ({names}), which insert.mode=upsert needs: run "
        f"ALTER TABLE {table.name} ADD PRIMARY KEY ({names}), or set pk.fields to the columns of the one it has"
        + "".join(f" ({statements.names(unique)})" for unique in table.uniques)
    )


def _of_table(settings: SinkSettings, table: SinkTable) -> Faults:
    faults = _kind_faults(settings, table)
    fields = () if settings.pk_mode == "none" else settings.pk_fields
    found = [(field, table.column(settings.column_name(field))) for field in fields]
    unknown = [field for field, column in found if column is None]
    if unknown and not settings.auto_evolve:
        names = ", ".join(repr(field) for field in unknown)
        faults.append(("pk.fields", f"pk.fields names {names}, and {_lack(table)}"))
    if settings.insert_mode == "upsert" and fields and not unknown:
        text = no_unique_key(table, [column.name for _, column in found if column is not None])
        faults += [("pk.fields", text)] if text else []
    return faults


def _kind_faults(settings: SinkSettings, table: SinkTable) -> Faults:
    kind = TABLE_KINDS[table.kind]
    if not settings.table_types or kind in settings.table_types:
        return []
    named = ",".join(sorted(settings.table_types))
    return [("table.types", f"{table.name} is a {kind}, and table.types={named} leaves it out: add {kind} to it")]


def _lack(table: SinkTable) -> str:
    there = ", ".join(column.name for column in table.columns)
    return f"table {table.name} has no such column; it has {there}: correct the name, or set auto.evolve=true"
