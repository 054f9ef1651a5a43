"""Writes rows through one connection: tables read once, plans made once, everything given at once in one transaction.

Thread rule: the task's thread. psycopg's errors pass through; `at` says what was being written then. Nothing here
retries.
"""

import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import psycopg

from headrace.connect.api import Batch, ConfigError, ConnectError
from headrace.jdbc.dialects import TableId
from headrace.jdbc.sink.fields import Layout, Misfit, check_values, layout, record_name, split_deletes
from headrace.jdbc.sink.postgresql import copy, keys, statements
from headrace.jdbc.sink.postgresql.check import check_kind
from headrace.jdbc.sink.postgresql.ddl import column_definition
from headrace.jdbc.sink.postgresql.fold import fold
from headrace.jdbc.sink.postgresql.missing import missing_table
from headrace.jdbc.sink.postgresql.novelty import Novelty
from headrace.jdbc.sink.postgresql.plan import Plan, added_columns, make_plan, missing_fields, no_twins
from headrace.jdbc.sink.postgresql.statements import Shape
from headrace.jdbc.sink.postgresql.table import DIALECT, SinkTable, read_table
from headrace.jdbc.sink.postgresql.work import Work, joined
from headrace.jdbc.sink.settings import SinkSettings

log = logging.getLogger(__name__)

SESSION: Final = (
    "SET TIME ZONE 'UTC'; SET client_encoding TO 'UTF8'; SET DateStyle TO 'ISO'; SET IntervalStyle TO 'postgres'"
)
MOST_PLANS: Final = 1_000
"""Schemas that change all the time leave no more plans and stages than these."""


class TableChanged(Exception):
    """A table is not as it was read."""


