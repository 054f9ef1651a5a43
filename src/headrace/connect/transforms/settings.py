"""Keys and validators that several transformations have."""

from typing import Any, Final

from headrace.connect.api import ConfigDef, ConfigError, Importance, Type

REPLACE_NULL: Final = "replace.null.with.default"


def define_replace_null(definition: ConfigDef) -> ConfigDef:
    """`definition` with the key that says what a null in a field with a default becomes."""
    return definition.define(
        REPLACE_NULL,
        Type.BOOLEAN,
        True,
        "Whether a null in a field that has a default becomes that default.",
        importance=Importance.MEDIUM,
    )


def names(name: str, value: Any) -> None:
    """A validator of lists, which may be empty, but no item of them."""
    if "" in (value or ()):
        raise ConfigError(f"Configuration '{name}' values must not be empty.")
