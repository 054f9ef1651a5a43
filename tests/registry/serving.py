"""A registry in this process, served over HTTP on a free port."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from headrace.http.server import HttpServer, listen
from headrace.registry.config import RegistryConfig
from headrace.registry.http.app import application
from headrace.registry.server import RegistryServer


@dataclass(frozen=True)
class Served:
    """A running registry and a client of it."""

    server: RegistryServer
    client: httpx.Client
    bootstrap: str
    topic: str

    @property
    def url(self) -> str:
        return str(self.client.base_url).rstrip("/")

    def register(self, subject: str, schema: str, **more: object) -> httpx.Response:
        return self.client.post(f"/subjects/{subject}/versions", json={"schema": schema, **more})


def properties(bootstrap: str, topic: str) -> dict[str, str]:
    """The properties of a registry with a topic and a group of its own."""
    return {
        "kafkastore.bootstrap.servers": f"PLAINTEXT://{bootstrap}",
        "kafkastore.topic": topic,
        "schema.registry.group.id": f"group-of-{topic}",
        "host.name": "localhost",
        "listeners": "http://127.0.0.1:0",
    }


@contextmanager
def serve(bootstrap: str, topic: str = "", *, wait: bool = True, **more: str) -> Iterator[Served]:
    """A registry that is stopped at the end; with `wait` it is ready, else it is not even started."""
    topic = topic or f"_schemas-{uuid.uuid4().hex[:8]}"
    given = {**properties(bootstrap, topic), **{key.replace("_", "."): value for key, value in more.items()}}
    listener = listen("127.0.0.1", 0)
    server = RegistryServer(RegistryConfig.read(given), listener.getsockname()[1])
    http = HttpServer(application(server), listener)
    http.start()
    client = httpx.Client(base_url=f"http://127.0.0.1:{http.port}", trust_env=False, timeout=60)
    try:
        if wait:
            assert server.start()
        yield Served(server, client, bootstrap, topic)
    finally:
        client.close()
        http.stop()
        server.stop()
