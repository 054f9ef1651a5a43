"""Logs in a temporary directory, opened as the broker opens them, with work in the background done at once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from headrace.log.batch import check_produced
from headrace.log.files import Handles
from headrace.log.partition_log import Appended, Job, PartitionLog
from headrace.log.records import NewRecord, build_batch, read_batch
from headrace.log.recovery import Opening, open_log
from headrace.log.settings import LogSettings

NOW_MS = 1_800_000_000_000


class OpenLog(Protocol):
    """Opens the test's log again, as after a clean stop or after a crash."""

    def __call__(self, settings: LogSettings = ..., *, clean: bool = ...) -> PartitionLog: ...


def run_now(job: Job) -> None:
    job()


def never_run(job: Job) -> None:
    """The background of a process that was killed before it got there."""


def append(log: PartitionLog, *values: bytes, now_ms: int = NOW_MS) -> Appended:
    """One batch of plain records."""
    batch = build_batch([NewRecord(b"k", value) for value in values], now_ms)
    return log.append(batch, check_produced(memoryview(batch), 1 << 30), now_ms)


def contents(log: PartitionLog) -> list[tuple[int, bytes | None]]:
    """(offset, value) of every record, read as a coordinator reads."""
    return [(record.offset, record.value) for batch in log.read_from(log.start_offset) for record in read_batch(batch)]


@contextmanager
def processes() -> Iterator[Callable[[], Handles]]:
    """Gives the open files of one process after the other; all are closed in the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Handles()))


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Callable[..., OpenLog]]:
    """Makes an OpenLog whose background work is done by `background`."""

    with processes() as handles:

        def make(background: Callable[[Job], None] = run_now) -> OpenLog:
            def open_it(settings: LogSettings = LogSettings(), *, clean: bool = False) -> PartitionLog:  # noqa: B008
                return open_log(tmp_path / "t-0", settings, Opening(handles(), background, clean))

            return open_it

        yield make


@pytest.fixture
def open_it(opener: Callable[..., OpenLog]) -> OpenLog:
    return opener()
