"""UUIDs written as text, as the sixteen bytes that PostgreSQL keeps: a whole column at once.

Sans-IO. Only the usual form, 8-4-4-4-12 hexadecimal digits, is read here; PostgreSQL reads the others itself.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TYPE: Final = pa.binary(16)
_HYPHENS: Final = np.array([8, 13, 18, 23])
_DIGITS: Final = np.array([place for place in range(36) if place not in (8, 13, 18, 23)])
_NOTHING: Final = "00000000-0000-0000-0000-000000000000"
_NO_DIGIT: Final = 255
_VALUES: Final = np.full(256, _NO_DIGIT, np.uint8)
_VALUES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
_VALUES[np.frombuffer(b"ABCDEF", np.uint8)] = np.arange(10, 16)


def packed(text: pa.Array) -> pa.Array:
    """The text as `TYPE`, null where it is null; the text itself where a value is in another form."""
    filled = text.fill_null(_NOTHING) if text.null_count else text
    if len(text) == 0 or not pc.all(pc.equal(pc.binary_length(filled), 36)).as_py():
        return text
    _, offsets, data = filled.buffers()
    first = int(np.frombuffer(offsets, np.int32)[filled.offset])
    letters = np.frombuffer(data, np.uint8)[first : first + 36 * len(text)].reshape(len(text), 36)
    digits = _VALUES[letters[:, _DIGITS]]
    if (letters[:, _HYPHENS] != ord("-")).any() or (digits == _NO_DIGIT).any():
        return text
    content = pa.py_buffer(np.ascontiguousarray(digits[:, ::2] << 4 | digits[:, 1::2]))
    valid = text.is_valid().buffers()[1] if text.null_count else None
    return pa.Array.from_buffers(TYPE, len(text), [valid, content])
