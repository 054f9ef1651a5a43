"""Rows in the two formats of COPY ... FROM STDIN, made from whole columns.

Sans-IO. Binary where every column has an exact binary form, text otherwise; the two give the same rows (tests hold it).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.jdbc.sink.postgresql import far_times, uuids
from headrace.jdbc.sink.postgresql.cells import Cells, Encoder, Fixed, Numbers, Varied, encoder, missing
from headrace.jdbc.sink.postgresql.table import SinkColumn

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
CHUNK_BYTES: Final = 8 << 20
"""Rows are encoded and sent in chunks of about this size, the server working on one while the next is made."""
_NOTHING: Final = pa.scalar(b"", pa.binary())
_NULL: Final = np.frombuffer(b"\xff\xff\xff\xff", ">i4")[0]


def is_binary(columns: Sequence[SinkColumn], arrays: Sequence[pa.Array]) -> bool:
    """Whether every array has an exact binary form in its column."""
    return all(encoder(column, array.type) is not None for column, array in zip(columns, arrays, strict=True))


def chunks(arrays: Sequence[pa.Array]) -> Iterator[tuple[int, list[pa.Array]]]:
    """The rows in runs of about CHUNK_BYTES, each with its first row's number."""
    length = len(arrays[0])
    size = sum(array.nbytes for array in arrays) + 4 * len(arrays) * length
    step = max(1, min(length, CHUNK_BYTES * length // max(size, 1)))
    for start in range(0, length, step):
        yield start, [array.slice(start, step) for array in arrays]


def binary_rows(columns: Sequence[SinkColumn], arrays: Sequence[pa.Array]) -> Any:
    """The rows in binary form, without header and trailer; something with the buffer protocol."""
    cells = [_encode(column, array) for column, array in zip(columns, arrays, strict=True)]
    segments, data = _segments(cells, len(arrays[0]))
    if not data and segments[0].drops == []:
        return segments[0].rows.view(np.uint8).reshape(-1).data
    parts: list[pa.Array] = []
    for segment, varied in zip(segments, [*data, None], strict=True):
        parts.append(segment.as_array())
        if varied is not None:
            parts.append(varied)
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, _NOTHING)
    return _content(joined)


def _encode(column: SinkColumn, array: pa.Array) -> Cells:
    found: Encoder | None = encoder(column, array.type)
    if found is None:
        raise TypeError(f"{array.type} has no binary form in a column of type {column.base}")
    return found(array)


@dataclass(slots=True)
class _Segment:
    """A run of cells of one width: structured rows, and the bytes of them that nulls leave out."""

    rows: Numbers
    drops: list[tuple[Numbers, int, int]]

    def as_array(self) -> pa.Array:
        count, width = len(self.rows), self.rows.dtype.itemsize
        matrix = self.rows.view(np.uint8).reshape(count, width)
        lengths = np.full(count, width, np.int64)
        if self.drops:
            kept = np.ones((count, width), np.bool_)
            for gone, start, stop in self.drops:
                kept[gone, start:stop] = False
                lengths -= gone * (stop - start)
            matrix = matrix[kept]
        offsets = np.zeros(count + 1, np.int32)
        np.cumsum(lengths, out=offsets[1:])
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(matrix).reshape(-1))]
        return pa.Array.from_buffers(pa.binary(), count, buffers)


def _segments(cells: Sequence[Cells], count: int) -> tuple[list[_Segment], list[pa.Array]]:
    """Runs of fixed cells, each but the last closed by the column of varied width that follows it."""
    runs: list[list[Cells]] = [[]]
    data: list[pa.Array] = []
    for cell in cells:
        runs[-1].append(cell)
        if isinstance(cell, Varied):
            data.append(cell.data)
            runs.append([])
    heads = [len(cells), *([None] * (len(runs) - 1))]
    return [_segment(run, count, head) for run, head in zip(runs, heads, strict=True)], data


