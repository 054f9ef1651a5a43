"""`String.getBytes` and `new String(bytes)`, which refuse nothing.

Python and Java differ in two places. For an encoded surrogate, whole or cut, Java's UTF-8 puts one U+FFFD, Python one
for each byte. And UTF-16 is big-endian in Java where no byte order mark says otherwise.
"""

import codecs
from typing import Final

_HANDLER: Final = "headrace.java"
_BIG, _LITTLE = codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE


def encode(text: str, charset: str) -> bytes:
    """The bytes of a text; a question mark for what the character set, by Python's name of it, has not."""
    if charset != "utf-16":
        return text.encode(charset, "replace")
    return _BIG + text.encode("utf-16-be", "replace") if text else b""


def decode(payload: bytes, charset: str = "utf-8") -> str:
    """The text of any bytes.

    >>> decode(b"\\xed\\xa0\\x80\\xff")
    '\\ufffd\\ufffd'
    """
    if charset == "utf-8":
        return payload.decode(charset, _HANDLER)
    if charset != "utf-16":
        return payload.decode(charset, "replace")
    if payload.startswith(_LITTLE):
        return payload[2:].decode("utf-16-le", "replace")
    return payload.removeprefix(_BIG).decode("utf-16-be", "replace")


def _replace(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    piece = error.object[error.start : error.start + 3]
    if len(piece) > 1 and piece[0] == 0xED and 0xA0 <= piece[1] <= 0xBF:
        is_whole = len(piece) > 2 and 0x80 <= piece[2] <= 0xBF
        return "\ufffd", error.start + (3 if is_whole else 2)
    return "\ufffd", error.end


codecs.register_error(_HANDLER, _replace)
