"""Worker: what runs here. Brings connectors and tasks from what they are to what they are wanted to be.

Thread rule: the herder's thread alone calls it. It runs no plug-in code: it tells the pool of task hosts what to start
and to stop, hears from it what became of that, and hands each change of state on as a status.

A unit is a task, or with task -1 a connector. Its phases:

    IDLE     -> STARTING   start sent
    STARTING -> ACTIVE     RUNNING, PAUSED or FAILED heard
    ACTIVE   -> STOPPING   not wanted, wanted otherwise, or to be restarted: stop sent
    STOPPING -> IDLE       UNASSIGNED heard
    any      -> BACKOFF    the host died; IDLE again when the restart policy says so
"""

import enum
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from headrace.connect.runtime import messages
from headrace.connect.runtime.messages import TaskId
from headrace.connect.runtime.restart_policy import RestartPolicy
from headrace.connect.stores.config import TargetState

log = logging.getLogger(__name__)


class Pool(Protocol):
    """The part of the pool of task hosts that starts and stops."""

    def start_task(self, message: messages.StartTask) -> None: ...

    def stop_task(self, id: TaskId, deadline_ms: int) -> None: ...

    def pause_task(self, id: TaskId, paused: bool) -> None: ...

    def start_connector(self, connector: str, config: Mapping[str, str]) -> None: ...

    def stop_connector(self, connector: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a unit shall be. A connector that is not STARTED has no instance; a task is then paused, or not there."""

    connector_config: Mapping[str, str]
    task_config: Mapping[str, str]
    target: TargetState

    def needs_restart(self, running: "Wanted") -> bool:
        return (self.connector_config, self.task_config) != (running.connector_config, running.task_config)


class Phase(enum.Enum):
    IDLE = enum.auto()
    STARTING = enum.auto()
    ACTIVE = enum.auto()
    STOPPING = enum.auto()
    BACKOFF = enum.auto()


@dataclass(slots=True)
class Unit:
    id: TaskId
    wanted: Wanted | None = None
    running: Wanted | None = None
    phase: Phase = Phase.IDLE
    state: str = ""
    """The state that was last handed on as a status."""
    version: str = ""
    restart: bool = False
    announce_restart: bool = False
    retry_at: float | None = None

    @property
    def has_instance(self) -> bool:
        """Whether an instance is wanted: a connector's only while it is STARTED."""
        return self.wanted is not None and (self.id.task >= 0 or self.wanted.target is TargetState.STARTED)

    @property
    def paused(self) -> bool:
        return self.wanted is not None and self.wanted.target is TargetState.PAUSED


StatusListener = Callable[[Unit, str], None]
"""Called with a unit, its `state` and `version` new, and the trace of a failure or an empty text."""


class Worker:
    """Everything that is assigned to this worker."""

    def __init__(
        self,
        pool: Pool,
        on_status: StatusListener,
        policy: RestartPolicy,
        stop_deadline_ms: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.units: dict[TaskId, Unit] = {}
        self.generation = -1
        self._pool = pool
        self._on_status = on_status
        self._policy = policy
        self._stop_deadline_ms = stop_deadline_ms
        self._clock = clock

    def reconcile(self, wanted: Mapping[TaskId, Wanted]) -> None:
        """Make what runs here what is wanted, and nothing else."""
        for id in wanted.keys() - self.units.keys():
            self.units[id] = Unit(id)
        for id, unit in sorted(self.units.items()):
            unit.wanted = wanted.get(id)
            self._step(unit)

    def restart(self, id: TaskId, *, announce: bool = False) -> None:
        """Stop a unit and start it again; with `announce` its status says RESTARTING in between."""
        unit = self.units.get(id)
        if unit is not None and unit.has_instance:
            unit.restart = True
            unit.announce_restart = announce
            self._step(unit)

    def busy(self, connector: str) -> bool:
        """Whether anything of a connector is still here."""
        return any(id.connector == connector for id in self.units)

    def heard(self, message: messages.StateChanged) -> None:
        """A host says what became of a unit."""
        unit = self.units.get(message.id)
        if unit is None or (message.state == "UNASSIGNED") != (unit.phase is Phase.STOPPING):
            log.debug("Late word of %s: %s", message.id, message.state)
            return
        unit.version = message.version or unit.version
        if message.state == "UNASSIGNED":
            self._stopped(unit)
        else:
            unit.phase = Phase.ACTIVE
            self._report(unit, message.state, message.trace)
        self._step(unit)

    def host_died(self, ids: tuple[TaskId, ...], reason: str, pid: int) -> None:
        """A host ended by itself: what ran in it failed, and is started again after a back-off."""
        now = self._clock()
        for unit in [self.units[id] for id in ids if id in self.units]:
            if unit.phase is Phase.STOPPING:
                self._stopped(unit)
                self._step(unit)
                continue
            delay_s = self._policy.lost(unit.id, now)
            unit.phase, unit.retry_at = Phase.BACKOFF, now + delay_s
            what = "connector" if unit.id.task < 0 else "task"
            trace = f"Task host {pid} {reason}; the {what} is started again in {delay_s:g} s"
            self._report(unit, "FAILED", trace)

    def tick(self) -> None:
        """Start again what has waited long enough."""
        now = self._clock()
        for unit in list(self.units.values()):
            if unit.retry_at is not None and unit.retry_at <= now:
                unit.phase, unit.retry_at = Phase.IDLE, None
                self._step(unit)

    def next_deadline(self) -> float | None:
        """When `tick` has something to do, by the clock."""
        return min((unit.retry_at for unit in self.units.values() if unit.retry_at is not None), default=None)

    def fail(self, unit: Unit, trace: str) -> None:
        """A unit could not do what it was asked for; it stays FAILED until it is restarted or configured anew."""
        if unit.phase is Phase.ACTIVE:
            self._report(unit, "FAILED", trace)

    def unassign_all(self) -> None:
        """The end of this worker: everything still here has been stopped by the pool's own stop."""
        for unit in self.units.values():
            if unit.state != "UNASSIGNED":
                self._report(unit, "UNASSIGNED")
        self.units.clear()

    def _step(self, unit: Unit) -> None:
        match unit.phase:
            case Phase.BACKOFF if unit.restart or not unit.has_instance or self._differs(unit):
                unit.phase, unit.retry_at = Phase.IDLE, None
                self._step(unit)
            case Phase.IDLE if unit.has_instance:
                self._start(unit)
            case Phase.IDLE:
                self._rest(unit)
            case Phase.STARTING | Phase.ACTIVE:
                self._adjust(unit)

    def _differs(self, unit: Unit) -> bool:
        return unit.wanted is not None and unit.running is not None and unit.wanted.needs_restart(unit.running)

    def _adjust(self, unit: Unit) -> None:
        """Stop what must not run as it does; tell a task to pause or to go on."""
        if not unit.has_instance or unit.restart or self._differs(unit):
            unit.phase = Phase.STOPPING
            if unit.id.task < 0:
                self._pool.stop_connector(unit.id.connector)
            else:
                self._pool.stop_task(unit.id, self._stop_deadline_ms)
        elif unit.wanted and unit.running and unit.wanted.target is not unit.running.target:
            unit.running = unit.wanted
            if unit.id.task >= 0:
                self._pool.pause_task(unit.id, unit.paused)

    def _start(self, unit: Unit) -> None:
        assert unit.wanted is not None
        unit.phase, unit.running, unit.restart = Phase.STARTING, unit.wanted, False
        if unit.id.task < 0:
            self._pool.start_connector(unit.id.connector, unit.wanted.connector_config)
        else:
            configs = (unit.wanted.connector_config, unit.wanted.task_config)
            self._pool.start_task(messages.StartTask(unit.id, *configs, unit.paused, self.generation))

    def _stopped(self, unit: Unit) -> None:
        unit.phase, unit.running = Phase.IDLE, None
        if unit.wanted is None or unit.has_instance:
            self._report(unit, "UNASSIGNED")
        if unit.restart and unit.announce_restart and unit.has_instance:
            self._report(unit, "RESTARTING")

    def _rest(self, unit: Unit) -> None:
        """Nothing runs and nothing shall: a connector that is here shows its target state, anything else is gone."""
        if unit.wanted is None:
            if unit.state not in ("", "UNASSIGNED"):
                self._report(unit, "UNASSIGNED")
            self._policy.forget(unit.id)
            del self.units[unit.id]
        elif unit.state != unit.wanted.target.value:
            self._report(unit, unit.wanted.target.value)

    def _report(self, unit: Unit, state: str, trace: str = "") -> None:
        unit.state = state
        self._on_status(unit, trace)
