"""Request bodies: JSON whatever the content type says, with the texts of numbers as they were written. Sans-IO."""

import json
from collections.abc import Mapping
from typing import Any

from headrace.connect.runtime.errors import BadRequest
from headrace.connect.stores.config import TargetState


class _Number(str):
    """The text of a JSON number: configs keep `1.50` as it is."""

    __slots__ = ()


def parse(body: bytes) -> Any:
    """The JSON value of a body. Raises BadRequest that says where it is broken."""
    if not body.strip():
        raise BadRequest("The request has no body; JSON is expected")
    try:
        return json.loads(body)
    except ValueError as error:
        raise BadRequest(f"The request's body is no JSON: {error}") from error


def parse_object(body: bytes) -> dict[str, Any]:
    """A JSON object whose numbers are texts. Raises BadRequest."""
    parse(body)
    value = json.loads(body, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    if not isinstance(value, dict):
        raise BadRequest(f"The request's body must be a JSON object, not {_noun(value)}")
    return value


def config_of(value: Any) -> dict[str, Any]:
    """A connector's config: values that are strings, numbers or booleans become strings, as in Java; null stays null.

    >>> config_of({"tasks.max": 2, "a": True, "b": None})
    {'tasks.max': '2', 'a': 'true', 'b': None}
    """
    if not isinstance(value, Mapping):
        raise BadRequest(f"A connector's config must be a JSON object, not {_noun(value)}")
    return {key: _text(key, each) for key, each in value.items()}


def _text(key: str, value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise BadRequest(f"The value of {key} must be a string, a number or a boolean, not {_noun(value)}")


def _noun(value: Any) -> str:
    if isinstance(value, _Number) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return "a number"
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), type(value).__name__)


def named_config(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The config with its `name`. Raises BadRequest where it has another one."""
    included = config.get("name")
    if included is not None and included != name:
        raise BadRequest(f"Connector name configuration ({included}) doesn't match connector name in the URL ({name})")
    return {**config, "name": name}


def creation(body: bytes) -> tuple[str, dict[str, Any], TargetState | None]:
    """Name, config and initial state of a POST. Raises BadRequest."""
    fields = parse_object(body)
    unknown = sorted(fields.keys() - {"name", "config", "initial_state"})
    if unknown:
        raise BadRequest(f'Unrecognized field "{unknown[0]}": name, config and initial_state are known')
    if "config" not in fields:
        raise BadRequest("The request has no config: send {name, config}")
    name = str(fields.get("name") or "").strip()
    return name, named_config(name, config_of(fields["config"])), initial_state(fields.get("initial_state"))


def initial_state(text: Any) -> TargetState | None:
    """The state that a connector is created in; None where none is asked for. Raises BadRequest."""
    states = {"RUNNING": TargetState.STARTED, "PAUSED": TargetState.PAUSED, "STOPPED": TargetState.STOPPED}
    if text is None:
        return None
    if str(text).upper() not in states:
        raise BadRequest(f"initial_state must be one of RUNNING, PAUSED, STOPPED, not {text}")
    return states[str(text).upper()]


def offsets_of(body: bytes) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """The partitions and offsets of a PATCH of offsets, numbers as numbers. Raises BadRequest."""
    fields = parse(body)
    pairs = fields.get("offsets") if isinstance(fields, dict) else None
    if not pairs:
        raise BadRequest("Partitions / offsets need to be provided for an alter offsets request")
    found = []
    for pair in pairs:
        fits = isinstance(pair, dict) and isinstance(pair.get("partition"), dict) and "offset" in pair
        if not fits or not isinstance(pair["offset"], dict | None):
            raise BadRequest('Each of "offsets" must be {"partition": {...}, "offset": {...} or null}')
        found.append((pair["partition"], pair["offset"]))
    return found
