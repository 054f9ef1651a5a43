"""`up`: writes what is wanted, has a supervisor carry it out, and waits until all is ready.

Detached, the supervisor outlives us. In the foreground it holds a pipe to us, and we show the logs until Ctrl-C.
"""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from headrace.compose.plan import Plan, ServiceKind
from headrace.project.folder import ProjectFolder
from headrace.project.logs import Follower
from headrace.project.order import Wanted, wanted
from headrace.project.preflight import faults
from headrace.project.state import SETTLED, UP, ServiceState, State, Status, view, write
from headrace.supervisor.interrupts import Interrupts

SETTLE_S = 180.0
LEFTOVERS_S = 60.0
"""How long servers whose supervisor was killed have to end by themselves; they have their ports until then."""

POLL_S = 0.03

Say = Callable[[str], None]


class Refused(RuntimeError):
    """A project that was not started, or could not be: the text has a line for each reason."""


@dataclass(slots=True)
class Up:
    """One `up`. `say` shows a line to the user."""

    plan: Plan
    say: Say
    folder: ProjectFolder = field(init=False)
    _supervisor: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _parent_fd: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.folder = ProjectFolder.named(self.plan.name)

    def detached(self) -> None:
        """Start or change the project and return when all is ready. Raises Refused."""
        order, before = self._order(), view(self.folder)
        with Interrupts() as interrupts:
            self._hand_over(order, None)
            try:
                state = self._settled(order, interrupts.raise_if_asked)
            finally:
                self._let_go()
        self._report(state, before)

    def _let_go(self) -> None:
        """The supervisor outlives us: nobody is to wait for it, and Python is not to warn of that."""
        if self._supervisor is not None and self._supervisor.poll() is None:
            self._supervisor.returncode = 0

    def foreground(self) -> int:
        """Start the project and show its logs; Ctrl-C stops it. The exit status. Raises Refused."""
        order = self._order()
        names = [service.name for service in order.services if service.runs]
        follower = Follower(self.folder, names, from_start=False)
        with Interrupts() as interrupts:
            reading, writing = os.pipe()
            try:
                self._hand_over(order, reading)
                return _Attached(self, order, follower, interrupts).run()
            finally:
                os.close(reading)
                os.close(writing)
                if self._supervisor is not None:
                    self._supervisor.wait()

    def _order(self) -> Wanted:
        """What is wanted, checked, and written down."""
        order = wanted(self.plan, uuid.uuid4().hex)
        if self.folder.supervisor_pid() is None and not self.folder.wait_ended(LEFTOVERS_S):
            raise Refused(f"servers of a supervisor that was killed still run: see {self.folder.supervisor_log}")
        found = faults(order, self.folder)
        if found:
            raise Refused("\n".join(found))
        self.folder.make()
        for note in self.plan.notes:
            self.say(f"{note.service}: {note.text}" if note.service else note.text)
        return self._with_orphans(order)

    def _with_orphans(self, order: Wanted) -> Wanted:
        """Services that run from other files of the same project go on, as in Docker."""
        if self.folder.supervisor_pid() is None:
            return order
        before = Wanted.parse(self.folder.wanted.read_text(encoding="utf-8"))
        named = {service.name for service in order.services}
        orphans = tuple(service for service in before.services if service.name not in named)
        if orphans:
            names = ", ".join(service.name for service in orphans)
            self.say(f"{names}: not in these files, but of this project: left as they are")
        files = tuple(dict.fromkeys((*before.files, *order.files))) if orphans else order.files
        return replace(order, files=files, services=(*orphans, *order.services))

    def _hand_over(self, order: Wanted, parent_fd: int | None) -> None:
        self._parent_fd, self._supervisor = parent_fd, None
        write(self.folder.wanted, order.format())
        self.is_supervised(order)

    def is_supervised(self, order: Wanted) -> bool:
        """Whether a supervisor carries `order` out; starts one where there is none yet. Raises Refused."""
        if self.folder.supervisor_pid() is not None:
            return True
        if self._supervisor is None:
            self._spawn(self._parent_fd)
            return True
        if self._supervisor.poll() is None:
            return True
        if self._carried_out(order) is None:
            raise self._abandoned()
        return False

    def _abandoned(self) -> Refused:
        return Refused(f"the supervisor of project {self.folder.name} has ended: see {self.folder.supervisor_log}")

    def _carried_out(self, order: Wanted) -> State | None:
        """The state, where it is already that of `order`."""
        state = view(self.folder)
        return state if state is not None and state.generation == order.generation else None

    def _spawn(self, parent_fd: int | None) -> None:
        # -P: a file of the current folder must not pass for a module.
        command = [sys.executable, "-P", "-m", "headrace.project.supervise", str(self.folder.path)]
        kept: tuple[int, ...] = ()
        if parent_fd is not None:
            command += ["--parent-fd", str(parent_fd)]
            kept = (parent_fd,)
        with self.folder.supervisor_log.open("ab") as log:
            self._supervisor = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, pass_fds=kept
            )

    def _settled(self, order: Wanted, still_wanted: Callable[[], None]) -> State:
        """Wait until each service is ready, or has failed."""
        deadline = time.monotonic() + SETTLE_S
        while True:
            still_wanted()
            if not self.is_supervised(order):
                raise self._abandoned()
            state = self._carried_out(order)
            if state is not None and is_settled(state):
                return state
            if time.monotonic() > deadline:
                raise Refused(f"not ready in {SETTLE_S:g} s: see {self.folder.supervisor_log}")
            time.sleep(POLL_S)

    def _report(self, state: State, before: State | None) -> None:
        failed = [service for service in state.services if service.status is Status.EXITED]
        for service in state.services:
            if service not in failed:
                was = None if before is None else before.service(service.name)
                self.say(f" Container {service.container}  {_word(service, was)}")
        if failed:
            raise Refused("\n".join(f"{service.name}: {service.message}" for service in failed))


