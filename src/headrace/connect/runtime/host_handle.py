"""HostHandle: what the pool knows of one task host, and its pipe. Owned by the pool's thread."""

import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from headrace.connect.runtime import messages
from headrace.connect.runtime.host_process import start_host
from headrace.connect.runtime.messages import TaskId, ToHost, ToWorker

log = logging.getLogger(__name__)

READY_WITHIN_S: Final = {"forkserver": 10.0, "spawn": 30.0}
"""Longer for spawn: it imports all by itself."""


class HostHandle:
    """One host: started when made, `states` is what runs in it by the last word of it."""

    def __init__(self, number: int, owner: str, properties: Mapping[str, str]) -> None:
        self.number = number
        self.owner = owner
        self.states: dict[TaskId, str] = {}
        self.stops: dict[TaskId, float] = {}
        self.stuck: set[TaskId] = set()
        self.killed = False
        self._properties = properties
        self._unsent: list[ToHost] = []
        self._shut_down = False
        self._start("forkserver")

    def _start(self, method: str) -> None:
        try:
            self.process, self.connection = start_host(method, self.number, self._properties)
        except (OSError, EOFError) as error:
            if method == "spawn":
                raise
            log.warning("The fork server does not serve (%s); task host %d is spawned", error, self.number)
            method = "spawn"
            self.process, self.connection = start_host(method, self.number, self._properties)
        self.spawned = method == "spawn"
        self.pid = self.process.pid or 0
        self.ready = False
        self._ready_by = time.monotonic() + READY_WITHIN_S[method]

    @property
    def tasks(self) -> list[TaskId]:
        return [id for id in self.states if id.task >= 0]

    @property
    def retired(self) -> bool:
        """Whether it takes no new work."""
        return bool(self.stuck) or self.killed or self._shut_down

    def send(self, message: ToHost) -> None:
        """Send, or keep until the host has said that it is ready. A host that has gone shows at its pipe's end."""
        self._shut_down |= isinstance(message, messages.Shutdown)
        if not self.ready:
            self._unsent.append(message)
            return
        with suppress(OSError):
            self.connection.send(message)

    def receive(self) -> ToWorker:
        """The next message, its effect on `states` noted. Raises EOFError or OSError where the host has gone."""
        message: ToWorker = self.connection.recv()
        match message:
            case messages.Ready():
                self._greeted(message)
            case messages.StateChanged(id, "UNASSIGNED"):
                self._forget(id)
            case messages.StateChanged(id, state):
                self.states[id] = state
        return message

    def _greeted(self, message: messages.Ready) -> None:
        if message.version != messages.VERSION:
            raise EOFError(f"the host speaks version {message.version}, the worker {messages.VERSION}")
        self.ready = True
        unsent, self._unsent = self._unsent, []
        for kept in unsent:
            self.send(kept)

    def _forget(self, id: TaskId) -> None:
        self.states.pop(id, None)
        self.stops.pop(id, None)
        self.stuck.discard(id)

    def deadlines(self) -> Iterable[float]:
        """The times at which something must be looked at."""
        return ([] if self.ready else [self._ready_by]) + [by for id, by in self.stops.items() if id not in self.stuck]

    def late_to_start(self, now: float) -> bool:
        return not self.ready and now >= self._ready_by

    def late_stops(self, now: float) -> list[TaskId]:
        """What should have stopped by now and has not."""
        return [id for id, by in self.stops.items() if now >= by and id not in self.stuck]

    def spawn(self) -> None:
        """Kill the process and start another one by spawn; what was not sent yet goes to it."""
        self.kill()
        self.bury()
        self.killed = False
        self._start("spawn")

    def kill(self) -> None:
        """SIGKILL; the pipe's end says when it is done."""
        self.killed = True
        self.process.kill()

    def bury(self) -> str:
        """Close the pipe and wait for the process (its pipe is at its end: it has 2 s to exit); says how it ended."""
        self.connection.close()
        self.process.join(3)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join(3)
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"was killed by signal {-code}"
        return f"ended with exit status {code}"

    def lost(self) -> tuple[TaskId, ...]:
        """What ran when the host went, and was not FAILED or given up before."""
        return tuple(id for id, state in self.states.items() if state != "FAILED" and id not in self.stuck)
