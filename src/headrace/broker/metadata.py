"""What outlives the process and is not in a log: the cluster's id, topics with their configuration, what was set of the
broker's configuration while it ran, producer ids.

One sqlite file in WAL mode, flushed at each commit. Opened before the loop runs and used by one thread at a time: at
start and at the end by the main one, in between by the disk's serial thread.
"""

import base64
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

FILE_NAME: Final = "metadata.sqlite"
PRODUCER_ID_BLOCK: Final = 1000

_SCHEMA: Final = """
create table if not exists meta (key text primary key, value text not null) strict;
create table if not exists topic (
  name text primary key, topic_id text not null unique, partitions integer not null) strict;
create table if not exists topic_config (
  topic_id text not null, key text not null, value text not null, primary key (topic_id, key)) strict;
create table if not exists broker_config (
  broker text not null, key text not null, value text not null, primary key (broker, key)) strict;
create table if not exists log_start (
  topic_id text not null, partition integer not null, start_offset integer not null,
  primary key (topic_id, partition)) strict;
create table if not exists deleted_topic (topic_id text primary key) strict;
"""


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic as it is kept; `configs` are its own, not the defaults.

    `start_offsets`, by partition: before these records were deleted by request.
    """

    name: str
    topic_id: UUID
    partitions: int
    configs: Mapping[str, str]
    start_offsets: Mapping[int, int] = field(default_factory=dict)


def id_text(topic_id: UUID) -> str:
    """A topic's id as Kafka prints it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(topic_id.bytes).decode().rstrip("=")


def new_id() -> UUID:
    """A random id that Kafka's tools can take as an argument: its text does not begin with a dash."""
    while True:
        made = uuid.uuid4()
        if not id_text(made).startswith("-"):
            return made


class MetadataStore:
    """The file; every change is one transaction that is on the disk when the method returns."""

    def __init__(self, directory: Path) -> None:
        self._connection = sqlite3.connect(directory / FILE_NAME, check_same_thread=False, isolation_level=None)
        self._connection.execute("pragma journal_mode=wal")
        self._connection.execute("pragma synchronous=full")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def cluster_id(self) -> str:
        """The id of this cluster, made at the first start."""
        return self._value("cluster.id") or self._set("cluster.id", id_text(new_id()))

    def topics(self) -> list[TopicRow]:
        """All topics, by name."""
        rows = self._connection.execute("select name, topic_id, partitions from topic order by name").fetchall()
        configs: dict[str, dict[str, str]] = {}
        for topic_id, key, value in self._connection.execute("select topic_id, key, value from topic_config"):
            configs.setdefault(topic_id, {})[key] = value
        starts: dict[str, dict[int, int]] = {}
        for topic_id, partition, offset in self._connection.execute("select * from log_start"):
            starts.setdefault(topic_id, {})[partition] = offset
        return [
            TopicRow(name, UUID(tid), count, configs.get(tid, {}), starts.get(tid, {})) for name, tid, count in rows
        ]

    def add_topic(self, topic: TopicRow) -> None:
        """Remember a new topic."""
        key = str(topic.topic_id)
        with self._transaction() as connection:
            connection.execute("insert into topic values (?, ?, ?)", (topic.name, key, topic.partitions))
            connection.executemany(
                "insert into topic_config values (?, ?, ?)", [(key, name, text) for name, text in topic.configs.items()]
            )

    def set_partitions(self, topic_id: UUID, count: int) -> None:
        """Remember how many partitions a topic has now."""
        self._connection.execute("update topic set partitions = ? where topic_id = ?", (count, str(topic_id)))

    def set_topic_configs(self, topic_id: UUID, configs: Mapping[str, str]) -> None:
        """Remember a topic's own configuration, all of it; of a topic that is gone, nothing."""
        key = str(topic_id)
        with self._transaction() as connection:
            connection.execute("delete from topic_config where topic_id = ?", (key,))
            connection.executemany(
                "insert into topic_config select ?, ?, ? where exists (select 1 from topic where topic_id = ?)",
                [(key, name, text, key) for name, text in configs.items()],
            )

    def set_start_offsets(self, offsets: Mapping[tuple[UUID, int], int]) -> None:
        """Remember where logs start, by topic and partition, where records were deleted by request."""
        rows = [(str(topic_id), partition, offset) for (topic_id, partition), offset in offsets.items()]
        with self._transaction() as connection:
            connection.executemany("insert or replace into log_start values (?, ?, ?)", rows)

    def broker_configs(self, broker: str) -> dict[str, str]:
        """What was set while a broker ran: of the broker by its id, of all brokers by "" ."""
        rows = self._connection.execute("select key, value from broker_config where broker = ? order by key", (broker,))
        return dict(rows.fetchall())

    def set_broker_configs(self, broker: str, configs: Mapping[str, str]) -> None:
        """Remember what was set, all of it."""
        with self._transaction() as connection:
            connection.execute("delete from broker_config where broker = ?", (broker,))
            connection.executemany(
                "insert into broker_config values (?, ?, ?)", [(broker, name, text) for name, text in configs.items()]
            )

    def delete_topic(self, topic_id: UUID) -> None:
        """Forget a topic; its directories are still to be removed, at the next start if need be."""
        key = str(topic_id)
        with self._transaction() as connection:
            connection.execute("delete from topic where topic_id = ?", (key,))
            connection.execute("delete from topic_config where topic_id = ?", (key,))
            connection.execute("delete from log_start where topic_id = ?", (key,))
            connection.execute("insert or ignore into deleted_topic values (?)", (key,))

    def deleted_topics(self) -> set[UUID]:
        """Topics whose directories may still be there."""
        return {UUID(key) for (key,) in self._connection.execute("select topic_id from deleted_topic")}

    def directories_removed(self, topic_id: UUID) -> None:
        """Nothing is left of a deleted topic."""
        self._connection.execute("delete from deleted_topic where topic_id = ?", (str(topic_id),))

    def take_producer_ids(self) -> range:
        """A block of producer ids that nobody had before (KIP-730)."""
        first = int(self._value("producer.id.next") or "0")
        self._set("producer.id.next", str(first + PRODUCER_ID_BLOCK))
        return range(first, first + PRODUCER_ID_BLOCK)

    def _value(self, key: str) -> str | None:
        row = self._connection.execute("select value from meta where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, key: str, value: str) -> str:
        self._connection.execute("insert or replace into meta values (?, ?)", (key, value))
        return value

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._connection)


class _Transaction:
    """begin immediate ... commit, or rollback where an error comes through."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("begin immediate")
        return self._connection

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._connection.execute("commit" if kind is None else "rollback")
