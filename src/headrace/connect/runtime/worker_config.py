"""The worker's configuration: Kafka Connect's keys and defaults. Sans-IO but for the machine's own name.

A key that is not known here is kept: what concerns clients, converters and topics is handed on by its prefix, and any
other is named in one warning.
"""

import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from headrace.config import NO_DEFAULT, ConfigDef, ConfigError, Importance, Type
from headrace.config.definition import between, non_empty, one_of
from headrace.connect.runtime.assignment import OFFERED
from headrace.kafka_client.kafka_log import InternalTopic

log = logging.getLogger(__name__)

_HIGH, _MEDIUM, _LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW

CLIENT_PREFIXES: Final = ("ssl.", "sasl.", "security.", "metrics.", "socket.connection.")
"""Keys that every Kafka client of the worker takes."""
HANDED_ON: Final = (
    *CLIENT_PREFIXES,
    "producer.",
    "consumer.",
    "admin.",
    "key.converter.",
    "value.converter.",
    "header.converter.",
    "internal.",
    "config.providers.",
    "config.storage.",
    "offset.storage.",
    "status.storage.",
    "topic.creation.",
    "admin.listeners.",
    "listeners.https.",
    "headrace.",
    "log4j.",
)
_ABSENT: Final = {
    "plugin.discovery": "plug-ins are Python entry points, found without a scan",
    "rest.extension.classes": "REST extensions are Java classes",
    "metric.reporters": "metrics reporters are Java classes",
    "exactly.once.source.support": "exactly-once for source connectors is not offered yet",
    "admin.listeners": "the admin interface is on the listeners of REST",
    "access.control.allow.origin": "pages of other origins are not served",
    "access.control.allow.methods": "pages of other origins are not served",
    "response.http.headers.config": "answers have no such headers",
    "config.providers": "${provider:...} values are taken as they stand",
    "connector.client.config.override.policy": "every connector may override client settings",
}


def _group_keys(definition: ConfigDef) -> ConfigDef:
    return (
        definition
        .define("group.id", Type.STRING, NO_DEFAULT, "Names the Connect cluster that this worker belongs to.",
                importance=_HIGH, validator=non_empty)
        .define("session.timeout.ms", Type.INT, 10_000, "Without a heartbeat for so long a worker is out of its group.",
                importance=_HIGH, validator=between(1))
        .define("heartbeat.interval.ms", Type.INT, 3_000, "How often a worker tells the group's broker that it lives.",
                importance=_HIGH, validator=between(1))
        .define("rebalance.timeout.ms", Type.INT, 60_000, "How long workers have to join the group anew.",
                importance=_HIGH, validator=between(1))
        .define("worker.sync.timeout.ms", Type.INT, 3_000, "How long a worker that is behind reads on before it joins.")
        .define("worker.unsync.backoff.ms", Type.INT, 300_000, "How long a worker that stays behind leaves the group.")
        .define("connect.protocol", Type.STRING, "sessioned", "The group protocol.",
                importance=_LOW, validator=one_of(*OFFERED))
        .define("scheduled.rebalance.max.delay.ms", Type.INT, 300_000,
                "How long the work of a worker that went away waits for it.", importance=_LOW,
                validator=between(0, 2**31 - 1))
        .define("inter.worker.key.ttl.ms", Type.INT, 3_600_000, "How long a key lives that workers sign requests with.",
                importance=_LOW, validator=between(0, 2**31 - 1))
        .define("inter.worker.key.size", Type.INT, None, "The size of that key in bits.", importance=_LOW)
        .define("inter.worker.key.generation.algorithm", Type.STRING, "HmacSHA256", "The algorithm of that key.",
                importance=_LOW, validator=one_of("HmacSHA256", "HmacSHA384", "HmacSHA512"))
        .define("inter.worker.signature.algorithm", Type.STRING, "HmacSHA256", "The algorithm of signatures.",
                importance=_LOW)
        .define("inter.worker.verification.algorithms", Type.LIST, "HmacSHA256", "The algorithms that are accepted.",
                importance=_LOW)
        .define("exactly.once.source.support", Type.STRING, "disabled", "Transactions for source connectors.",
                importance=_HIGH, validator=one_of("disabled", "preparing", "enabled"))
    )  # fmt: skip


