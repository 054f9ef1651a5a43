"""Batches made of many records, by the thread that has them: the producer's thread then has nothing but its sockets.

Sans-IO; owned by a task's thread.
"""

from collections.abc import Iterator
from typing import Final

from headrace.connect.client.accumulator import BATCH_ROWS, Settings
from headrace.connect.records.columns import NewRecords
from headrace.connect.records.writer import RecordBatch, parts, write_batch

FEW_BYTES: Final = 256_000
"""Less is left as it is: what comes soon after goes into one batch with it."""


class BatchMaker:
    """Makes batches that fit into a request, by how well those before them shrank."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ratio = 1.0

    def make(
        self, records: NewRecords, most_bytes: int, most_rows: int
    ) -> Iterator[tuple[NewRecords, RecordBatch | None]]:
        """All records in order, in parts of at most so many bytes and rows, each with its batch if it is not small."""
        start = 0
        while start < len(records):
            rest = records.slice(start, len(records))
            part = next(parts(rest, min(most_bytes, self._most_bytes()), min(most_rows, BATCH_ROWS)))
            start += len(part)
            if int(part.sizes().sum()) < min(FEW_BYTES, self._settings.batch_bytes):
                yield part, None
            else:
                yield from self._fitting(part)

    def _most_bytes(self) -> int:
        return max(1, min(self._settings.batch_bytes, int(self._settings.request_bytes / self._ratio)))

    def _fitting(self, records: NewRecords) -> Iterator[tuple[NewRecords, RecordBatch]]:
        batch = write_batch(records, self._settings.codec, self._settings.level)
        self._ratio = max(1.5 * batch.size / max(1, batch.plain_bytes), 0.5 * self._ratio)
        if batch.size <= self._settings.request_bytes or len(records) == 1:
            yield records, batch
            return
        middle = len(records) // 2
        yield from self._fitting(records.slice(0, middle))
        yield from self._fitting(records.slice(middle, len(records)))