class Writer:
    """See the module."""

    rejected: tuple[()] = ()
    """A writer writes all or nothing."""

    def __init__(self, connection: "psycopg.Connection[Any]", settings: SinkSettings) -> None:
        self.connection = connection
        self.settings = settings
        self.at: Work | None = None
        self.novelty = Novelty(connection)
        self.is_fresh = True
        """No transaction has committed since the tables were read."""
        self._tables: dict[TableId, SinkTable] = {}
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._shapes: dict[Shape, Shape] = {}
        """So that plans that write the same columns of the same table are known by identity."""
        self._stages: dict[int, str] = {}
        self._filled: set[str] = set()
        self._held: frozenset[str] | None = None
        self._untrusted: set[int] = set()
        self._numbers = itertools.count(1)
        connection.execute(SESSION)

    def forget(self) -> None:
        """Read tables anew: one was changed under us."""
        self.is_fresh = True
        for stage in self._stages.values():
            self.connection.execute(f"DROP TABLE IF EXISTS pg_temp.{DIALECT.quote(stage)}")
        self._tables.clear()
        self._plans.clear()
        self._shapes.clear()
        self._stages.clear()
        self._untrusted.clear()

    def distrust_keys(self, work: Work) -> bool:
        """Let the server say which keys are equal, for the plan of this work; false where it does so already."""
        known = id(work.plan) in self._untrusted
        self._untrusted.add(id(work.plan))
        return not known

    def prepare(self, batches: Sequence[Batch], *, folding: bool = True) -> list[Work]:
        """The batches as the tables take them; outside any transaction. Raises DataError, ConnectError.

        With `folding`, rows that a later delete takes away again are left out.
        """
        runs: list[list[Work]] = []
        for batch in batches:
            for work in self.convert(batch):
                if runs and runs[-1][0].plan.goes_with(work.plan):
                    runs[-1].append(work)
                else:
                    runs.append([work])
        for run in runs:
            self._make_stage(run[0].plan)
        works = [joined(run) for run in runs]
        return fold(works, self._has_exact_keys) if folding else works

    def convert(self, batch: Batch) -> Iterator[Work]:
        """One batch as its table takes it. Raises DataError, ConnectError."""
        for deletes, part in self._parts(batch):
            try:
                plan = self._plan(part, deletes)
            except Misfit as misfit:
                misfit.record = record_name(part, 0)
                raise
            if plan is not None:
                yield Work(plan, plan.arrays(part), [part])

    def begin(self, works: Sequence[Work], *, with_number: bool) -> str | None:
        """Begin a transaction for these; gives its number where it was asked for. Raises TableChanged."""
        self._filled.clear()
        self._held = None
        tables = list({work.plan.table.name: work.plan.table for work in works if work.plan.is_copied}.values())
        statement = statements.begin(tables, with_number=with_number).encode()
        answers = _first_values(self.connection.execute(statement, prepare=False))
        number = str(answers.pop(0)) if with_number else None
        if answers != [table.mark for table in tables]:
            raise TableChanged
        return number

    def write(self, works: Sequence[Work]) -> None:
        """Write all of it, in order, in the transaction that is open."""
        for work in works:
            for part in self._statements(work):
                self.at = part
                self._write(part)

    def commit(self) -> None:
        """Commit; deferred constraints speak here."""
        self.connection.execute("COMMIT")
        self.at, self.is_fresh = None, False
        self.novelty.committed()

    def roll_back(self) -> None:
        self.connection.execute("ROLLBACK")

    def hold(self) -> None:
        """What has been written in this transaction stays, whatever `undo` takes back."""
        self.connection.execute(statements.HOLD if self._held is None else statements.HOLD_AGAIN)
        self._held = frozenset(self._filled)

    def undo(self) -> None:
        """Take back what was written since `hold`."""
        self.connection.execute(statements.UNDO)
        self._filled = set(self._held or ())

    def _parts(self, batch: Batch) -> list[tuple[bool, Batch]]:
        if self.settings.delete_enabled:
            return split_deletes(batch)
        check_values(batch, self.settings)
        return [(False, batch)]

    def _plan(self, batch: Batch, deletes: bool) -> Plan | None:
        """The plan of such records; None for deletes from a table that is made when there is a row for it."""
        known = (batch.topic, batch.key_schema, None if deletes else batch.value_schema, deletes)
        plan = self._plans.get(known)
        if plan is None:
            if len(self._plans) >= MOST_PLANS:
                self.forget()
            found = layout(self.settings, batch, deletes=deletes)
            table = self.table(found, deletes=deletes)
            if table is None:
                return None
            plan = make_plan(self.settings, table, found, deletes=deletes)
            plan = self._plans[known] = replace(plan, shape=self._shapes.setdefault(plan.shape, plan.shape))
        return plan

    def table(self, found: Layout, *, deletes: bool = False) -> SinkTable | None:
        """The table of a layout, created or widened where that is asked for; not for deletes. Raises ConnectError."""
        try:
            name = self.settings.table_name(found.topic)
        except ConfigError as error:
            raise ConnectError(f"table.name.format and topic {found.topic} give no table: {error}") from None
        table = self._tables.get(name)
        if table is None or missing_fields(table, found):
            table = read_table(self.connection, name)  # a column may have been added since it was read
        if table is None and self.settings.auto_create:
            if deletes:
                return None
            table = self._create(name, found)
        if table is None:
            raise ConnectError(missing_table(self.connection, name, found, keyed=self.settings.pk_mode != "none"))
        check_kind(self.settings, table)
        if self.settings.auto_evolve and not deletes and missing_fields(table, found):
            table = self._evolve(table, found)
        self._tables[name] = table
        return table

    def _create(self, name: TableId, found: Layout) -> SinkTable | None:
        no_twins(name, found)
        columns = [column_definition(field) for field in found.fields]
        self._define(statements.create_table(name, columns, found.keys))
        return read_table(self.connection, name)

    def _evolve(self, table: SinkTable, found: Layout) -> SinkTable:
        self._define(added_columns(table, found))
        return read_table(self.connection, table.name) or table

    def _define(self, statement: str) -> None:
        log.info("%s", statement)
        try:
            self.connection.execute(statement.encode())
        except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable, psycopg.errors.DuplicateColumn):
            log.info("another task was first")

    def _make_stage(self, plan: Plan) -> None:
        if plan.mode == "insert" or not plan.table.stageable or id(plan) in self._stages:
            return
        stage = f"headrace_stage_{next(self._numbers)}"
        self.connection.execute(statements.create_stage(stage, plan.shape).encode())
        self._stages[id(plan)] = stage

    def _statements(self, work: Work) -> Iterator[Work]:
        """The rows of one statement each."""
        size = self.settings.batch_size or len(work)
        if size >= len(work):
            yield work
            return
        for start in range(0, len(work), size):
            yield work.part(start, min(start + size, len(work)))

    def _write(self, work: Work) -> None:
        plan = work.plan
        if plan.mode == "insert" and plan.table.copyable:
            self._copy(statements.copy_table, work)
        elif plan.mode == "insert":
            self._execute(statements.insert(statements.from_arrays(plan.shape.columns), plan.shape), work)
        else:
            self._write_by_key(work)

    def _write_by_key(self, work: Work) -> None:
        plan = work.plan
        exact = self._has_exact_keys(work)
        if exact:
            last = keys.last_of_each([work.arrays[number] for number in plan.key_numbers])
            work = self.at = work if last is None else work.take(last)
            if plan.mode == "upsert" and self.novelty.of(plan, work.arrays):
                self._copy(statements.copy_table, work)
                return
        self._change(work, exact)

    def _has_exact_keys(self, work: Work) -> bool:
        """Whether rows of the work have the same key exactly where its bytes are the same."""
        plan = work.plan
        return id(plan) not in self._untrusted and all(
            keys.is_exact(plan.shape.columns[number], work.arrays[number].type) for number in plan.key_numbers
        )

    def _change(self, work: Work, exact: bool) -> None:
        """Upsert, update or delete; where keys are not `exact`, the server finds the last row of each."""
        plan, stage = work.plan, self._stages.get(id(work.plan))
        source = statements.from_arrays(plan.shape.columns) if stage is None else statements.from_stage(stage)
        if not exact:
            source = statements.last_of_each(source, plan.shape)
        statement = {"upsert": statements.upsert, "update": statements.update, "delete": statements.delete}[plan.mode]
        if stage is None:
            self._execute(statement(source, plan.shape), work)
            return
        if stage in self._filled:
            self.connection.execute(f"TRUNCATE pg_temp.{DIALECT.quote(stage)}")
        self._filled.add(stage)
        target = f"pg_temp.{DIALECT.quote(stage)}"
        self._copy(lambda shape, binary: statements.copy(target, shape.columns, binary=binary), work)
        self.connection.execute(statement(source, plan.shape).encode())

    def _copy(self, statement: Any, work: Work) -> None:
        shape = work.plan.shape
        binary = copy.is_binary(shape.columns, work.arrays)
        with self.connection.cursor().copy(statement(shape, binary=binary).encode()) as stream:
            if binary:
                stream.write(copy.HEADER)
            for _, arrays in copy.chunks(work.arrays):
                stream.write(copy.binary_rows(shape.columns, arrays) if binary else copy.text_rows(arrays))
            if binary:
                stream.write(copy.TRAILER)

    def _execute(self, statement: str, work: Work) -> None:
        arrays = [copy.text_array(array).to_pylist() for array in work.arrays]
        psycopg.RawCursor(self.connection).execute(statement.encode(), arrays)


def _first_values(cursor: "psycopg.Cursor[Any]") -> list[Any]:
    """The first value of each statement that gave rows."""
    values: list[Any] = []
    more: bool | None = True
    while more:
        row = cursor.fetchone() if cursor.description else None
        values += row[:1] if row else ()
        more = cursor.nextset()
    return values
