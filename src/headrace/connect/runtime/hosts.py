"""HostPool: the worker's side of its task hosts.

Thread rule: one thread owns the hosts, their pipes and what runs where; the public methods put a command into its queue
and may be called from any thread. `on_message` is called by that thread, and must not wait.
A host that dies is named with what ran in it (`HostDied`) and replaced when the next task comes. A task that outlives
its stop is left to a host that takes no new task and is killed when nothing else runs in it (invariant 6).
Imports nothing of the columns: the worker must stay light.
"""

import logging
import os
import queue
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import Any, Final

from headrace.connect.runtime import messages
from headrace.connect.runtime.host_handle import HostHandle
from headrace.connect.runtime.messages import TaskId, ToHost, ToWorker

log = logging.getLogger(__name__)

STOP_GRACE_S: Final = 2.0
"""How long a host may take beyond a deadline it was given."""
ISOLATION: Final = "headrace.isolation"


@dataclass(frozen=True, slots=True)
class HostDied:
    """A host ended by itself; `ids` ran in it (task -1: the connector) and were not FAILED before."""

    pid: int
    ids: tuple[TaskId, ...]
    reason: str


class RequestFailed(Exception):
    """A request to a host that could not be answered; `errors` by key where a config is at fault."""

    def __init__(self, message: str, errors: Mapping[str, tuple[str, ...]] | None = None) -> None:
        super().__init__(message)
        self.errors = dict(errors or {})


class HostLost(RequestFailed):
    """A request that its host did not live to answer; it may be made again."""


Listener = Callable[[ToWorker | HostDied], None]


