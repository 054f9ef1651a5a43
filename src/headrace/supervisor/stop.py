"""How a server that runs as a process of its own learns that it shall stop: signals, and the end of its parent."""

import logging
import os
import signal
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


def stop_event(parent_fd: int | None, server: str) -> threading.Event:
    """Set by SIGTERM, SIGINT, and the end of file of the pipe that the parent holds; called by the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if parent_fd is not None:

        def watch() -> None:
            while os.read(parent_fd, 1):
                pass
            log.warning("The program that started this %s has gone: the %s stops", server, server)
            stop.set()

        threading.Thread(target=watch, name="parent", daemon=True).start()
    return stop


def when(stop: threading.Event, then: Callable[[], None]) -> None:
    """Call `then` in a thread of its own once the event is set."""

    def wait() -> None:
        stop.wait()
        then()

    threading.Thread(target=wait, name="stop", daemon=True).start()
