"""The HTTP server of the REST interface: a thread of its own around uvicorn, on a socket that is bound beforehand."""

import logging
import socket
import threading
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from headrace.config import ConfigError, address

log = logging.getLogger(__name__)

STOP_S: Final = 3


def listen(host: str, port: int) -> socket.socket:
    """A socket on host (empty: every interface) and port, by the address book. Raises ConfigError where it is taken."""
    where, at = address(host, port)
    family = socket.AF_INET6 if ":" in where else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((where, at))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"listeners=http://{host}:{port}: cannot listen there: {error.strerror}; give another port, or stop the "
            "program that has it"
        ) from error
    return listener


class HttpServer:
    """Serves an application. `start` once, `stop` once."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._listener = listener
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=STOP_S,
                server_header=False,
                timeout_keep_alive=30,
            )
        )
        self._thread = threading.Thread(target=self._run, name="rest", daemon=True)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests and end those that run, within some seconds (invariant 6)."""
        self._server.should_exit = True
        self._thread.join(STOP_S + 1)

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])