class HostPool:
    """The task hosts of a worker: as many as it has cores, started when there is work."""

    def __init__(self, worker_properties: Mapping[str, str], on_message: Listener, size: int | None = None) -> None:
        self._properties = dict(worker_properties)
        self._on_message = on_message
        self._size = size or os.cpu_count() or 1
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake_read, self._wake_write = os.pipe()
        self._hosts: list[HostHandle] = []
        self._requests: dict[int, tuple[HostHandle, Future[Any]]] = {}
        self._request_numbers, self._host_numbers = count(1), count(1)
        self._stopping_by: float | None = None
        self._thread = Thread(target=self._loop, name="host-pool", daemon=True)
        self._thread.start()

    # Called by any thread.

    def start_task(self, message: messages.StartTask) -> None:
        owner = _owner(message.id.connector, message.connector_config)
        self._do(lambda: self._place(message.id, owner, message))

    def stop_task(self, id: TaskId, deadline_ms: int) -> None:
        """Stop a task; the UNASSIGNED that follows comes at the latest soon after the deadline."""
        self._do(lambda: self._stop_task(id, deadline_ms))

    def pause_task(self, id: TaskId, paused: bool) -> None:
        self._do(lambda: self._send_to(id, messages.PauseTask(id, paused)))

    def start_connector(self, connector: str, config: Mapping[str, str]) -> None:
        message = messages.StartConnector(connector, dict(config))
        self._do(lambda: self._place(TaskId(connector, -1), _owner(connector, config), message))

    def stop_connector(self, connector: str) -> None:
        self._do(lambda: self._stop_connector(connector))

    def task_configs(self, connector: str, max_tasks: int) -> "Future[tuple[Mapping[str, str], ...]]":
        """The task configs of a started connector. The future raises RequestFailed."""
        future: Future[tuple[Mapping[str, str], ...]] = Future()
        self._do(lambda: self._ask_connector(future, connector, max_tasks))
        return future

    def validate(self, config: Mapping[str, Any], *, connect: bool) -> "Future[messages.Validation]":
        """Validate a connector config by its plug-in. The future raises RequestFailed."""
        future: Future[messages.Validation] = Future()
        self._do(lambda: self._ask_anyone(future, lambda number: messages.Validate(number, dict(config), connect)))
        return future

    def definition(self, stage: str) -> "Future[tuple[Mapping[str, Any], ...]]":
        """The keys of a converter, transformation or predicate. The future raises RequestFailed."""
        future: Future[tuple[Mapping[str, Any], ...]] = Future()
        self._do(lambda: self._ask_anyone(future, lambda number: messages.DefineStage(number, stage)))
        return future

    def plugins(self) -> "Future[tuple[Mapping[str, str], ...]]":
        """What `/connector-plugins` lists: class, type and version of each plug-in. The future raises RequestFailed."""
        future: Future[tuple[Mapping[str, str], ...]] = Future()
        self._do(lambda: self._ask_anyone(future, messages.ListPlugins))
        return future

    def answer(self, answer: messages.Offsets | messages.OffsetsWritten) -> None:
        """Hand the answer of a GetOffsets or WriteOffsets to the host that asked."""
        self._do(lambda: self._answer(answer))

    def stop(self, deadline_ms: int) -> None:
        """Stop all tasks and hosts; returns when they are gone, at the latest soon after the deadline."""
        self._do(lambda: self._shutdown(deadline_ms))
        self._thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def pids(self) -> list[int]:
        """The process ids of the hosts that live now."""
        return [host.pid for host in list(self._hosts)]

    def _do(self, command: Callable[[], None]) -> None:
        if not self._thread.is_alive():
            log.debug("The pool of task hosts has stopped; a command to it is dropped")
            return
        self._commands.put(command)
        os.write(self._wake_write, b"\0")

    # Called by the pool's thread alone.

    def _loop(self) -> None:
        while self._stopping_by is None or self._hosts:
            by_connection = {host.connection: host for host in self._hosts}
            for ready in wait([self._wake_read, *by_connection], timeout=self._patience()):
                if isinstance(ready, Connection):
                    self._receive(by_connection[ready])
                else:
                    os.read(self._wake_read, 4096)
            while not self._commands.empty():
                self._guarded(self._commands.get())
            self._check_deadlines()

    def _guarded(self, command: Callable[[], None]) -> None:
        try:
            command()
        except Exception:
            log.exception("A command to the task hosts failed")

    def _patience(self) -> float | None:
        deadlines = [deadline for host in self._hosts for deadline in host.deadlines()]
        deadlines += [] if self._stopping_by is None else [self._stopping_by]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _receive(self, host: HostHandle) -> None:
        try:
            message = host.receive()
        except (EOFError, OSError):
            self._ended(host)
            return
        match message:
            case messages.Ready():
                return
            case messages.TaskConfigs(request, configs):
                self._resolve(request, configs)
            case messages.Plugins(request, plugins):
                self._resolve(request, plugins)
            case messages.Definition(request, keys):
                self._resolve(request, keys)
            case messages.Validation(request):
                self._resolve(request, message)
            case messages.Failed(request, text, errors):
                self._reject(request, RequestFailed(text, errors))
            case messages.StateChanged():
                self._on_message(message)
                self._retire_if_done(host)
            case _:
                self._on_message(message)

    def _resolve(self, request: int, answer: Any) -> None:
        _, future = self._requests.pop(request)
        future.set_result(answer)

    def _reject(self, request: int, error: Exception) -> None:
        _, future = self._requests.pop(request)
        future.set_exception(error)

    def _emptiest(self, owner: str, *, for_task: bool) -> HostHandle:
        """The host with the fewest tasks; a new one for a task where each has one and there is room."""
        able = [host for host in self._hosts if host.owner == owner and not host.retired]
        best = min(able, key=lambda host: (len(host.tasks), len(host.states)), default=None)
        if best is not None and (not for_task or not best.tasks or len(able) >= self._size):
            return best
        host = HostHandle(next(self._host_numbers), owner, self._properties)
        self._hosts.append(host)
        return host

    def _holder(self, id: TaskId) -> HostHandle | None:
        """The host that runs `id`; not the one that holds what is left of it."""
        return next((host for host in self._hosts if id in host.states and id not in host.stuck), None)

    def _place(self, id: TaskId, owner: str, message: ToHost) -> None:
        if self._stopping_by is not None:
            return
        try:
            host = self._holder(id) or self._emptiest(owner, for_task=id.task >= 0)
        except (OSError, EOFError) as error:
            text = f"No task host could be started for {id}: {error}"
            self._on_message(messages.StateChanged(id, "FAILED", text))
            return
        host.states[id] = "STARTING"
        host.send(message)

    def _send_to(self, id: TaskId, message: ToHost) -> None:
        host = self._holder(id)
        if host is not None:
            host.send(message)

    def _stop_task(self, id: TaskId, deadline_ms: int) -> None:
        host = self._holder(id)
        if host is None:
            self._on_message(messages.StateChanged(id, "UNASSIGNED"))
            return
        host.stops[id] = time.monotonic() + deadline_ms / 1000 + STOP_GRACE_S
        host.send(messages.StopTask(id, deadline_ms))

    def _stop_connector(self, connector: str) -> None:
        id = TaskId(connector, -1)
        host = self._holder(id)
        if host is None:
            self._on_message(messages.StateChanged(id, "UNASSIGNED"))
            return
        host.stops[id] = time.monotonic() + 5 + STOP_GRACE_S
        host.send(messages.StopConnector(connector))

    def _ask_connector(self, future: "Future[Any]", connector: str, max_tasks: int) -> None:
        host = self._holder(TaskId(connector, -1))
        if host is None:
            future.set_exception(RequestFailed(f"Connector {connector} is not running on this worker"))
            return
        self._ask(host, future, lambda number: messages.GetTaskConfigs(number, connector, max_tasks))

    def _ask_anyone(self, future: "Future[Any]", make: Callable[[int], ToHost]) -> None:
        if self._stopping_by is not None:
            future.set_exception(HostLost("The worker is shutting down"))
            return
        self._ask(self._emptiest("", for_task=False), future, make)

    def _ask(self, host: HostHandle, future: "Future[Any]", make: Callable[[int], ToHost]) -> None:
        number = next(self._request_numbers)
        self._requests[number] = (host, future)
        host.send(make(number))

    def _answer(self, answer: messages.Offsets | messages.OffsetsWritten) -> None:
        number = messages.host_of_request(answer.request)
        for host in self._hosts:
            if host.number == number:
                host.send(answer)

    def _check_deadlines(self) -> None:
        now = time.monotonic()
        for host in list(self._hosts):
            if host.late_to_start(now):
                self._restart(host)
            for id in host.late_stops(now):
                log.error("%s did not stop within its deadline and was cancelled; its host %d ends soon", id, host.pid)
                host.stuck.add(id)
                self._on_message(messages.StateChanged(id, "UNASSIGNED"))
                self._retire_if_done(host)
        if self._stopping_by is not None and now > self._stopping_by:
            for host in self._hosts:
                log.error("Task host %d did not end within its deadline and is killed", host.pid)
                host.kill()

    def _restart(self, host: HostHandle) -> None:
        if host.spawned:
            host.kill()
        else:
            log.warning("Task host %d did not answer in time; it is killed and started by spawn", host.pid)
            host.spawn()

    def _retire_if_done(self, host: HostHandle) -> None:
        if host.stuck and not host.states.keys() - host.stuck:
            host.kill()
        elif host.owner and not host.states:
            host.send(messages.Shutdown(0))

    def _ended(self, host: HostHandle) -> None:
        """The pipe is at its end: the host has gone, or is going."""
        reason = host.bury()
        self._hosts.remove(host)
        for number in [number for number, (asked, _) in self._requests.items() if asked is host]:
            self._reject(number, HostLost(f"Task host {host.pid} {reason} before it answered"))
        ids = host.lost()
        if self._stopping_by is not None:
            for id in ids:
                self._on_message(messages.StateChanged(id, "UNASSIGNED"))
        elif ids or not host.retired:
            log.error("Task host %d %s", host.pid, reason)
            self._on_message(HostDied(host.pid, ids, reason))

    def _shutdown(self, deadline_ms: int) -> None:
        if self._stopping_by is None:
            self._stopping_by = time.monotonic() + deadline_ms / 1000 + STOP_GRACE_S
            for host in self._hosts:
                host.send(messages.Shutdown(deadline_ms))


def _owner(connector: str, config: Mapping[str, Any]) -> str:
    """The connector a host belongs to alone, where its config asks for that; else the hosts are shared."""
    return connector if str(config.get(ISOLATION, "")).strip().lower() == "process" else ""
