"""The sink's configuration, read: what the keys mean together. Sans-IO."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from headrace.connect.api import ConfigError
from headrace.jdbc.dialects import TableId
from headrace.jdbc.sink.keys import ACCEPTED, PRECISIONS, topics_to_tables
from headrace.jdbc.sink.postgresql.table import cut_name, parse_name
from headrace.jdbc.time_zone import arrow_zone

KAFKA_COLUMNS: Final = ("__connect_topic", "__connect_partition", "__connect_offset")
DEFAULT_RETRIES: Final = 10
_NOT_NORMAL: Final = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """A sink connector's configuration, read and checked. None means: left out."""

    insert_mode: str
    pk_mode: str
    pk_fields: tuple[str, ...]
    delete_enabled: bool
    table_name_format: str
    table_name_normalize: bool
    tables: Mapping[str, str]
    """Topics whose tables do not go by the format."""
    table_types: frozenset[str]
    """Empty: all."""
    fields_whitelist: frozenset[str]
    auto_create: bool
    auto_evolve: bool
    replace_null_with_default: bool
    quote_always: bool
    time_zone: str
    batch_size: int | None
    max_retries: int | None
    retry_backoff_ms: int | None
    timestamp_fields: frozenset[str]
    timestamp_unit: str
    """us or ns."""
    value_column: str
    trim_values: bool

    def table_name(self, topic: str) -> TableId:
        """The table of a topic. Raises ConfigError where the format gives no name."""
        text = self.tables.get(topic)
        if text is None:
            text = self.table_name_format.replace("${topic}", topic)
            text = _NOT_NORMAL.sub("_", text) if self.table_name_normalize else text
        return parse_name(text, fold=not self.quote_always)

    def column_name(self, field: str) -> str:
        """The column that is made for a field, as PostgreSQL keeps the name."""
        return cut_name(field if self.quote_always else field.lower())


def read_settings(config: Mapping[str, Any], topics: Sequence[str] = ()) -> SinkSettings:
    """The settings of parsed properties. Raises ConfigError that lists each fault."""
    faults = faults_across(config, topics)
    if faults:
        raise ConfigError("\n".join(text for texts in faults.values() for text in texts), faults)
    mode, fields = config["pk.mode"].lower(), tuple(filter(None, config["pk.fields"]))
    insert_mode = config["insert.mode"].lower()
    quote, quote_too = config["quote.sql.identifiers"].lower() == "always", config["sql.quote.identifiers"]
    return SinkSettings(
        insert_mode="insert" if insert_mode == "multi" else insert_mode,
        pk_mode=mode,
        pk_fields=KAFKA_COLUMNS if mode == "kafka" and not fields else fields,
        delete_enabled=config["delete.enabled"],
        table_name_format=config["table.name.format"],
        table_name_normalize=config["table.name.normalize"],
        tables=topics_to_tables(config["topics.to.tables.mapping"]),
        table_types=frozenset(kind.upper() for kind in config["table.types"] or () if kind),
        fields_whitelist=frozenset(filter(None, config["fields.whitelist"])),
        auto_create=config["auto.create"],
        auto_evolve=config["auto.evolve"],
        replace_null_with_default=config["replace.null.with.default"],
        quote_always=quote if quote_too is None else quote_too,
        time_zone=arrow_zone(config["db.timezone"]),
        batch_size=config["batch.size"] or None,
        max_retries=config["max.retries"],
        retry_backoff_ms=config["retry.backoff.ms"],
        timestamp_fields=frozenset(filter(None, config["timestamp.fields.list"])),
        timestamp_unit=PRECISIONS[config["timestamp.precision.mode"]],
        value_column=config["string.output.value.column.name"],
        trim_values=config["trim.sensitive.log"],
    )


def faults_across(config: Mapping[str, Any], topics: Sequence[str] = ()) -> dict[str, list[str]]:
    """What is wrong among keys that are each right by themselves; None stands for a key that is not."""
    found = [*_key_faults(config), *_name_faults(config, topics)]
    return {key: [text for other, text in found if other == key] for key, _ in found}


def _key_faults(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    insert_mode, pk_mode = _lower(config.get("insert.mode")), _lower(config.get("pk.mode"))
    fields = [field for field in config.get("pk.fields") or [] if field]
    if insert_mode in ("upsert", "update") and pk_mode == "none":
        text = f"insert.mode={insert_mode} needs a primary key: set pk.mode to record_value, record_key or kafka"
        faults.append(_fault("pk.mode", "none", f"{text}, and pk.fields to its columns"))
    if pk_mode == "kafka" and len(fields) not in (0, 3):
        wanted = "pk.mode=kafka takes three names, for topic, partition and offset, or none for the usual ones"
        faults.append(_fault("pk.fields", ",".join(fields), wanted))
    twice = sorted({field for field in fields if fields.count(field) > 1})
    if twice:
        faults.append(_fault("pk.fields", ",".join(fields), f"{', '.join(twice)} is named twice; name it once"))
    if config.get("delete.enabled") and pk_mode not in ("record_key", None):
        text = "delete.enabled=true needs pk.mode=record_key, since a record without a value has its key alone"
        faults.append(_fault("delete.enabled", "true", text))
    return faults


def _name_faults(config: Mapping[str, Any], topics: Sequence[str]) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    quote, quote_too = _lower(config.get("quote.sql.identifiers")), config.get("sql.quote.identifiers")
    if quote == "never" and quote_too is True:
        text = "quote.sql.identifiers=never says the opposite; give one of the two"
        faults.append(_fault("sql.quote.identifiers", "true", text))
    format, mapping = config.get("table.name.format"), config.get("topics.to.tables.mapping") or []
    if format is None or config.get("table.name.normalize"):
        return faults
    mapped = {item.partition(":")[0].strip() for item in mapping}
    for topic in topics:
        try:
            parse_name(format.replace("${topic}", "t" if topic in mapped else topic))
        except ConfigError as error:
            text = f"for topic {topic}: {error}; put the part in double quotes, or set topics.to.tables.mapping"
            faults.append(_fault("table.name.format", format, text))
    return faults


def listed_topics(properties: Mapping[str, Any]) -> list[str]:
    """The topics that the configuration names."""
    return list(dict.fromkeys(part.strip() for part in str(properties.get("topics") or "").split(",") if part.strip()))


def _fault(key: str, value: str, why: str) -> tuple[str, str]:
    return key, f"Invalid value {value} for configuration {key}: {why}"


def _lower(value: Any) -> str | None:
    return None if value is None else str(value).lower()


def not_acted_on(properties: Mapping[str, Any]) -> str | None:
    """One line on the keys that were given and are not acted on; None where there are none."""
    given = [f"{name} ({ACCEPTED[name]})" for name in properties if name in ACCEPTED]
    return f"accepted and not acted on: {', '.join(given)}" if given else None
