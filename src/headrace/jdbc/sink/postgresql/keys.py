"""Rows of one batch that hit the same key: which of them count, and the order that locks are taken in.

Sans-IO. Done here where equal bytes are an equal key and the other way round; elsewhere the server does it.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.jdbc.sink.postgresql import uuids
from headrace.jdbc.sink.postgresql.cells import Numbers, numbers
from headrace.jdbc.sink.postgresql.fit import INTEGERS
from headrace.jdbc.sink.postgresql.table import SinkColumn


def is_exact(column: SinkColumn, kind: pa.DataType) -> bool:
    """Whether two values of an array of this type are the same key exactly where they are equal."""
    if "(" in column.shown:
        return False  # a length or a precision may make two values one
    if column.base in INTEGERS:
        return bool(INTEGERS[column.base] == kind)
    if column.base in ("text", "varchar"):
        return column.exact_text and pa.types.is_string(kind)
    exact = {
        "bool": pa.bool_(),
        "bytea": pa.binary(),
        "uuid": uuids.TYPE,
        "date": pa.date32(),
        "time": pa.time32("ms"),
    }
    if column.base in ("timestamp", "timestamptz"):
        return kind in (pa.timestamp("ms"), pa.timestamp("us"))
    return bool(exact.get(column.base) == kind)


def last_of_each(keys: Sequence[pa.Array]) -> pa.Array | None:
    """The rows that count, ordered by key: the last of each key. None where all do and are in order already."""
    found = [ranks(key) for key in keys]
    if len(found) == 1 and bool(np.all(found[0][1:] > found[0][:-1])):
        return None
    order = np.lexsort(found[::-1])
    last = np.zeros(len(order), np.bool_)
    last[-1:] = True
    for rank in found:
        ordered = rank[order]
        last[:-1] |= ordered[1:] != ordered[:-1]
    return pa.array(order[last])


def ranks(key: pa.Array) -> Numbers:
    """Numbers that compare as the values do."""
    if pa.types.is_integer(key.type):
        return numbers(key)
    if pa.types.is_boolean(key.type):
        return numbers(key.cast(pa.uint8()))
    if key.type == uuids.TYPE:
        key = key.cast(pa.binary())
    return pc.rank(key, tiebreaker="dense").to_numpy()  # type: ignore[no-any-return]


def bounds(key: pa.Array) -> tuple[str, str]:
    """The least and the greatest value, as text."""
    ends = pc.min_max(key)
    return tuple(str(ends[end].cast(pa.string()).as_py()) for end in ("min", "max"))  # type: ignore[return-value]
