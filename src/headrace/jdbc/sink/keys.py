"""The keys of the sink: those of the known JDBC sink connectors, with their defaults. Sans-IO."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import ConfigDef, ConfigError, Importance, Type, between, one_of
from headrace.jdbc.connection import define_connection
from headrace.jdbc.sink.postgresql.table import TABLE_KINDS, parse_name
from headrace.jdbc.time_zone import arrow_zone

INSERT_MODES: Final = ("insert", "upsert", "update", "multi")
PK_MODES: Final = ("none", "kafka", "record_key", "record_value")
DIALECT: Final = "PostgreSqlDatabaseDialect"
PRECISIONS: Final = {"microseconds": "us", "nanoseconds": "ns"}

ACCEPTED: Final = {
    "jdbc.credentials.provider.class": "credentials come from connection.user and connection.password",
    "date.timezone": "dates have no time zone here",
    "date.calendar.system": "dates are in the proleptic Gregorian calendar",
    "mssql.use.merge.holdlock": "it is about SQL Server",
}
"""Keys that other connectors have and this one does not act on, and why."""

Validator = Callable[[str, Any], None]


def sink_config() -> ConfigDef:
    """Every key of the connector that the runtime does not own."""
    definition = define_connection(ConfigDef())
    _define_writes(definition.define)
    _define_names(definition.define)
    _define_fields(definition.define)
    _define_moments(definition.define)
    _define_ddl(definition.define)
    for name, why in ACCEPTED.items():
        definition.define(
            name, Type.STRING, None, f"Accepted and not acted on: {why}.", importance=Importance.LOW, group="Accepted"
        )
    return definition


def _define_writes(define: Callable[..., Any]) -> None:
    define(
        "insert.mode",
        Type.STRING,
        "insert",
        "insert: add rows, and fail where one is there already. upsert: add or replace by primary key; "
        "delivering a record twice changes nothing. update: change rows that are there. multi: the same as insert.",
        group="Writes",
        importance=Importance.HIGH,
        validator=_in_any_case(*INSERT_MODES),
    )
    define(
        "batch.size",
        Type.INT,
        None,
        "How many rows go into one statement at most; left out or 0, all rows of a consumed batch do. All rows "
        "given at once are one transaction.",
        group="Writes",
        importance=Importance.MEDIUM,
        validator=_optional(between(0)),
    )
    define(
        "delete.enabled",
        Type.BOOLEAN,
        False,
        "Whether a record without a value deletes the row of its key; needs pk.mode=record_key.",
        group="Writes",
        importance=Importance.MEDIUM,
    )
    define(
        "max.retries",
        Type.INT,
        None,
        "How often to try again where a server is away or a statement may succeed later; left out, a server "
        "that is away is waited for without limit, and a statement is tried 10 times.",
        group="Retries",
        importance=Importance.MEDIUM,
        validator=_optional(between(0)),
    )
    define(
        "retry.backoff.ms",
        Type.INT,
        None,
        "How long to wait before trying again, in milliseconds; left out, 100 growing to 3000.",
        group="Retries",
        importance=Importance.MEDIUM,
        validator=_optional(between(0)),
    )


def _define_names(define: Callable[..., Any]) -> None:
    define(
        "dialect.name",
        Type.STRING,
        "",
        f"The database's dialect; left out, the URL says it. {DIALECT} is the one there is.",
        group="Database",
        importance=Importance.LOW,
        validator=one_of("", DIALECT),
    )
    define(
        "table.name.format",
        Type.STRING,
        "${topic}",
        "The table, or schema.table, to write to; ${topic} stands for the topic. A part with dots in it goes "
        "in double quotes.",
        group="Data Mapping",
        importance=Importance.MEDIUM,
        validator=_table_format,
    )
    define(
        "table.name.normalize",
        Type.BOOLEAN,
        False,
        "Whether every character of the name that table.name.format gives, but a-z, A-Z, 0-9 and _, becomes _ (the "
        "dot between schema and table too).",
        group="Data Mapping",
        importance=Importance.MEDIUM,
    )
    define(
        "topics.to.tables.mapping",
        Type.LIST,
        None,
        "Tables of single topics, as topic:table or topic:schema.table; topics that are not in it go by "
        "table.name.format.",
        group="Data Mapping",
        importance=Importance.MEDIUM,
        validator=_mapping,
    )
    define(
        "table.types",
        Type.LIST,
        None,
        f"The kinds of tables that may be written: {', '.join(TABLE_KINDS.values())}; left out, all of them.",
        group="Data Mapping",
        importance=Importance.LOW,
        validator=_each_of(*TABLE_KINDS.values()),
    )


def _define_fields(define: Callable[..., Any]) -> None:
    define(
        "pk.mode",
        Type.STRING,
        "none",
        "Where the primary key comes from: none, kafka (topic, partition, offset), record_key or record_value.",
        group="Data Mapping",
        importance=Importance.HIGH,
        validator=_in_any_case(*PK_MODES),
    )
    define(
        "pk.fields",
        Type.LIST,
        "",
        "The primary key's columns: for kafka, three names (default "
        "__connect_topic,__connect_partition,__connect_offset); for record_key, fields of the key (default "
        "all), or the name of the column for a key that is no struct; for record_value, fields of the value "
        "(default all).",
        group="Data Mapping",
        importance=Importance.MEDIUM,
    )
    define(
        "fields.whitelist",
        Type.LIST,
        "",
        "The value's fields to write, the primary key aside; empty means all.",
        group="Data Mapping",
        importance=Importance.MEDIUM,
    )
    define(
        "replace.null.with.default",
        Type.BOOLEAN,
        True,
        "Whether a null of a field with a default is written as the default.",
        group="Data Mapping",
        importance=Importance.MEDIUM,
    )
    define(
        "string.output.value.column.name",
        Type.STRING,
        "record_value",
        "The column of a value that is one STRING and no struct.",
        group="Data Mapping",
        importance=Importance.LOW,
    )


def _define_moments(define: Callable[..., Any]) -> None:
    define(
        "db.timezone",
        Type.STRING,
        "UTC",
        "The time zone that timestamps are written in to columns without one: UTC, a name such as Asia/Seoul, or an "
        "offset such as +09:00.",
        group="Data Mapping",
        importance=Importance.MEDIUM,
        validator=_time_zone,
    )
    define(
        "timestamp.fields.list",
        Type.LIST,
        "",
        "The value's fields that are timestamps as INT64 or STRING: what the source writes where its "
        "timestamp.granularity says so. Strings of digits are numbers; others are read by the database.",
        group="Data Mapping",
        importance=Importance.MEDIUM,
    )
    define(
        "timestamp.precision.mode",
        Type.STRING,
        "microseconds",
        "What the numbers of timestamp.fields.list count since 1970: microseconds, or nanoseconds (which are cut to "
        "microseconds, as the database has no more).",
        group="Data Mapping",
        importance=Importance.MEDIUM,
        validator=one_of(*PRECISIONS),
    )


def _define_ddl(define: Callable[..., Any]) -> None:
    define(
        "auto.create",
        Type.BOOLEAN,
        False,
        "Whether to create a missing table from the record's schema.",
        group="DDL Support",
        importance=Importance.MEDIUM,
    )
    define(
        "auto.evolve",
        Type.BOOLEAN,
        False,
        "Whether to add missing columns from the record's schema: fields that are optional or have a default.",
        group="DDL Support",
        importance=Importance.MEDIUM,
    )
    define(
        "quote.sql.identifiers",
        Type.STRING,
        "always",
        "always: names are taken letter by letter. never: names are put in lower case, as SQL does with bare names.",
        group="DDL Support",
        importance=Importance.MEDIUM,
        validator=_in_any_case("always", "never"),
    )
    define(
        "sql.quote.identifiers",
        Type.BOOLEAN,
        None,
        "The same as quote.sql.identifiers, under the name of the Aiven connector.",
        group="DDL Support",
        importance=Importance.LOW,
    )
    define(
        "trim.sensitive.log",
        Type.BOOLEAN,
        False,
        "Whether errors (in the log, the status, the dead letter queue) leave out the values of records.",
        group="Connector",
        importance=Importance.LOW,
    )


def _optional(validator: Any) -> Any:
    def check(name: str, value: Any) -> None:
        if value is not None:
            validator(name, value)

    return check


def _in_any_case(*allowed: str) -> Validator:
    """All in lower case or all in upper case, as Java's connectors take them."""
    known = one_of(*allowed)

    def check(name: str, value: Any) -> None:
        known(name, value.lower() if str(value).isupper() else value)

    return check


