"""From Kafka's client properties, as Java's tools take them, to a client of librdkafka.

Keys that librdkafka does not know are named in a warning and left out, as Java's clients leave out what is not theirs.
Bootstrap servers go through the address book before the client sees them.
"""

import contextlib
import re
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from headrace.config import ConfigError, read_properties
from headrace.config.addresses import from_process_environment
from headrace.tools.command import Refusal

Client = TypeVar("Client")

_UNKNOWN = re.compile(r'No such configuration property: "([^"]*)"')
_JAAS = re.compile(r"""(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s;]+))""")
# What Java's clients need and librdkafka does by itself, or names otherwise.
_JAVA_ONLY = {
    "key.serializer", "value.serializer", "key.deserializer", "value.deserializer", "partition.assignment.strategy",
    "buffer.memory", "max.block.ms", "default.api.timeout.ms", "max.poll.records", "metadata.max.idle.ms",
    "ssl.truststore.type", "ssl.truststore.password", "ssl.keystore.type", "ssl.protocol", "ssl.enabled.protocols",
}  # fmt: skip
_RENAMED = {
    "ssl.truststore.location": "ssl.ca.location",
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
    "send.buffer.bytes": "socket.send.buffer.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "client.dns.lookup": "client.dns.lookup",
}


def properties_file(path: str | None) -> dict[str, str]:
    """The properties of the file that `--command-config` and its like name; none without a file."""
    try:
        return read_properties(path) if path else {}
    except ConfigError as error:
        raise Refusal(str(error)) from None


def check_bootstrap(servers: str) -> str:
    """`servers` with each address as the address book has it. Raises Refusal where one is no `host:port`."""
    parts = [part.strip() for part in servers.split(",")]
    if not all(re.fullmatch(r"(\w+://)?(\[[^\]]+\]|[^\s:]+):\d+", part) for part in parts):
        raise Refusal("Please provide valid host:port like host1:9091,host2:9092")
    return from_process_environment().resolve_list(",".join(part.split("://")[-1] for part in parts))


def _resolvable(servers: str) -> str:
    """`servers`; raises Refusal where no name of them is known."""
    hosts = [server.rpartition(":")[0].strip("[]") for server in servers.split(",")]
    for host in hosts:
        with contextlib.suppress(OSError):
            socket.getaddrinfo(host, None)
            return servers
    names = ", ".join(dict.fromkeys(hosts))
    raise Refusal(f"No resolvable bootstrap urls given in bootstrap.servers: no address is known for {names}")


def settings(properties: Mapping[str, str]) -> dict[str, Any]:
    """librdkafka's configuration for Java's `properties`."""
    given = {_RENAMED.get(key, key): value for key, value in properties.items() if key not in _JAVA_ONLY}
    given["bootstrap.servers"] = _resolvable(check_bootstrap(given["bootstrap.servers"]))
    if given.get("ssl.endpoint.identification.algorithm") == "":
        given["ssl.endpoint.identification.algorithm"] = "none"
    if given.get("auto.offset.reset") == "none":
        given["auto.offset.reset"] = "error"
    given.update(_login(given.pop("sasl.jaas.config", "")))
    given.update(_keystore(given.pop("ssl.keystore.location", "")))
    _refuse_jks(properties)
    return {"log_level": 0, **given}


def make(client: Callable[[dict[str, Any]], Client], configuration: dict[str, Any]) -> Client:
    """A client with `configuration`, less what librdkafka does not know. Raises Refusal for a value that it refuses."""
    from confluent_kafka import KafkaException

    while True:
        try:
            return client(configuration)
        except KafkaException as error:
            text = error.args[0].str()
            unknown = _UNKNOWN.search(text)
            if unknown is None or unknown[1] not in configuration:
                raise Refusal(text) from None
            del configuration[unknown[1]]
            print(f"WARN The configuration '{unknown[1]}' was supplied but is not used.", file=sys.stderr)


def _login(jaas: str) -> dict[str, str]:
    """Name and password out of a JAAS line such as `...PlainLoginModule required username="a" password="b";`."""
    found = {key: re.sub(r"\\(.)", r"\1", a) or b or c for key, a, b, c in _JAAS.findall(jaas)}
    return {f"sasl.{key}": found[key] for key in ("username", "password") if key in found}


def _keystore(location: str) -> dict[str, str]:
    """A PEM file that holds the key and its certificates."""
    return {"ssl.key.location": location, "ssl.certificate.location": location} if location else {}


def _refuse_jks(properties: Mapping[str, str]) -> None:
    for key in ("ssl.truststore.location", "ssl.keystore.location"):
        path = properties.get(key, "")
        if path and Path(path).is_file() and not Path(path).read_bytes()[:64].lstrip().startswith(b"-----BEGIN"):
            raise Refusal(
                f"{key}={path} is not a PEM file, and Java's key stores cannot be read here: "
                f"export it with keytool and openssl, and name the PEM file"
            )
