"""The names of threads as the system shows them (`top -H`, `ps -L`, profilers)."""

import threading
from contextlib import suppress
from pathlib import Path

_MOST_BYTES = 15


def name_thread(name: str = "") -> None:
    """Give the running thread its Python name, or another one, in the system's eyes; Python does so from 3.14 on.

    A thread that is not named has the name of the one that started it. Does nothing where there is no /proc.
    """
    comm = Path(f"/proc/self/task/{threading.get_native_id()}/comm")
    with suppress(OSError):
        comm.write_bytes((name or threading.current_thread().name).encode()[:_MOST_BYTES])
