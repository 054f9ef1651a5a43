"""The keys of the JDBC source connector and their defaults.

Every key of the JDBC source connectors in use is known here; those that nothing is done about yet are in `UNUSED`.
"""

import re
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from headrace.connect.api import ConfigDef, ConfigError, Importance, Type, between, one_of
from headrace.jdbc.connection import define_connection

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

UNUSED: Final = {
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
    for name, (kind, default) in UNUSED.items():
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