def is_settled(state: State) -> bool:
    """Whether nothing is on its way."""
    return all(service.status in SETTLED for service in state.services)


def _word(service: ServiceState, before: ServiceState | None) -> str:
    """What `up` has done about a service that was as `before`, in Docker's words."""
    if service.kind == ServiceKind.ZOOKEEPER:
        return "Not needed"
    if service.status is Status.FOREIGN:
        return "Left to you"
    if before is None or before.created == service.created:
        return "Started" if before is None else "Running"
    return "Started" if before.digest == service.digest else "Recreated"


@dataclass(slots=True)
class _Attached:
    """The foreground: logs until the project ends, or the user ends it."""

    up: Up
    order: Wanted
    follower: Follower
    interrupts: Interrupts
    _sent: int = 0
    _told: bool = False

    def run(self) -> int:
        while self.up.is_supervised(self.order):
            self.follower.show_new()
            self._pass_on_signals()
            if not self._told:
                self._tell()
            time.sleep(POLL_S)
        self.up.folder.wait_ended(SETTLE_S)
        self.follower.show_new()
        return 0 if self._sent else 1

    def _pass_on_signals(self) -> None:
        if self.interrupts.count == self._sent:
            return
        if not self._sent:
            self.up.say("Gracefully stopping... (press Ctrl+C again to force)")
        self._sent = self.interrupts.count
        self._signal_supervisor()

    def _tell(self) -> None:
        """Say once what is ready and what failed; where nothing is ready, that is the end."""
        state = view(self.up.folder)
        if state is None or state.generation != self.order.generation or not is_settled(state):
            return
        self._told = True
        self.follower.show_new()
        for service in state.services:
            if service.status is Status.EXITED:
                self.up.say(f"{service.name}: {service.message}")
        ready = [service.name for service in state.services if service.status in UP]
        if ready:
            self.up.say(f"ready: {', '.join(ready)} (Ctrl+C stops)")
        else:
            self._signal_supervisor()

    def _signal_supervisor(self) -> None:
        pid = self.up.folder.supervisor_pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
