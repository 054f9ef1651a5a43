"""The sink's configuration: the keys of the known JDBC sink connectors, defaults, and the rules across them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import ConfigDef, ConfigError, Importance, Type, between, one_of
from headrace.jdbc.connection import define_connection
from headrace.jdbc.dialects import TableId
from headrace.jdbc.sink.postgresql.table import parse_name

KAFKA_COLUMNS: Final = ("__connect_topic", "__connect_partition", "__connect_offset")
INSERT_MODES: Final = ("insert", "upsert", "update")
PK_MODES: Final = ("none", "kafka", "record_key", "record_value")
UTC_NAMES: Final = ("UTC", "GMT", "Etc/UTC", "Etc/GMT", "Z")
"""Names that need no database of time zones, which bare machines lack."""
DEFAULT_RETRIES: Final = 10

ACCEPTED: Final = {
    "jdbc.credentials.provider.class": "credentials come from connection.user and connection.password",
    "table.types": "tables, partitioned tables and views are all written",
    "date.timezone": "dates have no time zone here",
    "timestamp.fields.list": "use the TimestampConverter transform",
    "timestamp.precision.mode": "Connect's timestamps have milliseconds",
    "date.calendar.system": "dates are in the proleptic Gregorian calendar",
    "string.output.value.column.name": "values need a struct schema",
    "mssql.use.merge.holdlock": "it is about SQL Server",
    "trim.sensitive.log": "rows are not logged",
    "table.name.normalize": "table names are taken as they are",
    "topics.to.tables.mapping": "use table.name.format, or the RegexRouter transform",
}
"""Keys that other connectors have and this one does not act on, and why."""


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """A sink connector's configuration, read and checked. None means: left out."""

    insert_mode: str
    pk_mode: str
    pk_fields: tuple[str, ...]
    delete_enabled: bool
    table_name_format: str
    fields_whitelist: frozenset[str]
    auto_create: bool
    auto_evolve: bool
    replace_null_with_default: bool
    quote_always: bool
    time_zone: str
    batch_size: int | None
    max_retries: int | None
    retry_backoff_ms: int | None

    def table_name(self, topic: str) -> TableId:
        """The table of a topic. Raises ConfigError where the format gives no name."""
        return parse_name(self.table_name_format.replace("${topic}", topic), fold=not self.quote_always)


def sink_config() -> ConfigDef:
    """Every key of the connector that the runtime does not own."""
    definition = define_connection(ConfigDef())
    _define_writes(definition.define)
    _define_mapping(definition.define)
    _define_tables(definition.define)
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
        "delivering a record twice changes nothing. update: change rows that are there.",
        group="Writes",
        importance=Importance.HIGH,
        validator=one_of(*INSERT_MODES),
    )
    define(
        "batch.size",
        Type.INT,
        None,
        "How many rows go into one statement at most; left out, all rows of a consumed batch do. All rows "
        "given at once are one transaction.",
        group="Writes",
        importance=Importance.MEDIUM,
        validator=_optional(between(1)),
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


def _define_mapping(define: Callable[..., Any]) -> None:
    define(
        "dialect.name",
        Type.STRING,
        "",
        "The database's dialect; left out, the URL says it. PostgreSqlDatabaseDialect is the one there is.",
        group="Database",
        importance=Importance.LOW,
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
        "pk.mode",
        Type.STRING,
        "none",
        "Where the primary key comes from: none, kafka (topic, partition, offset), record_key or record_value.",
        group="Data Mapping",
        importance=Importance.HIGH,
        validator=one_of(*PK_MODES),
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
        "db.timezone",
        Type.STRING,
        "UTC",
        "The time zone that timestamps are written in to columns without one.",
        group="Data Mapping",
        importance=Importance.MEDIUM,
        validator=_time_zone,
    )
    define(
        "replace.null.with.default",
        Type.BOOLEAN,
        True,
        "Whether a null of a field with a default is written as the default.",
        group="Data Mapping",
        importance=Importance.MEDIUM,
    )


def _define_tables(define: Callable[..., Any]) -> None:
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
        "Whether to add missing columns from the record's schema.",
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
        validator=one_of("always", "never", "ALWAYS", "NEVER"),
    )
    define(
        "sql.quote.identifiers",
        Type.BOOLEAN,
        None,
        "The same as quote.sql.identifiers, under the name of the Aiven connector.",
        group="DDL Support",
        importance=Importance.LOW,
    )


