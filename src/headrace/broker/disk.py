"""Work that waits for a disk: run in threads, its result brought back to the loop as a call.

`Disk` is what the loop's code sees; `ThreadDisk` is the one there is, tests have one that runs jobs when told to.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Protocol, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")
_THREADS = 4


class Disk(Protocol):
    """Where jobs go. `done(result, error)` is called on the loop; one of the two is None."""

    def run(self, job: Callable[[], T], done: Callable[[T | None, Exception | None], None]) -> None:
        """In any thread, in any order: reads, flushes."""

    def run_in_order(self, job: Callable[[], T], done: Callable[[T | None, Exception | None], None]) -> None:
        """In one thread, one after the other: metadata."""

    def forget(self, job: Callable[[], None]) -> None:
        """In any thread; nobody waits, an error is logged."""


class ThreadDisk:
    """A few threads, and one more that works in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_event: Callable[[], None]) -> None:
        self._loop = loop
        self._on_event = on_event
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="disk")
        self._in_order = ThreadPoolExecutor(1, thread_name_prefix="metadata")
        self._open: set[Future[None]] = set()

    def run(self, job: Callable[[], T], done: Callable[[T | None, Exception | None], None]) -> None:
        self._submit(self._pool, job, done)

    def run_in_order(self, job: Callable[[], T], done: Callable[[T | None, Exception | None], None]) -> None:
        self._submit(self._in_order, job, done)

    def forget(self, job: Callable[[], None]) -> None:
        future = self._pool.submit(_logged, job)
        self._open.add(future)
        future.add_done_callback(self._open.discard)

    def finish(self, jobs: list[Callable[[], None]], timeout_s: float) -> bool:
        """The end: run `jobs` and what is still open; whether all were done, without an error, in time."""
        futures = [self._pool.submit(job) for job in jobs]
        done, late = wait([*futures, *self._open], timeout_s)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._in_order.shutdown(wait=not late, cancel_futures=True)
        failed = [error for future in done if (error := future.exception()) is not None]
        for error in failed:
            logger.error("At the end: %s", error)
        return not late and not failed

    def _submit(
        self, pool: ThreadPoolExecutor, job: Callable[[], T], done: Callable[[T | None, Exception | None], None]
    ) -> None:
        def work() -> None:
            try:
                result, error = job(), None
            except Exception as raised:
                self._come_back(partial(done, None, raised))
                return
            self._come_back(partial(done, result, error))

        pool.submit(work)

    def _come_back(self, call: Callable[[], None]) -> None:
        def arrive() -> None:
            self._on_event()
            call()

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(arrive)


def _logged(job: Callable[[], None]) -> None:
    try:
        job()
    except Exception as error:
        logger.error("Work in the background failed: %s", error)
