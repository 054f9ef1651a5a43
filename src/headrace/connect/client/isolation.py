"""What a reader sees of transactions: control batches never, aborted records not where it reads what is committed.

Sans-IO. As `org.apache.kafka.clients.consumer.internals.CompletedFetch` does it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from headrace.connect.records.reader import RawBatch
from headrace.log.records import read_batch

_ABORT: Final = 0


class Aborted(NamedTuple):
    """An aborted transaction: all of the producer's transactional records from `first_offset` to its abort marker."""

    producer_id: int
    first_offset: int


def visible(batches: Iterable[RawBatch], aborted: Sequence[Aborted] | None) -> Iterator[RawBatch]:
    """The batches with records for a reader; `aborted` is None where it reads uncommitted records too."""
    waiting = sorted(aborted or (), key=lambda each: each.first_offset, reverse=True)
    dropped: set[int] = set()
    for batch in batches:
        header = batch.header
        while waiting and waiting[-1].first_offset <= header.last_offset:
            dropped.add(waiting.pop().producer_id)
        if header.is_control:
            if header.producer_id in dropped and _is_abort(batch):
                dropped.discard(header.producer_id)
        elif header.records and not (header.is_transactional and header.producer_id in dropped):
            yield batch


def _is_abort(batch: RawBatch) -> bool:
    marker = next(read_batch(batch.raw), None)
    return marker is not None and marker.key is not None and int.from_bytes(marker.key[2:4], "big") == _ABORT