def read_settings(config: Mapping[str, Any]) -> SinkSettings:
    """The settings of parsed properties. Raises ConfigError that lists each fault."""
    faults = faults_across(config)
    if faults:
        raise ConfigError("\n".join(text for texts in faults.values() for text in texts), faults)
    mode, fields = config["pk.mode"], tuple(filter(None, config["pk.fields"]))
    quote = config["quote.sql.identifiers"].lower() == "always"
    return SinkSettings(
        insert_mode=config["insert.mode"],
        pk_mode=mode,
        pk_fields=KAFKA_COLUMNS if mode == "kafka" and not fields else fields,
        delete_enabled=config["delete.enabled"],
        table_name_format=config["table.name.format"],
        fields_whitelist=frozenset(filter(None, config["fields.whitelist"])),
        auto_create=config["auto.create"],
        auto_evolve=config["auto.evolve"],
        replace_null_with_default=config["replace.null.with.default"],
        quote_always=quote if config["sql.quote.identifiers"] is None else config["sql.quote.identifiers"],
        time_zone="UTC" if config["db.timezone"] in UTC_NAMES else config["db.timezone"],
        batch_size=config["batch.size"],
        max_retries=config["max.retries"],
        retry_backoff_ms=config["retry.backoff.ms"],
    )


def faults_across(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong among keys that are each right by themselves; None stands for a key that is not."""
    faults: dict[str, list[str]] = {}
    insert_mode, pk_mode = config.get("insert.mode"), config.get("pk.mode")
    fields = [field for field in config.get("pk.fields") or [] if field]
    if insert_mode in ("upsert", "update") and pk_mode == "none":
        text = f"insert.mode={insert_mode} needs a primary key: set pk.mode to record_value, record_key or kafka"
        faults["pk.mode"] = [f"Invalid value none for configuration pk.mode: {text}, and pk.fields to its columns"]
    if pk_mode == "kafka" and len(fields) not in (0, 3):
        wanted = "pk.mode=kafka takes three names, for topic, partition and offset, or none for the usual ones"
        shown = ",".join(fields)
        faults["pk.fields"] = [f"Invalid value {shown} for configuration pk.fields: {wanted}"]
    if config.get("delete.enabled") and pk_mode not in ("record_key", None):
        text = "delete.enabled=true needs pk.mode=record_key, since a record without a value has its key alone"
        faults["delete.enabled"] = [f"Invalid value true for configuration delete.enabled: {text}"]
    return faults


def not_acted_on(properties: Mapping[str, Any]) -> str | None:
    """One line on the keys that were given and are not acted on; None where there are none."""
    given = [f"{name} ({ACCEPTED[name]})" for name in properties if name in ACCEPTED]
    return f"accepted and not acted on: {', '.join(given)}" if given else None


def _optional(validator: Any) -> Any:
    def check(name: str, value: Any) -> None:
        if value is not None:
            validator(name, value)

    return check


def _table_format(name: str, value: Any) -> None:
    try:
        parse_name(str(value or "").replace("${topic}", "topic"))
    except ConfigError as error:
        raise ConfigError(f"Invalid value {value} for configuration {name}: {error}") from None


def _time_zone(name: str, value: Any) -> None:
    try:
        if value not in UTC_NAMES:
            pc.local_timestamp(pa.array([0], pa.timestamp("ms", tz=str(value))))
    except pa.ArrowInvalid:
        why = "no such time zone is known here; UTC, or a name such as Asia/Seoul"
        raise ConfigError(f"Invalid value {value} for configuration {name}: {why}") from None
