"""`new String(bytes, UTF_8)`: like Python, Java puts one U+FFFD for each piece that is no text, but for one alone for
an encoded surrogate, whole or cut.
"""

import codecs
from typing import Final

_HANDLER: Final = "headrace.java"


def decode(payload: bytes) -> str:
    """The text of any bytes.

    >>> decode(b"\\xed\\xa0\\x80\\xff")
    '\\ufffd\\ufffd'
    """
    return payload.decode("utf-8", _HANDLER)


def _replace(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    piece = error.object[error.start : error.start + 3]
    if len(piece) > 1 and piece[0] == 0xED and 0xA0 <= piece[1] <= 0xBF:
        is_whole = len(piece) > 2 and 0x80 <= piece[2] <= 0xBF
        return "\ufffd", error.start + (3 if is_whole else 2)
    return "\ufffd", error.end


codecs.register_error(_HANDLER, _replace)
