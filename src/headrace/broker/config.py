"""The broker's configuration: Apache Kafka's keys, those of them that mean something here.

A key of Kafka's that is not listed is passed over with a line in the log when it comes from a file (a server.properties
made for Kafka has many), and refused when it was given by hand.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.config import ConfigDef, ConfigError, Importance, Type
from headrace.config.definition import between
from headrace.log.settings import MAX_LONG, TOPIC_CONFIGS, LogSettings

# Names have underscores, as PLAINTEXT_HOST of the compose files, which URLs' schemes cannot have.
_LISTENER: Final = re.compile(
    r"(?P<name>[A-Za-z][\w.-]*)://(?:\[(?P<bracketed>[0-9A-Fa-f:.%]+)\]|(?P<host>[\w.-]*)):(?P<port>\d{1,5})"
)
_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000


def broker_configs() -> ConfigDef:
    """The keys, as `org.apache.kafka.server.config` defines them; the default listener is a deviation (loopback)."""
    keys = ConfigDef()
    _define_network(keys)
    _define_log(keys)
    _define_groups(keys)
    return keys


def _define_network(keys: ConfigDef) -> None:
    high, low = Importance.HIGH, Importance.LOW
    keys.define("node.id", Type.INT, 1, "The id of this broker.", importance=high, validator=between(0))
    keys.define("broker.id", Type.INT, None, "The old name of node.id.", importance=high)
    keys.define("listeners", Type.LIST, "PLAINTEXT://127.0.0.1:9092", "NAME://HOST:PORT, ...", importance=high)
    keys.define("advertised.listeners", Type.LIST, None, "What clients are told; the listeners where left out.")
    protocols = ",".join(f"{name}:{name}" for name in ("SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"))
    text = "NAME:PROTOCOL, ...; PLAINTEXT is the one offered."
    keys.define("listener.security.protocol.map", Type.STRING, protocols, text)
    keys.define("log.dirs", Type.LIST, None, "The data directory.", importance=high)
    keys.define("log.dir", Type.LIST, None, "The data directory, where log.dirs is not given.", importance=high)
    keys.define("socket.request.max.bytes", Type.INT, 104_857_600, "The largest request.", validator=between(1))
    keys.define("connections.max.idle.ms", Type.LONG, 600_000, "When an idle connection is closed.", importance=low)
    keys.define("fetch.max.bytes", Type.INT, 57_671_680, "The most a fetch gets.", validator=between(1024))


def _define_log(keys: ConfigDef) -> None:
    medium = Importance.MEDIUM

    def long(name: str, default: int | None, text: str, low: int | None = None) -> None:
        validator = None if low is None else between(low)
        keys.define(name, Type.LONG, default, text, importance=medium, validator=validator)

    keys.define("num.partitions", Type.INT, 1, "Partitions of a topic that says none.", validator=between(1))
    keys.define("default.replication.factor", Type.INT, 1, "There is one replica.", validator=_one_replica)
    keys.define("auto.create.topics.enable", Type.BOOLEAN, True, "Whether a topic is made when it is asked for.")
    keys.define("delete.topic.enable", Type.BOOLEAN, True, "Whether topics can be deleted.")
    long("log.retention.ms", None, "In place of the key in hours.")
    keys.define("log.roll.ms", Type.LONG, None, "In place of the key in hours.", validator=_positive_if_given)
    keys.define("log.retention.minutes", Type.INT, None, "In place of the key in hours.")
    keys.define("log.retention.hours", Type.INT, 168, "How long records are kept; -1 for ever.")
    keys.define("log.roll.hours", Type.INT, 168, "After how long a segment is rolled.", validator=between(1))
    long("log.flush.interval.ms", None, "After how long a write is forced to the disk; left out, whenever.")
    long("log.retention.check.interval.ms", 300_000, "How often retention is looked at.", 1)
    for name, topic_key in _TOPIC_DEFAULTS.items():
        key = TOPIC_CONFIGS.keys[topic_key]
        keys.define(name, key.type, key.default, key.documentation, importance=medium, validator=key.validator)
    text = "When a producer that is silent is forgotten."
    keys.define("producer.id.expiration.ms", Type.INT, 86_400_000, text, validator=between(1))
    keys.define("log.cleaner.enable", Type.BOOLEAN, True, "Whether compacted topics are compacted.")
    long("log.cleaner.backoff.ms", 15_000, "How often compacted topics are looked at.", 1)


def _define_groups(keys: ConfigDef) -> None:
    def number(name: str, default: int, text: str, low: int = 0) -> None:
        keys.define(name, Type.INT, default, text, importance=Importance.LOW, validator=between(low))

    number("offsets.topic.num.partitions", 50, "Partitions of __consumer_offsets.", 1)
    keys.define("offsets.topic.replication.factor", Type.SHORT, 1, "There is one replica.", validator=_one_replica)
    number("offsets.topic.segment.bytes", 104_857_600, "Segment size of __consumer_offsets.", 1_048_576)
    number("offset.metadata.max.bytes", 4096, "The largest metadata of a committed offset.")
    number("offsets.retention.minutes", 10_080, "How long an empty group's offsets are kept.", 1)
    keys.define("offsets.retention.check.interval.ms", Type.LONG, 600_000, "How often.", validator=between(1))
    number("group.initial.rebalance.delay.ms", 0, "How long a new group waits for more members; Kafka waits 3000.")
    number("group.min.session.timeout.ms", 6000, "The shortest session timeout.")
    number("group.max.session.timeout.ms", 1_800_000, "The longest session timeout.")
    number("group.max.size", 2**31 - 1, "The most members of a group.", 1)


def _positive_if_given(name: str, value: Any) -> None:
    if value is not None:
        between(1)(name, value)


def _one_replica(name: str, value: Any) -> None:
    if value not in (-1, 1):
        raise ConfigError(
            f"Invalid value {value} for configuration {name}: this broker is one node, so 1 is the one that would do. "
            "For replicated topics use Apache Kafka"
        )


_TOPIC_DEFAULTS: Final = {
    "log.cleanup.policy": "cleanup.policy",
    "compression.type": "compression.type",
    "compression.gzip.level": "compression.gzip.level",
    "compression.lz4.level": "compression.lz4.level",
    "compression.zstd.level": "compression.zstd.level",
    "log.cleaner.delete.retention.ms": "delete.retention.ms",
    "log.segment.delete.delay.ms": "file.delete.delay.ms",
    "log.flush.interval.messages": "flush.messages",
    "log.index.interval.bytes": "index.interval.bytes",
    "log.cleaner.max.compaction.lag.ms": "max.compaction.lag.ms",
    "message.max.bytes": "max.message.bytes",
    "log.local.retention.bytes": "local.retention.bytes",
    "log.local.retention.ms": "local.retention.ms",
    "log.message.timestamp.after.max.ms": "message.timestamp.after.max.ms",
    "log.message.timestamp.before.max.ms": "message.timestamp.before.max.ms",
    "log.message.timestamp.type": "message.timestamp.type",
    "log.cleaner.min.cleanable.ratio": "min.cleanable.dirty.ratio",
    "log.cleaner.min.compaction.lag.ms": "min.compaction.lag.ms",
    "min.insync.replicas": "min.insync.replicas",
    "log.preallocate": "preallocate",
    "log.retention.bytes": "retention.bytes",
    "log.segment.bytes": "segment.bytes",
    "log.index.size.max.bytes": "segment.index.bytes",
    "unclean.leader.election.enable": "unclean.leader.election.enable",
}
"""The broker's key -> the topic's key whose default it gives."""

TOPIC_SYNONYMS: Final = {
    **{topic_key: key for key, topic_key in _TOPIC_DEFAULTS.items()},
    "flush.ms": "log.flush.interval.ms",
    "retention.ms": "log.retention.ms",
    "segment.ms": "log.roll.ms",
}
"""The topic's key -> the broker's key that speaks for it."""

DYNAMIC: Final = frozenset({*TOPIC_SYNONYMS.values(), "producer.id.expiration.ms", "log.cleaner.backoff.ms"})
"""The keys that can be set while the broker runs, for all brokers or for this one."""

BROKER_CONFIGS: Final = broker_configs()


@dataclass(frozen=True, slots=True)
class Listener:
    """Where clients connect and what they are told; `host` is "" for every interface."""

    name: str
    host: str
    port: int
    advertised_host: str
    advertised_port: int


class BrokerConfig:
    """Typed values: `config.offsets_topic_num_partitions` is the value of `offsets.topic.num.partitions`."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        """Raises ConfigError that names key, value and what would do."""
        self.given = {name: str(properties[name]) for name in BROKER_CONFIGS.keys if properties.get(name) is not None}
        self.values = BROKER_CONFIGS.parse(properties)
        if self.values["broker.id"] is not None and "node.id" not in properties:
            self.values["node.id"] = self.values["broker.id"]
        self.values["broker.id"] = self.values["node.id"]
        self._check_protocols()
        self.listeners = _listeners(self.values["listeners"], self.values["advertised.listeners"])
        self.topic_defaults = self._topic_defaults()

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name.replace("_", ".")]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def node_id(self) -> int:
        return int(self.values["node.id"])

    def log_settings(self, overrides: Mapping[str, str]) -> LogSettings:
        """What a topic's logs act on: its own configuration over the broker's. Raises ConfigError."""
        return LogSettings.from_values(TOPIC_CONFIGS.parse({**self.topic_defaults, **overrides}))

    def check_topic(self, overrides: Mapping[str, str]) -> None:
        """Raise ConfigError where this cannot be a topic's own configuration."""
        for name in TOPIC_CONFIGS.unknown(overrides):
            raise ConfigError(f"Unknown topic config name: {name}")
        settings = self.log_settings(overrides)
        shortest, longest = settings.min_compaction_lag_ms, settings.max_compaction_lag_ms
        if shortest > longest:
            raise ConfigError(
                f"conflict topic config setting min.compaction.lag.ms ({shortest}) > max.compaction.lag.ms ({longest})"
            )

    def _topic_defaults(self) -> dict[str, Any]:
        values = self.values
        defaults = {topic_key: values[key] for key, topic_key in _TOPIC_DEFAULTS.items()}
        defaults["retention.ms"] = self._retention_ms()
        roll_ms, flush_ms = values["log.roll.ms"], values["log.flush.interval.ms"]
        defaults["flush.ms"] = MAX_LONG if flush_ms is None else flush_ms
        defaults["segment.ms"] = values["log.roll.hours"] * _HOUR_MS if roll_ms is None else roll_ms
        return defaults

    def _retention_ms(self) -> int:
        """The finest unit that is given wins; negative is for ever."""
        values = self.values
        if values["log.retention.ms"] is not None:
            result = values["log.retention.ms"]
        elif values["log.retention.minutes"] is not None:
            result = values["log.retention.minutes"] * _MINUTE_MS
        else:
            result = values["log.retention.hours"] * _HOUR_MS
        return -1 if result < 0 else int(result)

    def _check_protocols(self) -> None:
        for entry in self.values["listener.security.protocol.map"].split(","):
            name, _, protocol = entry.strip().partition(":")
            if protocol != "PLAINTEXT" and any(item.startswith(f"{name}://") for item in self.values["listeners"]):
                raise ConfigError(
                    f"Invalid value {entry} for configuration listener.security.protocol.map: PLAINTEXT is the one "
                    "protocol that this broker offers"
                )


