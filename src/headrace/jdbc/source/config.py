"""The keys of the JDBC source connector, their defaults, and the rules between them.

Sans-IO. Every key of the JDBC source connectors in use is known here; those that nothing is done about yet are named
in one warning (`unused`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from headrace.connect.api import ConfigDef, ConfigError, ConfigValue, Importance, Password, Type, between, one_of
from headrace.jdbc.connection import Target, define_connection, target
from headrace.jdbc.dialects import TableId
from headrace.jdbc.url import parse_url

BULK: Final = "bulk"
INCREMENTING: Final = "incrementing"
TIMESTAMP: Final = "timestamp"
TIMESTAMP_INCREMENTING: Final = "timestamp+incrementing"
MODES: Final = (BULK, TIMESTAMP, INCREMENTING, TIMESTAMP_INCREMENTING)
NUMERIC_MAPPINGS: Final = ("none", "precision_only", "best_fit", "best_fit_eager_double")
GRANULARITIES: Final = (
    "connect_logical",
    "micros_long",
    "micros_string",
    "micros_iso_datetime_string",
    "nanos_long",
    "nanos_string",
    "nanos_iso_datetime_string",
)
UTC_NAMES: Final = ("UTC", "GMT", "Etc/UTC", "Etc/GMT", "Z")
BATCH_ROWS: Final = 10_000
"""Rows a batch where `batch.max.rows` is left out."""
TABLES_KEY: Final = "tables"
"""The key of a task's config that names its tables."""
NOW: Final = -1
"""`timestamp.initial` for: from now on."""

_UNUSED: Final = {
    "jdbc.credentials.provider.class": (Type.STRING, "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider"),
    "catalog.pattern": (Type.STRING, None),
    "dialect.name": (Type.STRING, ""),
    "date.calendar.system": (Type.STRING, "LEGACY"),
    "query.retry.attempts": (Type.INT, -1),
    "transaction.isolation.mode": (Type.STRING, "DEFAULT"),
    "max.buffer.size": (Type.INT, 0),
    "poll.linger.ms": (Type.LONG, 5000),
    "table.monitoring.startup.polling.limit.ms": (Type.LONG, 10_000),
    "table.names.qualify": (Type.BOOLEAN, True),
}
"""Keys of the connectors in use that are taken and not acted on."""


def config_def() -> ConfigDef:
    """Every key, in the groups Database, Connector, Mode."""
    definition = define_connection(ConfigDef())
    _define_tables(definition)
    _define_modes(definition)
    _define_connector(definition)
    for name, (kind, default) in _UNUSED.items():
        text = "Taken for compatibility; not acted on."
        definition.define(name, kind, default, text, importance=Importance.LOW, group="Connector")
    return definition


def _define_tables(definition: ConfigDef) -> None:
    def define(name: str, kind: Type, default: Any, text: str, **more: Any) -> None:
        definition.define(name, kind, default, text, **{"group": "Database", "importance": Importance.MEDIUM} | more)

    define("table.whitelist", Type.LIST, "", "The tables to copy: table or schema.table, separated by commas.")
    define("table.blacklist", Type.LIST, "", "The tables not to copy; all others are.")
    define("table.include.list", Type.LIST, "", "Regular expressions of the full names (schema.table) to copy.")
    define("table.exclude.list", Type.LIST, "", "Regular expressions of the full names not to copy.")
    define("schema.pattern", Type.STRING, None, "A LIKE pattern of the schemas to look for tables in.")
    define("table.types", Type.LIST, "TABLE", "TABLE, PARTITIONED TABLE, VIEW, MATERIALIZED VIEW, FOREIGN TABLE.")
    define("numeric.precision.mapping", Type.BOOLEAN, False, "Old form of numeric.mapping=precision_only.")
    mapping = "How NUMERIC is mapped: none (Decimal), precision_only, best_fit or best_fit_eager_double."
    define("numeric.mapping", Type.STRING, None, mapping, validator=one_of(None, *NUMERIC_MAPPINGS))
    quoting = "Whether names are quoted in SQL: always or never."
    define("quote.sql.identifiers", Type.STRING, "always", quoting, validator=one_of("always", "never"))
    define("sql.quote.identifiers", Type.BOOLEAN, True, "Whether names are quoted in SQL.")
    zone = "The time zone of timestamps without one."
    define("db.timezone", Type.STRING, "UTC", zone, validator=_time_zone)


