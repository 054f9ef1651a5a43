"""`flush.ms`: what was appended is forced to the disk in time, in a thread; a disk that refuses closes the log."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.broker.config import BrokerConfig
from headrace.broker.flusher import Flusher
from headrace.broker.metadata import MetadataStore
from headrace.broker.partition import Partition, Topic
from headrace.broker.state import NewTopic, State
from headrace.broker.storage import Storage
from headrace.broker.timers import Timers
from headrace.log import StorageError, partition_log
from headrace.log.files import Handles
from headrace.log.records import NewRecord

_WALL_MS = 1_800_000_000_000


class DiskOnRequest:
    """Metadata at once; flushes when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def run(self, job: Callable[[], Any], done: Callable[[Any, Exception | None], None]) -> None:
        self.jobs.append(lambda: self.run_in_order(job, done))

    def run_in_order(self, job: Callable[[], Any], done: Callable[[Any, Exception | None], None]) -> None:
        try:
            result = job()
        except Exception as error:
            done(None, error)
        else:
            done(result, None)

    def forget(self, job: Callable[[], None]) -> None:
        job()


class Broker:
    """A broker's state with a clock and a disk of the test's own, and one topic."""

    def __init__(self, directory: Path, configs: dict[str, str]) -> None:
        self.timers, self.disk = Timers(), DiskOnRequest()
        self.store = MetadataStore(directory)
        storage = Storage(directory, Handles(), self.disk.forget)
        self.state = State(BrokerConfig({}), self.timers, self.disk, self.store, storage)
        self.state.create_topic(NewTopic("t", 2, configs), _WALL_MS, lambda error, topic: None)
        Flusher(self.state, lambda: _WALL_MS + self.timers.now_ms).begin()

    @property
    def topic(self) -> Topic:
        return self.state.topics["t"]

    @property
    def part(self) -> Partition:
        return self.topic.partitions[1]

    def append(self) -> None:
        self.part.append_records([NewRecord(b"k", b"v")], _WALL_MS + self.timers.now_ms)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were forced to the disk."""
    paths: list[str] = []
    monkeypatch.setattr(partition_log, "sync_file", lambda path: paths.append(str(path)))
    return paths


def test_what_was_appended_is_flushed_in_time_and_in_a_thread(tmp_path: Path, synced: list[str]) -> None:
    broker = Broker(tmp_path, {"flush.ms": "100"})
    broker.append()
    broker.timers.advance(99)
    assert broker.disk.jobs == []
    broker.timers.advance(101)
    assert (len(broker.disk.jobs), synced) == (1, [])
    broker.disk.jobs.pop()()
    assert synced == [str(tmp_path / "t-1" / "00000000000000000000.log")]
    broker.timers.advance(1000)
    assert broker.disk.jobs == []
    broker.store.close()


def test_without_flush_ms_nothing_is_forced(tmp_path: Path, synced: list[str]) -> None:
    broker = Broker(tmp_path, {})
    broker.append()
    broker.timers.advance(10_000_000)
    assert (broker.disk.jobs, synced) == ([], [])
    broker.store.close()


def test_flush_ms_set_later_is_acted_on(tmp_path: Path, synced: list[str]) -> None:
    broker = Broker(tmp_path, {})
    broker.append()
    broker.state.reconfiguration.set_topic(broker.topic, {"flush.ms": "50"}, lambda error: None)
    broker.timers.advance(1100)
    assert len(broker.disk.jobs) == 1
    broker.store.close()


def test_after_a_flush_that_failed_nothing_is_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise OSError(5, "Input/output error")

    broker = Broker(tmp_path, {"flush.ms": "10"})
    monkeypatch.setattr(partition_log, "sync_file", refuse)
    broker.append()
    broker.timers.advance(50)
    broker.disk.jobs.pop()()
    with pytest.raises(StorageError, match="t-1 takes no more writes: it could not be flushed"):
        broker.append()
    broker.store.close()
