"""The registry's configuration: Confluent's keys. Sans-IO but for the machine's own name.

Keys that begin with `kafkastore.` and are not known here are settings of the Kafka clients, without that beginning.
"""

import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from headrace.config import ConfigDef, ConfigError, Importance, Type
from headrace.config.definition import between, non_empty
from headrace.kafka_client.kafka_log import InternalTopic
from headrace.registry.compatibility import Level

log = logging.getLogger(__name__)

_HIGH, _LOW = Importance.HIGH, Importance.LOW
_STORE: Final = "kafkastore."
_PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_HANDED_ON: Final = (_STORE, "ssl.", "debug", "avro.compatibility.level")
_ABSENT: Final = {
    "kafkastore.connection.url": "the registry asks the brokers, not ZooKeeper: set kafkastore.bootstrap.servers",
    "authentication.method": "this registry lets everybody in",
    "inter.instance.protocol": "registries do not talk to each other yet",
    "resource.extension.class": "Java classes cannot be loaded",
}


def _level(name: str, value: Any) -> None:
    if str(value).upper() not in Level.__members__:
        allowed = ", ".join(level.lower() for level in Level.__members__)
        raise ConfigError(f"Invalid value {value} for configuration {name}: one of {allowed} would do")


def _listeners(name: str, value: Any) -> None:
    for listener in value:
        parts = urlsplit(listener)
        if parts.scheme != "http" or _port(listener) is None:
            raise ConfigError(f"Invalid value {listener} for configuration {name}: http://HOST:PORT would do")


def _port(listener: str) -> int | None:
    try:
        return urlsplit(listener).port
    except ValueError:
        return None


def definition() -> ConfigDef:
    """The keys of the registry."""
    return (
        ConfigDef()
        .define("listeners", Type.LIST, "http://0.0.0.0:8081", "Where REST listens.", importance=_HIGH,
                validator=_listeners)
        .define("host.name", Type.STRING, socket.gethostname(), "The name by which this registry is told apart.",
                importance=_HIGH, validator=non_empty)
        .define("kafkastore.bootstrap.servers", Type.LIST, "PLAINTEXT://localhost:9092",
                "The brokers that keep the schemas.", importance=_HIGH)
        .define("kafkastore.topic", Type.STRING, "_schemas", "The topic that keeps the schemas.", importance=_HIGH,
                validator=non_empty)
        .define("kafkastore.topic.replication.factor", Type.INT, 3,
                "Copies of that topic; with fewer brokers there are as many as brokers.", importance=_HIGH)
        .define("kafkastore.timeout.ms", Type.INT, 5_000, "How long a write may take.", validator=between(1))
        .define("kafkastore.init.timeout.ms", Type.INT, 60_000, "How long the first reading may take.",
                validator=between(1))
        .define("schema.registry.group.id", Type.STRING, "schema-registry",
                "The group whose members agree on which registry writes.", validator=non_empty)
        .define("schema.compatibility.level", Type.STRING, "backward", "The level where none was set by REST.",
                importance=_HIGH, validator=_level)
        .define("mode.mutability", Type.BOOLEAN, True, "Whether REST may set modes.", importance=_LOW)
        .define("headrace.log.level", Type.STRING, None, "DEBUG, INFO, WARN or ERROR.", importance=_LOW)
        .define("log4j.root.loglevel", Type.STRING, None, "The same, as the container images call it.",
                importance=_LOW)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RegistryConfig:
    """Typed values, and the properties as they were given, which the Kafka clients are made from."""

    properties: Mapping[str, str]
    values: Mapping[str, Any]

    @classmethod
    def read(cls, properties: Mapping[str, str]) -> "RegistryConfig":
        """Check the properties; a key that is not known is named in a warning. Raises ConfigError with every fault."""
        keys = definition()
        values = keys.parse(properties)
        for name in keys.unknown(properties):
            if name in _ABSENT:
                log.warning("The registry's configuration %s has no effect: %s", name, _ABSENT[name])
            elif not name.startswith(_HANDED_ON):
                log.warning("The registry's configuration %s is not known, and has no effect", name)
        return cls(dict(properties), values)

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    @property
    def listener(self) -> tuple[str, int]:
        """Host (empty: every interface) and port that REST listens on."""
        parts = urlsplit(self["listeners"][0])
        assert parts.port is not None
        return parts.hostname or "", parts.port

    @property
    def level(self) -> Level:
        """The compatibility where none was set."""
        return Level(self["schema.compatibility.level"].upper())

    def client(self) -> dict[str, str]:
        """The settings of the Kafka clients, under Java's names; `SSL://host:port` among the brokers says how."""
        settings = {
            name.removeprefix(_STORE): value
            for name, value in self.properties.items()
            if name.startswith(_STORE) and name not in self.values and name not in _ABSENT
        }
        settings = {name: value for name, value in settings.items() if not name.startswith("topic.")}
        addresses, protocols = [], []
        for server in self["kafkastore.bootstrap.servers"]:
            protocol, separator, address = server.rpartition("://")
            addresses.append(address)
            protocols += [protocol] if separator else []
        if protocols and protocols[0] not in _PROTOCOLS:
            allowed = ", ".join(_PROTOCOLS)
            raise ConfigError(f"kafkastore.bootstrap.servers: {protocols[0]}:// is none of {allowed}")
        if protocols and protocols[0] != "PLAINTEXT":
            settings.setdefault("security.protocol", protocols[0])
        return {**settings, "bootstrap.servers": ",".join(addresses)}

    def topic(self) -> InternalTopic:
        """The topic of the schemas: compacted, of one partition."""
        start = f"{_STORE}topic.config."
        settings = {key.removeprefix(start): each for key, each in self.properties.items() if key.startswith(start)}
        copies = self["kafkastore.topic.replication.factor"]
        key = "kafkastore.topic.replication.factor"
        return InternalTopic(self["kafkastore.topic"], "kafkastore", 1, copies, settings, key, at_most_brokers=True)
