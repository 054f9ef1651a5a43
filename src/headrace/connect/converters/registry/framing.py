"""The wire format of Confluent's serializers: a zero byte, the schema's id in four bytes, the payload."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headrace.connect.api import DataError, integers

MAGIC: Final = 0
HEAD_BYTES: Final = 5


def head(schema_id: int) -> bytes:
    """What stands before a payload.

    >>> head(258)
    b'\\x00\\x00\\x00\\x01\\x02'
    """
    return bytes([MAGIC]) + schema_id.to_bytes(4, "big")


def runs(topic: str, payloads: pa.BinaryArray) -> Iterator[tuple[int, int, int | None]]:
    """(start, stop, schema id) of the runs of one id, in order; a null ends no run, and a run of nulls alone has None.

    Raises DataError that shows the first payload that is not of this format.
    """
    ids, valid = _ids(topic, payloads)
    rows = np.flatnonzero(valid)
    if not len(rows):
        if len(payloads):
            yield 0, len(payloads), None
        return
    present = ids[rows]
    changes = rows[1:][np.diff(present) != 0]
    bounds = [0, *changes.tolist(), len(payloads)]
    firsts = [present[0], *ids[changes]]
    for start, stop, found in zip(bounds, bounds[1:], firsts, strict=False):
        yield start, stop, int(found)


def _ids(topic: str, payloads: pa.BinaryArray) -> tuple[Any, Any]:
    """The id of each payload, and which payloads there are."""
    valid = np.ones(len(payloads), bool)
    if payloads.null_count:
        valid = payloads.is_valid().to_numpy(zero_copy_only=False)
    start, size, data = spans(payloads)
    found = np.zeros(len(payloads), np.int64)
    rows = np.flatnonzero(valid)
    short = size[rows] < HEAD_BYTES
    if short.any():
        raise _stranger(topic, payloads[int(rows[np.argmax(short)])].as_py())
    at = start[rows]
    odd = data[at] != MAGIC
    if odd.any():
        raise _stranger(topic, payloads[int(rows[np.argmax(odd)])].as_py())
    for byte in range(1, HEAD_BYTES):
        found[rows] = found[rows] << 8 | data[at + byte]
    return found, valid


def spans(column: pa.BinaryArray) -> tuple[Any, Any, Any]:
    """Where each value begins in the data, how long it is, and the data, as numpy arrays; nulls as they come."""
    kind = np.int64 if column.type == pa.large_binary() else np.int32
    _, offsets, data = column.buffers()
    if not len(column):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8)
    bounds = np.frombuffer(offsets, kind)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    return bounds[:-1], np.diff(bounds), np.frombuffer(data or b"", np.uint8)


def between(buffer: pa.Buffer, start: Any, end: Any) -> pa.BinaryArray:
    """The bytes from `start` to `end` of a buffer, row by row: every other value of an array over the same bytes.

    Not `binary_slice`, which pyarrow 26 fails to do without an end.
    """
    wide = buffer is not None and buffer.size >= 1 << 31
    bounds = np.empty(2 * len(start) + 1, np.int64 if wide else np.int32)
    bounds[:-1:2] = start
    bounds[1::2] = end
    bounds[-1] = end[-1] if len(end) else 0
    pieces = pa.Array.from_buffers(
        pa.large_binary() if wide else pa.binary(), 2 * len(start), [None, pa.py_buffer(bounds), buffer]
    )
    return pieces.take(integers(np.arange(0, 2 * len(start), 2)))


def payloads_of(messages: pa.BinaryArray) -> pa.BinaryArray:
    """What stands behind the ids of messages, none of which is null."""
    start, size, _ = spans(messages)
    return between(messages.buffers()[2], start + HEAD_BYTES, start + size)


def _stranger(topic: str, payload: bytes) -> DataError:
    shown = payload if len(payload) <= 20 else payload[:17] + b"..."
    hint = "; it looks like JSON: use the converter that wrote it" if payload[:1] in (b"{", b"[", b'"') else ""
    return DataError(
        f"topic {topic}: the message was not written with a schema registry, whose messages begin with a zero byte and "
        f"the schema's id: {shown!r}{hint}"
    )
