"""The keys of the JDBC source connector and their defaults.

Every key of the JDBC source connectors in use (Confluent's, Aiven's and Redpanda's) is known here; those that nothing
is done about are in `UNUSED`.
"""

import re
from collections.abc import Callable
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from headrace.connect.api import ConfigDef, ConfigError, Importance, Type, between, one_of
from headrace.jdbc.connection import define_connection
from headrace.jdbc.dialects import PostgresDialect

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
EXACT_KEY: Final = "headrace.exact.types"
NOW: Final = -1
"""`timestamp.initial` for: from now on."""

ISOLATION_LEVELS: Final = ("READ_UNCOMMITTED", "READ_COMMITTED", "REPEATABLE_READ", "SERIALIZABLE")
TABLE_TYPES: Final = ("TABLE", "PARTITIONED TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE")
OTHER_TABLE_TYPES: Final = (
    *("SYSTEM TABLE", "GLOBAL TEMPORARY", "LOCAL TEMPORARY", "TEMPORARY TABLE", "ALIAS", "SYNONYM"),
    *("TYPE", "INDEX", "SEQUENCE", "SYSTEM VIEW", "TEMPORARY VIEW"),
)
"""Other words of JDBC, for what is not copied."""
ALL_TABLES_CLASSES: Final = ("io.aiven.connect.jdbc.", "com.redpanda.kafka.connect.jdbc.")
"""Connector classes, by their beginning, that copy every table where none is named."""

UNUSED: Final = {
    "jdbc.credentials.provider.class": (
        Type.STRING,
        "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider",
        "credentials come from connection.user and connection.password",
    ),
    "date.calendar.system": (
        Type.STRING,
        "PROLEPTIC_GREGORIAN",
        "dates are in the proleptic Gregorian calendar, as PostgreSQL's are",
    ),
    "max.buffer.size": (Type.INT, 0, "rows are read as a stream, and not kept"),
    "poll.linger.ms": (Type.LONG, 5000, "rows are handed on as they come"),
    "table.names.qualify": (Type.BOOLEAN, True, "names are looked up on the search path, then qualified"),
}
"""Keys of the connectors in use that are taken and not acted on: type, the value that is acted on, and why."""

Define = Callable[..., Any]
Check = Callable[[str, Any], None]


def config_def() -> ConfigDef:
    """Every key, in the groups Database, Mode, Types, Connector."""
    definition = define_connection(ConfigDef())
    _define_tables(_in_group(definition, "Database"))
    _define_modes(_in_group(definition, "Mode"))
    _define_query(_in_group(definition, "Mode"))
    _define_types(_in_group(definition, "Types"))
    _define_connector(_in_group(definition, "Connector"))
    _define_session(_in_group(definition, "Database"))
    for name, (kind, default, why) in UNUSED.items():
        text = f"Accepted and not acted on: {why}."
        definition.define(name, kind, default, text, importance=Importance.LOW, group="Accepted")
    return definition


def _in_group(definition: ConfigDef, group: str) -> Define:
    def define(name: str, kind: Type, default: Any, text: str, **more: Any) -> None:
        definition.define(name, kind, default, text, **{"group": group, "importance": Importance.MEDIUM} | more)

    return define


def _define_tables(define: Define) -> None:
    define(
        "table.whitelist",
        Type.LIST,
        "",
        "The tables to copy: table or schema.table, separated by commas. They must exist.",
    )
    define(
        "table.blacklist",
        Type.LIST,
        "",
        "Tables not to copy (table, schema.table or database.schema.table); all others are.",
    )
    full = "schema.table or database.schema.table"
    define("table.include.list", Type.LIST, "", f"Regular expressions of whole names ({full}) to copy.")
    define(
        "table.exclude.list",
        Type.LIST,
        "",
        f"Regular expressions of whole names ({full}) not to copy, of the included.",
    )
    define("schema.pattern", Type.STRING, None, "A LIKE pattern of the schemas to look for tables in, listed ones too.")
    define(
        "catalog.pattern",
        Type.STRING,
        None,
        "A LIKE pattern that the database's name must match for tables to be found in it.",
    )
    define(
        "table.types", Type.LIST, "TABLE", f"What to look for where tables are not listed: {', '.join(TABLE_TYPES)}."
    )
    look = "How often to look for new and dropped tables where tables are not listed, in milliseconds."
    define("table.poll.interval.ms", Type.LONG, 60_000, look, importance=Importance.LOW, validator=between(1))
    first = (
        "How long the first look at the tables is waited for, in milliseconds, before the connector runs without tasks."
    )
    define(
        "table.monitoring.startup.polling.limit.ms",
        Type.LONG,
        10_000,
        first,
        importance=Importance.LOW,
        validator=between(0),
    )