def refuse_unknown(properties: Mapping[str, Any]) -> None:
    """Raise ConfigError for keys given by hand that mean nothing here, with the key that was meant."""
    for name in BROKER_CONFIGS.unknown(properties):
        near = difflib.get_close_matches(name, BROKER_CONFIGS.keys, n=1)
        hint = f": did you mean {near[0]}?" if near else ""
        raise ConfigError(f"Unknown configuration {name}{hint}")


def parse_listener(key: str, text: str) -> tuple[str, str, int]:
    """(name, host, port) of NAME://HOST:PORT; the name in capitals. Raises ConfigError."""
    found = _LISTENER.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65_535:
        raise ConfigError(
            f"Invalid value {text} for configuration {key}: NAME://HOST:PORT would do, such as "
            "PLAINTEXT://127.0.0.1:9092"
        )
    return found["name"].upper(), found["bracketed"] or found["host"] or "", int(found["port"])


def _listeners(listeners: list[str], advertised: list[str] | None) -> list[Listener]:
    bound = [parse_listener("listeners", text) for text in listeners if not text.upper().startswith("CONTROLLER:")]
    told = {
        name: (host, port)
        for name, host, port in (parse_listener("advertised.listeners", text) for text in advertised or [])
    }
    names = [name for name, _, _ in bound]
    if not bound or len(set(names)) < len(names):
        raise ConfigError(
            f"Invalid value {','.join(listeners)} for configuration listeners: at least one is needed, and each needs "
            "a name of its own, such as PLAINTEXT://127.0.0.1:9092,LOCAL://127.0.0.1:9093"
        )
    unbound = set(told) - set(names)
    if unbound:
        raise ConfigError(
            f"Invalid value {','.join(advertised or [])} for configuration advertised.listeners: "
            f"{', '.join(sorted(unbound))} is not among listeners, which has {', '.join(names)}"
        )
    return [Listener(name, host, port, *told.get(name, (host, port))) for name, host, port in bound]
