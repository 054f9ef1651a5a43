"""Source partitions and offsets, in the exact form of the JDBC source connectors in use, so that each can go on where
another stopped.

Sans-IO. A time is an int: microseconds since 1970-01-01T00:00:00Z, PostgreSQL's own resolution.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from headrace.jdbc.dialects import TableId

QUERY_PARTITION: Final = {"query": "query"}
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Position:
    """After which row to go on: its time and its incrementing value, where the mode has them."""

    time_us: int | None = None
    incrementing: int | None = None


def partitions(table: TableId | None) -> list[dict[str, Any]]:
    """The source partitions under which an offset may stand, the one to write first; None for a query."""
    if table is None:
        return [dict(QUERY_PARTITION)]
    return [{"protocol": "1", "table": str(table)}, {"table": table.name}]


def position(offset: Mapping[str, Any] | None) -> Position:
    """What a stored offset says."""
    if not offset:
        return Position()
    milliseconds, nanoseconds = offset.get("timestamp"), offset.get("timestamp_nanos")
    time_us = None
    if milliseconds is not None:
        # The nanoseconds are those of the second, the milliseconds' part of it included.
        whole = int(milliseconds) // 1000 * 1_000_000
        part = int(milliseconds) % 1000 * 1000 if nanoseconds is None else int(nanoseconds) // 1000
        time_us = whole + part
    incrementing = offset.get("incrementing")
    return Position(time_us, None if incrementing is None else int(incrementing))


def offset_of(at: Position) -> dict[str, Any]:
    """The offset to store for a position."""
    offset: dict[str, Any] = {}
    if at.incrementing is not None:
        offset["incrementing"] = at.incrementing
    if at.time_us is not None:
        offset["timestamp"] = at.time_us // 1000
        offset["timestamp_nanos"] = at.time_us % 1_000_000 * 1000
    return offset


class Offsets(Sequence[Mapping[str, Any]]):
    """The offsets of a batch's rows, made when asked for, from columns."""

    __slots__ = ("_incrementing", "_length", "_times")

    def __init__(self, length: int, times: Int64s | None = None, incrementing: Int64s | None = None) -> None:
        self._length, self._times, self._incrementing = length, times, incrementing

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, row: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, row: slice) -> "Offsets": ...
    def __getitem__(self, row: int | slice) -> "Mapping[str, Any] | Offsets":
        if isinstance(row, slice):
            rows = range(self._length)[row]
            return Offsets(len(rows), _part(self._times, row), _part(self._incrementing, row))
        if not -self._length <= row < self._length:
            raise IndexError(row)
        return offset_of(self.position(row))

    def position(self, row: int) -> Position:
        """The position after a row."""
        time_us = None if self._times is None else int(self._times[row])
        if time_us == NOWHERE:
            time_us = None
        return Position(time_us, None if self._incrementing is None else int(self._incrementing[row]))


NOWHERE: Final = np.iinfo(np.int64).max
"""In a column of times: no time is complete yet."""


def _part(column: Int64s | None, rows: slice) -> Int64s | None:
    return None if column is None else column[rows]


def complete_times(times: Int64s, before_us: int | None, next_us: int | None) -> Int64s:
    """For each row, the last time all of whose rows are out once this row is.

    Rows are in the order of `times`. Rows of one time come in any order, so that an offset may name a time only when
    its last row is out: before, it names the time before. `before_us`: the time complete before the first row;
    `next_us`: the time of the row after the last one, None where there is no such row.
    """
    if len(times) == 0:
        return times
    last = np.empty(len(times), dtype=bool)
    last[:-1] = times[1:] != times[:-1]
    last[-1] = next_us is None or next_us != times[-1]
    before = NOWHERE if before_us is None else before_us
    index = np.maximum.accumulate(np.where(last, np.arange(len(times)), -1))
    return np.where(index < 0, before, times[index])
