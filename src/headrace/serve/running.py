"""A server with a REST surface and its state on Kafka, from its listener to its clean stop."""

import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from headrace.config import ConfigError
from headrace.supervisor.stop import when


class Serving(Protocol):
    """What a worker and a registry have in common."""

    def start(self) -> bool: ...

    def stop(self) -> None: ...

    def interrupt(self) -> None: ...


Server = TypeVar("Server", bound=Serving)


def run(
    address: tuple[str, int],
    make_server: Callable[[int], Server],
    application: Callable[[Server], Any],
    stop: threading.Event,
    started: Callable[[Server, int], None],
) -> None:
    """Serve at `address` until `stop`; `started` is called with the port once the server is on its way.

    Raises ConfigError for what of the configuration shows only then.
    """
    from headrace.http.server import HttpServer, listen
    from headrace.kafka_client.kafka_log import LogError

    listener = listen(*address)
    server = make_server(listener.getsockname()[1])
    http = HttpServer(application(server), listener)
    when(stop, server.interrupt)
    http.start()
    try:
        if server.start():
            started(server, http.port)
            stop.wait()
    except LogError as error:
        if not stop.is_set():
            raise ConfigError(str(error)) from error
    finally:
        http.stop()
        server.stop()
