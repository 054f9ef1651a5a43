"""The keys of a connector's transformations, as `ConnectorConfig.EnrichablePlugin` adds them: `transforms.<alias>.*`.

A name that is no transformation is so refused when the connector is posted, and not when its task starts.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headrace.config import NO_DEFAULT, ConfigError, ConfigKey, ConfigValue, Importance, Type
from headrace.connect.api import Transformation
from headrace.connect.runtime.host.plugins import transform_class

Pairs = list[tuple[ConfigKey, ConfigValue]]


def transform_pairs(properties: Mapping[str, Any]) -> Pairs:
    """Each key of each transformation that `transforms` names, with its value and errors."""
    aliases = [part.strip() for part in str(properties.get("transforms") or "").split(",")]
    return [pair for alias in dict.fromkeys(filter(None, aliases)) for pair in _of_alias(alias, properties)]


def _of_alias(alias: str, properties: Mapping[str, Any]) -> Pairs:
    prefix, group = f"transforms.{alias}.", f"Transforms: {alias}"
    documentation = f"Class for the '{alias}' transformation."
    name = f"{prefix}type"
    key = ConfigKey(name, Type.CLASS, NO_DEFAULT, documentation, Importance.HIGH, group=group, order=0, width="LONG")
    value = ConfigValue(name, properties.get(name))
    pairs = [(replace(key, display_name=name), value)]
    if not value.value:
        value.errors.append(f'Missing required configuration "{name}" which has no default value.')
        return pairs
    try:
        found = transform_class(str(value.value), name)
    except ConfigError as error:
        value.errors.append(f"Invalid value {value.value} for configuration {name}: {error}")
        return pairs
    return pairs + _own(found, prefix, group, properties)


def _own(found: type[Transformation], prefix: str, group: str, properties: Mapping[str, Any]) -> Pairs:
    """The transformation's own keys, below its alias."""
    definition = found.config_def()
    below = {key.removeprefix(prefix): value for key, value in properties.items() if key.startswith(prefix)}
    pairs = []
    for value in definition.validate(below):
        value.name, key = prefix + value.name, definition.keys[value.name]
        pairs.append((replace(key, name=value.name, group=group), value))
    return pairs
