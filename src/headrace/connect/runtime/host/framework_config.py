"""The keys that every connector has, and the validation of a whole connector config.

The keys, groups, order and defaults are those of `ConnectorConfig`, `SourceConnectorConfig` and `SinkConnectorConfig`
in `org.apache.kafka.connect.runtime`; the descriptions are ours.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from headrace.config import NO_DEFAULT, ConfigDef, ConfigError, ConfigKey, ConfigValue, Importance, Password, Type
from headrace.config.definition import between, one_of
from headrace.connect.api import Connector
from headrace.connect.runtime.host.chain_config import chain_pairs
from headrace.connect.runtime.host.converter_config import converter_pairs
from headrace.connect.runtime.host.error_settings import common_errors, sink_errors

COMMON, TRANSFORMS, PREDICATES = "Common", "Transforms", "Predicates"
TOPIC_CREATION, EXACTLY_ONCE, OFFSETS = "Topic Creation", "Exactly Once Support", "offsets.topic"
_HIGH, _MEDIUM, _LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW


def _name(key: str, value: Any) -> None:
    if value is not None and (not value or any(ord(letter) < 32 for letter in value)):
        raise ConfigError(
            f"Invalid value {value!r} for configuration {key}: must be non-empty, without control characters"
        )


def _unique_aliases(key: str, value: Any) -> None:
    if len(set(value)) < len(value):
        raise ConfigError(f"Invalid value {value} for configuration {key}: Duplicate alias provided.")


def _regex(key: str, value: Any) -> None:
    try:
        re.compile(value or "")
    except re.error as error:
        raise ConfigError(f"Invalid value {value} for configuration {key}: Invalid regex: {error}") from error


def _whole(key: str, value: Any) -> None:
    if value is not None and value != -1 and value < 1:
        raise ConfigError(f"Invalid value {value} for configuration {key}: Value must be -1 or at least 1")


def _common() -> ConfigDef:
    shown = {"group": COMMON, "importance": _HIGH}
    low = {"group": COMMON, "importance": _LOW, "width": "SHORT"}
    definition = (
        ConfigDef()
        .define("name", Type.STRING, NO_DEFAULT, "The connector's name, unique in the cluster.",
                validator=_name, order=1, width="MEDIUM", display_name="Connector name", **shown)
        .define("connector.class", Type.STRING, NO_DEFAULT,
                "The connector's class: a native name, a Java class name, or its last part.",
                order=2, width="LONG", display_name="Connector class", **shown)
        .define("tasks.max", Type.INT, 1, "The highest number of tasks for this connector.",
                validator=between(1), order=3, width="SHORT", display_name="Tasks max", **shown)
        .define("tasks.max.enforce", Type.BOOLEAN, True,
                "Whether a connector that makes more tasks than tasks.max fails (deprecated in Kafka Connect).",
                order=4, display_name="Enforce tasks max", **low)
        .define("key.converter", Type.CLASS, None, "The converter of record keys; left out, the worker's.",
                order=5, display_name="Key converter class", **low)
        .define("value.converter", Type.CLASS, None, "The converter of record values; left out, the worker's.",
                order=7, display_name="Value converter class", **low)
        .define("header.converter", Type.CLASS, None, "The converter of header values; left out, the worker's.",
                order=9, display_name="Header converter class", **low)
    )  # fmt: skip
    return _chains(definition)


def _chains(definition: ConfigDef) -> ConfigDef:
    return (
        definition.define("transforms", Type.LIST, [], "Aliases of the transformations, in the order they are applied.",
                validator=_unique_aliases, importance=_LOW, group=TRANSFORMS, order=11, width="LONG",
                display_name="Transforms")
        .define("predicates", Type.LIST, [], "Aliases of the predicates that transformations use.",
                validator=_unique_aliases, importance=_LOW, group=PREDICATES, order=12, width="LONG",
                display_name="Predicates")
        .define("config.action.reload", Type.STRING, "restart",
                "What to do when an outside configuration value changes: restart the connector, or none.",
                validator=one_of("none", "restart"), importance=_LOW, group=COMMON, order=13, width="MEDIUM",
                display_name="Reload Action")
    )  # fmt: skip


def _source() -> ConfigDef:
    shown = {"group": EXACTLY_ONCE}
    return (
        ConfigDef()
        .define("topic.creation.groups", Type.LIST, [], "Groups of settings for topics that this connector creates.",
                validator=_unique_aliases, importance=_LOW, group=TOPIC_CREATION, order=14, width="LONG",
                display_name="Topic Creation Groups")
        .define("exactly.once.support", Type.STRING, "requested",
                "Whether the connector must support exactly-once: requested or required.",
                validator=one_of("requested", "required"), importance=_MEDIUM, order=1, width="SHORT",
                display_name="Exactly once support", **shown)
        .define("transaction.boundary", Type.STRING, "poll", "Where transactions end: poll, interval or connector.",
                validator=one_of("poll", "interval", "connector"), importance=_MEDIUM, order=2, width="SHORT",
                display_name="Transaction Boundary", **shown)
        .define("transaction.boundary.interval.ms", Type.LONG, None, "With transaction.boundary=interval: its length.",
                importance=_LOW, order=3, width="SHORT", display_name="Transaction boundary interval", **shown)
        .define("offsets.storage.topic", Type.STRING, None, "A topic of its own for this connector's source offsets.",
                importance=_LOW, group=OFFSETS, order=1, width="LONG", display_name="Offsets topic")
    )  # fmt: skip


def _sink() -> ConfigDef:
    own = (
        ConfigDef()
        .define("topics", Type.LIST, [], "The topics to read, separated by commas.",
                importance=_HIGH, group=COMMON, order=4, width="LONG", display_name="Topics")
        .define("topics.regex", Type.STRING, "",
                "A regular expression that names the topics to read; instead of topics.",
                validator=_regex, importance=_HIGH, group=COMMON, order=4, width="LONG", display_name="Topics regex")
    )  # fmt: skip
    return own.merge(sink_errors())


def _creation_group(group: str) -> ConfigDef:
    """The keys of one topic creation group."""
    prefix, required = f"topic.creation.{group}.", NO_DEFAULT if group == "default" else None
    shown = {"group": group, "importance": _LOW, "width": "LONG"}
    return (
        ConfigDef()
        .define(f"{prefix}include", Type.LIST, ".*" if group == "default" else [],
                "Regular expressions of the topics that get this group's settings.",
                order=1, display_name=f"Inclusion Topic Pattern for {group}", **shown)
        .define(f"{prefix}exclude", Type.LIST, [], "Regular expressions of topics that do not; they win over include.",
                order=2, display_name=f"Exclusion Topic Pattern for {group}", **shown)
        .define(f"{prefix}replication.factor", Type.INT, required, "Replicas of a new topic; -1: the broker's default.",
                validator=_whole, order=3, display_name=f"Replication Factor for Topics in {group}", **shown)
        .define(f"{prefix}partitions", Type.INT, required, "Partitions of a new topic; -1: the broker's default.",
                validator=_whole, order=4, display_name=f"Partition Count for Topics in {group}", **shown)
    )  # fmt: skip


def connector_config_def(kind: str, properties: Mapping[str, Any]) -> ConfigDef:
    """The framework's keys for a connector of `kind` (source or sink), with the topic creation groups it names."""
    definition = _common().merge(common_errors()).merge(_sink() if kind == "sink" else _source())
    if kind == "source" and any(name.startswith("topic.creation.") for name in properties):
        for group in ["default", *_list(properties.get("topic.creation.groups"))]:
            definition = definition.merge(_creation_group(group))
    return definition


