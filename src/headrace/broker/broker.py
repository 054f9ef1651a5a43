"""A broker from its start to its clean end: the lock, the logs, the coordinators, the listeners.

`run` owns the loop. Order at start: lock, metadata, recovery, coordinators, listeners, ready. The end is bounded in
time (invariant 6): listeners and connections, coordinators, logs flushed in threads, and the mark of a clean stop only
where all of that was done.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headrace.broker import dispatch, groups
from headrace.broker.cleaner import Cleaner
from headrace.broker.config import BrokerConfig, Listener
from headrace.broker.disk import ThreadDisk
from headrace.broker.flusher import Flusher
from headrace.broker.metadata import MetadataStore
from headrace.broker.server import Server
from headrace.broker.state import State
from headrace.broker.storage import DirectoryLock, Storage
from headrace.broker.timers import Timers
from headrace.config import ConfigError
from headrace.log.files import Handles, raise_handle_limit
from headrace.log.partition_log import Job

logger = logging.getLogger(__name__)

_END_S: Final = 1.5


@dataclass(frozen=True, slots=True)
class Start:
    """How a broker is started: `on_ready` gets the listeners with the ports they have."""

    config: BrokerConfig
    directory: Path
    on_ready: Callable[[list[Listener]], None]
    parent_descriptor: int | None = None
    """A pipe from the parent: at its end of file the broker stops."""


async def run(start: Start) -> None:
    """Serve until SIGTERM, SIGINT or the parent's end. Raises ConfigError where it cannot start.

    A thread may still be waiting for its disk then: the process need not.
    """
    _make_directory(start.directory)
    lock = DirectoryLock(start.directory)
    try:
        await _run_locked(start)
    finally:
        lock.release()


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise ConfigError(
            f"The data directory {directory} cannot be used: {error.strerror}. Give a directory that can be written to "
            "with --data-dir"
        ) from error


async def _run_locked(start: Start) -> None:
    stop = asyncio.Event()
    _listen_for_the_end(stop, start.parent_descriptor)
    timers = Timers()
    server = Server(timers)
    disk = ThreadDisk(asyncio.get_running_loop(), server.refresh)
    handles = Handles(raise_handle_limit())
    store = MetadataStore(start.directory)
    storage = Storage(start.directory, handles, disk.forget)
    config = BrokerConfig({**start.config.given, "log.dirs": str(start.directory)})
    state = State(config, timers, disk, store, storage)
    state.soon = server.soon
    try:
        await _open(state, store, storage)
        listeners = await server.bind(state, dispatch.discover(), start.config.listeners)
        state.listeners = {listener.name: listener for listener in listeners}
        await server.serve()
        _look_after_retention(state, server)
        Cleaner(state, server.wall_ms).begin()
        Flusher(state, server.wall_ms).begin()
        start.on_ready(listeners)
        await stop.wait()
    finally:
        await server.close()
        is_clean = _close_logs(state, disk)
        store.close()
        handles.close()
        if is_clean:
            storage.leave_clean_mark()
        else:
            logger.warning("Not all logs were flushed in %s s: the next start checks how they end.", _END_S)


async def _open(state: State, store: MetadataStore, storage: Storage) -> None:
    state.reconfiguration.load()
    rows = store.topics()
    clean = storage.take_clean_mark()
    storage.clear_strays(rows, store.deleted_topics())

    def open_all() -> list[object]:
        return list(storage.open_all(rows, state.config, clean=clean))

    for topic in await asyncio.get_running_loop().run_in_executor(None, open_all):
        state.add(topic)  # type: ignore[arg-type]
    groups.plug(state)


def _listen_for_the_end(stop: asyncio.Event, parent_descriptor: int | None) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if parent_descriptor is not None:

        def readable() -> None:
            if not os.read(parent_descriptor, 4096):
                loop.remove_reader(parent_descriptor)
                stop.set()

        loop.add_reader(parent_descriptor, readable)


def _look_after_retention(state: State, server: Server) -> None:
    interval_ms = state.config.log_retention_check_interval_ms

    def look() -> None:
        state.timers.after(interval_ms, look)
        state.enforce_retention(server.wall_ms())

    state.timers.after(interval_ms, look)


def _close_logs(state: State, disk: ThreadDisk) -> bool:
    """Flush what has changed; whether every log had a clean end in time."""
    if state.groups is not None:
        state.groups.stop()
    jobs: list[Job] = []
    is_clean = True
    for topic in state.topics.values():
        for part in topic.partitions:
            try:
                job = part.log.close_job()
            except OSError as error:
                logger.error("Cannot close %s: %s.", part.log.directory, error.strerror)
                is_clean = False
                continue
            is_clean = is_clean and part.log.failure is None
            if job is not None:
                jobs.append(job)
    return disk.finish(jobs, _END_S) and is_clean
