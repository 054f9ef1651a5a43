"""A source task as the runtime runs it: the context, and the rows of its batches."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pyarrow as pa

from headrace.connect.api import Batch, SourceOrigin
from headrace.jdbc.source import task as source_task
from headrace.jdbc.source.connector import JdbcSourceConnector
from headrace.jdbc.source.task import JdbcSourceTask
from headrace.testing.postgres import Database


class FakeContext:
    """Both contexts of the runtime; `stored` are the committed offsets, as (partition, offset) pairs."""

    def __init__(self, stored: list[tuple[Mapping[str, Any], Mapping[str, Any]]] | None = None) -> None:
        self.connector, self.task = "c", 0
        self.stopping = threading.Event()
        self.stored = stored or []
        self.reconfigured = threading.Event()

    def wait(self, seconds: float) -> bool:
        return self.stopping.wait(seconds)

    def offset(self, partition: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return next((offset for known, offset in self.stored if list(known.items()) == list(partition.items())), None)

    def request_task_reconfiguration(self) -> None:
        self.reconfigured.set()


def properties(database: Database, **keys: Any) -> dict[str, str]:
    base = {
        "connection.url": database.jdbc_url,
        "connection.user": database.server.user,
        "connection.password": database.server.password,
        "connection.backoff.ms": "50",
        "topic.prefix": "t-",
        "poll.interval.ms": "20",
    }
    return base | {name.replace("__", ".").replace("_", "."): str(value) for name, value in keys.items()}


def task_properties(props: Mapping[str, str]) -> dict[str, str]:
    """The config of the one task of a connector."""
    connector = JdbcSourceConnector()
    connector.start(FakeContext(), props)
    try:
        (config,) = connector.task_configs(1)
    finally:
        connector.stop()
    return config


@contextmanager
def running(props: Mapping[str, str], context: FakeContext | None = None) -> Iterator[JdbcSourceTask]:
    """A started task of these connector properties."""
    task = JdbcSourceTask()
    task.start(context or FakeContext(), task_properties(props))
    try:
        with patch.object(source_task, "IDLE_S", 0.2):
            yield task
    finally:
        task.stop()


def poll_rows(task: JdbcSourceTask, count: int, within_s: float = 20.0) -> list[Batch]:
    """Poll until there are `count` rows."""
    batches: list[Batch] = []
    deadline = time.monotonic() + within_s
    while sum(map(len, batches)) < count:
        assert time.monotonic() < deadline, f"{sum(map(len, batches))} of {count} rows came"
        batches += task.poll()
    return batches


def poll_nothing(task: JdbcSourceTask, times: int = 3) -> None:
    for _ in range(times):
        assert list(task.poll()) == []


def values(batches: list[Batch]) -> list[dict[str, Any]]:
    """The rows of the batches."""
    rows: list[dict[str, Any]] = []
    for batch in batches:
        assert isinstance(batch.value, (pa.StructArray, list)) and len(batch.value) == len(batch)
        rows += batch.value if isinstance(batch.value, list) else batch.value.to_pylist()
    return rows


def column(batches: list[Batch], name: str) -> list[Any]:
    return [row[name] for row in values(batches)]


def offsets(batches: list[Batch]) -> list[Mapping[str, Any]]:
    """The offset of every row."""
    found: list[Mapping[str, Any]] = []
    for batch in batches:
        assert isinstance(batch.origin, SourceOrigin) and len(batch.origin.offset) == len(batch)
        found += list(batch.origin.offset)
    return found


def partition(batch: Batch) -> Mapping[str, Any]:
    assert isinstance(batch.origin, SourceOrigin)
    return batch.origin.partition
