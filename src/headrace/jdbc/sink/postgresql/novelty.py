"""Whether the keys of an upsert are new to the table, so that its rows may be copied straight in: two to three times as
fast as by a stage.

A range of keys that the table has none of is proof. Where the range is taken, as where several tasks share a table, a
sample of the keys is looked up: a guess, and where it is wrong the server refuses the copy, and the transaction is done
again by a stage. After a look that found old keys, some statements go without looking.
"""

from typing import Any, Final

import psycopg
import pyarrow as pa

from headrace.jdbc.sink.postgresql import copy, keys, statements
from headrace.jdbc.sink.postgresql.plan import Plan

FEWEST_ROWS: Final = 64
"""With fewer rows, looking costs more than it saves."""
SAMPLED_ROWS: Final = 64
LONGEST_REST: Final = 64
"""At most so many statements go without looking."""


class Novelty:
    """See the module. One a connection."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._refuted = False
        self._rest = self._skips = 0

    def refute(self) -> bool:
        """A key was there after all: no guess until the next commit. False where there was none to be wrong."""
        guessed, self._refuted = not self._refuted, True
        self._rest_longer()
        return guessed

    def rest(self) -> None:
        """No guess until the next commit."""
        self._refuted = True

    def committed(self) -> None:
        self._refuted = False

    def of(self, plan: Plan, arrays: list[pa.Array]) -> bool:
        """Whether the keys in these arrays, side by side with the plan's columns, are new."""
        if self._refuted or not plan.is_copied or len(arrays[0]) < FEWEST_ROWS:
            return False
        if self._rest > 0:
            self._rest -= 1
            return False
        if self._is_range_free(plan, arrays) or self._is_sample_new(plan, arrays):
            self._skips = 0
            return True
        self._rest_longer()
        return False

    def _rest_longer(self) -> None:
        self._rest = self._skips = min(self._skips * 2 + 1, LONGEST_REST)

    def _is_range_free(self, plan: Plan, arrays: list[pa.Array]) -> bool:
        if plan.probe is None:
            return False
        names = [column.name for column in plan.shape.columns]
        ends = keys.bounds(arrays[names.index(plan.probe)])
        return not self._ask(statements.any_between(plan.shape, plan.probe), ends)

    def _is_sample_new(self, plan: Plan, arrays: list[pa.Array]) -> bool:
        if len(plan.key_numbers) != 1:
            return False
        key = arrays[plan.key_numbers[0]]
        rows = pa.array(range(0, len(key), max(1, len(key) // SAMPLED_ROWS)), pa.int64())
        return not self._ask(statements.any_of(plan.shape), (copy.text_array(key.take(rows)).to_pylist(),))

    def _ask(self, statement: str, parameters: Any) -> bool:
        row = psycopg.RawCursor(self._connection).execute(statement.encode(), parameters).fetchone()
        return bool(row and row[0])
