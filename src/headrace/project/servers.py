"""Makes the servers that orders ask for: our broker, registry and worker, and the embedded PostgreSQL."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from headrace.compose.plan import ServiceKind
from headrace.config.addresses import VARIABLE
from headrace.project.folder import ProjectFolder
from headrace.project.order import ServiceOrder
from headrace.project.ports import HOST, INTERNAL, Places
from headrace.supervisor.folder import MODE
from headrace.supervisor.process import ChildProcess
from headrace.supervisor.ready import http_answers, kafka_answers
from headrace.supervisor.stack import INTERNAL_LISTENER
from headrace.supervisor.supervisor import ChildServer, Server

COMMANDS: Mapping[str, str] = {
    ServiceKind.BROKER.value: "headrace broker",
    ServiceKind.REGISTRY.value: "headrace registry",
    ServiceKind.CONNECT.value: "headrace connect",
    ServiceKind.POSTGRES.value: "postgres",
}
"""What runs in place of an image, by kind."""

REBALANCE_DELAY = "scheduled.rebalance.max.delay.ms"


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes servers for one project; `lifeline` is inherited by each, and holds the project's lock."""

    folder: ProjectFolder
    places: Places
    lifeline: int

    def make(self, order: ServiceOrder) -> Server:
        """The server of an order, not yet started."""
        self.data(order).mkdir(parents=True, exist_ok=True)
        self.data(order).chmod(MODE)
        match ServiceKind(order.kind):
            case ServiceKind.BROKER:
                return self._broker(order)
            case ServiceKind.REGISTRY:
                return self._registry(order)
            case ServiceKind.CONNECT:
                return self._connect(order)
            case ServiceKind.POSTGRES:
                return self._postgres(order)
        raise ValueError(f"{order.name} is not run here")

    def data(self, order: ServiceOrder) -> Path:
        """Where the service keeps its data."""
        return self.folder.volume(order.volume, order.bound) if order.volume else self.folder.service(order.name)

    def _broker(self, order: ServiceOrder) -> Server:
        internal = self.places[order.name, INTERNAL]
        listeners = [(INTERNAL_LISTENER, internal, HOST, internal, "PLAINTEXT")]
        for it in order.settings["listeners"]:
            here = self.places[order.name, it["bind_port"]]
            listeners.append((it["name"], here, it["advertised_host"], it["advertised_port"], it["protocol"]))
        properties = {
            **order.settings["properties"],
            "node.id": str(order.settings["node_id"]),
            "listeners": ",".join(f"{name}://{HOST}:{here}" for name, here, *_ in listeners),
            "advertised.listeners": ",".join(f"{name}://{host}:{port}" for name, _, host, port, _ in listeners),
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, *_, protocol in listeners),
        }
        arguments = ["--config", str(self._write(order, properties)), "--data-dir", str(self.data(order) / "data")]
        return self._child(order, "broker", arguments, lambda: kafka_answers(HOST, internal))

    def _registry(self, order: ServiceOrder) -> Server:
        here = self.places[order.name, order.settings["port"]]
        properties = {
            **order.settings["properties"],
            "kafkastore.bootstrap.servers": order.settings["bootstrap_servers"],
            "listeners": f"http://{HOST}:{here}",
        }
        arguments = [str(self._write(order, properties))]
        return self._child(order, "registry", arguments, lambda: http_answers(HOST, here, "/subjects"))

    def _connect(self, order: ServiceOrder) -> Server:
        here = self.places[order.name, order.settings["rest_port"]]
        properties = {
            REBALANCE_DELAY: "3000",  # Kafka's five minutes make a restart on one machine wait for nothing.
            **order.settings["properties"],
            "listeners": f"http://{HOST}:{here}",
            "rest.advertised.port": str(order.settings["rest_port"]),
        }
        arguments = [str(self._write(order, properties))]
        return self._child(order, "connect", arguments, lambda: http_answers(HOST, here, "/connectors"))

    def _postgres(self, order: ServiceOrder) -> Server:
        # Imported here: psycopg costs a third of a second, and many projects have no database.
        from headrace.project.database import Database

        here = self.places[order.name, order.settings["port"]]
        return Database(order, self.folder, self.data(order), here, self.lifeline)

    def _write(self, order: ServiceOrder, properties: Mapping[str, str]) -> Path:
        """The properties file of a server; it may hold secrets, so that only its owner can read it."""
        file = self.folder.service(order.name) / f"{order.kind}.properties"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        lines = (f"{key}={escaped(value)}\n" for key, value in properties.items())
        file.write_text("".join(lines), encoding="utf-8")
        return file

    def _child(self, order: ServiceOrder, name: str, arguments: list[str], ready: Callable[[], bool]) -> Server:
        command = [sys.executable, "-P", "-m", "headrace", name, *arguments]
        log = self.folder.log(order.name)
        process = ChildProcess(order.name, command, log, self._environment(), self.lifeline)
        return ChildServer(process, ready, start_s=60.0)

    def _environment(self) -> dict[str, str]:
        """Ours, without what the worker would take for its settings."""
        ours = {
            key: value for key, value in os.environ.items() if not key.startswith(("CONNECT_", "KAFKA_", "SCHEMA_"))
        }
        return {**ours, VARIABLE: self.folder.book(), "PYTHONUNBUFFERED": "1"}


def escaped(value: str) -> str:
    r"""A value as a properties file has it.

    >>> escaped(" two\nlines\\")
    '\\ two\\nlines\\\\'
    """
    text = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"\\{text}" if text.startswith(" ") else text
