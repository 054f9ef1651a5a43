"""The broker's configuration by where it comes from, and what is answered about a key: its value and its synonyms.

Sans-IO. As `kafka.server.ConfigHelper` and `DynamicBrokerConfig`: a key set for this broker goes before one set for all
brokers, that before the properties file, that before the default; a topic's own configuration goes before all of them.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any, Final, NamedTuple

from headrace.broker.config import BROKER_CONFIGS, DYNAMIC, TOPIC_SYNONYMS, BrokerConfig
from headrace.config import Password, Type
from headrace.config.definition import ConfigKey
from headrace.log.settings import TOPIC_CONFIGS


class Source(enum.IntEnum):
    """Where a value comes from, as DescribeConfigs numbers it."""

    TOPIC = 1
    BROKER = 2
    CLUSTER = 3
    STATIC = 4
    DEFAULT = 5


class Synonym(NamedTuple):
    """A key that speaks, or would speak, for the one described; the first one does."""

    name: str
    value: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class Described:
    """What is answered about one key; a secret's value is None."""

    key: ConfigKey
    value: str | None
    source: Source
    synonyms: Sequence[Synonym]
    is_read_only: bool = False

    @property
    def is_sensitive(self) -> bool:
        return self.key.type is Type.PASSWORD


@dataclass(frozen=True, slots=True)
class Layers:
    """`cluster` is what was set for all brokers while one ran, `broker` what was set for this one; both as written."""

    static: BrokerConfig
    cluster: Mapping[str, str]
    broker: Mapping[str, str]

    def with_set(self, name: str, configs: Mapping[str, str]) -> "Layers":
        """With this set for all brokers (the name is "") or for this one, in place of what was."""
        return Layers(self.static, self.cluster, configs) if name else Layers(self.static, configs, self.broker)

    def of(self, name: str) -> Mapping[str, str]:
        """What was set for all brokers (the name is "") or for this one."""
        return self.broker if name else self.cluster

    def effective(self) -> BrokerConfig:
        """What holds. Raises ConfigError."""
        return BrokerConfig({**self.static.given, **self.cluster, **self.broker})

    def by_source(self) -> Sequence[tuple[Source, Mapping[str, str]]]:
        """What was given, the strongest first."""
        return (
            (Source.BROKER, self.broker),
            (Source.CLUSTER, self.cluster),
            (Source.STATIC, self.static.given),
            (Source.DEFAULT, _DEFAULTS),
        )

    def synonyms(self, name: str) -> list[Synonym]:
        """Who speaks for a broker's key: itself first, and nobody where it was not given at all."""
        found = [
            _synonym(key, texts[key], source)
            for source, texts in self.by_source()
            for key in _TOGETHER.get(name, (name,))
            if key in texts
        ]
        return list(dropwhile(lambda synonym: synonym.name != name, found))

    def describe_topic(self, configs: Mapping[str, str], effective: BrokerConfig) -> list[Described]:
        """All keys of a topic whose own configuration is `configs`."""
        values = effective.log_settings(configs).raw
        return [self._of_topic(key, values[key.name], key.name in configs) for key in TOPIC_CONFIGS.keys.values()]

    def _of_topic(self, key: ConfigKey, value: Any, is_own: bool) -> Described:
        brokers = TOPIC_SYNONYMS.get(key.name)
        synonyms = [] if brokers is None else self.synonyms(brokers)
        text = as_text(value)
        if is_own:
            synonyms.insert(0, Synonym(key.name, text, Source.TOPIC))
        return Described(key, text, synonyms[0].source if synonyms else Source.DEFAULT, synonyms)

    def describe_broker(self, effective: BrokerConfig) -> list[Described]:
        """All keys of this broker."""
        return [self._of_broker(key, effective.values[key.name]) for key in BROKER_CONFIGS.keys.values()]

    def _of_broker(self, key: ConfigKey, value: Any) -> Described:
        synonyms = self.synonyms(key.name)
        source = synonyms[0].source if synonyms else Source.DEFAULT
        return Described(key, as_text(value), source, synonyms, key.name not in DYNAMIC)

    def describe_cluster(self) -> list[Described]:
        """The keys that were set for all brokers while one ran."""
        described = []
        for name, text in self.cluster.items():
            synonym = _synonym(name, text, Source.CLUSTER)
            described.append(Described(BROKER_CONFIGS.keys[name], synonym.value, Source.CLUSTER, [synonym]))
        return described


def as_text(value: Any) -> str | None:
    """A parsed value as Kafka writes it; a secret's is None."""
    if value is None or isinstance(value, Password):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(dict.fromkeys(value)) if isinstance(value, list) else str(value)


def _synonym(name: str, text: str, source: Source) -> Synonym:
    is_secret = BROKER_CONFIGS.keys[name].type is Type.PASSWORD
    return Synonym(name, None if is_secret else text, source)


_RETENTION: Final = ("log.retention.ms", "log.retention.minutes", "log.retention.hours")
_ROLL: Final = ("log.roll.ms", "log.roll.hours")
_TOGETHER: Final = {**dict.fromkeys(_RETENTION, _RETENTION), **dict.fromkeys(_ROLL, _ROLL)}
"""Keys that say the same in other units, the finest first."""

_DEFAULTS: Final = {
    key.name: text for key in BROKER_CONFIGS.keys.values() if (text := as_text(key.default)) is not None
}