def _segment(cells: Sequence[Cells], count: int, head: int | None) -> _Segment:
    rows = np.empty(count, _layout(tuple(_shape(cell) for cell in cells), head is not None))
    drops: list[tuple[Numbers, int, int]] = []
    if head is not None:
        rows["head"] = head
    for number, cell in enumerate(cells):
        _fill(rows, number, cell)
        if cell.missing is None:
            continue
        rows[f"length{number}"][cell.missing] = _NULL
        field = rows.dtype.fields.get(f"value{number}") if rows.dtype.fields else None
        if field is not None:
            drops.append((cell.missing, field[1], field[1] + field[0].itemsize))
    return _Segment(rows, drops)


def _fill(rows: Numbers, number: int, cell: Cells) -> None:
    if isinstance(cell, Fixed):
        rows[f"length{number}"] = cell.width
        rows[f"value{number}"] = cell.values
        return
    rows[f"length{number}"] = pc.binary_length(cell.data).to_numpy() + len(cell.prefix)
    if cell.prefix:
        rows[f"value{number}"] = np.frombuffer(cell.prefix, np.uint8)


def _shape(cell: Cells) -> tuple[str, int]:
    """The numpy type of a cell's own bytes in the row, and how many of it."""
    if isinstance(cell, Fixed):
        return cell.values.dtype.str, cell.values.shape[1] if cell.values.ndim > 1 else 0
    return "u1", len(cell.prefix) or -1


@lru_cache(maxsize=1024)
def _layout(shapes: tuple[tuple[str, int], ...], with_head: bool) -> "np.dtype[Any]":
    fields: list[Any] = [("head", ">i2")] if with_head else []
    for number, (code, repeat) in enumerate(shapes):
        fields.append((f"length{number}", ">i4"))
        if repeat >= 0:
            fields.append((f"value{number}", code, (repeat,)) if repeat else (f"value{number}", code))
    return np.dtype(fields)


def text_rows(arrays: Sequence[pa.Array]) -> Any:
    """The rows in text form; something with the buffer protocol."""
    columns = [_escaped(text_array(array)) for array in arrays]
    lines = columns[0].fill_null("\\N") if len(columns) == 1 else _tabbed(columns)
    return _content(pc.binary_join_element_wise(lines, "", "\n"))


def _tabbed(columns: Sequence[pa.Array]) -> pa.Array:
    return pc.binary_join_element_wise(*columns, "\t", null_handling="replace", null_replacement="\\N")


def text_array(array: pa.Array) -> pa.Array:
    """The values as PostgreSQL reads them, null where they are null."""
    if pa.types.is_string(array.type):
        return array
    if pa.types.is_binary(array.type):
        return _hexadecimal(array, "\\x")
    if array.type == uuids.TYPE:
        return _hexadecimal(array.cast(pa.binary()), "")
    if pa.types.is_date32(array.type) or pa.types.is_timestamp(array.type):
        return far_times.text(array)
    return array.cast(pa.string())


def _hexadecimal(array: pa.Array, prefix: str) -> pa.Array:
    r"""Digits, as bytea has them behind `\x`, and uuid alone."""
    filled = array.fill_null(b"") if array.null_count else array
    raw = np.frombuffer(_content(filled), np.uint8)
    pairs = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)[raw]
    offsets = np.zeros(len(array) + 1, np.int32)
    np.cumsum(pc.binary_length(filled).to_numpy() * 2, out=offsets[1:])
    digits = pa.Array.from_buffers(pa.string(), len(array), [None, pa.py_buffer(offsets), pa.py_buffer(pairs)])
    text = pc.binary_join_element_wise(prefix, digits, "")
    gone = missing(array)
    return text if gone is None else pc.if_else(pa.array(~gone), text, pa.scalar(None, pa.string()))


def _escaped(text: pa.Array) -> pa.Array:
    content = bytes(_content(text))
    for special, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        if special.encode() in content:
            text = pc.replace_substring(text, special, escape)
    return text


def _content(array: pa.Array) -> memoryview:
    """The bytes of all values, one after the other; text or binary, without nulls in it or with empty ones."""
    _, offsets, data = array.buffers()
    if data is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]
