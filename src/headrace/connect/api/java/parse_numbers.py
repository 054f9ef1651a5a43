"""`parseInt`, `parseDouble` and their like: numbers from text as Java's classes read them. All raise ValueError."""

import math
import re
from decimal import Decimal
from typing import Final

from headrace.connect.api.java.numbers import decimal_to_float32, to_float32

_INTEGER: Final = re.compile(r"[+-]?\d+")
_BLANKS: Final = "".join(map(chr, range(33)))
_FLOAT: Final = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?")
_HEX: Final = re.compile(r"([+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+)[fFdD]?")
_NAMED: Final = {
    sign + name: math.copysign(value, -1 if sign == "-" else 1)
    for name, value in (("NaN", math.nan), ("Infinity", math.inf))
    for sign in ("", "+", "-")
}


def parse_integer(text: str, bits: int) -> int:
    """`Byte.parseByte` (8 bits) to `Long.parseLong` (64): digits of any script, no blanks.

    >>> parse_integer("+٣", 8)
    3
    """
    if not _INTEGER.fullmatch(text) or max(text) > "\uffff":
        raise ValueError(f"{text} is no integer")
    number = int(text)
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise ValueError(f"{text} does not fit {bits} bits")
    return number


def parse_float64(text: str) -> float:
    """`Double.parseDouble`: blanks around, `NaN`, `Infinity`, a suffix f or d, and hexadecimal floats are all right.

    >>> parse_float64(" 1.5d ")
    1.5
    """
    text = text.strip(_BLANKS)
    if text in _NAMED:
        return _NAMED[text]
    if found := _FLOAT.fullmatch(text):
        return float(found[1])
    if found := _HEX.fullmatch(text):
        return _from_hex(found[1])
    raise ValueError(f"{text} is no number")


def _from_hex(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


def parse_float32(text: str) -> float:
    """`Float.parseFloat`: rounded once."""
    double = parse_float64(text)
    found = _FLOAT.fullmatch(text.strip(_BLANKS))
    if found is None or double == 0 or not math.isfinite(double):
        return to_float32(double)
    return decimal_to_float32(Decimal(found[1]))
