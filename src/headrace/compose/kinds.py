"""What each kind of service makes of its environment, as the scripts of its image do."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from headrace.compose.dockerfile import installed_plugins
from headrace.compose.draft import Draft, Variable
from headrace.compose.findings import Findings, Place
from headrace.compose.images import repository, tag
from headrace.compose.listeners import ADVERTISED, ALL_DEFAULTS, LISTENERS, read_listeners
from headrace.compose.plan import (
    BrokerSettings,
    ConnectSettings,
    PostgresSettings,
    RegistrySettings,
    ServiceKind,
    Settings,
)
from headrace.compose.plugins import describe, plugin_note
from headrace.config import from_environment, read_properties

_URL: Final = re.compile(r"(\w+)://([^/:]*):(\d{1,5})/?")
_OF_THE_IMAGE: Final = (
    "HEAP_OPTS JMX_OPTS JMX_PORT JMX_HOSTNAME OPTS JVM_PERFORMANCE_OPTS GC_LOG_OPTS VERSION LOG4J_OPTS "
    "LOG4J_ROOT_LOGLEVEL LOG4J_LOGGERS LOG4J_APPENDER_STDOUT_LAYOUT_CONVERSIONPATTERN TOOLS_LOG4J_LOGLEVEL "
    "ZOOKEEPER_CLIENT_CNXN_SOCKET"
)
"""What follows KAFKA_, CONNECT_ or SCHEMA_REGISTRY_ in variables that are the JVM's or the image's, not properties."""

_READ_ELSEWHERE: Final = (
    "listeners", "advertised.listeners", "listener.security.protocol.map", "inter.broker.listener.name", "node.id",
    "broker.id", "process.roles", "zookeeper.connect", "log.dir", "log.dirs",
)  # fmt: skip
_CONFIG_FOLDER: Final = "/mnt/shared/config"
_INIT_FOLDER: Final = "/docker-entrypoint-initdb.d"
PREFIXES: Final[Mapping[ServiceKind, str]] = {
    ServiceKind.ZOOKEEPER: "ZOOKEEPER",
    ServiceKind.BROKER: "KAFKA",
    ServiceKind.REGISTRY: "SCHEMA_REGISTRY",
    ServiceKind.CONNECT: "CONNECT",
}


def properties_of(draft: Draft, kind: ServiceKind) -> dict[str, str]:
    """The properties that the image would write of the environment."""
    prefix = PREFIXES.get(kind)
    if prefix is None:
        return {}
    taken = {f"{prefix}_{name}" for name in _OF_THE_IMAGE.split()}
    return from_environment(prefix, {name: value for name, value in draft.environment.items() if name not in taken})


def is_controller_only(draft: Draft) -> bool:
    """Whether this is a node of a KRaft quorum that serves no client."""
    return draft.text("KAFKA_PROCESS_ROLES").replace(" ", "") == "controller"


def settings_of(draft: Draft, kind: ServiceKind, findings: Findings) -> Settings | None:
    """The settings of a service; what its image would refuse is found."""
    reader = _READERS.get(kind)
    return reader(draft, findings) if reader else None


def _broker(draft: Draft, findings: Findings) -> BrokerSettings:
    if repository(draft.image).endswith(("apache/kafka", "apache/kafka-native")):
        draft = _with_defaults(draft)
    elif not draft.text(ADVERTISED):
        example = f"PLAINTEXT://{draft.name}:29092,PLAINTEXT_HOST://localhost:9092"
        text = f"services.{draft.name} has no {ADVERTISED}, without which its image does not start: add {ADVERTISED}: "
        findings.fault(draft.where("KAFKA_ADVERTISED_HOST_NAME"), f"{text}{example}.")
    elif not draft.text(LISTENERS):
        findings.note(
            draft.name, draft.where(ADVERTISED), f"{LISTENERS} is made of {ADVERTISED}, as the image makes it."
        )
    properties = properties_of(draft, ServiceKind.BROKER)
    _note_quorum(draft, findings)
    kept = {
        name: value
        for name, value in properties.items()
        if name not in _READ_ELSEWHERE and not name.startswith(("controller.", "zookeeper."))
    }
    return BrokerSettings(read_listeners(draft, findings), _node_id(draft, findings), kept)


def _with_defaults(draft: Draft) -> Draft:
    """The official image brings a configuration where none is given, and takes a file's under that of the variables."""
    given: Mapping[str, str] = _mounted_properties(draft)
    if not given and not properties_of(draft, ServiceKind.BROKER):
        given = ALL_DEFAULTS
    return replace(
        draft, variables={**{key: Variable(text, draft.place) for key, text in given.items()}, **draft.variables}
    )


