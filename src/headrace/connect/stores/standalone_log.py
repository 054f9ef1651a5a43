"""StandaloneLog: what stands in for the internal topics in a standalone worker.

Configs and statuses are in memory and end with the worker, as in Java's standalone mode; offsets are in a file.
Thread rule: any thread may write, for task hosts commit offsets past the herder; the owner takes.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from headrace.connect.stores.codec import Record
from headrace.connect.stores.offset_file import OffsetFile
from headrace.kafka_client.kafka_log import REQUEST_S, InternalTopic, LogError, LogRecord, wait_for_broker

TOPICS = {kind: InternalTopic(kind, kind, 1, 1, {}) for kind in ("config", "offset", "status")}
"""The names under which the stores write here."""


class StandaloneLog:
    """Records in the order they were written. `open` once, `close` once."""

    def __init__(self, file: Path, client: Mapping[str, Any], wake: Callable[[], None]) -> None:
        """`client` are librdkafka's settings, for records go to brokers and come from them as in every worker."""
        self.cluster_id = ""
        self._client = client
        self._wake = wake
        self._file = OffsetFile(file)
        self._lock = threading.Lock()
        self._offset = 0
        self._new: list[LogRecord] = []

    def wait_for_broker(self, stopping: threading.Event) -> bool:
        """Wait until a broker answers; false where the stop came first."""
        found = wait_for_broker(AdminClient({**self._client}), self._client["bootstrap.servers"], stopping)
        if found is not None:
            self.cluster_id = found[0]
        return found is not None

    def open(self) -> None:
        """Read the file. Raises ConfigError."""
        self._append("offset", self._file.read())

    def interrupt(self) -> None:
        """Nothing here waits."""

    def close(self, deadline_s: float) -> None:
        """All is written already."""

    def take(self) -> list[LogRecord]:
        """The records that came since the last call."""
        with self._lock:
            new, self._new = self._new, []
        return new

    def read_to_end(self, topics: Collection[str], deadline_s: float = REQUEST_S) -> None:
        """What was written can be taken at once."""

    def send(self, topic: str, record: Record) -> None:
        """Write one record."""
        self.write(topic, [record])

    def write(self, topic: str, records: Sequence[Record], deadline_s: float = REQUEST_S) -> None:
        """Write records. Raises LogError where offsets cannot be put into the file."""
        if topic == "offset":
            try:
                self._file.put(records)
            except OSError as error:
                raise LogError(f"Offsets could not be written to {self._file.path}: {error.strerror}") from error
        self._append(topic, records)
        self._wake()

    def _append(self, topic: str, records: Sequence[Record]) -> None:
        with self._lock:
            for record in records:
                self._new.append(LogRecord(topic, 0, self._offset, *record))
                self._offset += 1