def _define_modes(definition: ConfigDef) -> None:
    def define(name: str, kind: Type, default: Any, text: str, **more: Any) -> None:
        definition.define(name, kind, default, text, **{"group": "Mode", "importance": Importance.MEDIUM} | more)

    high = Importance.HIGH
    define("mode", Type.STRING, "", f"How new rows are found: {', '.join(MODES)}.", importance=high)
    define("incrementing.column.name", Type.STRING, "", "The strictly incrementing column; empty: found by itself.")
    define("incrementing.column.mapping", Type.LIST, "", "regex:column, by table.")
    define("timestamp.column.name", Type.LIST, "", "The timestamp columns; the first that is not null counts.")
    define("timestamp.columns.mapping", Type.LIST, "", "regex:[column|column], by table.")
    define("timestamp.initial", Type.LONG, None, "Start after this time (epoch ms) where there is no offset; -1: now.")
    define("timestamp.initial.ms", Type.LONG, None, "As timestamp.initial.")
    define("incrementing.initial", Type.LONG, None, "Start after this value where there is no offset.")
    define("validate.non.null", Type.BOOLEAN, True, "Refuse incrementing and timestamp columns that may be null.")
    define("query", Type.STRING, "", "A SELECT to copy the rows of, in place of tables.")
    define("query.masked", Type.PASSWORD, "", "As query, and never shown.")
    define("query.suffix", Type.STRING, "", "SQL to append to the statement.")
    delay = "Leave rows alone until their timestamp is this old, in milliseconds."
    define("timestamp.delay.interval.ms", Type.LONG, 0, delay, validator=between(0))
    granularity = "How timestamps are represented."
    define("timestamp.granularity", Type.STRING, "connect_logical", granularity, validator=one_of(*GRANULARITIES))


def _define_connector(definition: ConfigDef) -> None:
    def define(name: str, kind: Type, default: Any, text: str, **more: Any) -> None:
        definition.define(name, kind, default, text, **{"group": "Connector", "importance": Importance.HIGH} | more)

    poll = "How often to look for new rows in a table, in milliseconds."
    define("poll.interval.ms", Type.INT, 5000, poll, validator=between(1))
    rows = "Rows a batch, at most; left out: 10,000."
    define("batch.max.rows", Type.INT, None, rows, importance=Importance.LOW, validator=_rows)
    look = "How often to look for new and deleted tables, in milliseconds."
    define("table.poll.interval.ms", Type.LONG, 60_000, look, importance=Importance.LOW, validator=between(1))
    define("topic.prefix", Type.STRING, "", "Goes before the table's name; with query, the topic.", validator=_prefix)


def _time_zone(name: str, value: Any) -> None:
    """Refuse a zone that this machine does not know, where it knows any: a bare one has no zone data."""
    if value in UTC_NAMES or not available_timezones():
        return
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        raise ConfigError(f"Invalid value {value} for configuration {name}: there is no such time zone") from None


def _rows(name: str, value: Any) -> None:
    if value is not None:
        between(1)(name, value)


def _prefix(name: str, value: Any) -> None:
    if len(value) > 249 or not re.fullmatch(r"[A-Za-z0-9._-]*", value):
        why = "at most 249 letters of A-Z, a-z, 0-9, '.', '_' and '-'"
        raise ConfigError(f"Invalid value {value} for configuration {name}: a topic's name takes {why}")


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """What a source task works by."""

    target: Target
    mode: str
    prefix: str
    tables: tuple[str, ...]
    query: str | None = field(repr=False)
    suffix: str
    incrementing: str
    incrementing_mapping: tuple[tuple[str, str], ...]
    timestamps: tuple[str, ...]
    timestamps_mapping: tuple[tuple[str, tuple[str, ...]], ...]
    timestamp_initial_ms: int | None
    incrementing_initial: int | None
    validate_non_null: bool
    delay_ms: int
    granularity: str
    numeric_mapping: str
    time_zone: str
    time_zone_given: bool
    quote: bool
    poll_interval_ms: int
    max_rows: int | None

    @property
    def uses_incrementing(self) -> bool:
        return self.mode in (INCREMENTING, TIMESTAMP_INCREMENTING)

    @property
    def uses_timestamp(self) -> bool:
        return self.mode in (TIMESTAMP, TIMESTAMP_INCREMENTING)


