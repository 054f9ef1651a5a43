"""Kafka client settings under Java's names, translated to librdkafka's by one table.

Sans-IO: the files that a store names are read by librdkafka. A setting of the worker counts for all its clients
(`producer.`, `consumer.`, `admin.` before the name), one of a connector for that connector's
(`producer.override.` ...). A key without a counterpart is accepted with one warning that names it.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from headrace.config import ConfigError
from headrace.config.addresses import AddressBook, from_process_environment

log = logging.getLogger(__name__)
librdkafka_log = logging.getLogger("headrace.connect.librdkafka")

Kind = Literal["producer", "consumer", "admin"]
Settings = dict[str, Any]
Translate = Callable[[str], Settings]


class _MuteGapless(logging.Filter):
    """Drops librdkafka's line on `enable.gapless.guarantee` being experimental: nothing for a user to act on."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "enable.gapless.guarantee is experimental" not in record.getMessage()


librdkafka_log.addFilter(_MuteGapless())


def _as(name: str) -> Translate:
    return lambda value: {name: value}


def _jaas(value: str) -> Settings:
    """User and password of PlainLoginModule and ScramLoginModule."""
    found = re.findall(r"""(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))""", value)
    options = {name: double or single or bare for name, double, single, bare in found}
    if "username" not in options or "password" not in options:
        raise ConfigError(
            "sasl.jaas.config: only PlainLoginModule and ScramLoginModule with username and password are understood: "
            'org.apache.kafka.common.security.plain.PlainLoginModule required username="..." password="...";'
        )
    return {"sasl.username": options["username"], "sasl.password": options["password"]}


def _assignors(value: str) -> Settings:
    names = {
        "RangeAssignor": "range",
        "RoundRobinAssignor": "roundrobin",
        "CooperativeStickyAssignor": "cooperative-sticky",
    }
    asked = [part.strip().rpartition(".")[2] for part in value.split(",")]
    known = [names[name] for name in asked if name in names]
    # librdkafka refuses eager and cooperative strategies side by side; Java takes the eager one of such a list too.
    eager = [name for name in known if name != "cooperative-sticky"]
    return {"partition.assignment.strategy": ",".join(eager or known)} if known else {}


_SAME: Final = (
    "client.id", "client.rack", "client.dns.lookup", "security.protocol", "sasl.mechanism",
    "sasl.kerberos.service.name", "sasl.login.refresh.window.factor", "ssl.cipher.suites", "ssl.key.password",
    "ssl.keystore.password",
    "retry.backoff.ms", "retry.backoff.max.ms", "reconnect.backoff.ms", "reconnect.backoff.max.ms",
    "connections.max.idle.ms", "socket.connection.setup.timeout.ms", "metadata.max.age.ms",
    "metadata.recovery.strategy",
)  # fmt: skip

_COMMON: Final[dict[str, Translate]] = {
    **{name: _as(name) for name in _SAME},
    "sasl.jaas.config": _jaas,
    "send.buffer.bytes": _as("socket.send.buffer.bytes"),
    "receive.buffer.bytes": _as("socket.receive.buffer.bytes"),
    "ssl.truststore.certificates": _as("ssl.ca.pem"),
    "ssl.keystore.certificate.chain": _as("ssl.certificate.pem"),
    "ssl.keystore.key": _as("ssl.key.pem"),
    "ssl.endpoint.identification.algorithm": lambda value: {"ssl.endpoint.identification.algorithm": value or "none"},
}

