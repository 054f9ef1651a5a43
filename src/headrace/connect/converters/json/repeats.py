"""Columns whose values repeat, as measurements, prices and codes do: what becomes of a value is made once.

The text of a floating-point number costs three times what finding the number again does.
"""

from collections.abc import Callable
from typing import Final

import pyarrow as pa

MANY: Final = 1_000
"""In fewer rows there is nothing to gain."""
SAMPLE: Final = 512
FEW: Final = 128
"""So many values in a sample, and the column's are taken to repeat."""


def repeats(column: pa.Array) -> bool:
    """Whether the values of a column look as if they repeat."""
    return len(column) >= MANY and len(column[:SAMPLE].unique()) <= FEW


def once_each(column: pa.Array, make: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """`make` applied to a column, value by value; nulls stay null."""
    found = column.dictionary_encode()
    return make(found.dictionary).take(found.indices)