def parse(properties: Mapping[str, Any]) -> SourceConfig:
    """The config of a task. Raises ConfigError that lists every fault."""
    faults = {value.name: value.errors for value in validate(properties) if value.errors}
    if faults:
        raise ConfigError("\n".join(text for texts in faults.values() for text in texts), faults)
    values = config_def().parse(properties)
    initial = values["timestamp.initial"]
    mapping = values["numeric.mapping"] or ("precision_only" if values["numeric.precision.mapping"] else "none")
    return SourceConfig(
        target=target(values, "headrace source"),
        mode=values["mode"],
        prefix=values["topic.prefix"],
        tables=tuple(_names(str(properties.get(TABLES_KEY, "")))),
        query=_query(values),
        suffix=values["query.suffix"] or "",
        incrementing=values["incrementing.column.name"] or "",
        incrementing_mapping=tuple(_column_mapping(values["incrementing.column.mapping"])),
        timestamps=tuple(values["timestamp.column.name"]),
        timestamps_mapping=tuple(
            (regex, tuple(name.strip() for name in columns.strip("[]").split("|")))
            for regex, columns in _column_mapping(values["timestamp.columns.mapping"])
        ),
        timestamp_initial_ms=values["timestamp.initial.ms"] if initial is None else initial,
        incrementing_initial=values["incrementing.initial"],
        validate_non_null=values["validate.non.null"],
        delay_ms=values["timestamp.delay.interval.ms"],
        granularity=values["timestamp.granularity"],
        numeric_mapping=mapping,
        time_zone="UTC" if values["db.timezone"] in UTC_NAMES else values["db.timezone"],
        time_zone_given=properties.get("db.timezone") is not None,
        quote=values["quote.sql.identifiers"] == "always" and values["sql.quote.identifiers"],
        poll_interval_ms=values["poll.interval.ms"],
        max_rows=values["batch.max.rows"],
    )


def unused(properties: Mapping[str, Any]) -> list[str]:
    """The keys of `properties` that are known, set to something, and not acted on."""
    return [name for name in properties if name in _UNUSED and _differs(properties[name], _UNUSED[name][1])]


def _differs(value: Any, default: Any) -> bool:
    return value not in (None, "") and str(value).lower() != str(default).lower()


def validate(properties: Mapping[str, Any]) -> list[ConfigValue]:
    """Every key with its errors, those across keys included."""
    values = config_def().validate(properties)
    by_name = {value.name: value for value in values}
    parsed = {value.name: value.value for value in values}
    for name, text in _faults(parsed):
        by_name[name].errors.append(text)
    return values


def _faults(values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
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
    query = _query(values)
    if query is None:
        if not old and not new:
            yield "table.whitelist", "nothing to copy: set table.whitelist, table.include.list or query"
        return
    if values["query"] and _secret(values["query.masked"]):
        yield "query.masked", "query and query.masked exclude each other: set one of them"
    if old or new:
        yield (old + new)[0], f"{(old + new)[0]} does not go with query: set one of them"
    if not re.match(r"\s*(--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(select|with)\b", query, re.IGNORECASE | re.DOTALL):
        yield ("query" if values["query"] else "query.masked"), "query must be a SELECT (or WITH ... SELECT)"


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
    if uses_incrementing and _query(values) is not None and not values["incrementing.column.name"]:
        yield "incrementing.column.name", f"with query, mode {mode} needs incrementing.column.name"
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


def _names(text: str) -> list[str]:
    """The names in `"schema"."table","schema"."table"`; a comma inside quotes is part of a name."""
    return re.findall(r'(?:"(?:[^"]|"")*"|[^",])+', text)


def _query(values: Mapping[str, Any]) -> str | None:
    """The query without a closing semicolon, or None in table mode."""
    text = values["query"] or _secret(values["query.masked"])
    return text.strip().rstrip(";").strip() or None if text else None


def _secret(value: Password | None) -> str:
    return "" if value is None else value.value


def _column_mapping(entries: Iterable[str]) -> Iterable[tuple[str, str]]:
    for entry in entries:
        regex, _, columns = entry.rpartition(":")
        yield regex.strip(), columns.strip()