def _topic_keys(definition: ConfigDef) -> ConfigDef:
    for kind, what, partitions in (("config", "connector configurations", None), ("offset", "source offsets", 25),
                                   ("status", "states of connectors and tasks", 5)):  # fmt: skip
        key = f"{kind}.storage"
        definition.define(f"{key}.topic", Type.STRING, NO_DEFAULT, f"The topic of {what}.",
                          importance=_HIGH, validator=non_empty)  # fmt: skip
        definition.define(f"{key}.replication.factor", Type.SHORT, 3, "Its replication factor when it is made here; -1 "
                          "is the broker's default.", importance=_LOW, validator=_factor)  # fmt: skip
        if partitions:
            definition.define(f"{key}.partitions", Type.INT, partitions, "Its partitions when it is made here; -1 is "
                              "the broker's default.", importance=_LOW, validator=_factor)  # fmt: skip
    return definition


def _factor(key: str, value: Any) -> None:
    if value is not None and value != -1 and value < 1:
        raise ConfigError(f"Invalid value {value} for configuration {key}: set it to -1 (the broker's default) or more")


def _rest_keys(definition: ConfigDef) -> ConfigDef:
    return (
        definition
        .define("listeners", Type.LIST, "http://:8083", "Where the REST interface listens, as http://host:port.",
                importance=_LOW, validator=_listeners)
        .define("rest.advertised.host.name", Type.STRING, None, "The host name that other workers are told.",
                importance=_LOW)
        .define("rest.advertised.port", Type.INT, None, "The port that other workers are told.", importance=_LOW)
        .define("rest.advertised.listener", Type.STRING, None, "The scheme that other workers are told.",
                importance=_LOW)
        .define("admin.listeners", Type.LIST, None, "Where the admin interface listens; left out, with REST.",
                importance=_LOW)
        .define("access.control.allow.origin", Type.STRING, "", "Pages of which origin may ask.", importance=_LOW)
        .define("access.control.allow.methods", Type.STRING, "", "The methods such pages may use.", importance=_LOW)
        .define("response.http.headers.config", Type.STRING, "", "Headers of every answer.", importance=_LOW)
        .define("rest.extension.classes", Type.LIST, "", "REST extensions (Java classes).", importance=_LOW)
        .define("headrace.rest.mask.secrets", Type.BOOLEAN, False,
                "Show passwords and the like as ******** in REST answers; a PUT of the mask keeps the stored value.",
                importance=_LOW)
    )  # fmt: skip


def _listeners(key: str, value: Any) -> None:
    for text in value or [""]:
        try:
            parts = urlsplit(text)
            fits = parts.scheme == "http" and parts.port is not None
        except ValueError:
            fits = False
        if not fits:
            raise ConfigError(
                f"Invalid value {text!r} for configuration {key}: write http://host:port (host may be empty)"
            )


def _work_keys(definition: ConfigDef) -> ConfigDef:
    converter = {"importance": _HIGH, "validator": non_empty}
    return (
        definition
        .define("bootstrap.servers", Type.LIST, "localhost:9092", "Brokers to begin with, as host:port.",
                importance=_HIGH)
        .define("client.id", Type.STRING, "", "Names this worker's clients in the brokers' logs.", importance=_LOW)
        .define("key.converter", Type.CLASS, NO_DEFAULT, "Turns record keys into bytes and back.", **converter)
        .define("value.converter", Type.CLASS, NO_DEFAULT, "Turns record values into bytes and back.", **converter)
        .define("header.converter", Type.CLASS, "org.apache.kafka.connect.storage.SimpleHeaderConverter",
                "Turns header values into bytes and back.", importance=_LOW)
        .define("task.shutdown.graceful.timeout.ms", Type.LONG, 5_000, "How long a task has to stop.", importance=_LOW,
                validator=between(0))
        .define("offset.flush.interval.ms", Type.LONG, 60_000, "How often offsets are committed.", importance=_LOW,
                validator=between(1))
        .define("offset.flush.timeout.ms", Type.LONG, 5_000, "How long a commit of offsets may take.", importance=_LOW,
                validator=between(1))
        .define("plugin.path", Type.STRING, None, "Directories with more plug-ins.", importance=_LOW)
        .define("plugin.discovery", Type.STRING, "hybrid_warn", "How Java finds plug-ins.", importance=_LOW)
        .define("config.providers", Type.LIST, "", "Names of the providers of ${provider:...} values.", importance=_LOW)
        .define("connector.client.config.override.policy", Type.STRING, "All", "Which client settings a connector may "
                "override.", importance=_LOW)
        .define("topic.creation.enable", Type.BOOLEAN, True, "Whether topics of source connectors are made.",
                importance=_LOW)
        .define("topic.tracking.enable", Type.BOOLEAN, True, "Whether the topics a connector uses are recorded.",
                importance=_LOW)
        .define("topic.tracking.allow.reset", Type.BOOLEAN, True, "Whether REST may forget these topics.",
                importance=_LOW)
        .define("metric.reporters", Type.LIST, "", "Metrics reporters (Java classes).", importance=_LOW)
        .define("headrace.restart.backoff.ms", Type.LONG, 1_000,
                "How long after the end of its task host a task is started again; doubled each time.",
                importance=_LOW, validator=between(0))
        .define("headrace.restart.backoff.max.ms", Type.LONG, 60_000, "The longest such wait.", importance=_LOW,
                validator=between(0))
        .define("headrace.task.hosts", Type.INT, None, "How many processes run tasks; left out, one a core.",
                importance=_LOW)
    )  # fmt: skip


