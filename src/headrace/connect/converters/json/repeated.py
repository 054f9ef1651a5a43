"""Texts of columns whose values are few: a table of texts, and the place in it for each row.

Measured prices, codes and grades are small integers, by themselves or times a power of ten, so a value's place is found
by arithmetic. What stands beside such a column in every row goes into the table, and small tables beside each other
become one: fewer texts are left to be joined row by row.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from headrace.connect.api import integers

MANY: Final = 256
"""In fewer rows a table does not pay."""
_SHORT: Final = 64
"""Longer texts are not copied into each entry of a table."""
_EXACT: Final = 1_000_000
"""A whole number below, over a power of ten, is the shortest text of the nearest float of 32 bits, too."""


class Repeated(NamedTuple):
    """`texts[places[row]]` is the text of a row."""

    texts: list[str]
    places: Any

    def column(self) -> pa.StringArray:
        return pa.array(self.texts, pa.string()).take(integers(self.places))

    def around(self, valid: Any, filler: str) -> "Repeated":
        """For more rows: those that are `valid` as they are, `filler` in the others."""
        places = np.full(len(valid), len(self.texts), np.int32)
        places[valid] = self.places
        return Repeated([*self.texts, filler], places)

    def then(self, other: "Repeated | str") -> "Repeated | None":
        """Both behind each other in one table, or None where that would not pay."""
        if isinstance(other, str):
            return self._mapped("", other) if len(other) <= _SHORT else None
        if len(self.texts) * len(other.texts) > _limit(len(self.places)):
            return None
        texts = [before + behind for before in self.texts for behind in other.texts]
        return Repeated(texts, self.places * np.int32(len(other.texts)) + other.places)

    def behind(self, text: str) -> "Repeated | None":
        return self._mapped(text, "") if len(text) <= _SHORT else None

    def _mapped(self, before: str, behind: str) -> "Repeated":
        return Repeated([f"{before}{text}{behind}" for text in self.texts], self.places)


def _limit(rows: int) -> int:
    return min(max(128, rows // 32), 1024)


def few_integers(numbers: Any) -> Repeated | None:
    """The texts of integers that are near to each other."""
    if len(numbers) < MANY:
        return None
    low, high = int(numbers.min()), int(numbers.max())
    if high - low >= _limit(len(numbers)):
        return None
    return Repeated(list(map(str, range(low, high + 1))), (numbers.astype(np.int64) - low).astype(np.int32))


def few_decimals(numbers: Any) -> Repeated | None:
    """The texts of floating-point numbers with one or two decimals that are near to each other; exactly those."""
    if len(numbers) < MANY:
        return None
    for scale in (10, 100):
        with np.errstate(over="ignore"):
            whole = np.rint(numbers * numbers.dtype.type(scale))
        if (whole / numbers.dtype.type(scale) == numbers).all():
            return _decimals(whole, scale, np.signbit(numbers))
    return None


def _decimals(whole: Any, scale: int, negative: Any) -> Repeated | None:
    low, high = float(whole.min()), float(whole.max())
    if high - low >= _limit(len(whole)) or max(-low, high) >= _EXACT or (negative != (whole < 0)).any():
        return None  # The last is for -0.0, which equals 0.0.
    return Repeated(_decimal_texts(int(low), int(high), scale), (whole - whole.dtype.type(low)).astype(np.int32))


@lru_cache(maxsize=64)
def _decimal_texts(low: int, high: int, scale: int) -> list[str]:
    return [repr(number / scale) for number in range(low, high + 1)]


def folded(parts: list[Any]) -> list[Any]:
    """The same texts in fewer parts: columns, texts for all rows, and tables."""
    merged: list[Any] = []
    for part in parts:
        last = merged[-1] if merged else None
        together = _together(last, part)
        if together is None:
            merged.append(part)
        else:
            merged[-1] = together
    return merged


def _together(last: Any, part: Any) -> Any:
    if isinstance(last, str) and isinstance(part, str):
        return last + part
    if isinstance(last, Repeated) and isinstance(part, (str, Repeated)):
        return last.then(part)
    if isinstance(last, str) and isinstance(part, Repeated):
        return part.behind(last)
    return None