def _mounted_properties(draft: Draft) -> dict[str, str]:
    """The server.properties mounted in the folder where the official image looks for it, as variables."""
    names = str.maketrans({".": "_", "-": "__", "_": "___"})
    for volume in draft.volumes:
        path = Path(volume.source) / "server.properties"
        if volume.kind == "bind" and volume.target.rstrip("/") == _CONFIG_FOLDER and path.is_file():
            return {f"KAFKA_{key.translate(names).upper()}": text for key, text in read_properties(path).items()}
    return {}


def _note_quorum(draft: Draft, findings: Findings) -> None:
    if "KAFKA_ZOOKEEPER_CONNECT" in draft.variables:
        text = "KAFKA_ZOOKEEPER_CONNECT: not needed: our broker keeps its metadata itself."
        findings.note(draft.name, draft.where("KAFKA_ZOOKEEPER_CONNECT"), text)
    kraft = [name for name in draft.variables if name.startswith(("KAFKA_CONTROLLER_", "KAFKA_PROCESS_ROLES"))]
    if kraft:
        text = f"{', '.join(kraft)}: not needed: our broker is one node, and its own controller."
        findings.note(draft.name, draft.where(*kraft), text)
    for name, reason in (
        ("CLUSTER_ID", "our broker makes one"),
        ("KAFKA_LOG_DIRS", "it has a folder of the project's"),
    ):
        if name in draft.variables:
            findings.note(draft.name, draft.where(name), f"{name}: not needed: {reason}.")


def _node_id(draft: Draft, findings: Findings) -> int:
    text = draft.text("KAFKA_NODE_ID") or draft.text("KAFKA_BROKER_ID", "1")
    if text.isdecimal():
        return int(text)
    findings.fault(
        draft.where("KAFKA_NODE_ID", "KAFKA_BROKER_ID"), f"{text} is no broker's id: write a number, as in 1."
    )
    return 1


def _postgres(draft: Draft, findings: Findings) -> PostgresSettings:
    user = _or_file(draft, "POSTGRES_USER", findings) or "postgres"
    password = _or_file(draft, "POSTGRES_PASSWORD", findings)
    if not password and draft.text("POSTGRES_HOST_AUTH_METHOD") != "trust":
        text = f"services.{draft.name} has no POSTGRES_PASSWORD, without which its image does not start: add one."
        findings.fault(draft.where("POSTGRES_PASSWORD"), text)
    for name in ("POSTGRES_INITDB_ARGS", "PGDATA", "POSTGRES_INITDB_WALDIR"):
        if name in draft.variables:
            findings.note(
                draft.name, draft.where(name), f"{name}: not needed: the database is made in a folder of ours."
            )
    parameters = _parameters(draft, findings)
    database = _or_file(draft, "POSTGRES_DB", findings) or user
    port = _port(draft, parameters.get("port") or draft.text("PGPORT", "5432"), findings)
    scripts = (*draft.scripts, *_init_scripts(draft, findings))
    return PostgresSettings(user, password, database, port, tag(draft.image), parameters, scripts)


def _or_file(draft: Draft, name: str, findings: Findings) -> str:
    """NAME, or what is in the file that NAME_FILE names: a secret or a mounted file."""
    file = draft.text(f"{name}_FILE")
    if not file:
        return draft.text(name)
    for volume in draft.volumes:
        if volume.kind == "bind" and volume.target == file and Path(volume.source).is_file():
            return Path(volume.source).read_text(encoding="utf-8").strip("\r\n")
    text = f"{name}_FILE: nothing of this machine is mounted at {file}: mount it, or write {name}."
    findings.fault(draft.where(f"{name}_FILE"), text)
    return "-"


def _parameters(draft: Draft, findings: Findings) -> dict[str, str]:
    """`postgres -c name=value`, `--name=value` and `-p PORT` of the command."""
    said = [word for word in draft.command if word != "postgres"]
    found = {}
    while said:
        word = said.pop(0)
        if word in ("-c", "-p") and said:
            word = f"--{said.pop(0)}" if word == "-c" else f"--port={said.pop(0)}"
        elif word.startswith("-c"):
            word = f"--{word[2:]}"
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and equals:
            found[name.replace("-", "_")] = value
        else:
            text = f"command: {word} is no parameter of PostgreSQL's: write -c name=value."
            findings.fault(draft.entries.where("command"), text)
    return found


