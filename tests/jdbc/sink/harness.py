"""A sink task as the runtime drives it, and batches from plain rows."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import pyarrow as pa

from headrace.connect.api import (
    Batch,
    ConnectSchema,
    RetriableError,
    SchemaType,
    SinkOrigin,
    TopicPartition,
    schema,
    struct,
    to_column,
)
from headrace.connect.api import schema as _schema
from headrace.jdbc.sink.task import JdbcSinkTask
from headrace.testing.postgres import Database

INT8, INT16, INT32, INT64 = (
    _schema(kind) for kind in (SchemaType.INT8, SchemaType.INT16, SchemaType.INT32, SchemaType.INT64)
)
FLOAT32, FLOAT64 = _schema(SchemaType.FLOAT32), _schema(SchemaType.FLOAT64)
BOOLEAN, STRING, BYTES = _schema(SchemaType.BOOLEAN), _schema(SchemaType.STRING), _schema(SchemaType.BYTES)
PLAIN = struct([("id", INT32), ("name", schema(SchemaType.STRING, optional=True))], name="plain")
UPSERT = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}

_offsets = itertools.count()


def optional(kind: ConnectSchema) -> ConnectSchema:
    return kind.replace(optional=True)


class Reporter:
    """Keeps what a task reports: where each record came from, and why it was left out."""

    def __init__(self) -> None:
        self.reported: list[tuple[tuple[str, int, int], BaseException]] = []

    def report(self, batch: Batch, row: int, error: BaseException) -> "Future[None]":
        self.reported.append((batch.kafka_position(row), error))
        done: Future[None] = Future()
        done.set_result(None)
        return done

    @property
    def offsets(self) -> list[int]:
        return [offset for (_, _, offset), _ in self.reported]

    @property
    def reasons(self) -> list[str]:
        return [str(error) for _, error in self.reported]


class Context:
    """What a task gets from the runtime; `waits` counts the waits it asked for, each at most a tenth of a second."""

    connector = "sink"
    task = 0

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.errant_record_reporter = Reporter()
        self.waits = 0

    def wait(self, seconds: float) -> bool:
        self.waits += 1
        return self.stopping.wait(min(seconds, 0.1))

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset()

    def pause(self, *partitions: TopicPartition) -> None:
        return

    def resume(self, *partitions: TopicPartition) -> None:
        return

    def request_commit(self) -> None:
        return


class Sink:
    """A started task on one database; `put` takes plain rows of one schema."""

    def __init__(self, database: Database, **properties: Any) -> None:
        self.database = database
        self.context = Context()
        self.task = JdbcSinkTask()
        self.properties = settings(database, **properties)
        self.task.start(self.context, self.properties)

    def put(self, kind: ConnectSchema, rows: Sequence[Any], **more: Any) -> None:
        self.task.put([batch(kind, rows, **more)])

    def run(self, statement: str) -> None:
        with self.database.connect() as connection:
            connection.execute(statement.encode())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.database.connect() as connection:
            connection.execute("SET TIME ZONE 'UTC'")
            return connection.execute(query.encode()).fetchall()


def settings(database: Database, **properties: Any) -> dict[str, str]:
    """Properties of a connector for this database; underlines in names stand for dots."""
    given = {name.replace("_", "."): str(value) for name, value in properties.items()}
    login = {"connection.user": database.server.user, "connection.password": database.server.password}
    return {"connection.url": database.jdbc_url, "topics": "", "table.name.format": "t"} | login | given


def batch(
    kind: ConnectSchema | None,
    rows: Sequence[Any],
    *,
    topic: str = "topic",
    key_schema: ConnectSchema | None = None,
    keys: Sequence[Any] | None = None,
    partition: int = 0,
) -> Batch:
    """Rows as a batch consumed from Kafka, with offsets that go on from batch to batch."""
    length = len(rows)
    offsets = [next(_offsets) for _ in rows]
    gone = pa.array([row is None for row in rows], pa.bool_())
    return Batch(
        topic,
        length,
        key_schema=key_schema,
        key=None if keys is None else to_column(key_schema, keys),
        value_schema=kind,
        value=None if all(row is None for row in rows) else to_column(kind, rows),
        tombstone=gone if any(row is None for row in rows) else None,
        origin=SinkOrigin(topic, pa.array([partition] * length, pa.int32()), pa.array(offsets, pa.int64())),
    )


def named(pairs: Sequence[tuple[int, str | None]]) -> list[dict[str, Any]]:
    """Rows of PLAIN."""
    return [{"id": number, "name": name} for number, name in pairs]


def put_until(task: JdbcSinkTask, batches: Sequence[Batch], deadline_s: float = 60.0) -> int:
    """Put as the runtime does: again while it says so. Gives how often it did."""
    end = time.monotonic() + deadline_s
    for tries in itertools.count():
        try:
            task.put(batches)
        except RetriableError:
            assert time.monotonic() < end, "the task was still asking for another try at the deadline"
        else:
            return tries
    raise AssertionError


def until(condition: Callable[[], bool], deadline_s: float = 30.0) -> None:
    """Wait for a condition of the outside world."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        threading.Event().wait(0.01)