def _define_modes(define: Define) -> None:
    define(
        "mode", Type.STRING, "", f"How new rows are found: {', '.join(MODES)}. Must be set.", importance=Importance.HIGH
    )
    define(
        "incrementing.column.name",
        Type.STRING,
        "",
        "The strictly incrementing column; left out, the serial or identity column.",
    )
    by_table = "by table; the expression is matched against schema.table and database.schema.table"
    define("incrementing.column.mapping", Type.LIST, "", f"regex:column, {by_table}.")
    define("timestamp.column.name", Type.LIST, "", "The timestamp columns; the first that is not null counts.")
    define("timestamp.columns.mapping", Type.LIST, "", f"regex:[column|column], {by_table}.")
    define(
        "timestamp.initial", Type.LONG, None, "Start after this time (ms since 1970) where there is no offset; -1: now."
    )
    define("timestamp.initial.ms", Type.LONG, None, "The same under Aiven's name; -1 is a time like any other.")
    define("incrementing.initial", Type.LONG, None, "Start after this value where there is no offset.")
    nulls = "Whether to refuse an incrementing column that may be null, and timestamp columns that may all be."
    define("validate.non.null", Type.BOOLEAN, True, nulls)
    delay = "Leave rows alone until their timestamp is this old, in milliseconds."
    define("timestamp.delay.interval.ms", Type.LONG, 0, delay, validator=between(0))


def _define_query(define: Define) -> None:
    define("query", Type.STRING, "", "A SELECT to copy the rows of, in place of tables.")
    define("query.masked", Type.PASSWORD, "", "As query, and never shown.")
    define("query.suffix", Type.STRING, "", "SQL to put at the end of every statement that reads rows.")
    attempts = (
        "How often a statement that may succeed later is tried again; -1: without limit; left out: connection.attempts."
    )
    define(
        "query.retry.attempts", Type.INT, None, attempts, importance=Importance.LOW, validator=_optional(between(-1))
    )


def _define_types(define: Define) -> None:
    mapping = f"How numeric(p,s) is represented: {', '.join(NUMERIC_MAPPINGS)}; left out: none."
    define("numeric.mapping", Type.STRING, None, mapping, validator=_optional(_any_case(one_of(*NUMERIC_MAPPINGS))))
    define("numeric.precision.mapping", Type.BOOLEAN, False, "Old form of numeric.mapping=precision_only.")
    granularity = f"How timestamps are represented: {', '.join(GRANULARITIES)}."
    define(
        "timestamp.granularity",
        Type.STRING,
        "connect_logical",
        granularity,
        validator=_any_case(one_of(*GRANULARITIES)),
    )
    exact = "Whether types whose Connect form may lose something go as STRING, in PostgreSQL's text form."
    define(EXACT_KEY, Type.BOOLEAN, False, exact)
    define("db.timezone", Type.STRING, "UTC", "The time zone of timestamps without one.", validator=_time_zone)


def _define_connector(define: Define) -> None:
    high = {"importance": Importance.HIGH}
    define(
        "topic.prefix",
        Type.STRING,
        "",
        "Goes before the table's name; with query, the topic.",
        validator=_prefix,
        **high,
    )
    poll = "How often to look for new rows in a table, in milliseconds."
    define("poll.interval.ms", Type.INT, 5000, poll, validator=between(1), **high)
    rows = "How many rows a poll gives at most; left out: as many as there are, in batches of up to 10,000."
    define("batch.max.rows", Type.INT, None, rows, importance=Importance.LOW, validator=_optional(between(1)))


def _define_session(define: Define) -> None:
    dialect = "The database's dialect; left out, the URL says it. PostgreSqlDatabaseDialect is the one there is."
    define("dialect.name", Type.STRING, "", dialect, importance=Importance.LOW, validator=_dialect)
    quoting = "always: names are taken letter by letter. never: they go into SQL bare."
    define("quote.sql.identifiers", Type.STRING, "always", quoting, validator=_any_case(one_of("always", "never")))
    define("sql.quote.identifiers", Type.BOOLEAN, True, "The same under Aiven's name.")
    level = f"The isolation level of statements that read rows: DEFAULT (the server's), {', '.join(ISOLATION_LEVELS)}."
    define("transaction.isolation.mode", Type.STRING, "DEFAULT", level, importance=Importance.LOW, validator=_isolation)


def _time_zone(name: str, value: Any) -> None:
    """Refuse a zone that this machine does not know, where it knows any: a bare one has no zone data."""
    if value in UTC_NAMES or not available_timezones():
        return
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        raise ConfigError(f"Invalid value {value} for configuration {name}: there is no such time zone") from None


def _isolation(name: str, value: Any) -> None:
    if value == "SQL_SERVER_SNAPSHOT":
        raise ConfigError(
            f"Invalid value {value} for configuration {name}: it is SQL Server's; PostgreSQL has REPEATABLE_READ"
        )
    one_of("DEFAULT", *ISOLATION_LEVELS)(name, value)


def _dialect(name: str, value: Any) -> None:
    if value not in ("", PostgresDialect.name):
        why = f"there is no such dialect here; leave it out, or set {PostgresDialect.name}"
        raise ConfigError(f"Invalid value {value} for configuration {name}: {why}")


def _any_case(check: Check) -> Check:
    """The connectors in use take these words in upper case too."""
    return lambda name, value: check(name, value.lower())


def _optional(check: Check) -> Check:
    def optional(name: str, value: Any) -> None:
        if value is not None:
            check(name, value)

    return optional


def _prefix(name: str, value: Any) -> None:
    if len(value) > 249 or not re.fullmatch(r"[A-Za-z0-9._-]*", value):
        why = "at most 249 letters of A-Z, a-z, 0-9, '.', '_' and '-'"
        raise ConfigError(f"Invalid value {value} for configuration {name}: a topic's name takes {why}")
