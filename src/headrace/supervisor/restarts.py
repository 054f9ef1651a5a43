"""Brings back servers that end by themselves: at once the first time, later each time they end again soon.

One thread calls `tick`; it never waits. The clock is handed in.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headrace.supervisor.process import ProcessFailed
from headrace.supervisor.supervisor import Server

FIRST_S = 0.2
MOST_S = 30.0
STEADY_S = 60.0
"""Who has run for so long is brought back as if it had never ended before."""

Say = Callable[[Server, str], None]
"""Tells what has become of a server, in a sentence that names it."""


@dataclass(slots=True)
class Fate:
    """What has become of one server: how often it ended lately, and when it is to be started or was."""

    ended: int = 0
    due: float | None = None
    launched: float = 0.0
    total: int = 0

    def delay_s(self) -> float:
        return min(MOST_S, FIRST_S * 2.0**self.ended)


class Restarts:
    """Watches the servers that `tick` is given; one that is not among them any more is forgotten."""

    def __init__(self, say: Say, clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._fates: dict[int, Fate] = {}

    def tick(self, servers: Sequence[Server]) -> None:
        """Look at every server once, and start the one whose time has come."""
        known = {id(server) for server in servers}
        self._fates = {key: fate for key, fate in self._fates.items() if key in known}
        for server in servers:
            fate = self._fates.setdefault(id(server), Fate(launched=self._clock()))
            if fate.due is None:
                self._look(server, fate)
            elif self._clock() >= fate.due:
                self._bring_back(server, fate)

    def waits(self, server: Server) -> bool:
        """Whether this server has ended and waits for its next start."""
        fate = self._fates.get(id(server))
        return fate is not None and fate.due is not None

    def count(self, server: Server) -> int:
        """How often this server was brought back."""
        fate = self._fates.get(id(server))
        return 0 if fate is None else fate.total

    def _look(self, server: Server, fate: Fate) -> None:
        if not server.process.running:
            self._note_end(server, fate, server.process.ending())

    def _note_end(self, server: Server, fate: Fate, how: str) -> None:
        if self._clock() - fate.launched >= STEADY_S:
            fate.ended = 0
        delay = fate.delay_s()
        fate.ended += 1
        fate.due = self._clock() + delay
        self._say(server, f"{how}; it is started again in {delay:g} s")

    def _bring_back(self, server: Server, fate: Fate) -> None:
        fate.due, fate.launched = None, self._clock()
        server.process.wait(0)
        try:
            server.launch()
        except (ProcessFailed, OSError) as error:
            self._note_end(server, fate, str(error))
            return
        fate.total += 1
        self._say(server, f"{server.process.name} was started again (pid {server.process.pid})")