def _init_scripts(draft: Draft, findings: Findings) -> tuple[Path, ...]:
    """Files mounted in the folder whose scripts a new database is given, by name."""
    found: dict[str, Path] = {}
    for volume in draft.volumes:
        source = Path(volume.source)
        if volume.kind == "bind" and volume.target.rstrip("/") == _INIT_FOLDER and source.is_dir():
            found.update({path.name: path for path in source.iterdir() if path.is_file()})
        elif volume.kind == "bind" and volume.target.startswith(f"{_INIT_FOLDER}/") and source.is_file():
            found[volume.target.rpartition("/")[2]] = source
        elif volume.kind == "bind" and volume.target.startswith(f"{_INIT_FOLDER}/") and not source.exists():
            text = f"services.{draft.name}.volumes: there is no {source}: create it, or correct the path."
            findings.fault(draft.entries.where("volumes"), text)
    return tuple(found[name] for name in sorted(found))


def _registry(draft: Draft, findings: Findings) -> RegistrySettings:
    _require(draft, ("SCHEMA_REGISTRY_HOST_NAME",), draft.name, findings)
    servers = draft.text("SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS")
    if not servers and draft.text("SCHEMA_REGISTRY_KAFKASTORE_CONNECTION_URL"):
        text = "SCHEMA_REGISTRY_KAFKASTORE_CONNECTION_URL: there is no ZooKeeper to ask for the brokers: write"
        place = draft.where("SCHEMA_REGISTRY_KAFKASTORE_CONNECTION_URL")
        findings.fault(place, f"{text} SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: BROKER:PORT in its place.")
    elif not servers:
        _require(draft, ("SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS",), "broker:29092", findings)
    bare = re.sub(r"\w+://", "", servers)
    port = _url_port(draft, "SCHEMA_REGISTRY_LISTENERS", 8081, findings)
    return RegistrySettings(port, bare, properties_of(draft, ServiceKind.REGISTRY))


_WORKER_NEEDS: Final[Mapping[str, str]] = {
    "CONNECT_BOOTSTRAP_SERVERS": "broker:29092",
    "CONNECT_GROUP_ID": "docker-connect-group",
    "CONNECT_CONFIG_STORAGE_TOPIC": "docker-connect-configs",
    "CONNECT_OFFSET_STORAGE_TOPIC": "docker-connect-offsets",
    "CONNECT_STATUS_STORAGE_TOPIC": "docker-connect-status",
    "CONNECT_KEY_CONVERTER": "org.apache.kafka.connect.storage.StringConverter",
    "CONNECT_VALUE_CONVERTER": "org.apache.kafka.connect.json.JsonConverter",
    "CONNECT_REST_ADVERTISED_HOST_NAME": "connect",
}


def _connect(draft: Draft, findings: Findings) -> ConnectSettings:
    for name, example in _WORKER_NEEDS.items():
        _require(draft, (name,), example, findings)
    rest = _port(draft, draft.text("CONNECT_REST_PORT", "8083"), findings)
    port = _url_port(draft, "CONNECT_LISTENERS", rest, findings)
    installed = installed_plugins("\n".join((*draft.entrypoint, *draft.command)))
    plugins = (*draft.plugins, *(plugin_note(name, version) for name, version in installed))
    for plugin in plugins:
        at = "build" if plugin in draft.plugins else "command"
        findings.note(draft.name, draft.entries.where(at), describe(plugin))
    return ConnectSettings(port, properties_of(draft, ServiceKind.CONNECT), plugins)


def _require(draft: Draft, names: tuple[str, ...], example: str, findings: Findings) -> None:
    for name in names:
        if not draft.text(name):
            text = (
                f"services.{draft.name} has no {name}, without which its image does not start: add {name}: {example}."
            )
            findings.fault(draft.where(name), text)


def _url_port(draft: Draft, name: str, default: int, findings: Findings) -> int:
    """The port of the first URL of a list."""
    text = draft.text(name).split(",")[0].strip()
    if not text:
        return default
    match = _URL.fullmatch(text)
    if match is None:
        findings.fault(draft.where(name), f"{name}: {text} is no listener: write http://0.0.0.0:{default}.")
        return default
    return _port(draft, match.group(3), findings, draft.where(name))


def _port(draft: Draft, text: str, findings: Findings, place: Place | None = None) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    where = place or draft.where("CONNECT_REST_PORT", "PGPORT")
    findings.fault(where, f"{text} is no port: write a number from 1 to 65535.")
    return 1


_READERS: Final[Mapping[ServiceKind, Callable[[Draft, Findings], Settings]]] = {
    ServiceKind.BROKER: _broker,
    ServiceKind.POSTGRES: _postgres,
    ServiceKind.REGISTRY: _registry,
    ServiceKind.CONNECT: _connect,
}
