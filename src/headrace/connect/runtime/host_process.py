"""One task host as a child process: how it is started, and the environment it needs.

The child is forked from a server that has the heavy imports already (forkserver), or started afresh (spawn). The server
preloads imports only, never a call: a library that has started threads does not survive a fork.
Imports nothing of the columns: the worker must stay light.
"""

import multiprocessing
import os
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock
from typing import Final

from headrace.config.addresses import VARIABLE

ENVIRONMENT: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "_RJEM_MALLOC_CONF": "background_thread:false",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 1024 * 1024),
    "MALLOC_TOP_PAD_": str(64 * 1024 * 1024),
}
"""Keeps the preloaded libraries from starting threads before the fork, and their memory small.

The last four are glibc's: a batch's megabytes are kept for the next one. Given back to the kernel and taken anew, page
by page, they cost a sink a third of its time.
"""

_PRELOAD: Final = ("headrace.connect.runtime.host.process", "pyarrow.compute", "orjson", "confluent_kafka")
_main_lock = Lock()


def start_host(method: str, number: int, properties: Mapping[str, str]) -> tuple[BaseProcess, Connection]:
    """Start a host by `method` (forkserver or spawn); gives the process and the worker's end of the pipe."""
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        start_fork_server()
    ours, theirs = context.Pipe()
    book = os.environ.get(VARIABLE, "")
    process = context.Process(  # type: ignore[attr-defined]
        target=_run, args=(theirs, number, dict(properties), book), name=f"headrace-host-{number}"
    )
    with _main_lock, _bare_main():
        process.start()
    theirs.close()
    return process, ours


def start_fork_server() -> None:
    """Start the server that hosts are forked from, where it does not run yet; it loads its imports by itself.

    Called early by a worker, so that a core loads them while another loads the worker's own.
    """
    os.environ.update(ENVIRONMENT)
    multiprocessing.set_forkserver_preload([*_PRELOAD, *_own_plugins()])
    with _main_lock, _bare_main():
        forkserver.ensure_running()


def _own_plugins() -> list[str]:
    """The modules of the connectors that come with Headrace; others are imported when used."""
    points = entry_points(group="headrace.connectors")
    return sorted({point.module for point in points if point.module.startswith("headrace.")})


@contextmanager
def _bare_main() -> Iterator[None]:
    """Hide the program's main module: multiprocessing would run it again in every child."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _run(connection: Connection, number: int, properties: Mapping[str, str], book: str) -> None:
    os.environ.update(ENVIRONMENT)
    os.environ[VARIABLE] = book
    from headrace.connect.runtime.host.process import main

    main(connection, number, properties)