def _client_keys(definition: ConfigDef) -> ConfigDef:
    """Settings of Java's clients which librdkafka has its own way for: read, and left to it."""
    for key, kind in (
        ("client.dns.lookup", Type.STRING),
        ("metadata.max.age.ms", Type.LONG),
        ("request.timeout.ms", Type.INT),
        ("retry.backoff.ms", Type.LONG),
        ("retry.backoff.max.ms", Type.LONG),
        ("reconnect.backoff.ms", Type.LONG),
        ("reconnect.backoff.max.ms", Type.LONG),
        ("connections.max.idle.ms", Type.LONG),
        ("send.buffer.bytes", Type.INT),
        ("receive.buffer.bytes", Type.INT),
        ("metadata.recovery.strategy", Type.STRING),
    ):
        definition.define(key, kind, None, "As Kafka's clients have it.", importance=_LOW)
    return definition


def _file_keys(definition: ConfigDef) -> ConfigDef:
    return definition.define("offset.storage.file.filename", Type.STRING, NO_DEFAULT,
                             "The file of source offsets, in the form of Java's standalone workers.",
                             importance=_HIGH, validator=non_empty)  # fmt: skip


def definition() -> ConfigDef:
    """The keys of a distributed worker."""
    return _with_keys(_work_keys, _group_keys, _topic_keys, _rest_keys, _client_keys)


def standalone_definition() -> ConfigDef:
    """The keys of a standalone worker."""
    return _with_keys(_work_keys, _file_keys, _rest_keys, _client_keys)


def _with_keys(*groups: Callable[[ConfigDef], ConfigDef]) -> ConfigDef:
    keys = ConfigDef()
    for add in groups:
        add(keys)
    return keys


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """Typed values, and the properties as they were given, which clients and converters are made from."""

    properties: Mapping[str, str]
    values: Mapping[str, Any]

    @classmethod
    def read(cls, properties: Mapping[str, str], keys: ConfigDef | None = None) -> "WorkerConfig":
        """Check the properties, with one warning for each key that is not known or has no effect.

        `keys`: those of a distributed worker unless given. Raises ConfigError that lists every fault.
        """
        keys = keys or definition()
        values = keys.parse(properties)
        for name in keys.unknown(properties):
            if not name.startswith(HANDED_ON):
                log.warning("The worker's configuration %s is not known, and has no effect", name)
        for name, why in _ABSENT.items():
            if name in properties and name in keys.keys and values[name] != keys.keys[name].default:
                log.warning("The worker's configuration %s has no effect: %s", name, why)
        return cls(dict(properties), values)

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    @property
    def listener(self) -> tuple[str, int]:
        """Host (empty: every interface) and port that REST listens on."""
        parts = urlsplit(self["listeners"][0])
        assert parts.port is not None
        return parts.hostname or "", parts.port

    def advertised(self, port: int | None = None) -> tuple[str, int]:
        """Host and port that other workers and the groups are told; `port` is the one that was bound."""
        host, listened = self.listener
        name = self["rest.advertised.host.name"] or (
            host if host not in ("", "0.0.0.0", "::") else socket.gethostname()
        )
        return name, self["rest.advertised.port"] or port or listened

    def topics(self) -> dict[str, InternalTopic]:
        """The internal topics, as `config`, `offset` and `status`."""
        return {kind: self._topic(kind) for kind in ("config", "offset", "status")}

    def _topic(self, kind: str) -> InternalTopic:
        key = f"{kind}.storage"
        known = {f"{key}.topic", f"{key}.replication.factor", f"{key}.partitions", f"{key}.cleanup.policy"}
        settings = {
            name.removeprefix(f"{key}."): value
            for name, value in self.properties.items()
            if name.startswith(f"{key}.") and name not in known
        }
        partitions = 1 if kind == "config" else self[f"{key}.partitions"]
        return InternalTopic(self[f"{key}.topic"], key, partitions, self[f"{key}.replication.factor"], settings)
