"""Waiting until a connector is what was asked for, and telling what became of it."""

import time
from collections.abc import Callable
from typing import Final

from headrace.cli.connectors.client import UnknownConnector, WorkerClient
from headrace.cli.connectors.state import ConnectorView, view

POLL_S: Final = 0.2
STEADY_S: Final = 1.0
"""So long tasks must have been as wanted, for one that cannot do its first work fails only then; or must have failed,
for what is restarted is FAILED until the restart begins."""
NO_TASKS_S: Final = 5.0
"""So long a running connector may be without a task before that is told: some have none to plan."""


def wait_for(client: WorkerClient, name: str, target: str, timeout_s: float) -> ConnectorView | None:
    """The connector once it is `target` (RUNNING, PAUSED, STOPPED) and stays so, or has failed; None at the timeout."""
    return settled(lambda: look(client, name), target, timeout_s, time.monotonic, time.sleep)


def look(client: WorkerClient, name: str) -> ConnectorView | None:
    """The connector as it is now; None while it has no status yet."""
    try:
        return view(client.get("connectors", name, "status"))
    except UnknownConnector:
        if name not in client.names():
            raise
        return None


def settled(
    look: Callable[[], ConnectorView | None],
    target: str,
    timeout_s: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> ConnectorView | None:
    """`look` again and again, until what it gives has been settled for long enough."""
    begun = clock()
    since: float | None = None
    while clock() - begun < timeout_s:
        now = look()
        if now is None or not now.settled(target):
            since = None
        else:
            since = clock() if since is None else since
            if clock() - since >= (STEADY_S if now.tasks or now.failed or target != "RUNNING" else NO_TASKS_S):
                return now
        sleep(POLL_S)
    return None
