"""The keys of a connector's transformations and predicates, as `ConnectorConfig.EnrichablePlugin` adds them:
`transforms.<alias>.*` and `predicates.<alias>.*`.

A name that is no transformation is so refused when the connector is posted, and not when its task starts. So is a
predicate that `predicates` does not list, which Kafka Connect finds only then.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from headrace.config import NO_DEFAULT, ConfigDef, ConfigError, ConfigKey, ConfigValue, Importance, Type
from headrace.config.definition import parse_type
from headrace.connect.api import Predicate, Transformation
from headrace.connect.runtime.host.plugins import predicate_class, transform_class

Pairs = list[tuple[ConfigKey, ConfigValue]]
Properties = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """For which records a transformation is: those of which a predicate is true, or is not."""

    predicate: str
    negate: bool


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a list of aliases names."""

    key: str
    noun: str
    group: str
    find: Callable[[str, str], type[Transformation] | type[Predicate]]
    implicit: ConfigDef


_CONDITION: Final = (
    ConfigDef()
    .define("predicate", Type.STRING, None, "The alias of the predicate that says which records this is for.")
    .define("negate", Type.BOOLEAN, False, "Whether it is for the records of which the predicate is not true.")
)
_TRANSFORMS: Final = _Kind("transforms", "Transformation", "Transforms", transform_class, _CONDITION)
_PREDICATES: Final = _Kind("predicates", "Predicate", "Predicates", predicate_class, ConfigDef())


def chain_pairs(properties: Properties) -> Pairs:
    """Each key of each transformation and predicate that is listed, with its value and errors."""
    return [
        pair
        for kind in (_TRANSFORMS, _PREDICATES)
        for alias in dict.fromkeys(parse_aliases(kind.key, properties))
        for pair in _of_alias(kind, alias, properties)
    ]


def parse_aliases(key: str, properties: Properties) -> list[str]:
    """The aliases that `transforms` or `predicates` lists; one after a last comma is empty, and has no type."""
    return parse_type(key, properties.get(key), Type.LIST) or []


def parse_condition(alias: str, properties: Properties) -> Condition | None:
    """The predicate of a transformation, or None. Raises ConfigError."""
    prefix = f"transforms.{alias}."
    _check_condition(prefix, properties)
    if properties.get(f"{prefix}predicate") is None:
        return None
    negate = parse_type(f"{prefix}negate", properties.get(f"{prefix}negate"), Type.BOOLEAN)
    return Condition(_listed(f"{prefix}predicate", properties), bool(negate))


def _check_condition(prefix: str, properties: Properties) -> None:
    negate, predicate = f"{prefix}negate", f"{prefix}predicate"
    if negate in properties and predicate not in properties:
        raise ConfigError(
            f"Config '{negate}' was provided but there is no config '{predicate}' defining a predicate to be negated."
        )


def _listed(key: str, properties: Properties) -> str:
    """The alias that a transformation's `predicate` names."""
    alias, known = str(properties[key]).strip(), parse_aliases("predicates", properties)
    if alias in known:
        return alias
    listed = f"predicates lists {', '.join(known)}" if known else "predicates lists none"
    message = f"Invalid value {alias} for configuration {key}: there is no predicate of that alias; {listed}"
    raise ConfigError(message, {key: [message]})


def _of_alias(kind: _Kind, alias: str, properties: Properties) -> Pairs:
    prefix, group = f"{kind.key}.{alias}.", f"{kind.group}: {alias}"
    name, noun = f"{prefix}type", kind.noun.lower()
    text, shown = f"Class for the '{alias}' {noun}.", f"{kind.noun} type for {alias}"
    key = ConfigKey(name, Type.CLASS, NO_DEFAULT, text, Importance.HIGH, group=group, order=0, width="LONG")
    value = ConfigValue(name, properties.get(name))
    pairs = [(replace(key, display_name=shown), value)]
    if not value.value:
        value.errors.append(f'Missing required configuration "{name}" which has no default value.')
        return pairs
    try:
        found = kind.find(str(value.value), name)
    except ConfigError as error:
        value.errors.append(f"Invalid value {value.value} for configuration {name}: {error}")
        return pairs
    try:
        _check_condition(prefix, properties)
    except ConfigError as error:
        value.errors.append(str(error))
    return pairs + _own(kind, found.config_def(), prefix, group, properties)


def _own(kind: _Kind, definition: ConfigDef, prefix: str, group: str, properties: Properties) -> Pairs:
    """The plug-in's own keys, below its alias; those that every transformation has win."""
    definition = definition.merge(kind.implicit)
    below = {key.removeprefix(prefix): value for key, value in properties.items() if key.startswith(prefix)}
    pairs = []
    for value in definition.validate(below):
        value.name, key = prefix + value.name, definition.keys[value.name]
        if value.name == f"{prefix}predicate" and kind is _TRANSFORMS and value.value is not None:
            value.errors += _faults(value.name, properties)
        pairs.append((replace(key, name=value.name, group=group), value))
    return pairs


def _faults(key: str, properties: Properties) -> list[str]:
    try:
        _listed(key, properties)
    except ConfigError as error:
        return [str(error)]
    return []
