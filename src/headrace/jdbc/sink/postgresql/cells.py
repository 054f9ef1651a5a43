"""Columns as cells of PostgreSQL's binary format: numpy and Arrow work on whole columns, never on one value.

Sans-IO. `cells` gives None where this array has no exact binary form in the column's type; text does it then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from headrace.jdbc.sink.postgresql import uuids
from headrace.jdbc.sink.postgresql.fit import FLOATS, INTEGERS, TEXTS
from headrace.jdbc.sink.postgresql.table import SinkColumn

Numbers: TypeAlias = np.ndarray[Any, Any]

EPOCH_DAYS: Final = 10_957
"""2000-01-01, PostgreSQL's day zero, counted from 1970-01-01."""
EPOCH_MICROS: Final = EPOCH_DAYS * 86_400_000_000
NUMERIC_DIGITS: Final = 18
NUMERIC_SCALE: Final = 16
"""Decimals of at most so many digits, so many of them after the point, go through 64-bit integers."""
_NEGATIVE: Final = 0x4000


@dataclass(frozen=True, slots=True)
class Fixed:
    """Cells of one width: `values` of a numpy type, or rows of bytes; `missing` is true where the value is null."""

    values: Numbers
    missing: Numbers | None = None

    @property
    def width(self) -> int:
        return int(self.values.dtype.itemsize * np.prod(self.values.shape[1:], dtype=int))


@dataclass(frozen=True, slots=True)
class Varied:
    """Cells of any width: `data` is binary without nulls; each cell begins with `prefix`."""

    data: pa.Array
    missing: Numbers | None = None
    prefix: bytes = b""


Cells = Fixed | Varied
Encoder = Callable[[pa.Array], Cells]


def encoder(column: SinkColumn, kind: pa.DataType) -> Encoder | None:
    """The function from an array of type `kind` to cells of the column; None where only text is exact."""
    base = column.base
    if INTEGERS.get(base) == kind or FLOATS.get(base) == kind:
        return _numbers
    if base == "numeric":
        return _numeric(kind)
    if pa.types.is_string(kind):
        return _text(b"\1" if base == "jsonb" else b"") if _takes_text(column) else None
    exact: dict[str, tuple[pa.DataType, Encoder]] = {
        "bool": (pa.bool_(), _booleans),
        "bytea": (pa.binary(), _bytes),
        "uuid": (uuids.TYPE, _uuids),
        "date": (pa.date32(), _dates),
        "time": (pa.time32("ms"), _times),
    }
    if base in ("timestamp", "timestamptz"):
        return _timestamps if kind in (pa.timestamp("ms"), pa.timestamp("us")) else None
    wanted, found = exact.get(base, (None, None))
    return found if wanted == kind else None


def _takes_text(column: SinkColumn) -> bool:
    return column.base in TEXTS or column.base in ("json", "jsonb") or column.kind == "e"


def missing(array: pa.Array) -> Numbers | None:
    """Where the array is null; None where it nowhere is."""
    return array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None


def numbers(array: pa.Array, kind: pa.DataType | None = None) -> Numbers:
    """The values as numpy has them, 0 for null; `kind` looks at them as integers of that width."""
    if kind is not None:
        array = array.view(kind)
    if array.null_count:
        array = array.fill_null(0)
    return array.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _numbers(array: pa.Array) -> Cells:
    values = numbers(array)
    return Fixed(values.astype(values.dtype.newbyteorder(">")), missing(array))


def _booleans(array: pa.Array) -> Cells:
    return Fixed(numbers(array.cast(pa.uint8())), missing(array))


def _dates(array: pa.Array) -> Cells:
    return Fixed((numbers(array, pa.int32()) - EPOCH_DAYS).astype(">i4"), missing(array))


def _times(array: pa.Array) -> Cells:
    return Fixed((numbers(array, pa.int32()).astype(np.int64) * 1000).astype(">i8"), missing(array))


def _timestamps(array: pa.Array) -> Cells:
    found = numbers(array, pa.int64())
    micros = found * 1000 if array.type.unit == "ms" else found
    return Fixed((micros - EPOCH_MICROS).astype(">i8"), missing(array))


def _text(prefix: bytes) -> Encoder:
    def encode(array: pa.Array) -> Cells:
        data = array.cast(pa.binary())
        return Varied(data.fill_null(b"") if data.null_count else data, missing(array), prefix)

    return encode


def _uuids(array: pa.Array) -> Cells:
    content = np.frombuffer(array.buffers()[1], np.uint8).reshape(-1, 16)
    return Fixed(content[array.offset : array.offset + len(array)], missing(array))


def _bytes(array: pa.Array) -> Cells:
    return Varied(array.fill_null(b"") if array.null_count else array, missing(array))


def _numeric(kind: pa.DataType) -> Encoder | None:
    if pa.types.is_integer(kind):
        return lambda array: Fixed(_digits(numbers(array.cast(pa.int64())), 19, 0), missing(array))
    if pa.types.is_decimal128(kind) and kind.precision <= NUMERIC_DIGITS and 0 <= kind.scale <= NUMERIC_SCALE:
        return lambda array: Fixed(_digits(_unscaled(array), kind.precision, kind.scale), missing(array))
    return None


def _unscaled(array: pa.Array) -> Numbers:
    """The integers of decimals that fit 64 bits; 0 for null."""
    low = np.frombuffer(array.buffers()[1], np.int64)[::2][array.offset : array.offset + len(array)]
    gone = missing(array)
    return low if gone is None else np.where(gone, 0, low)


def _digits(unscaled: Numbers, precision: int, scale: int) -> Numbers:
    """numeric's binary form, of one width: ndigits, weight, sign, dscale, digits to the base 10000.

    The server strips the zero digits at either end (`make_result` in numeric.c).
    """
    whole, fraction = max(1, -(-(precision - scale) // 4)), -(-scale // 4)
    size = np.abs(unscaled).view(np.uint64)
    cells = np.empty((len(unscaled), 4 + whole + fraction), ">u2")
    cells[:, 0], cells[:, 1], cells[:, 3] = whole + fraction, whole - 1, scale
    cells[:, 2] = np.where(unscaled < 0, _NEGATIVE, 0)
    left, right = np.divmod(size, np.uint64(10**scale))
    right = right * np.uint64(10 ** (4 * fraction - scale))
    for place in range(whole):
        left, cells[:, 3 + whole - place] = np.divmod(left, np.uint64(10_000))
    for place in range(fraction):
        right, cells[:, 3 + whole + fraction - place] = np.divmod(right, np.uint64(10_000))
    return cells.view(np.uint8)
