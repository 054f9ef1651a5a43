"""A connector's file as `connect-standalone` takes it (KIP-1002), whatever its name ends in.

Three forms, tried in this order as Java's ConnectStandalone does: a JSON object of keys and values, the JSON of a
request that creates a connector (`name`, `config`, `initial_state`), and properties.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.config import ConfigError
from headrace.config.properties import parse_properties
from headrace.connect.rest.body import config_of, initial_state, named_config, parse_object
from headrace.connect.runtime.errors import BadRequest
from headrace.connect.stores.config import TargetState


class ConnectorFileError(ConfigError):
    """A file that no connector can be made of; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class ConnectorFile:
    path: Path
    name: str
    config: dict[str, Any]
    initial_state: TargetState | None = None


def read_connector_file(path: Path) -> ConnectorFile:
    """Read one file. Raises ConnectorFileError that names it, and where JSON is broken the place."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConnectorFileError(f"{path} cannot be read: {reason}") from error
    try:
        name, config, state = parse_connector(text)
    except (BadRequest, ValueError) as error:
        raise ConnectorFileError(f"{path}: {error}") from error
    return ConnectorFile(path, name, config, state)


def parse_connector(text: str) -> tuple[str, dict[str, Any], TargetState | None]:
    """Name, config and initial state. Raises ValueError or BadRequest that says what is wrong.

    >>> parse_connector("name=c\\ntasks.max=1")
    ('c', {'name': 'c', 'tasks.max': '1'}, None)
    >>> parse_connector('{"name": "c", "config": {"tasks.max": 1}}')
    ('c', {'tasks.max': '1', 'name': 'c'}, None)
    """
    if text.lstrip()[:1] not in ("{", "["):
        return _flat(parse_properties(text))
    try:
        json.loads(text)
    except ValueError as error:
        raise ValueError(f"it begins as JSON but is none: {error}") from error
    fields = parse_object(text.encode())
    if not any(isinstance(value, (dict, list)) for value in fields.values()):
        return _flat(config_of(fields))
    if not isinstance(fields.get("config"), dict):
        raise ValueError('write {"name": ..., "config": {...}}, or keys with texts, numbers and booleans alone')
    if not fields.get("name"):
        raise ValueError("the mandatory 'name' is missing beside 'config'")
    name, config = str(fields["name"]), config_of(fields["config"])
    if config.get("name") not in (None, name):
        raise ValueError(f"the name in 'config' ({config['name']}) is not the one beside it ({name})")
    return name, named_config(name, config), initial_state(fields.get("initial_state"))


def _flat(config: dict[str, Any]) -> tuple[str, dict[str, Any], TargetState | None]:
    if not config.get("name"):
        raise ValueError("the mandatory key 'name' is missing: it names the connector")
    return str(config["name"]), config, None
