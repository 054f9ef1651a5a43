"""TaskCalls: the one thread that a sink task's methods are called in.

The loop's thread decodes the next records while `put` waits for the target; a plug-in still sees one thread, and one
call at a time. Thread rule: the loop's thread begins calls and takes their results.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from headrace.config import name_thread
from headrace.connect.api import Batch, TopicPartition

T = TypeVar("T")


class TaskCalls:
    """Calls, in order, in a thread of their own."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"calls-{name}", initializer=name_thread)

    def begin(self, method: Callable[..., T], *arguments: Any) -> "Future[T]":
        return self._thread.submit(method, *arguments)

    def call(self, method: Callable[..., T], *arguments: Any) -> T:
        """The result; raises what the method raised."""
        return self.begin(method, *arguments).result()

    def close(self) -> None:
        """No call follows."""
        self._thread.shutdown(wait=False)


@dataclass(slots=True)
class Flight:
    """A `put` on its way: its batches, and the positions to go on from once it has landed."""

    ready: list[Batch]
    positions: dict[TopicPartition, int]
    result: "Future[None]"
