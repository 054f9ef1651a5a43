"""The few field types that answers written by hand are made of."""

import struct
from typing import Final

_SHORT: Final = struct.Struct(">h")
_INT: Final = struct.Struct(">i")


def uvarint(value: int) -> bytes:
    """An unsigned varint."""
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


def count(count: int, *, flexible: bool) -> bytes:
    """The length of an array or of bytes that are not null."""
    return uvarint(count + 1) if flexible else _INT.pack(count)


def string(text: str, *, flexible: bool) -> bytes:
    """A string that is not null."""
    encoded = text.encode()
    return (uvarint(len(encoded) + 1) if flexible else _SHORT.pack(len(encoded))) + encoded


def nullable_string(text: str | None, *, flexible: bool) -> bytes:
    """A string, or null."""
    if text is None:
        return b"\x00" if flexible else b"\xff\xff"
    return string(text, flexible=flexible)
