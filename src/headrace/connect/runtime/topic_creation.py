"""Topic creation groups: with which settings a source connector's topics are made (KIP-158). Sans-IO.

A connector that sets `topic.creation.default.*` has its topics created by the worker (where the worker's
`topic.creation.enable` is not false); without it, the broker creates them, if it does so at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from headrace.config import ConfigError

_PREFIX: Final = "topic.creation."
_OWN: Final = ("include", "exclude", "replication.factor", "partitions")
BROKER_DEFAULT: Final = -1


@dataclass(frozen=True, slots=True)
class NewTopicSettings:
    """How one topic is to be made; -1 is the broker's default. Without a `group` it is a dead letter queue."""

    group: str
    partitions: int
    replication_factor: int
    configs: Mapping[str, str] = field(default_factory=dict)

    @property
    def replication_key(self) -> str:
        """The key that the replication factor is set by."""
        owner = f"{_PREFIX}{self.group}" if self.group else "errors.deadletterqueue.topic"
        return f"{owner}.replication.factor"


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    include: tuple[re.Pattern[str], ...]
    exclude: tuple[re.Pattern[str], ...]
    settings: NewTopicSettings

    def takes(self, topic: str) -> bool:
        return any(pattern.fullmatch(topic) for pattern in self.include) and not any(
            pattern.fullmatch(topic) for pattern in self.exclude
        )


class TopicCreation:
    """The groups of one connector, in the order their settings are tried."""

    def __init__(self, worker: Mapping[str, str], connector: Mapping[str, str]) -> None:
        """Raises ConfigError where a group's settings cannot be used."""
        allowed = str(worker.get("topic.creation.enable", "true")).strip().lower() != "false"
        self.enabled = allowed and any(key.startswith(f"{_PREFIX}default.") for key in connector)
        self._groups: list[_Group] = []
        if self.enabled:
            named = [part.strip() for part in str(connector.get(f"{_PREFIX}groups", "")).split(",") if part.strip()]
            default = _group("default", connector, None)
            self._groups = [*(_group(name, connector, default.settings) for name in named), default]

    def settings(self, topic: str) -> NewTopicSettings:
        """The settings of a new topic: the first group's that takes it, else the default group's."""
        return next((group for group in self._groups if group.takes(topic)), self._groups[-1]).settings


def _group(name: str, connector: Mapping[str, str], default: NewTopicSettings | None) -> _Group:
    prefix = f"{_PREFIX}{name}."
    given = {key[len(prefix) :]: str(value) for key, value in connector.items() if key.startswith(prefix)}
    settings = NewTopicSettings(
        name,
        _number(prefix, given, "partitions", default.partitions if default else None),
        _number(prefix, given, "replication.factor", default.replication_factor if default else None),
        {key: value for key, value in given.items() if key not in _OWN},
    )
    include = given.get("include", ".*" if default is None else "")
    return _Group(name, _patterns(prefix, include), _patterns(prefix, given.get("exclude", "")), settings)


def _number(prefix: str, given: Mapping[str, str], key: str, default: int | None) -> int:
    text = given.get(key)
    if text is None and default is not None:
        return default
    if text is None:
        raise ConfigError(f'Missing required configuration "{prefix}{key}" which has no default value.')
    if not re.fullmatch(r"\s*(-1|[1-9]\d*)\s*", text):
        raise ConfigError(f"Invalid value {text} for configuration {prefix}{key}: Value must be -1 or at least 1")
    return int(text)


def _patterns(prefix: str, texts: str) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(re.compile(text.strip()) for text in texts.split(",") if text.strip())
    except re.error as error:
        raise ConfigError(f"{prefix}include or {prefix}exclude: {texts!r} is no regular expression: {error}") from error
