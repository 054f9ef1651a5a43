"""Writes what can be written where some records cannot: the bad ones are found under savepoints and left out.

One transaction, as ever, and rows in their order, so that what came before and after a bad record of the same key ends
as it would one by one. A COPY that fails says its row. Elsewhere the first bad row is searched by halves: a half that
can be written stays written, so that a search takes log2(rows) tries. Nothing here waits, or runs where all is well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import psycopg
import pyarrow as pa

from headrace.connect.api import Batch, ConnectError, DataError
from headrace.jdbc.sink.fields import Misfit, split_deletes
from headrace.jdbc.sink.postgresql import statements
from headrace.jdbc.sink.postgresql.faults import are_keys_equal_to_the_server, copied_row, fault
from headrace.jdbc.sink.postgresql.work import Work
from headrace.jdbc.sink.postgresql.writer import Writer


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that the table does not take: row `row` of a batch, and why."""

    batch: Batch
    row: int
    error: ConnectError


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why some rows could not be written, and which of them it was, where the server says so."""

    error: ConnectError
    row: int | None


class Salvage:
    """Stands in for the writer in one transaction; `rejected` are the records that were left out of it."""

    def __init__(self, writer: Writer, user: str, *, check_deferred: bool = False) -> None:
        self.rejected: list[Rejected] = []
        self._writer = writer
        self._user = user
        self._check_deferred = check_deferred

    def prepare(self, batches: Sequence[Batch]) -> list[Work]:
        """The batches as the tables take them, without the records that are seen to be bad beforehand."""
        sound = [self._sound(batch) for batch in batches]
        return self._writer.prepare([batch for batch in sound if batch.length], folding=False)

    def write(self, works: Sequence[Work]) -> None:
        """Write all that can be, in order, in the transaction that is open."""
        self._writer.novelty.rest()
        self._writer.hold()
        for work in works:
            self._write(work)

    def _sound(self, batch: Batch) -> Batch:
        bad = dict(self._unsound(batch))
        if not bad:
            return batch
        self.rejected += [Rejected(batch, row, error) for row, error in sorted(bad.items())]
        sound = np.ones(batch.length, np.bool_)
        sound[list(bad)] = False
        return batch.filter(pa.array(sound))

    def _unsound(self, batch: Batch) -> Iterator[tuple[int, ConnectError]]:
        """Rows that no table is needed to refuse, and those of a schema that does not go with it."""
        todo = [(0, batch.length)]
        while todo:
            start, stop = todo.pop()
            try:
                for _ in self._writer.convert(batch.slice(start, stop)):
                    pass
            except (DataError, Misfit) as error:
                if stop - start == 1 or (isinstance(error, Misfit) and _is_of_one_kind(batch.slice(start, stop))):
                    yield from ((row, error) for row in range(start, stop))
                else:
                    middle = (start + stop) // 2
                    todo += [(middle, stop), (start, middle)]

    def _write(self, work: Work) -> None:
        """Rows before `start` are done with; of those from there to `stop` one is bad, where `doomed`."""
        start, stop, doomed, row, found, stride = 0, len(work), False, None, 0, len(work)
        while start < len(work):
            end = _end(start, stop, row) if doomed else stop
            refusal = self._attempt(work.part(start, end))
            if refusal is None:
                start, stride = end, stride if doomed else 2 * stride
            elif end - start > 1:
                stop, doomed, row = end, True, refusal.row
                continue
            else:
                self._reject(work, start, refusal)
                start, stop, found = end, end, found + 1
                stride = _stride(len(work), start, found)
            if start == stop:
                stop, doomed, row = min(len(work), start + stride), False, None

    def _reject(self, work: Work, row: int, refusal: _Refusal) -> None:
        self.rejected.append(Rejected(*work.source(row), refusal.error))

    def _attempt(self, work: Work) -> _Refusal | None:
        """Write these rows, or nothing. psycopg's errors pass through where no record is at fault."""
        while True:
            try:
                self._writer.write([work])
                if self._check_deferred:
                    self._writer.connection.execute(statements.CHECK_DEFERRED)
                self._writer.hold()
                return None
            except psycopg.Error as error:
                refusal = self._refusal(error)
            if refusal is not None:
                return refusal

    def _refusal(self, error: psycopg.Error) -> _Refusal | None:
        """What to make of an error, with nothing written; None where the same rows go again."""
        at = self._writer.at
        repeated = at is not None and are_keys_equal_to_the_server(error) and self._writer.distrust_keys(at)
        found = None if repeated else fault(error, at, self._user)
        if found is not None and not isinstance(found, DataError):
            raise error
        self._writer.undo()
        if found is None:
            return None
        return _Refusal(found, None if at is None else copied_row(error, at))


def _is_of_one_kind(batch: Batch) -> bool:
    """Whether all records of the batch are deletes, or none is: they fit or do not fit together."""
    return len(split_deletes(batch)) == 1


def _end(start: int, stop: int, row: int | None) -> int:
    """Up to where to write next, one of the rows from `start` to `stop` being bad: `row`, if that is known."""
    if row is None or not start <= row < stop:
        return max(start + 1, (start + stop) // 2)
    return row if row > start else start + 1


def _stride(length: int, done: int, found: int) -> int:
    """How many rows to write at once behind a bad one: all, until there are more; then as many as lie between two."""
    return length if found < 2 else max(1, 2 * done // found - 1)
