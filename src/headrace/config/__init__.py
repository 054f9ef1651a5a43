"""Configuration: typed keys, properties files, environment names and the address book.

The lowest layer: imports nothing of Headrace. Every server and every plug-in declares its keys in a `ConfigDef`.
"""

from headrace.config.addresses import AddressBook, address
from headrace.config.definition import (
    NO_DEFAULT,
    ConfigDef,
    ConfigError,
    ConfigKey,
    ConfigValue,
    Importance,
    Password,
    Type,
)
from headrace.config.properties import from_environment, read_properties
from headrace.config.thread_name import name_thread

__all__ = [
    "NO_DEFAULT",
    "AddressBook",
    "ConfigDef",
    "ConfigError",
    "ConfigKey",
    "ConfigValue",
    "Importance",
    "Password",
    "Type",
    "address",
    "from_environment",
    "name_thread",
    "read_properties",
]
