"""JSON texts of one shape to an Arrow column, without an object a row; agrees with the row decoder.

What one writer writes for one schema repeats itself: the same members in the schema's order, with nothing between. So a
cursor in each row goes over all rows at once: the text of a member's name is compared, the value's end is the next
comma, brace or quote, and the texts of all rows' values become one column, which Arrow reads as numbers. Measured on
seven columns: a third of what orjson and one Python object a value cost.

Whatever does not look exactly so (a blank, an escape, another order, a number that is none) is in doubt, and goes to
`column_decoder`, which parses JSON as JSON. Nothing is guessed: each row's cursor has to come out at its very end.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import ConnectSchema, SchemaType, arrow_type
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.connect.converters.json.row_decoder import DAY_MS

FEW: Final = 100
"""Below so many rows, parsing each is faster."""


class DoubtError(Exception):
    """These texts are for a parser."""


_QUOTE, _COMMA, _DOT, _ZERO, _BACKSLASH, _CLOSING, _N = b'",.0\\}n'
_MINUS: Final = ord("-")
_IS_DIGIT: Final = np.array([chr(code).isdigit() and code < 128 for code in range(256)])
_IN_NUMBER: Final = _IS_DIGIT | np.isin(np.arange(256), np.frombuffer(b"+-.eE", np.uint8))
_IS_EXPONENT: Final = np.isin(np.arange(256), np.frombuffer(b"eE", np.uint8))
_IN_DOUBT: Final = np.arange(256) < 0x20
_IN_DOUBT[_BACKSLASH] = True

_REFUSALS: Final = (DoubtError, IndexError, ValueError, pa.ArrowInvalid, pa.ArrowNotImplementedError)


def decode_texts(schema: ConnectSchema, texts: pa.BinaryArray) -> pa.Array:
    """The column of a schema's values, each a JSON text of `texts` (no nulls). Raises DoubtError."""
    kind = arrow_type(schema)
    if schema.type is not SchemaType.STRUCT or not schema.fields or kind is None or not len(texts):
        raise DoubtError
    try:
        rows = _Rows(texts)
        column = _struct(schema, rows, kind)
        rows.expect_end()
    except _REFUSALS as error:
        raise DoubtError from error
    return column


class _Rows:
    """The texts in one buffer, and how far each has been read: `at`, a position a row."""

    def __init__(self, texts: pa.BinaryArray) -> None:
        _, offsets, data = texts.buffers()
        bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
        self._data = data
        self.bytes = np.frombuffer(data, np.uint8)[: bounds[-1]]
        read = self.bytes[bounds[0] :]
        if _IN_DOUBT[read].any():
            raise DoubtError
        self._quotes = np.flatnonzero(self.bytes == _QUOTE).astype(np.int32)
        self._ends = np.flatnonzero((self.bytes == _COMMA) | (self.bytes == _CLOSING)).astype(np.int32)
        self.at = bounds[:-1]
        self._last = bounds[1:]

    def holds(self, text: bytes, at: Any) -> bool:
        """Whether `text` stands at these positions."""
        size = len(text)
        windows: Any = np.ndarray((len(self.bytes) - size + 1,), f"S{size}", self.bytes, strides=(1,))
        return bool((windows[at] == text).all())

    def expect(self, text: bytes) -> None:
        """Go past `text` in each row."""
        if not self.holds(text, self.at):
            raise DoubtError
        self.at = self.at + np.int32(len(text))

    def expect_end(self) -> None:
        if not np.array_equal(self.at, self._last):
            raise DoubtError

    def nulls(self) -> Any:
        """The rows whose value is null, as a mask; None where there are none."""
        mask = self.bytes[self.at] == _N
        if not mask.any():
            return None
        if not self.holds(b"null", self.at[mask]):
            raise DoubtError
        return mask

    def bare(self) -> pa.Array:
        """The values up to the next comma or brace: numbers, booleans, nulls; null where null."""
        nulls = self.nulls()
        start = self.at
        self.at = self._ends[np.searchsorted(self._ends, start)]
        return self._cut(start, self.at, nulls)

    def quoted(self) -> pa.Array:
        """The texts between quotes; null where null."""
        nulls = self.nulls()
        quoted = self.bytes[self.at] == _QUOTE
        if nulls is None:
            if not quoted.all():
                raise DoubtError
            start = self.at + np.int32(1)
            end = self._quotes[np.searchsorted(self._quotes, start)]
            self.at = end + np.int32(1)
            return self._cut(start, end, None)
        if not (quoted ^ nulls).all():
            raise DoubtError
        start = self.at + quoted.astype(np.int32)
        end = start.copy()
        end[quoted] = self._quotes[np.searchsorted(self._quotes, start[quoted])]
        self.at = np.where(quoted, end + 1, end + 4).astype(np.int32)
        return self._cut(start, end, nulls)

    def _cut(self, start: Any, end: Any, nulls: Any) -> pa.Array:
        """What lies from `start` to `end` in each row: every other value of an array over the same bytes."""
        bounds = np.empty(2 * len(start) + 1, np.int32)
        bounds[:-1:2] = start
        bounds[1::2] = end
        bounds[-1] = end[-1]
        pieces = pa.Array.from_buffers(pa.binary(), 2 * len(start), [None, pa.py_buffer(bounds), self._data])
        return pieces.take(pa.array(np.arange(0, 2 * len(start), 2), mask=nulls))


