"""What texts between quotes stand for, column by column: strings with escapes, bytes and Decimals in base64.

Each raises ValueError or OverflowError where a text is none of its kind; nulls stay null.
"""

from base64 import b64decode
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc


def unescaped(texts: pa.BinaryArray) -> pa.StringArray:
    """Strings; only those with backslashes are parsed."""
    escaped = pc.match_substring(texts, "\\").fill_null(False)
    if not escaped.true_count:
        return texts.cast(pa.string())
    read = [orjson.loads(b'"%b"' % text) for text in texts.filter(escaped).to_pylist()]
    return pc.replace_with_mask(texts, escaped, pa.array(read, pa.string()).cast(pa.binary())).cast(pa.string())


def decoded(texts: pa.BinaryArray) -> pa.BinaryArray:
    return pa.array(
        [None if text is None else b64decode(text, validate=True) for text in texts.to_pylist()], pa.binary()
    )


def decimals(texts: pa.BinaryArray, kind: pa.DataType) -> pa.Array:
    """Decimals of their unscaled bytes, which are put in Arrow's layout: no Decimal is made for each."""
    present = texts.drop_null() if texts.null_count else texts
    unscaled = [int.from_bytes(b64decode(text, validate=True), "big", signed=True) for text in present.to_pylist()]
    width, limit = kind.bit_width // 8, 10**kind.precision
    if unscaled and not -limit < min(unscaled) <= max(unscaled) < limit:
        raise OverflowError(f"more digits than {kind} holds")
    data = b"".join([number.to_bytes(width, "little", signed=True) for number in unscaled])
    found = pa.Array.from_buffers(kind, len(unscaled), [None, pa.py_buffer(data)])
    return found if present is texts else _spread(found, texts)


def _spread(found: pa.Array, texts: pa.BinaryArray) -> pa.Array:
    valid: Any = texts.is_valid().to_numpy(zero_copy_only=False)
    return found.take(pa.array(np.cumsum(valid) - 1, mask=~valid))
