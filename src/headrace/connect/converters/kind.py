"""`converter.type`, which every converter's configuration has; the worker sets it to key, value or header."""

from collections.abc import Mapping
from typing import Any, Final

from headrace.connect.api import NO_DEFAULT, ConfigDef, Importance, Type, one_of

TYPE: Final = "converter.type"


def converter_config() -> ConfigDef:
    return ConfigDef().define(
        TYPE,
        Type.STRING,
        NO_DEFAULT,
        "How this converter will be used.",
        importance=Importance.LOW,
        validator=one_of("key", "value", "header"),
    )


def parse(definition: ConfigDef, properties: Mapping[str, Any], *, is_key: bool) -> dict[str, Any]:
    """The settings; as in Java, what `converter.type` was set to is not looked at."""
    return definition.parse({**properties, TYPE: "key" if is_key else "value"})
