"""Columns of floats and of dates as the texts that Java's classes print."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api.java.calendar import DAY_MS
from headrace.connect.api.java.numbers import float32_text, float64_text
from headrace.connect.api.values.dates import DATE_PATTERN, TIME_PATTERN, TIMESTAMP_PATTERN, date_format
from headrace.connect.transforms.date_columns import format_column

_LEAST_PLAIN, _LEAST_WITH_EXPONENT = 1e-3, 1e7
_NOTHING: Final = pa.scalar("", pa.string())


def floats_as_text(column: pa.Array) -> pa.StringArray:
    """`Double.toString` and `Float.toString`. Arrow has the same digits, and another layout for the rest."""
    numbers = (column.fill_null(0) if column.null_count else column).to_numpy()
    size = np.abs(numbers)
    plain = ((size >= _LEAST_PLAIN) & (size < _LEAST_WITH_EXPONENT)) | (size == 0)
    texts = column.cast(pa.string())
    whole = np.zeros(len(numbers), bool)
    whole[plain] = numbers[plain] == np.trunc(numbers[plain])
    if whole.any():
        texts = pc.if_else(pa.array(whole), pc.binary_join_element_wise(texts, ".0", _NOTHING), texts)
    if plain.all():
        return texts
    write = float32_text if pa.types.is_float32(column.type) else float64_text
    others = pa.array([write(number) for number in numbers[~plain].tolist()], pa.string())
    return pc.replace_with_mask(texts, pa.array(~plain), others)


def dates_as_text(column: pa.Array) -> pa.StringArray:
    """As `Values` writes a `java.util.Date`: up to 1970-01-01 as a time, at midnight as a date, else with both."""
    millis = _millis(column)
    if millis.null_count == len(millis):
        return pa.nulls(len(millis), pa.string())
    is_time = pc.less(millis, DAY_MS)
    days = pc.multiply(pc.divide(millis, DAY_MS), DAY_MS)
    is_date = pc.and_not(pc.equal(days, millis), is_time)
    made: Any = None
    for pattern, mask in ((TIMESTAMP_PATTERN, None), (DATE_PATTERN, is_date), (TIME_PATTERN, is_time)):
        made = _layered(made, pattern, mask, millis)
    return made


def _layered(texts: pa.StringArray | None, pattern: str, mask: pa.BooleanArray | None, millis: pa.Int64Array) -> Any:
    """`texts` with those of `pattern` where the mask is true; all of them where there is none yet."""
    if mask is not None and not mask.true_count:
        return texts
    written = format_column(date_format(pattern), millis)
    return written if texts is None or mask is None else pc.if_else(mask, written, texts)


def _millis(column: pa.Array) -> pa.Int64Array:
    if pa.types.is_date32(column.type):
        return pc.multiply(column.cast(pa.int32()).cast(pa.int64()), DAY_MS)
    if pa.types.is_time32(column.type):
        return column.cast(pa.int32()).cast(pa.int64())
    return column.cast(pa.int64())