_BY_KIND: Final[dict[Kind, dict[str, Translate]]] = {
    "producer": {
        "linger.ms": _as("linger.ms"),
        "batch.size": _as("batch.size"),
        "request.timeout.ms": _as("request.timeout.ms"),
        "compression.type": _as("compression.type"),
        "compression.gzip.level": _as("compression.level"),
        "compression.lz4.level": _as("compression.level"),
        "compression.zstd.level": _as("compression.level"),
        "max.request.size": _as("message.max.bytes"),
        "max.in.flight.requests.per.connection": _as("max.in.flight.requests.per.connection"),
        "buffer.memory": lambda value: {"queue.buffering.max.kbytes": max(1, int(value) // 1024)},
    },
    "consumer": {
        "group.id": _as("group.id"),
        "group.instance.id": _as("group.instance.id"),
        "group.protocol": _as("group.protocol"),
        "session.timeout.ms": _as("session.timeout.ms"),
        "heartbeat.interval.ms": _as("heartbeat.interval.ms"),
        "max.poll.interval.ms": _as("max.poll.interval.ms"),
        "request.timeout.ms": _as("socket.timeout.ms"),
        "auto.offset.reset": lambda value: {"auto.offset.reset": "error" if value == "none" else value},
        "isolation.level": _as("isolation.level"),
        "check.crcs": _as("check.crcs"),
        "allow.auto.create.topics": _as("allow.auto.create.topics"),
        "fetch.min.bytes": _as("fetch.min.bytes"),
        "fetch.max.bytes": _as("fetch.max.bytes"),
        "fetch.max.wait.ms": _as("fetch.wait.max.ms"),
        "max.partition.fetch.bytes": _as("max.partition.fetch.bytes"),
        "partition.assignment.strategy": _assignors,
    },
    "admin": {"request.timeout.ms": _as("socket.timeout.ms")},
}

_STORES: Final = frozenset(
    ("ssl.truststore.location", "ssl.truststore.type", "ssl.truststore.password", "ssl.keystore.location",
     "ssl.keystore.type")
)  # fmt: skip

_OURS: Final[dict[Kind, frozenset[str]]] = {
    "producer": frozenset(
        ("acks", "enable.idempotence", "delivery.timeout.ms", "retries", "max.block.ms", "partitioner.class",
         "key.serializer", "value.serializer", "transactional.id")
    ),
    "consumer": frozenset(("enable.auto.commit", "key.deserializer", "value.deserializer")),
    "admin": frozenset(),
}  # fmt: skip
"""What the runtime decides: with these a producer would lose or reorder records, a consumer commit too early."""

_ELSEWHERE: Final[dict[Kind, frozenset[str]]] = {
    "producer": frozenset(),
    "consumer": frozenset(("max.poll.records",)),
    "admin": frozenset(),
}
"""Read by the task loops themselves."""

_warned: set[tuple[str, str]] = set()


def java_settings(kind: Kind, worker: Mapping[str, str], connector: Mapping[str, str]) -> dict[str, str]:
    """The settings of a connector's clients of one kind, under Java's names."""
    settings = {"bootstrap.servers": worker.get("bootstrap.servers", "localhost:9092")}
    settings |= _below(f"{kind}.", worker)
    return settings | _below(f"{kind}.override.", connector)


def _below(prefix: str, properties: Mapping[str, str]) -> dict[str, str]:
    found = {key[len(prefix) :]: str(value) for key, value in properties.items() if key.startswith(prefix)}
    return {key: value for key, value in found.items() if not key.startswith("override.")}


def worker_settings(worker: Mapping[str, str]) -> dict[str, str]:
    """The settings of the worker's own clients (internal topics), under Java's names: those that clients know."""
    known = {*_COMMON, *_STORES, "bootstrap.servers"}
    settings = {key: str(value) for key, value in worker.items() if key in known}
    return {"bootstrap.servers": "localhost:9092", **settings}


def translate(kind: Kind, java: Mapping[str, str], book: AddressBook | None = None) -> Settings:
    """librdkafka's settings for Java's. Raises ConfigError where a value cannot be used."""
    book = from_process_environment() if book is None else book
    table = {**_COMMON, **_BY_KIND[kind]}
    settings: Settings = {}
    for key, value in java.items():
        if key == "bootstrap.servers":
            settings[key] = book.resolve_list(value)
        elif key in table:
            settings |= _translated(key, value, table[key])
        elif key in _OURS[kind]:
            _warn_once(kind, key, "is decided by the worker, so that no record is lost or reordered; it is not used")
        elif key not in _STORES and key not in _ELSEWHERE[kind]:
            _warn_once(kind, key, "has no counterpart in librdkafka and is not used")
    return settings | _stores(java)


def _translated(key: str, value: str, translation: Translate) -> Settings:
    try:
        return translation(value)
    except ValueError as error:
        raise error if isinstance(error, ConfigError) else ConfigError(f"{key}={value}: {error}") from error


def _warn_once(kind: Kind, key: str, why: str) -> None:
    if (kind, key) not in _warned:
        _warned.add((kind, key))
        log.warning("The %s setting %s %s", kind, key, why)


def _stores(java: Mapping[str, str]) -> Settings:
    """Key and trust stores: PEM for both, PKCS12 for the key store."""
    settings: Settings = {}
    trust, key = java.get("ssl.truststore.location"), java.get("ssl.keystore.location")
    if trust:
        if _store_type(trust, java.get("ssl.truststore.type")) != "PEM":
            raise ConfigError(
                f"ssl.truststore.location={trust}: only PEM trust stores can be read; convert it with "
                f"`openssl pkcs12 -in {trust} -nokeys -out ca.pem` (a JKS one with `keytool -exportcert -rfc` first) "
                "and set ssl.truststore.type=PEM"
            )
        settings["ssl.ca.location"] = trust
    if key:
        match _store_type(key, java.get("ssl.keystore.type")):
            case "PEM":
                settings |= {"ssl.certificate.location": key, "ssl.key.location": key}
            case "PKCS12":
                settings["ssl.keystore.location"] = key
            case _:
                raise ConfigError(
                    f"ssl.keystore.location={key}: JKS cannot be read; convert it with `keytool -importkeystore "
                    f"-srckeystore {key} -destkeystore key.p12 -deststoretype PKCS12` and set ssl.keystore.type=PKCS12"
                )
    return settings


def _store_type(location: str, named: str | None) -> str:
    """The type that is named, or the one that the file's name tells; Java's default is JKS."""
    if named:
        return named.upper()
    suffix = location.rpartition(".")[2].lower()
    return {"pem": "PEM", "crt": "PEM", "cer": "PEM", "p12": "PKCS12", "pfx": "PKCS12"}.get(suffix, "JKS")
