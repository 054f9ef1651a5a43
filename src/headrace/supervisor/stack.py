"""The servers as `headrace up` and the demo run them: the tutorial's compose file on one machine.

The names of the compose file (`broker:29092`, `schema-registry:8081`, `connect:8083`) are in the address book of every
process that is started here. librdkafka resolves advertised names by itself, so the broker has one more listener,
advertised as an address, for our own processes; the book maps what it advertises elsewhere to that one.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headrace.config.addresses import VARIABLE, AddressBook
from headrace.supervisor.process import ChildProcess
from headrace.supervisor.ready import HOST, free_port, http_answers, is_free, kafka_answers
from headrace.supervisor.supervisor import ChildServer

BROKER_PORT = 9092
REGISTRY_PORT = 8081
CONNECT_PORT = 8083
INTERNAL_LISTENER = "HEADRACE"
EXTERNAL_LISTENER = "PLAINTEXT_HOST"

# The tutorial's `CONNECT_*` values; the rebalance delay alone is ours, so that a restart does not wait for minutes.
WORKER = {
    "bootstrap.servers": "broker:29092",
    "rest.advertised.host.name": "connect",
    "group.id": "docker-connect-group",
    "config.storage.topic": "docker-connect-configs",
    "config.storage.replication.factor": "1",
    "offset.storage.topic": "docker-connect-offsets",
    "offset.storage.replication.factor": "1",
    "status.storage.topic": "docker-connect-status",
    "status.storage.replication.factor": "1",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schema.registry.url": "http://schema-registry:8081",
    "scheduled.rebalance.max.delay.ms": "3000",
}

# The tutorial's `SCHEMA_REGISTRY_*` values.
REGISTRY = {
    "host.name": "schema-registry",
    "kafkastore.bootstrap.servers": "broker:29092",
    "kafkastore.topic.replication.factor": "1",
}


class PortTaken(RuntimeError):
    """A port that another program listens on; the text names it and the option that gives another."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the servers listen on the loopback interface; `internal` is the broker's listener for our processes."""

    broker: int = BROKER_PORT
    connect: int = CONNECT_PORT
    registry: int = REGISTRY_PORT
    internal: int = field(default_factory=free_port)

    def raise_if_taken(self) -> None:
        asked = (("--broker-port", self.broker), ("--registry-port", self.registry), ("--connect-port", self.connect))
        for option, port in asked:
            if not is_free(HOST, port):
                raise PortTaken(f"port {port} is taken by another program: give another one with {option}")


@dataclass(frozen=True, slots=True)
class Stack:
    """Makes the servers; `hosts` are more entries of the address book, `lifeline` a `TemporaryFolder`'s."""

    data_dir: Path
    ports: Ports
    hosts: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    lifeline: int | None = None

    def address_book(self) -> AddressBook:
        """The names of the compose file, `hosts`, and over these what our own environment says."""
        internal = (HOST, self.ports.internal)
        entries = {
            ("broker", 29092): internal,
            ("broker", 9092): internal,
            ("localhost", self.ports.broker): internal,
            ("connect", self.ports.connect): (HOST, self.ports.connect),
            ("schema-registry", REGISTRY_PORT): (HOST, self.ports.registry),
            **self.hosts,
            **AddressBook.parse(os.environ.get(VARIABLE, "")).entries,
        }
        return AddressBook(entries)

    def broker(self) -> ChildServer:
        protocols = f"{INTERNAL_LISTENER}:PLAINTEXT,{EXTERNAL_LISTENER}:PLAINTEXT"
        advertised = f"{EXTERNAL_LISTENER}://localhost:{self.ports.broker}"
        arguments = ["--data-dir", str(self.data_dir / "broker")]
        arguments += ["--listener", f"{EXTERNAL_LISTENER}://{HOST}:{self.ports.broker}"]
        arguments += ["--listener", f"{INTERNAL_LISTENER}://{HOST}:{self.ports.internal}"]
        arguments += ["--set", f"listener.security.protocol.map={protocols}"]
        arguments += ["--set", f"advertised.listeners={advertised},{INTERNAL_LISTENER}://{HOST}:{self.ports.internal}"]
        process = self._process("broker", arguments)
        return ChildServer(process, lambda: kafka_answers(HOST, self.ports.internal))

    def registry(self) -> ChildServer:
        listener = {"listeners": f"http://{HOST}:{self.ports.registry}"}
        process = self._process("registry", [str(self._properties("registry", {**REGISTRY, **listener}))])
        return ChildServer(process, lambda: http_answers(HOST, self.ports.registry, "/subjects"), start_s=60.0)

    def connect(self) -> ChildServer:
        listener = {"listeners": f"http://{HOST}:{self.ports.connect}", "rest.advertised.port": str(self.ports.connect)}
        process = self._process("connect", [str(self._properties("connect", {**WORKER, **listener}))])
        return ChildServer(process, lambda: http_answers(HOST, self.ports.connect, "/connectors"), start_s=60.0)

    def _properties(self, name: str, properties: Mapping[str, str]) -> Path:
        """The server's properties file, written."""
        file = self.data_dir / f"{name}.properties"
        file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()), encoding="utf-8")
        return file

    def _process(self, name: str, arguments: list[str]) -> ChildProcess:
        environment = {**os.environ, VARIABLE: self.address_book().format(), "PYTHONUNBUFFERED": "1"}
        if self.lifeline is not None:
            environment["TMPDIR"] = str(self.data_dir)  # what a killed process leaves there goes with the folder
        command = [sys.executable, "-m", "headrace", name, *arguments]
        return ChildProcess(name, command, self.data_dir / f"{name}.log", environment, self.lifeline)