def _each_of(*allowed: str) -> Validator:
    known = one_of(*allowed)

    def check(name: str, value: Any) -> None:
        for item in value or ():
            known(name, item.upper())

    return check


def topics_to_tables(items: Sequence[str] | None) -> dict[str, str]:
    """The pairs of topics.to.tables.mapping. Raises ConfigError."""
    pairs = {}
    for item in filter(None, items or ()):
        topic, colon, table = (part.strip() for part in item.partition(":"))
        if not colon or not topic or not table:
            raise ConfigError(f"{item!r} is no pair: write topic:table")
        if topic in pairs:
            raise ConfigError(f"topic {topic} has two tables")
        parse_name(table)
        pairs[topic] = table
    return pairs


def _mapping(name: str, value: Any) -> None:
    try:
        topics_to_tables(value)
    except ConfigError as error:
        raise _invalid(name, ",".join(value), str(error)) from None


def _table_format(name: str, value: Any) -> None:
    try:
        parse_name(str(value or "").replace("${topic}", "topic"))
    except ConfigError as error:
        raise _invalid(name, value, str(error)) from None


def _time_zone(name: str, value: Any) -> None:
    try:
        pc.local_timestamp(pa.array([0], pa.timestamp("ms", tz=arrow_zone(str(value)))))
    except pa.ArrowInvalid:
        why = "no such time zone is known here; UTC, a name such as Asia/Seoul, or an offset such as +09:00"
        raise _invalid(name, value, why) from None


def _invalid(name: str, value: Any, why: str) -> ConfigError:
    return ConfigError(f"Invalid value {value} for configuration {name}: {why}")
