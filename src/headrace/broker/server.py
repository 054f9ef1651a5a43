"""The loop's edge: listeners, connections, the clock that drives the timers.

Everything here runs on the loop. Before any event is handled `tick` brings the timers' clock up to date.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from headrace.broker.config import Listener
from headrace.broker.connection import Connection
from headrace.broker.dispatch import Handler
from headrace.broker.state import State
from headrace.broker.timers import Timers
from headrace.config import ConfigError, address

logger = logging.getLogger(__name__)

_SWEEP_MS: Final = 10_000
_BACKLOG: Final = 1024


class Server:
    """Accepts connections and hands their requests to sessions."""

    def __init__(self, timers: Timers) -> None:
        self._loop = asyncio.get_running_loop()
        self._timers = timers
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_ms = -1
        self._bound: list[tuple[Listener, tuple[str, int], asyncio.Server]] = []
        self._connection_ids = 0
        self.connections: set[Connection] = set()
        self.state: State
        self.handlers: dict[int, Handler] = {}
        self.max_request_bytes = 0
        timers.on_earlier = self._arm
        self.tick()

    async def bind(self, state: State, handlers: dict[int, Handler], listeners: list[Listener]) -> list[Listener]:
        """Take all listeners' ports; gives them with those they got. Raises ConfigError naming the one that failed.

        Nobody is let in before `serve`: whoever came sooner could ask for a listener that the state does not know yet.
        """
        self.state = state
        self.handlers = handlers
        self.max_request_bytes = state.config.socket_request_max_bytes
        self._timers.after(_SWEEP_MS, self._sweep)
        bound: dict[tuple[str, int], str] = {}
        result = []
        for listener in sorted(listeners, key=_is_behind_a_name):
            where = address(listener.host, listener.port)
            if where in bound:
                result.append(listener)
                continue
            port = await self._bind(listener, where)
            bound[where] = listener.name
            result.append(_with_port(listener, port))
        order = [listener.name for listener in listeners]
        return sorted(result, key=lambda listener: order.index(listener.name))

    async def _bind(self, listener: Listener, where: tuple[str, int]) -> int:
        host, port = where
        try:
            server = await self._loop.create_server(
                partial(Connection, self, listener.name),
                host or None,
                port,
                backlog=_BACKLOG,
                reuse_address=True,
                start_serving=False,
            )
        except OSError as error:
            raise _refused(listener, where, error) from error
        self._bound.append((listener, where, server))
        return int(server.sockets[0].getsockname()[1])

    async def serve(self) -> None:
        """Let clients in. Raises ConfigError where another process took a port in the meantime."""
        for listener, where, server in self._bound:
            try:
                await server.start_serving()
            except OSError as error:
                raise _refused(listener, where, error) from error

    async def close(self) -> None:
        """Listen no more and close every connection."""
        for _, _, server in self._bound:
            server.close()
        for connection in tuple(self.connections):
            connection.close()
        if self._alarm is not None:
            self._alarm.cancel()

    def next_connection_id(self) -> int:
        self._connection_ids += 1
        return self._connection_ids

    def soon(self, call: Callable[[], None]) -> None:
        """Run `call` once what runs now is done."""
        self._loop.call_soon(self._run, call)

    def _run(self, call: Callable[[], None]) -> None:
        self.tick()
        call()

    @staticmethod
    def wall_ms() -> int:
        """Unix time in milliseconds."""
        return time.time_ns() // 1_000_000

    def refresh(self) -> None:
        """Bring the timers' clock up to date."""
        self.tick()

    def tick(self) -> int:
        """Bring the timers' clock up to date; the monotonic time in milliseconds."""
        now_ms = int(self._loop.time() * 1000)
        self._timers.now_ms = max(now_ms, self._timers.now_ms)
        return now_ms

    def _arm(self, due_ms: int) -> None:
        """One timer of the loop for the earliest deadline of all."""
        if self._alarm is not None and self._alarm_ms <= due_ms and self._alarm_ms >= 0:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_ms = due_ms
        self._alarm = self._loop.call_at(due_ms / 1000 + 0.0005, self._ring)

    def _ring(self) -> None:
        self._alarm, self._alarm_ms = None, -1
        try:
            self._timers.run(self.tick())
        finally:  # a deadline that fails must not silence the others
            due_ms = self._timers.next_due_ms()
            if due_ms is not None:
                self._arm(due_ms)

    def _sweep(self) -> None:
        """Give back large buffers, close connections that nobody speaks on."""
        self._timers.after(_SWEEP_MS, self._sweep)
        oldest = self._timers.now_ms - self.state.config.connections_max_idle_ms
        for connection in tuple(self.connections):
            connection.shrink()
            if connection.last_heard_ms < oldest:
                connection.close()


def _refused(listener: Listener, where: tuple[str, int], error: OSError) -> ConfigError:
    host, port = where
    return ConfigError(
        f"Invalid value {listener.name}://{listener.host}:{listener.port} for configuration listeners: cannot "
        f"listen on {host or 'every interface'} port {port}: {error.strerror or error}. Stop what uses the "
        "port, or name another one"
    )


def _is_behind_a_name(listener: Listener) -> bool:
    """Whether the address book moves it: an address taken literally comes first where two end at the same place."""
    return address(listener.host, listener.port) != (listener.host, listener.port)


def _with_port(listener: Listener, port: int) -> Listener:
    """Port 0 becomes the port that the system chose."""
    if listener.port != 0:
        return listener
    advertised = port if listener.advertised_port == 0 else listener.advertised_port
    return replace(listener, port=port, advertised_port=advertised)