_OPEN: Final = ("transforms.", "predicates.", "topic.creation.", "producer.override.", "consumer.override.")
_OPEN_TOO: Final = ("admin.override.", "key.converter.", "value.converter.", "header.converter.", "headrace.")
"""Beginnings of keys whose rest is for others to know."""


def unknown_keys(plugin: type[Connector], properties: Mapping[str, Any]) -> list[str]:
    """Keys that neither the framework nor the plug-in has, each with what was probably meant.

    The keys below one that names a class (`x.class`, then `x.anything`) belong to that class.
    """
    own = plugin.config_def().keys
    known = {*connector_config_def(plugin.connector_type, properties).keys, *own, "connector.plugin.version"}
    classes = tuple(name.removesuffix("class") for name in own if name.endswith(".class"))
    unknown = [name for name in properties if name not in known and not name.startswith(_OPEN + _OPEN_TOO + classes)]
    return [_with_guess(name, known) for name in unknown]


def _with_guess(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, known, 1, 0.8)
    return f"{name} (did you mean {close[0]}?)" if close else name


def _list(value: Any) -> list[str]:
    return [part.strip() for part in str(value or "").split(",") if part.strip()]


def validate(
    plugin: type[Connector], properties: Mapping[str, Any], *, connect: bool
) -> list[tuple[ConfigKey, ConfigValue]]:
    """Every key of the framework and of the plug-in with its value and errors, the framework's first."""
    framework = connector_config_def(plugin.connector_type, properties)
    values = framework.validate(properties)
    if plugin.connector_type == "sink":
        _check_topics(values)
    own = plugin.config_def()
    pairs = [(framework.keys[value.name], value) for value in values if value.name not in own.keys]
    pairs += chain_pairs(properties)
    for value in plugin.validate(properties, connect=connect):
        key = own.keys.get(value.name) or ConfigKey(value.name, Type.STRING, None, "", display_name=value.name)
        pairs.append((key, value))
    return pairs + converter_pairs(properties, values)


