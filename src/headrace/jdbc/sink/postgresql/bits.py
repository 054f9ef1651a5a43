"""Fields in columns of bits: what JDBC sources make of bit(1), bit(2) to bit(8) and longer ones, as digits again.

Sans-IO.
"""

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import Column
from headrace.jdbc.sink.postgresql.table import SinkColumn

TYPES = frozenset({"bit", "varbit"})


def digits(column: SinkColumn, kind: str) -> Callable[[Column], pa.Array]:
    """The function from a column of booleans, integers or bytes (digits as text) to texts of 0 and 1."""
    width = _width(column)

    def convert(values: Column) -> pa.Array:
        if kind == "boolean":
            return pc.if_else(pa.array(values, pa.bool_()), "1", "0")
        if kind == "bytes":
            return pa.array(values, pa.binary()).cast(pa.string())
        return pa.array([_of_integer(value, width) for value in pa.array(values).to_pylist()], pa.string())

    return convert


def _of_integer(value: int | None, width: int) -> str | None:
    """As many of the integer's low bits as the column has; one that needs more keeps them all, and is refused."""
    if value is None:
        return None
    bits = value if value >= 0 else value + (1 << max(8, value.bit_length() + 1))
    return format(bits, f"0{width}b")


def _width(column: SinkColumn) -> int:
    found = re.search(r"\((\d+)\)", column.shown)
    return int(found[1]) if found else 1
