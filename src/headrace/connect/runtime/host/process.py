"""The main program of a task host: reads the worker's messages, and runs connectors and tasks as threads.

Thread rule: the main thread reads the pipe and never waits for a plug-in; answers are sent under a lock by whoever has
them. At the end of the pipe the clients are closed at once and the process exits within 2 s (invariant 6).
"""

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection
from typing import Any, Final

from headrace.connect.runtime import messages
from headrace.connect.runtime.connector_log import LogSender
from headrace.connect.runtime.host.connectors import ConnectorInstance, defined, validated
from headrace.connect.runtime.host.plugins import add_plugin_path, list_plugins
from headrace.connect.runtime.host.tasks import TaskRunner
from headrace.connect.runtime.messages import TaskId, ToWorker

log = logging.getLogger(__name__)

GC_THRESHOLD: Final = 200_000
KEPT_ARENAS: Final = 24
_ARENA_BYTES: Final = 1 << 20
_PIN_BYTES: Final = 400

EXIT_WITHIN_S: Final = 1.5
"""At the end of the pipe; below any session timeout."""


class Host:
    """One task host."""

    def __init__(self, connection: Connection, number: int, properties: Mapping[str, str]) -> None:
        self._connection = connection
        self._number = number
        self._requests = count(1)
        self._send_lock = threading.Lock()
        self._connectors: dict[str, ConnectorInstance] = {}
        self._tasks = TaskRunner(properties, self.send, self._next_request)

    def _next_request(self) -> int:
        return messages.request_of_host(self._number, next(self._requests))

    def send(self, message: ToWorker) -> None:
        """Send to the worker; that it has gone shows at the pipe's end."""
        with self._send_lock, suppress(OSError):
            self._connection.send(message)

    def run(self) -> None:
        """Until the worker says Shutdown, or has gone."""
        self.send(messages.Ready(os.getpid()))
        logging.getLogger().addHandler(LogSender(self.send))
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                self._abandoned()
                return
            if isinstance(message, messages.Shutdown):
                self._shutdown(message.deadline_ms)
                return
            self._handle(message)

    def _handle(self, message: Any) -> None:
        match message:
            case messages.StartConnector(connector, config):
                self._start_connector(connector, config)
            case messages.StopConnector(connector):
                self._stop_connector(connector)
            case messages.GetTaskConfigs(request, connector, max_tasks):
                self._task_configs(request, connector, max_tasks)
            case messages.Validate(request, config, connect):
                self._aside(lambda: self.send(validated(request, config, connect=connect)))
            case messages.DefineStage(request, plugin):
                self._aside(lambda: self.send(defined(request, plugin)))
            case messages.ListPlugins(request):
                self._aside(lambda: self.send(messages.Plugins(request, tuple(list_plugins()))))
            case messages.StartTask():
                self._tasks.start(message)
            case messages.StopTask(id, deadline_ms):
                self._tasks.stop(id, deadline_ms)
            case messages.PauseTask(id, paused):
                self._tasks.pause(id, paused=paused)
            case messages.Offsets(request, offsets):
                self._tasks.offsets_came(request, offsets)
            case messages.OffsetsWritten(request, error):
                self._tasks.offsets_written(request, error)
            case _:
                log.error("A message that this host does not know: %s", type(message).__name__)

    @staticmethod
    def _aside(work: Any) -> None:
        """In a thread of its own: what may wait for the outside."""
        threading.Thread(target=work, daemon=True).start()

    def _start_connector(self, name: str, config: Mapping[str, str]) -> None:
        before = self._connectors.pop(name, None)
        if before is not None:
            before.stop()
        self._connectors[name] = ConnectorInstance(name, config, self.send)

    def _stop_connector(self, name: str) -> None:
        instance = self._connectors.pop(name, None)
        if instance is None:
            self.send(messages.StateChanged(TaskId(name, -1), "UNASSIGNED"))
        else:
            instance.stop()

    def _task_configs(self, request: int, name: str, max_tasks: int) -> None:
        instance = self._connectors.get(name)
        if instance is None:
            self.send(messages.Failed(request, f"Connector {name} is not running"))
        else:
            instance.task_configs(request, max_tasks)

    def _shutdown(self, deadline_ms: int) -> None:
        deadline = time.monotonic() + deadline_ms / 1000
        for instance in self._connectors.values():
            instance.stop()
        self._tasks.stop_all(deadline)
        for instance in self._connectors.values():
            instance.join(max(0.0, deadline - time.monotonic()))
        _exit(0)

    def _abandoned(self) -> None:
        """The worker has gone: close the clients and exit, whatever still runs."""
        log.warning("The worker has gone; task host %d closes its clients and exits", os.getpid())
        threading.Timer(EXIT_WITHIN_S, _exit, [1]).start()
        self._tasks.abandon()
        _exit(1)


def _exit(status: int) -> None:
    """Exit now: threads of drivers that hang must not keep the process."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def main(connection: Connection, number: int, properties: Mapping[str, str]) -> None:
    """Run a host on the given end of the pipe."""
    # The terminal's Ctrl-C goes to the whole group; the worker decides when its hosts stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A batch is tens of thousands of objects that live and die together: at Python's own threshold of 700 the collector
    # walks through them again and again, and takes half of a sink's time.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 100)
    pins = _keep_arenas()
    level = str(properties.get("headrace.log.level", "INFO")).upper()
    logging.basicConfig(
        level=level if level in logging.getLevelNamesMapping() else "INFO",
        format="%(asctime)s %(levelname)s [%(threadName)s] %(name)s: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("kafka").setLevel(logging.WARNING)  # it tells of every connection and every refresh
    add_plugin_path(properties.get("plugin.path"))
    Host(connection, number, properties).run()
    del pins


def _keep_arenas() -> list[bytes]:
    """One small object in each of the first arenas of Python's allocator, so that these stay with the process.

    A batch's objects fill some ten arenas, and leave them empty together: Python then gives each back to the kernel,
    which clears it again, page by page, for the next batch.
    """
    filling = [bytes(_PIN_BYTES) for _ in range(KEPT_ARENAS * _ARENA_BYTES // (_PIN_BYTES + 40))]
    return filling[:: _ARENA_BYTES // (_PIN_BYTES + 40) // 2]