def _check_topics(values: Iterable[ConfigValue]) -> None:
    """What `SinkConnectorConfig.validate` holds against topics, topics.regex and the dead letter queue together."""
    by_name = {value.name: value for value in values}
    topics, regex = by_name["topics"], by_name["topics.regex"]
    if topics.value and regex.value:
        for value in (topics, regex):
            value.errors.append("topics and topics.regex are mutually exclusive options, but both are set.")
    elif not topics.value and not regex.value and not topics.errors and not regex.errors:
        for value in (topics, regex):
            value.errors.append("Must configure one of topics or topics.regex")
    letters = str(by_name["errors.deadletterqueue.topic.name"].value or "").strip()
    if letters:
        _check_letters(letters, topics, regex)


def _check_letters(letters: str, topics: ConfigValue, regex: ConfigValue) -> None:
    """A connector that read its own dead letters would never be done."""
    if letters in (topics.value or []):
        topics.errors.append(
            f"The DLQ topic '{letters}' may not be included in the list of topics "
            f"('topics=[{', '.join(topics.value)}]') consumed by the connector"
        )
    if regex.value and not regex.errors and re.fullmatch(regex.value, letters):
        regex.errors.append(
            f"The DLQ topic '{letters}' may not be matched by the regex for the topics "
            f"('topics.regex={regex.value}') consumed by the connector"
        )


def as_shown(key: ConfigKey, value: ConfigValue) -> tuple[dict[str, Any], dict[str, Any]]:
    """One key as REST shows it: definition and value, secrets hidden (invariant 7)."""
    definition = {
        "name": key.name,
        "type": key.type.value,
        "required": key.required,
        "default_value": None if key.required else _text(key.default),
        "importance": key.importance.value,
        "documentation": key.documentation,
        "group": key.group,
        "width": key.width,
        "display_name": key.display_name,
        "dependents": list(key.dependents),
        "order_in_group": key.order,
    }
    shown = {
        "name": value.name,
        "value": _text(value.value),
        "recommended_values": [_text(item) for item in value.recommended_values],
        "errors": list(value.errors),
        "visible": value.visible,
    }
    return definition, shown


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case Password():
            return Password.HIDDEN
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ",".join(str(item) for item in value)
    return str(value)