def _struct(schema: ConnectSchema, rows: _Rows, kind: pa.DataType) -> pa.Array:
    children = []
    for number, field in enumerate(schema.fields):
        rows.expect((b"," if number else b"{") + orjson.dumps(field.name) + b":")
        children.append(_value(field.schema, rows, kind.field(number).type))
    rows.expect(b"}")
    return pa.StructArray.from_arrays(children, fields=list(kind))


def _value(schema: ConnectSchema, rows: _Rows, kind: pa.DataType) -> pa.Array:
    if schema.type is SchemaType.STRUCT and schema.fields:
        return _struct(schema, rows, kind)
    read = _LOGICAL.get(schema.name) if schema.name in _ANY_LOGICAL else _BY_TYPE.get(schema.type)
    if read is None:
        raise DoubtError
    column = read(rows, kind)
    if column.null_count and (not schema.optional or schema.default is not None):
        raise DoubtError
    return column


def _number(rows: _Rows, kind: pa.DataType) -> pa.Array:
    return _numbers(rows, kind)


def _numbers(rows: _Rows, kind: pa.DataType) -> pa.Array:
    texts = rows.bare()
    _expect_numbers(texts)
    return texts.cast(pa.string()).cast(kind)


def _float(rows: _Rows, kind: pa.DataType) -> pa.Array:
    column = _numbers(rows, pa.float64())
    if not np.isfinite(column.fill_null(0).to_numpy(zero_copy_only=False)).all():
        raise DoubtError
    return column.cast(kind)


def _expect_numbers(texts: pa.BinaryArray) -> None:
    """JSON's grammar of numbers, as far as Arrow's own is laxer: `01`, `.5`, `1.`, `inf` and `0x1` are none."""
    if texts.null_count:
        texts = texts.drop_null()
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    text = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]
    start, end = bounds[:-1] - bounds[0], bounds[1:] - bounds[0]
    if not len(start):
        return
    # A text that ends in a digit has one, so each look at the byte behind a sign or a zero stays inside of the buffer.
    if (start == end).any() or not _IN_NUMBER[text].all() or not _IS_DIGIT[text[end - 1]].all():
        raise DoubtError
    first = start + (text[start] == _MINUS)
    zero = first[(text[first] == ord("0")) & (first + 1 < end)]
    points, exponents = np.flatnonzero(text == _DOT), np.flatnonzero(_IS_EXPONENT[text])
    digits = np.concatenate([first, points - 1, points + 1, exponents - 1])
    if not _IS_DIGIT[text[digits]].all() or _IS_DIGIT[text[zero + 1]].any():
        raise DoubtError


def _boolean(rows: _Rows, kind: pa.DataType) -> pa.Array:
    texts = rows.bare()
    found = pc.index_in(texts, value_set=_BOOLEANS)
    if found.null_count != texts.null_count:
        raise DoubtError
    return found.cast(pa.bool_())


def _string(rows: _Rows, kind: pa.DataType) -> pa.Array:
    return rows.quoted().cast(kind)


def _date(rows: _Rows, kind: pa.DataType) -> pa.Array:
    return _numbers(rows, pa.int32()).cast(kind)


def _time(rows: _Rows, kind: pa.DataType) -> pa.Array:
    millis = _numbers(rows, pa.int32())
    bounds = pc.min_max(millis)
    if not 0 <= (bounds["min"].as_py() or 0) <= (bounds["max"].as_py() or 0) < DAY_MS:
        raise DoubtError
    return millis.cast(kind)


def _timestamp(rows: _Rows, kind: pa.DataType) -> pa.Array:
    return _numbers(rows, pa.int64()).cast(kind)


_BOOLEANS: Final = pa.array([b"false", b"true"], pa.binary())
Read = Callable[[_Rows, pa.DataType], pa.Array]
_LOGICAL: Final[dict[str | None, Read]] = {DATE: _date, TIME: _time, TIMESTAMP: _timestamp}
_ANY_LOGICAL: Final = frozenset((*_LOGICAL, DECIMAL))
_BY_TYPE: Final[dict[SchemaType, Read]] = {
    SchemaType.INT8: _number,
    SchemaType.INT16: _number,
    SchemaType.INT32: _number,
    SchemaType.INT64: _number,
    SchemaType.FLOAT32: _float,
    SchemaType.FLOAT64: _float,
    SchemaType.BOOLEAN: _boolean,
    SchemaType.STRING: _string,
}
