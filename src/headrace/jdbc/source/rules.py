"""The rules between the keys of the JDBC source connector.

Sans-IO. Each rule gives (key, sentence) pairs; `values` are the parsed values of all keys.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from headrace.connect.api import ConfigError, Password
from headrace.jdbc.dialects import TableId
from headrace.jdbc.source.keys import (
    ALL_TABLES_CLASSES,
    INCREMENTING,
    MODES,
    OTHER_TABLE_TYPES,
    TABLE_TYPES,
    TIMESTAMP,
    TIMESTAMP_INCREMENTING,
)
from headrace.jdbc.url import parse_url


def faults(values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What is wrong with these values, seen together."""
    try:
        parse_url(values["connection.url"] or "")
    except ConfigError as error:
        yield "connection.url", str(error)
    if values["mode"] not in MODES:
        yield (
            "mode",
            f"Invalid value {values['mode'] or ''} for configuration mode: set it to one of {', '.join(MODES)}",
        )
    yield from _table_faults(values)
    yield from _type_faults(values)
    yield from _column_faults(values)
    for key in ("table.include.list", "table.exclude.list"):
        yield from ((key, text) for text in _bad_patterns(key, values[key]))
    for key in ("incrementing.column.mapping", "timestamp.columns.mapping"):
        entries = [entry.rpartition(":")[0] for entry in values[key] or []]
        if not all(entries):
            yield key, f"Invalid value {values[key]} for configuration {key}: an entry is of the form regex:column"
        yield from ((key, text) for text in _bad_patterns(key, filter(None, entries)))


def _table_faults(values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    old = [key for key in ("table.whitelist", "table.blacklist") if values[key]]
    new = [key for key in ("table.include.list", "table.exclude.list") if values[key]]
    if len(old) == 2:
        yield old[1], "table.whitelist and table.blacklist exclude each other: set one of them"
    if old and new:
        yield new[0], f"{new[0]} does not go with {old[0]}: set one of them"
    if new == ["table.exclude.list"]:
        yield new[0], "table.exclude.list needs table.include.list, of which it takes tables away"
    yield from (("table.whitelist", text) for text in shared_topics(values["table.whitelist"] or []))
    query = query_of(values)
    if query is None:
        if not old and not new and not _means_all(values):
            yield "table.whitelist", "nothing to copy: set table.whitelist, table.include.list or query"
        return
    if values["query"] and _secret(values["query.masked"]):
        yield "query.masked", "query and query.masked exclude each other: set one of them"
    if old or new:
        yield (old + new)[0], f"{(old + new)[0]} does not go with query: set one of them"
    if not re.match(r"\s*(--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(select|with)\b", query, re.IGNORECASE | re.DOTALL):
        yield ("query" if values["query"] else "query.masked"), "query must be a SELECT (or WITH ... SELECT)"


def _means_all(values: Mapping[str, Any]) -> bool:
    """Whether every table is to be copied where no table is named."""
    pattern = values["schema.pattern"] or values["catalog.pattern"]
    return bool(pattern) or values["connector.class"].startswith(ALL_TABLES_CLASSES)


def _type_faults(values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    unknown = [
        kind for kind in values["table.types"] or [] if kind.strip().upper() not in (*TABLE_TYPES, *OTHER_TABLE_TYPES)
    ]
    if unknown:
        known = ", ".join(TABLE_TYPES)
        yield "table.types", f"Invalid value {', '.join(unknown)} for configuration table.types: PostgreSQL has {known}"


def shared_topics(names: Iterable[str]) -> Iterable[str]:
    """A sentence for each pair of tables that would share a topic, and for each name that is none."""
    seen: dict[str, TableId] = {}
    for name in names:
        try:
            table = TableId.parse(name)
        except ConfigError as error:
            yield str(error)
            continue
        other = seen.setdefault(table.name, table)
        if other != table:
            yield (
                f"tables {other} and {table} would share a topic, which is named by the table alone: "
                "copy them by two connectors with different topic.prefix"
            )


def _column_faults(values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    mode = values["mode"]
    incrementing = [key for key in ("incrementing.column.name", "incrementing.column.mapping") if values[key]]
    timestamps = [key for key in ("timestamp.column.name", "timestamp.columns.mapping") if values[key]]
    uses_timestamp = mode in (TIMESTAMP, TIMESTAMP_INCREMENTING)
    uses_incrementing = mode in (INCREMENTING, TIMESTAMP_INCREMENTING)
    if uses_timestamp and not timestamps:
        yield (
            "timestamp.column.name",
            f"mode {mode} needs timestamp.column.name: the column that says when a row changed",
        )
    if uses_incrementing and query_of(values) is not None and not values["incrementing.column.name"]:
        yield "incrementing.column.name", f"with query, mode {mode} needs incrementing.column.name"
    if mode == TIMESTAMP and re.search(r"\b(limit|fetch)\b", values["query.suffix"] or "", re.IGNORECASE):
        why = "a LIMIT may cut the rows of one time in two, and the next read begins after that time"
        yield "query.suffix", f"{why}: use mode {TIMESTAMP_INCREMENTING}, or batch.max.rows"
    for keys in (incrementing, timestamps):
        if len(keys) == 2:
            yield keys[1], f"{keys[0]} and {keys[1]} exclude each other: set one of them"
    for key, used in (
        ("incrementing.column.mapping", uses_incrementing),
        ("timestamp.columns.mapping", uses_timestamp),
    ):
        if values[key] and mode in MODES and not used:
            yield key, f"{key} does not go with mode {mode}"


def _bad_patterns(key: str, patterns: Iterable[str] | None) -> Iterable[str]:
    for pattern in patterns or ():
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"Invalid value {pattern} for configuration {key}: no regular expression ({error})"


def query_of(values: Mapping[str, Any]) -> str | None:
    """The query without a closing semicolon, or None in table mode."""
    text = values["query"] or _secret(values["query.masked"])
    return text.strip().rstrip(";").strip() or None if text else None


def _secret(value: Password | None) -> str:
    return "" if value is None else value.value
