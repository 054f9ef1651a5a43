"""A registry that answers what a test tells it to: what a real one does only when it is ill."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from headrace.connect.api import ConfigDef, Importance, Type
from headrace.connect.converters.registry import RegistryClient, RegistrySettings, registry_config_def
from headrace.connect.converters.registry.transport import Transport

Reply = tuple[int, Any]


@dataclass
class Scripted:
    """`answer` is called with method, path and body; `asked` has what came: method, path, Authorization."""

    answer: Callable[[str, str, Any], Reply]
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def scripted(answer: Callable[[str, str, Any], Reply], tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Serves it on a free port."""
    made = Scripted(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            made.asked.append((self.command, self.path, self.headers.get("Authorization")))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = made.answer(self.command, self.path, json.loads(body) if body else None)
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def definition() -> ConfigDef:
    return registry_config_def().define("x", Type.STRING, None, "", importance=Importance.LOW)


def settings_of(url: str, *, is_key: bool = False, **more: Any) -> RegistrySettings:
    properties = {"schema.registry.url": url, **{key.replace("_", "."): value for key, value in more.items()}}
    return RegistrySettings.of(properties, definition().parse(properties), is_key=is_key)


def client_of(url: str, waits: list[float] | None = None, **more: Any) -> RegistryClient:
    """A client that notes how long it would have waited, and waits for nothing."""
    settings = settings_of(url, **more)
    noted: list[float] = [] if waits is None else waits
    return RegistryClient(settings, Transport(settings, noted.append))
