"""Several servers as one: started in order, watched, stopped in the reverse order, each step with a deadline."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from headrace.supervisor.interrupts import Interrupts
from headrace.supervisor.process import ChildProcess


class Server(Protocol):
    """What a supervisor starts and stops; `PostgresServer` and `ChildServer` are two."""

    @property
    def process(self) -> ChildProcess: ...

    def launch(self) -> None:
        """Start the process; returns before it is ready."""

    def wait_ready(self, still_wanted: Callable[[], None]) -> None:
        """Wait until it is ready, calling `still_wanted`, which raises where it is not wanted any more."""

    def stop(self, hurried: Callable[[], bool]) -> None:
        """Stop it, at the latest after its deadline, sooner where `hurried()`."""


@dataclass(slots=True)
class ChildServer:
    """A server of ours: a child process and the question whether it is ready."""

    process: ChildProcess
    ready: Callable[[], bool]
    start_s: float = 30.0
    stop_s: float = 15.0

    def launch(self) -> None:
        self.process.start()

    def wait_ready(self, still_wanted: Callable[[], None]) -> None:
        def ready() -> bool:
            still_wanted()
            return self.ready()

        self.process.wait_ready(ready, self.start_s)

    def stop(self, hurried: Callable[[], bool]) -> None:
        self.process.stop(self.stop_s, hurried)


class Supervisor:
    """Owns the servers it was given to start; one thread calls it."""

    def __init__(self, interrupts: Interrupts) -> None:
        self.interrupts = interrupts
        self._servers: list[Server] = []

    def start(self, servers: Sequence[Server]) -> None:
        """Start these side by side and wait until each is ready.

        Raises ProcessFailed naming the one that is not, Interrupted where a signal came; `stop` is still to be called.
        """
        self._servers.extend(servers)
        with ThreadPoolExecutor(len(servers)) as pool:
            for launched in [pool.submit(server.launch) for server in servers]:
                launched.result()
        for server in servers:
            server.wait_ready(self._still_wanted)

    def _still_wanted(self) -> None:
        self.interrupts.raise_if_asked()
        self.check()

    @property
    def servers(self) -> Sequence[Server]:
        """Those that were started, in that order."""
        return self._servers

    def check(self) -> None:
        """Raises ProcessFailed naming a server that has ended by itself."""
        for server in self._servers:
            server.process.raise_if_ended()

    def stop(self) -> None:
        """Stop everything in the reverse order of the starts; returns when all have ended."""
        while self._servers:
            self._servers.pop().stop(lambda: self.interrupts.hurried)
