"""The configuration of a source task, from the properties that the user wrote.

Sans-IO.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.connect.api import ConfigError, ConfigValue
from headrace.jdbc.connection import Target, target
from headrace.jdbc.source.keys import (
    EXACT_KEY,
    INCREMENTING,
    NOW,
    TABLES_KEY,
    TIMESTAMP,
    TIMESTAMP_INCREMENTING,
    UNUSED,
    UTC_NAMES,
    config_def,
)
from headrace.jdbc.source.rules import faults, query_of


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
    starts_now: bool
    incrementing_initial: int | None
    validate_non_null: bool
    delay_ms: int
    granularity: str
    numeric_mapping: str
    exact: bool
    time_zone: str
    time_zone_given: bool
    quote: bool
    isolation: str
    query_attempts: int | None
    schema_pattern: str | None
    tables_listed: bool
    poll_interval_ms: int
    table_poll_interval_ms: int
    max_rows: int | None

    @property
    def uses_incrementing(self) -> bool:
        return self.mode in (INCREMENTING, TIMESTAMP_INCREMENTING)

    @property
    def uses_timestamp(self) -> bool:
        return self.mode in (TIMESTAMP, TIMESTAMP_INCREMENTING)


def parse(properties: Mapping[str, Any]) -> SourceConfig:
    """The config of a task. Raises ConfigError that lists every fault."""
    wrong = {value.name: value.errors for value in validate(properties) if value.errors}
    if wrong:
        raise ConfigError("\n".join(text for texts in wrong.values() for text in texts), wrong)
    values = config_def().parse(properties)
    initial = values["timestamp.initial"]
    mapping = values["numeric.mapping"] or ("precision_only" if values["numeric.precision.mapping"] else "none")
    attempts = values["query.retry.attempts"]
    return SourceConfig(
        target=target(values, "headrace source"),
        mode=values["mode"],
        prefix=values["topic.prefix"],
        tables=tuple(_names(str(properties.get(TABLES_KEY, "")))),
        query=query_of(values),
        suffix=values["query.suffix"] or "",
        incrementing=values["incrementing.column.name"] or "",
        incrementing_mapping=tuple(_column_mapping(values["incrementing.column.mapping"])),
        timestamps=tuple(values["timestamp.column.name"]),
        timestamps_mapping=tuple(
            (regex, tuple(name.strip() for name in columns.strip("[]").split("|")))
            for regex, columns in _column_mapping(values["timestamp.columns.mapping"])
        ),
        timestamp_initial_ms=values["timestamp.initial.ms"] if initial is None else initial,
        starts_now=initial == NOW,
        incrementing_initial=values["incrementing.initial"],
        validate_non_null=values["validate.non.null"],
        delay_ms=values["timestamp.delay.interval.ms"],
        granularity=values["timestamp.granularity"].lower(),
        numeric_mapping=mapping.lower(),
        exact=values[EXACT_KEY],
        time_zone="UTC" if values["db.timezone"] in UTC_NAMES else values["db.timezone"],
        time_zone_given=properties.get("db.timezone") is not None,
        quote=values["quote.sql.identifiers"].lower() == "always" and values["sql.quote.identifiers"],
        isolation=values["transaction.isolation.mode"],
        query_attempts=values["connection.attempts"] if attempts is None else None if attempts < 0 else attempts,
        schema_pattern=values["schema.pattern"] or None,
        tables_listed=bool(list(filter(None, values["table.whitelist"]))),
        poll_interval_ms=values["poll.interval.ms"],
        table_poll_interval_ms=values["table.poll.interval.ms"],
        max_rows=values["batch.max.rows"],
    )


def unused(properties: Mapping[str, Any]) -> list[str]:
    """The keys of `properties` that are known, set to something, and not acted on."""
    return [name for name in properties if name in UNUSED and _differs(properties[name], UNUSED[name][1])]


def _differs(value: Any, default: Any) -> bool:
    return value not in (None, "") and str(value).lower() != str(default).lower()


def validate(properties: Mapping[str, Any]) -> list[ConfigValue]:
    """Every key with its errors, those across keys included."""
    values = config_def().validate(properties)
    by_name = {value.name: value for value in values}
    parsed = {value.name: value.value for value in values}
    for name, text in faults(parsed | {"connector.class": str(properties.get("connector.class") or "")}):
        by_name[name].errors.append(text)
    return values


def _names(text: str) -> list[str]:
    """The names in `"schema"."table","schema"."table"`; a comma inside quotes is part of a name."""
    return re.findall(r'(?:"(?:[^"]|"")*"|[^",])+', text)


def _column_mapping(entries: Iterable[str]) -> Iterable[tuple[str, str]]:
    for entry in entries:
        regex, _, columns = entry.rpartition(":")
        yield regex.strip(), columns.strip()
