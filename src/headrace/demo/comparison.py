"""Compares the two tables row by row, both read in the order of their ids while they stream."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg import pq

from headrace.demo.iris import COPY_OUT

FAULTS: Final = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """`lost`: rows of the source that are missing in the target or have another value there; `duplicated`: rows of the
    target beyond those of the source; `faults` has the lines of the first few of both."""

    source_rows: int
    target_rows: int
    lost: int
    duplicated: int
    faults: tuple[bytes, ...] = field(default=(), compare=False, repr=False)

    @property
    def equal(self) -> bool:
        return not self.lost and not self.duplicated


def compare(source: Iterable[bytes], target: Iterable[bytes]) -> Comparison:
    r"""Compare lines of COPY's text format, the id first, both ordered by id.

    >>> compare([b"1\ta", b"2\tb", b"3\tc"], [b"1\ta", b"1\ta", b"2\tx"])
    Comparison(source_rows=3, target_rows=3, lost=2, duplicated=1)
    """
    wanted, found = iter(source), iter(target)
    row, other = next(wanted, None), next(found, None)
    source_rows = target_rows = lost = duplicated = 0
    faults: list[bytes] = []
    while row is not None or other is not None:
        order = _order(row, other)
        if row != other and len(faults) < FAULTS:
            faults.append((row if order <= 0 else other) or b"")
        if order <= 0:
            source_rows += 1
            lost += row != other
            row = next(wanted, None)
        if order >= 0:
            target_rows += 1
            duplicated += order > 0
            other = next(found, None)
    return Comparison(source_rows, target_rows, lost, duplicated, tuple(faults))


def _order(row: bytes | None, other: bytes | None) -> int:
    """Which of the two comes first: -1 the row, 1 the other, 0 they have the same id."""
    if row == other:
        return 0
    if row is None or other is None:
        return 1 if row is None else -1
    here, there = int(row.split(b"\t", 1)[0]), int(other.split(b"\t", 1)[0])
    return (here > there) - (here < there)


def compare_tables(source_dsn: str, target_dsn: str) -> Comparison:
    """Compare the iris tables of two databases."""
    with psycopg.connect(source_dsn) as source, psycopg.connect(target_dsn) as target:
        return compare(_lines(source), _lines(target))


def _lines(connection: psycopg.Connection) -> Iterator[bytes]:
    """The table's rows, each a line. libpq's own call: psycopg's copy() costs several times as much a row."""
    wire = connection.pgconn
    answer = wire.exec_(COPY_OUT.encode())
    if answer.status != pq.ExecStatus.COPY_OUT:
        raise psycopg.OperationalError(f"the table could not be read: {wire.get_error_message()}")
    while True:
        length, data = wire.get_copy_data(0)
        if length < 0:
            break
        yield bytes(data)
    end = wire.get_result()
    if length == -2 or end is None or end.status != pq.ExecStatus.COMMAND_OK:
        raise psycopg.OperationalError(f"the table could not be read to its end: {wire.get_error_message()}")
    while wire.get_result() is not None:
        pass
