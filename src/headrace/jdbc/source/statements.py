"""The SQL of the modes: how far to read, and the rows up to there.

Sans-IO. A statement takes no parameters: COPY knows none. What is inlined are integers and times of ours and the names
and the query of the config, never a value of a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from headrace.jdbc.dialects import Dialect, TableColumn
from headrace.jdbc.source.columns import ColumnReader
from headrace.jdbc.source.offsets import Position

_EPOCH: Final = datetime(1970, 1, 1)
_INFINITE: Final = 2**62
ALIAS: Final = "headrace_rows"


@dataclass(frozen=True, slots=True)
class TimeZones:
    """`values`: of timestamps without a zone; `now`: of the clock they are compared with, None for the session's."""

    values: str
    now: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The columns by which a table is followed; `times` is a COALESCE where there are several."""

    dialect: Dialect
    incrementing: TableColumn | None
    times: tuple[TableColumn, ...]
    zones: TimeZones
    quote: bool = True

    def name(self, column: str) -> str:
        """A column in SQL. With the relation's alias, since ORDER BY takes a bare name for a column of the output."""
        return f"{ALIAS}.{self.dialect.quote(column) if self.quote else column}"

    @property
    def incrementing_sql(self) -> str:
        assert self.incrementing is not None
        return self.name(self.incrementing.name)

    @property
    def zoned(self) -> bool:
        """Whether the time is a point in time, not a reading of some clock."""
        return all(column.type == "timestamptz" for column in self.times)

    @property
    def time_sql(self) -> str:
        names = [self._time_column(column) for column in self.times]
        return names[0] if len(names) == 1 else f"COALESCE({', '.join(names)})"

    def _time_column(self, column: TableColumn) -> str:
        """A time column in the kind of time that they are compared in."""
        name = self.name(column.name)
        if column.type == "date":
            return f"{name}::timestamp"
        if column.type == "timestamptz" and not self.zoned:
            return f"({name} AT TIME ZONE {self.dialect.literal(self.zones.values)})"
        return name

    def time_literal(self, microseconds: int) -> str:
        """A point in time as the time columns have it."""
        if self.zoned:
            return _timestamp(microseconds, "timestamptz")
        if self.zones.values == "UTC":
            return _timestamp(microseconds, "timestamp")
        return f"({_timestamp(microseconds, 'timestamptz')} AT TIME ZONE {self.dialect.literal(self.zones.values)})"

    def instant_sql(self, expression: str) -> str:
        """An expression of the time columns' kind as timestamptz."""
        return expression if self.zoned else f"({expression} AT TIME ZONE {self.dialect.literal(self.zones.values)})"


def _timestamp(microseconds: int, kind: str) -> str:
    """A literal; times that Python's datetime does not reach are added up by the server."""
    if abs(microseconds) > _INFINITE:
        return f"'{'-' if microseconds < 0 else ''}infinity'::{kind}"
    zone = "+00" if kind == "timestamptz" else ""
    try:
        return f"'{_EPOCH + timedelta(microseconds=microseconds)}{zone}'::{kind}"
    except OverflowError:
        seconds, part = divmod(microseconds, 1_000_000)
        return f"('1970-01-01{zone}'::{kind} + interval '{seconds} seconds {part} microseconds')"


def now_sql(cursor: Cursor, delay_ms: int) -> str:
    """The clock that time columns are compared with, in their kind of time."""
    clock = f"clock_timestamp() - interval '{delay_ms} milliseconds'" if delay_ms else "clock_timestamp()"
    if cursor.zoned:
        return clock
    zone = "current_setting('TimeZone')" if cursor.zones.now is None else cursor.dialect.literal(cursor.zones.now)
    return f"(({clock}) AT TIME ZONE {zone})"


def high_incrementing(cursor: Cursor, relation: str) -> str:
    """The highest incrementing value there is."""
    return f"SELECT max({cursor.incrementing_sql})::int8 FROM {relation}"


def microseconds_sql(instant: str) -> str:
    """A timestamptz as microseconds since 1970; infinity as null."""
    return f"(CASE WHEN isfinite({instant}) THEN extract(epoch FROM {instant})::numeric * 1000000 END)::int8"


def high_time(cursor: Cursor, relation: str, delay_ms: int) -> str:
    """The latest time there is, now at most."""
    latest = f"SELECT LEAST(max({cursor.time_sql}), {now_sql(cursor, delay_ms)}) AS high FROM {relation}"
    return f"SELECT {microseconds_sql(cursor.instant_sql('high'))} FROM ({latest}) AS latest"


def conditions(cursor: Cursor, after: Position, high: Position) -> list[str]:
    """What is true of the rows after `after`, up to and with `high`."""
    if not cursor.times:
        name = cursor.incrementing_sql
        least = [] if after.incrementing is None else [f"{name} > {after.incrementing}"]
        return [*least, f"{name} <= {high.incrementing}"]
    assert high.time_us is not None
    time = cursor.time_sql
    last = [f"{time} <= {cursor.time_literal(high.time_us)}"]
    if cursor.incrementing is not None and cursor.incrementing.nullable:
        last.append(f"{cursor.incrementing_sql} IS NOT NULL")
    if after.time_us is None:
        return last
    since = cursor.time_literal(after.time_us)
    if cursor.incrementing is None or after.incrementing is None:
        return [f"{time} > {since}", *last]
    name = cursor.incrementing_sql
    return [f"(({time} = {since} AND {name} > {after.incrementing}) OR {time} > {since})", *last]


def order(cursor: Cursor) -> str:
    names = [cursor.time_sql] if cursor.times else []
    if cursor.incrementing is not None:
        names.append(cursor.incrementing_sql)
    return f" ORDER BY {', '.join(names)}"


def rows(columns: Sequence[ColumnReader], extra: Sequence[str], relation: str, where: Sequence[str], end: str) -> str:
    """The statement that reads rows; `extra` are expressions of the cursor, after the columns."""
    selected = ", ".join([*(column.expression for column in columns), *extra])
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {selected} FROM {relation}{condition}{end}"
