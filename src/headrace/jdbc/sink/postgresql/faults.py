"""What an error of the target database means for the rows that were being written: a sentence, and whose fault it is.

Sans-IO. The sentence names table, column, value and record as far as the server says them, and the remedy.
"""

import re
from typing import Final

import psycopg
import pyarrow as pa

from headrace.connect.api import ConnectError, DataError
from headrace.jdbc import errors
from headrace.jdbc.sink.fields import record_name
from headrace.jdbc.sink.postgresql.work import Work

DETAIL_CHARACTERS: Final = 300
_RECORD_CLASSES: Final = ("22", "23", "44", "54", "P0")
"""SQLSTATE classes of faults in rows: data, integrity, a view's check, limits, a trigger's refusal."""
_TABLE_STATES: Final = frozenset({"22P03", "23001"})
_STALE_STATES: Final = frozenset(
    {"42P01", "42703", "42704", "42804", "22P03", "0A000", "3F000", "XX000", "42809", "428C9"}
)

_REMEDIES: Final = {
    "22001": "widen the column, or shorten the field with a transform",
    "22003": "widen the column's type",
    "22021": "remove the character with a transform (PostgreSQL's text holds no NUL)",
    "23502": "give the field a value, or drop the column's NOT NULL",
    "23503": "write the row that it refers to first, or drop the foreign key",
    "23514": "correct the record, or change the constraint",
    "54000": "shorten the field with a transform, or drop the index",
}
_READ_STATES: Final = frozenset({"22P02", "22007", "22008", "2202E", "22030", "22032"})
_READING: Final = "change the column's type, or convert the field with a transform"


def may_be_stale(error: psycopg.Error) -> bool:
    """Whether the table may have been changed since it was read."""
    return error.sqlstate in _STALE_STATES


def is_duplicate(error: psycopg.Error) -> bool:
    return error.sqlstate == "23505"


def are_keys_equal_to_the_server(error: psycopg.Error) -> bool:
    """Two rows of one upsert are the same key to the server, and were not to us."""
    return error.sqlstate == "21000"


def fault(error: psycopg.Error, work: Work | None, user: str) -> ConnectError:
    """DataError where records are at fault, ConnectError where configuration or table are."""
    if work is None:
        return ConnectError(errors.explain(error, "the target database", user))
    if not _is_of_record(error):
        return ConnectError(_of_table(error, work, user))
    return DataError(_of_record(error, work))


def _is_of_record(error: psycopg.Error) -> bool:
    state = error.sqlstate or ""
    if state == "42501":  # a missing permission, or a row that a policy of row security refuses
        return error.diag.source_function == "ExecWithCheckOptions"
    if error.diag.source_function == "exec_stmt_raise":  # a trigger's RAISE, whatever state it gives
        return not errors.is_passing(error)
    return state[:2] in _RECORD_CLASSES and state not in _TABLE_STATES


def copied_row(error: psycopg.Error, work: Work) -> int | None:
    """The row of the work's batches that a COPY stopped at, where it says so."""
    line, _ = _in_copy(error.diag.context or "")
    return work.place(line - 1) if line is not None and 0 < line <= len(work) else None


def _of_table(error: psycopg.Error, work: Work, user: str) -> str:
    text = errors.explain(error, f"table {work.plan.table.name}", user)
    if error.sqlstate == "42P10":
        return f"{text}; insert.mode=upsert needs a unique index on pk.fields ({', '.join(work.plan.shape.keys)})"
    return text


def _of_record(error: psycopg.Error, work: Work) -> str:
    message = " ".join((error.diag.message_primary or "").split())
    detail = " ".join((error.diag.message_detail or "").split())[:DETAIL_CHARACTERS]
    if work.plan.trim_values:
        message, detail = re.sub(r': ".*|(?<=^value) ".*"(?= is out of range)', "", message), ""
    text = f"{_place(error, work)}: {message}" + (f" ({detail})" if detail else "")
    remedy = _remedy(error, work)
    return f"{text} [SQLSTATE {error.sqlstate}]" + (f"; {remedy}" if remedy else "")


def _remedy(error: psycopg.Error, work: Work) -> str | None:
    state = error.sqlstate or ""
    if state == "23505":
        return _duplicate(work)
    if state in _REMEDIES:
        return _REMEDIES[state]
    return _READING if state in _READ_STATES else None


def _duplicate(work: Work) -> str:
    if work.plan.mode == "insert":
        return (
            "the row is there already, as it is when a record is delivered again: set insert.mode=upsert with pk.mode "
            "and pk.fields, so that the record replaces its row"
        )
    keys = ", ".join(work.plan.shape.keys)
    return f"another unique constraint than that on ({keys}) is hurt: drop it, or correct pk.fields"


def _place(error: psycopg.Error, work: Work) -> str:
    """Table, column, value and record, as far as they are known."""
    line, column = _in_copy(error.diag.context or "")
    column = column or error.diag.column_name
    place = f"table {work.plan.table.name}"
    names = [entry.name for entry in work.plan.shape.columns]
    alone = len(work) == 1
    row = 0 if alone else line - 1 if line is not None and 0 < line <= len(work) else None
    if column is not None:
        place += f", column {column!r}"
        if row is not None and column in names:
            place += f": value{work.plan.shown(_value(work.arrays[names.index(column)][row]))}"
    if row is not None and (alone or column is not None or error.diag.constraint_name is None):
        place += f" of record {record_name(*work.source(row))}"
    return place


def _value(cell: pa.Scalar) -> object:
    """The value of one cell; as text where Python has no such date."""
    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        return str(cell.cast(pa.string()))


def _in_copy(context: str) -> tuple[int | None, str | None]:
    """Line and column in the context of an error of COPY: `COPY t, line 3, column x: "abc"`."""
    found = re.search(r"^COPY .*?, line (\d+)(?:, column (.+?))?(?:: .*)?$", context, re.MULTILINE)
    return (int(found[1]), found[2]) if found else (None, None)
