"""The keys of the converters that a connector brings along, as `AbstractHerder.validateConverterConfig` adds them:
`key.converter.*`, `value.converter.*`, `header.converter.*`.

The worker's own converters are not looked at: a connector that names none is not held back by them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from headrace.config import ConfigDef, ConfigError, ConfigKey, ConfigValue
from headrace.connect.converters.kind import TYPE
from headrace.connect.runtime.host.plugins import converter_class, header_converter_class

Pairs = list[tuple[ConfigKey, ConfigValue]]
_DEFINITIONS: Final[Mapping[str, Callable[[str, str], ConfigDef]]] = {
    "header.converter": lambda name, key: header_converter_class(name, key).config_def(),
    "key.converter": lambda name, key: converter_class(name, key).config_def(),
    "value.converter": lambda name, key: converter_class(name, key).config_def(),
}
"""In Java's order."""


def converter_pairs(properties: Mapping[str, Any], values: Iterable[ConfigValue]) -> Pairs:
    """Each key of each converter with its value and errors; a converter that there is not is an error of its key's."""
    by_name = {value.name: value for value in values}
    pairs: Pairs = []
    for key, find in _DEFINITIONS.items():
        name, value = properties.get(key), by_name.get(key)
        if not name or value is None or value.errors:
            continue
        try:
            pairs += _of_converter(find(str(name), key), f"{key}.", properties)
        except ConfigError as error:
            value.errors.append(f"Invalid value {name} for configuration {key}: {error}")
    return pairs


def _of_converter(definition: ConfigDef, prefix: str, properties: Mapping[str, Any]) -> Pairs:
    below = {name.removeprefix(prefix): value for name, value in properties.items() if name.startswith(prefix)}
    below.setdefault(TYPE, prefix.partition(".")[0])
    pairs = []
    for value in definition.validate(below):
        key = definition.keys[value.name]
        value.name = prefix + value.name
        pairs.append((replace(key, name=value.name), value))
    return pairs
