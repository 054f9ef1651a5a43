"""The data directory: a directory a partition, the lock, the mark of a clean stop.

    <dir>/.lock                     the pid of the broker that has it
    <dir>/.kafka_cleanshutdown      there while no broker runs, and only after a clean stop
    <dir>/metadata.sqlite           topics, configuration, producer ids
    <dir>/<topic>-<partition>/      segments, indexes, snapshots, leader-epoch-checkpoint, partition.metadata
    <dir>/<topic>-<partition>.<id>-delete   of a deleted topic, until its files go

For threads, but for `close_handles`.
"""

import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

from headrace.broker.config import BrokerConfig
from headrace.broker.metadata import TopicRow, id_text
from headrace.broker.partition import Partition, Topic
from headrace.config import ConfigError
from headrace.log.files import Handles
from headrace.log.partition_log import Background, PartitionLog
from headrace.log.recovery import Opening, open_log
from headrace.log.settings import LogSettings

logger = logging.getLogger(__name__)

CLEAN_MARK: Final = ".kafka_cleanshutdown"
_LOCK: Final = ".lock"
_METADATA: Final = "partition.metadata"
_SEGMENT_FILES: Final = (".log", ".index", ".timeindex", ".snapshot")


class DirectoryInUse(ConfigError):
    """Another process has the data directory."""


class DirectoryLock:
    """Holds the data directory for this process, until `release` or its end."""

    def __init__(self, directory: Path) -> None:
        """Raises DirectoryInUse, which names the other process."""
        path = directory / _LOCK
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise DirectoryInUse(
                f"The data directory {directory} is in use by process {owner}. Stop that broker, or give this one "
                "another --data-dir"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go; the file stays."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


class Storage:
    """Makes, opens, retires and removes the directories of partitions."""

    def __init__(self, directory: Path, handles: Handles, background: Background) -> None:
        self._directory = directory
        self._handles = handles
        self._background = background

    def take_clean_mark(self) -> bool:
        """Whether the last stop was clean; from now on it was not, until `leave_clean_mark`."""
        mark = self._directory / CLEAN_MARK
        was_clean = mark.exists() or not any(self._directory.glob("*-*/*.log"))
        mark.unlink(missing_ok=True)
        return was_clean

    def leave_clean_mark(self) -> None:
        (self._directory / CLEAN_MARK).write_text('{"version":0}')

    def create(self, row: TopicRow, settings: LogSettings) -> Topic:
        """New, empty partitions. Raises OSError."""
        partitions = self.create_partitions(row, range(row.partitions), settings)
        return Topic(row.name, row.topic_id, row.configs, partitions)

    def create_partitions(self, row: TopicRow, indexes: range, settings: LogSettings) -> list[Partition]:
        """New, empty partitions of a topic. Raises OSError."""
        opening = Opening(self._handles, self._background, clean=True)
        partitions = []
        for index in indexes:
            path = self._partition_path(row.name, index)
            if path.exists():
                self._set_aside(path)
            log = open_log(path, settings, opening)
            (path / _METADATA).write_text(f"version: 0\ntopic_id: {id_text(row.topic_id)}\n")
            partitions.append(Partition(row.name, index, log))
        return partitions

    def open_all(self, rows: Sequence[TopicRow], config: BrokerConfig, *, clean: bool) -> Iterable[Topic]:
        """Open every topic, recovering partitions side by side. Raises OSError."""
        opening = Opening(self._handles, self._background, clean)
        with ThreadPoolExecutor(thread_name_prefix="recovery") as pool:
            opened = [(row, self._open(row, config.log_settings(row.configs), opening, pool)) for row in rows]
            for row, logs in opened:
                partitions = [Partition(row.name, index, opened_log()) for index, opened_log in enumerate(logs)]
                for index, offset in row.start_offsets.items():
                    # A crash may have taken more off the end than was flushed.
                    log = partitions[index].log
                    log.delete_before(min(offset, log.next_offset))
                yield Topic(row.name, row.topic_id, row.configs, partitions)

    def _open(
        self, row: TopicRow, settings: LogSettings, opening: Opening, pool: ThreadPoolExecutor
    ) -> list[Callable[[], PartitionLog]]:
        paths = [self._partition_path(row.name, index) for index in range(row.partitions)]
        return [pool.submit(open_log, path, settings, opening).result for path in paths]

    def clear_strays(self, rows: Sequence[TopicRow], deleted: set[UUID]) -> None:
        """Directories of deleted topics go; those of topics that nobody knows are set aside."""
        known = {f"{row.name}-{index}" for row in rows for index in range(row.partitions)}
        dead = {id_text(topic_id) for topic_id in deleted}
        for path in self._directory.iterdir():
            if not (path / _METADATA).is_file() or path.name in known:
                continue
            if path.name.endswith("-delete") or self._topic_id_text(path) in dead:
                shutil.rmtree(path, ignore_errors=True)
            elif not path.name.endswith("-stray"):
                self._set_aside(path)

    def _set_aside(self, path: Path) -> None:
        aside = path.with_name(f"{path.name}.{os.urandom(4).hex()}-stray")
        logger.warning("The directory %s belongs to no topic: set aside as %s.", path, aside.name)
        path.rename(aside)

    @staticmethod
    def _topic_id_text(path: Path) -> str:
        return (path / _METADATA).read_text().rpartition("topic_id: ")[2].strip()

    def retire(self, topic: Topic) -> None:
        """Rename a deleted topic's directories, so that its name is free."""
        for part in topic.partitions:
            path = part.log.directory
            path.rename(path.with_name(f"{path.name}.{topic.topic_id.hex}-delete"))

    def remove(self, topic_id: UUID) -> None:
        """Remove what `retire` renamed."""
        for path in self._directory.glob(f"*.{topic_id.hex}-delete"):
            shutil.rmtree(path, ignore_errors=True)

    @staticmethod
    def retire_segments(stems: Sequence[str]) -> None:
        """Rename the files of segments that are no part of a log any more, so that a restart does not take them in."""
        for stem in stems:
            for suffix in _SEGMENT_FILES:
                with suppress(FileNotFoundError):
                    Path(stem + suffix).rename(stem + suffix + ".deleted")

    @staticmethod
    def remove_segments(stems: Sequence[str]) -> None:
        """Remove what `retire_segments` renamed."""
        for stem in stems:
            for suffix in _SEGMENT_FILES:
                Path(stem + suffix + ".deleted").unlink(missing_ok=True)

    @staticmethod
    def close_handles(log: PartitionLog) -> None:
        for segment in log.segments:
            segment.close_handles()

    def _partition_path(self, topic: str, index: int) -> Path:
        return self._directory / f"{topic}-{index}"
