"""Java's casts of whole columns, by Arrow's kernels and numpy where those do what Java does.

`cast_column` gives None wherever a value may need more care than that: rows are cast one by one then (`cast_value`),
which also finds what cannot be cast.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import SchemaType, arrow_type, schema
from headrace.connect.transforms.cast_text import dates_as_text, floats_as_text

_ARROW: Final[dict[SchemaType, pa.DataType]] = {
    kind: arrow_type(schema(kind))
    for kind in SchemaType
    if kind not in (SchemaType.BYTES, SchemaType.ARRAY, SchemaType.MAP, SchemaType.STRUCT)
}
_EXACT_FLOAT64: Final = (2**53, 22)
_EXACT_FLOAT32: Final = (2**24, 10)
"""How large an unscaled number and a scale may be, so that one division of exact floats rounds once."""


def cast_column(column: pa.Array, target: SchemaType) -> pa.Array | None:
    """The column as `target`, null where it is null; None where only rows will do."""
    kind = column.type
    if kind == _ARROW[target]:
        return column
    if target is SchemaType.STRING:
        return _to_text(column)
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return cast_column(column.cast(pa.int32()), target)
    if pa.types.is_timestamp(kind):
        return cast_column(column.cast(pa.int64()), target)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return _from_integers(column, target)
    if pa.types.is_floating(kind):
        return _from_floats(column, target)
    if pa.types.is_decimal(kind):
        return _from_decimals(column, target)
    if pa.types.is_string(kind):
        return _from_text(column, target)
    return None


def _to_text(column: pa.Array) -> pa.Array | None:
    kind = column.type
    if pa.types.is_floating(kind):
        return floats_as_text(column)
    if pa.types.is_date32(kind) or pa.types.is_time32(kind) or pa.types.is_timestamp(kind):
        return dates_as_text(column)
    if pa.types.is_binary(kind):
        values = column.to_pylist()
        return pa.array([None if value is None else b64encode(value) for value in values], pa.binary()).cast(
            pa.string()
        )
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.string())
    return None


def _from_integers(column: pa.Array, target: SchemaType) -> pa.Array:
    """Without Arrow's checks, integers lose their high bits and floats are rounded, as in Java."""
    if target is SchemaType.BOOLEAN:
        return pc.not_equal(column, pa.scalar(0, column.type))
    return column.cast(_ARROW[target], safe=False)


def _from_floats(column: pa.Array, target: SchemaType) -> pa.Array:
    if target in (SchemaType.FLOAT32, SchemaType.FLOAT64):
        return column.cast(_ARROW[target], safe=False)
    if target is SchemaType.BOOLEAN:
        return _each(column, lambda numbers: np.abs(numbers) >= 1)
    held = pa.int64() if target is SchemaType.INT64 else pa.int32()
    return _each(column, lambda numbers: _held(numbers, held.bit_width)).cast(_ARROW[target], safe=False)


def _held(numbers: Any, bits: int) -> Any:
    """Towards zero, the nearest where it does not fit, 0 for NaN."""
    limit = float(2 ** (bits - 1))
    kind = np.int64 if bits == 64 else np.int32
    numbers = numbers.astype(np.float64)
    # A float just below -2**31 is towards zero -2**31, which an int holds.
    fits = (numbers > -limit - (0 if bits == 64 else 1)) & (numbers < limit)
    if fits.all():
        return numbers.astype(kind)
    made = np.where(fits, numbers, 0).astype(kind)
    made[numbers >= limit] = np.iinfo(kind).max
    made[numbers <= -limit] = np.iinfo(kind).min
    return made


def _from_decimals(column: pa.Array, target: SchemaType) -> pa.Array | None:
    """By the unscaled numbers, where all of them are longs."""
    unscaled, scale = _unscaled(column), column.type.scale
    if unscaled is None or not 0 <= scale <= 18:
        return None
    if target in (SchemaType.FLOAT32, SchemaType.FLOAT64):
        largest, most_digits = _EXACT_FLOAT32 if target is SchemaType.FLOAT32 else _EXACT_FLOAT64
        if scale > most_digits or (len(unscaled) and np.abs(unscaled).max() > largest):
            return None
        kind = np.float32 if target is SchemaType.FLOAT32 else np.float64
        return _masked(unscaled.astype(kind) / kind(10**scale), column)
    whole = unscaled - np.fmod(unscaled, 10**scale)
    return _from_integers(_masked(whole // 10**scale, column), target)


def _unscaled(column: pa.Array) -> Any:
    """The unscaled numbers as int64, 0 where null; None where one is larger."""
    width = column.type.byte_width // 8
    column = column.fill_null(0) if column.null_count else column
    words = np.frombuffer(column.buffers()[1], np.int64)
    words = words[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)
    low = words[:, 0]
    if (words[:, 1:] != (low >> 63)[:, None]).any() or (low == np.iinfo(np.int64).min).any():
        return None
    return low


def _from_text(column: pa.Array, target: SchemaType) -> pa.Array | None:
    """Arrow reads what Java does, and hexadecimal integers and names of infinities that Java does not."""
    if target is SchemaType.BOOLEAN:
        return pc.equal(pc.ascii_lower(column), "true")
    try:
        numbers = column.cast(_ARROW[target])
    except pa.ArrowInvalid:
        return None
    if target in (SchemaType.FLOAT32, SchemaType.FLOAT64):
        return numbers if pc.all(pc.is_finite(numbers), min_count=0).as_py() else None
    return None if pc.any(pc.match_substring(column, "x", ignore_case=True)).as_py() else numbers


def _each(column: pa.Array, change: Callable[[Any], Any]) -> pa.Array:
    """`change` applied to the numbers of a column; null stays null."""
    numbers = (column.fill_null(0) if column.null_count else column).to_numpy()
    return _masked(change(numbers), column)


def _masked(numbers: Any, column: pa.Array) -> pa.Array:
    """Numbers as a column, null where `column` is; by their memory, since `pa.array` looks for pandas each time."""
    kind = pa.from_numpy_dtype(numbers.dtype)
    memory = np.packbits(numbers, bitorder="little") if numbers.dtype == bool else np.ascontiguousarray(numbers)
    valid = column.is_valid().buffers()[1] if column.null_count else None
    return pa.Array.from_buffers(kind, len(numbers), [valid, pa.py_buffer(memory)])
