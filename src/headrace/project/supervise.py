"""The supervisor of one project, a process of its own: `python -m headrace.project.supervise FOLDER [--parent-fd N]`.

Does what `wanted.json` says, brings back servers that end, and writes `state.json`, until a signal asks it to stop (a
second one shortens the deadlines) or, where it has a parent, that one is gone. Services start in threads; everything
else, the state among it, belongs to the main thread.
"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from headrace.compose.plan import ServiceKind
from headrace.config.addresses import AddressBook
from headrace.project.folder import ProjectFolder
from headrace.project.order import ServiceOrder, Wanted
from headrace.project.ports import INTERNAL, assign, entries
from headrace.project.servers import Maker
from headrace.project.state import ServiceState, State, Status, write
from headrace.supervisor.interrupts import Interrupted, Interrupts
from headrace.supervisor.process import ProcessFailed
from headrace.supervisor.ready import free_port
from headrace.supervisor.restarts import Restarts
from headrace.supervisor.supervisor import Server
from headrace.supervisor.watcher import readable

LEFTOVERS_S = 60.0
POLL_S = 0.05


@dataclass(slots=True)
class Running:
    """A service that is a process here: its server, and its start as long as that is under way."""

    order: ServiceOrder
    server: Server
    cancelled: threading.Event
    start: "Future[None] | None" = None

    def run(self) -> None:
        """The start, in a thread of its own."""
        self.server.launch()
        self.server.wait_ready(self._still_wanted)

    def _still_wanted(self) -> None:
        if self.cancelled.is_set():
            raise Interrupted

    def cancel(self) -> None:
        """Give up a start that is under way; returns when its thread has done so."""
        self.cancelled.set()
        if self.start is not None:
            self.start.exception()


class Services:
    """What runs of a project."""

    def __init__(self, folder: ProjectFolder, lifeline: int, interrupts: Interrupts) -> None:
        self.folder, self.interrupts = folder, interrupts
        self._lifeline = lifeline
        self._pool = ThreadPoolExecutor(16)
        self._restarts = Restarts(self._say)
        self._running: dict[str, Running] = {}
        self._states: dict[str, ServiceState] = {}
        self._wanted = Wanted(folder.name, "", (), ())
        self._seen = 0
        self._written = ""

    def follow(self) -> None:
        """Carry out what is wanted where that has changed."""
        changed = self.folder.wanted.stat().st_mtime_ns
        if changed == self._seen:
            return
        self._seen = changed
        wanted = Wanted.parse(self.folder.wanted.read_text(encoding="utf-8"))
        if wanted.generation != self._wanted.generation:
            self._apply(wanted)

    def tick(self) -> None:
        """Look at everything once: starts that are over, servers that have ended."""
        for running in list(self._running.values()):
            if running.start is not None and running.start.done():
                self._note_start(running, running.start)
        ready = [running.server for running in self._running.values() if self._is_up(running.order.name)]
        self._restarts.tick(ready)
        for running in self._running.values():
            if self._is_up(running.order.name):
                self._note_restarts(running)
        self.write_state()

    def stop(self) -> None:
        """Stop everything in the reverse order of the starts."""
        for name in reversed(self._running):
            self._states[name] = replace(self._states[name], status=Status.STOPPING)
        self.write_state()
        for name in list(reversed(self._running)):
            self._stop(name)
            self.write_state()
        self.folder.hosts.unlink(missing_ok=True)
        self._pool.shutdown()

    def write_state(self) -> None:
        """Write what is, where it has changed."""
        services = tuple(self._states[order.name] for order in self._wanted.services)
        text = State(self.folder.name, self._wanted.generation, self._wanted.files, services).format()
        if text != self._written:
            write(self.folder.state, text)
            self._written = text

    def _apply(self, wanted: Wanted) -> None:
        self._say_project(f"carrying out {', '.join(wanted.files)}")
        keep = {order.name for order in wanted.services if self._is_kept(order)}
        for name in [name for name in reversed(self._running) if name not in keep]:
            self._stop(name)
        places = assign(wanted.services, self._places(), free_port)
        write(self.folder.hosts, AddressBook(entries(wanted.services, places)).format() + "\n")
        self._wanted = wanted
        self._states = {order.name: self._state(order, places, keep) for order in wanted.services}
        self.write_state()
        maker = Maker(self.folder, places, self._lifeline)
        for order in wanted.services:
            if order.runs and order.name not in keep:
                self._launch(order, maker)

    def _is_kept(self, order: ServiceOrder) -> bool:
        """Whether this service runs already, as it is wanted."""
        state = self._states.get(order.name)
        there = order.name in self._running or not order.runs
        return there and state is not None and state.digest == order.digest()

    def _places(self) -> Mapping[tuple[str, int], int]:
        return {
            (name, container): here
            for name, state in self._states.items()
            for container, here, published in state.ports
            if not published
        }

    def _state(self, order: ServiceOrder, places: Mapping[tuple[str, int], int], keep: set[str]) -> ServiceState:
        if order.name in keep:
            return self._states[order.name]
        published = {port.container for port in order.ports if port.published}
        containers = [INTERNAL] * (order.kind == ServiceKind.BROKER) + [port.container for port in order.ports]
        ports = tuple((port, places[order.name, port], port in published) for port in dict.fromkeys(containers))
        status = Status.STARTING
        if not order.runs:
            status = Status.NOT_NEEDED if order.kind == ServiceKind.ZOOKEEPER else Status.FOREIGN
        facts = (order.name, order.container, order.image, order.kind, order.digest(), ports, status)
        return ServiceState(*facts, created=time.time())

    def _launch(self, order: ServiceOrder, maker: Maker) -> None:
        try:
            server = maker.make(order)
        except (OSError, ModuleNotFoundError) as error:
            self._fail(order.name, str(error))
            return
        running = self._running[order.name] = Running(order, server, threading.Event())
        running.start = self._pool.submit(running.run)

    def _note_start(self, running: Running, start: "Future[None]") -> None:
        running.start = None
        name = running.order.name
        try:
            start.result()
        except Interrupted:
            return
        except (ProcessFailed, OSError, ModuleNotFoundError) as error:
            self._stop(name)
            self._fail(name, str(error))
            return
        self._states[name] = replace(
            self._states[name], status=Status.RUNNING, pid=running.server.process.pid, started=time.time()
        )
        self._say(running.server, f"{name} is ready (pid {running.server.process.pid})")

    def _fail(self, name: str, message: str) -> None:
        state = self._states[name]
        code = 1 if state.exit_code is None else state.exit_code
        self._states[name] = replace(state, status=Status.EXITED, message=message, ended=time.time(), exit_code=code)
        self._say_project(f"{name} did not start: {message}")

    def _is_up(self, name: str) -> bool:
        return self._states[name].status in (Status.RUNNING, Status.RESTARTING)

    def _note_restarts(self, running: Running) -> None:
        state, server = self._states[running.order.name], running.server
        waits, count = self._restarts.waits(server), self._restarts.count(server)
        status = Status.RESTARTING if waits else Status.RUNNING
        if (status, count) == (state.status, state.restarts):
            return
        started = time.time() if count != state.restarts else state.started
        code = server.process.exit_status() if waits else state.exit_code
        self._states[running.order.name] = replace(
            state, status=status, pid=server.process.pid, started=started, restarts=count, exit_code=code
        )

    def _stop(self, name: str) -> None:
        running = self._running.pop(name)
        running.cancel()
        try:
            running.server.stop(lambda: self.interrupts.hurried)
            code = running.server.process.exit_status()
        except RuntimeError:  # a database that was never launched
            code = None
        self._states[name] = replace(
            self._states[name], status=Status.EXITED, pid=None, ended=time.time(), exit_code=code
        )

    def _say(self, server: Server, text: str) -> None:
        """Into the service's log, where `logs` shows it, and into our own."""
        with server.process.log.open("a", encoding="utf-8") as log:
            log.write(f"headrace: {text}\n")
        self._say_project(text)

    def _say_project(self, text: str) -> None:
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def supervise(folder: ProjectFolder, parent_fd: int | None) -> None:
    """Run the project until asked to stop. Raises TimeoutError where another supervisor has it."""
    with Interrupts() as interrupts, folder.lock("supervisor", 0), folder.lock("servers", LEFTOVERS_S) as lifeline:
        services = Services(folder, lifeline, interrupts)
        try:
            while not interrupts.asked and not _ended(parent_fd):
                services.follow()
                services.tick()
        finally:
            services.stop()


def _ended(parent_fd: int | None) -> bool:
    """Whether the parent has gone; waits a moment for that."""
    if parent_fd is None:
        time.sleep(POLL_S)
        return False
    return bool(readable([parent_fd], POLL_S)) and not os.read(parent_fd, 1)


def main() -> None:
    """The process: a session of its own, so that no terminal's signal reaches it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parent-fd", type=int)
    arguments = parser.parse_args()
    try:
        supervise(ProjectFolder(arguments.folder), arguments.parent_fd)
    except TimeoutError as error:
        sys.exit(f"{arguments.folder.name}: {error}")


if __name__ == "__main__":
    main()
