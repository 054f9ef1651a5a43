"""Sets of code points as sorted ranges, and the classes that `java.util.regex` knows by name."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

Ranges = tuple[tuple[int, int], ...]
"""Ranges with both ends, in order, none touching another."""

LAST: Final = 0x10FFFF
_CASE: Final = ord("a") - ord("A")


def union(*parts: Iterable[tuple[int, int]]) -> Ranges:
    made: list[tuple[int, int]] = []
    for low, high in sorted(pair for part in parts for pair in part):
        if made and low <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(high, made[-1][1]))
        else:
            made.append((low, high))
    return tuple(made)


def complement(ranges: Ranges) -> Ranges:
    made, start = [], 0
    for low, high in ranges:
        if start < low:
            made.append((start, low - 1))
        start = high + 1
    return tuple(made) if start > LAST else (*made, (start, LAST))


def intersection(left: Ranges, right: Ranges) -> Ranges:
    return complement(union(complement(left), complement(right)))


def of(*texts: str) -> Ranges:
    """The set of these characters; a text of three with a hyphen in its middle is a range.

    >>> of("a-c", "x")
    ((97, 99), (120, 120))
    """
    return union(*(((ord(text[0]), ord(text[-1])),) for text in texts))


def either_case(ranges: Ranges) -> Ranges:
    """With the other case of the ASCII letters that are in it, as Java matches without regard to case."""
    upper = intersection(ranges, of("A-Z"))
    lower = intersection(ranges, of("a-z"))
    shifted = [(low + _CASE, high + _CASE) for low, high in upper]
    return union(ranges, shifted, [(low - _CASE, high - _CASE) for low, high in lower])


def as_python(ranges: Ranges) -> str:
    """The set as Python's `re` writes it."""
    if not ranges:
        return "(?!)"
    return "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges) + "]"


LINE_ENDS: Final = of("\n", "\r", "\x85", "\u2028-\u2029")
DIGIT: Final = of("0-9")
WORD: Final = of("0-9", "A-Z", "a-z", "_")
SPACE: Final = of("\t-\r", " ")
PREDEFINED: Final[dict[str, Ranges]] = {
    "d": DIGIT,
    "w": WORD,
    "s": SPACE,
    "h": of("\t", " ", "\xa0", "\u1680", "\u180e", "\u2000-\u200a", "\u202f", "\u205f", "\u3000"),
    "v": union(of("\n-\r"), LINE_ENDS),
}
"""`\\d` and so on; the upper case letters are their complements."""
_POSIX: Final[dict[str, Ranges]] = {
    "Lower": of("a-z"),
    "Upper": of("A-Z"),
    "ASCII": of("\x00-\x7f"),
    "Alpha": of("A-Z", "a-z"),
    "Digit": DIGIT,
    "Alnum": of("0-9", "A-Z", "a-z"),
    "Punct": of("!-/", ":-@", "[-`", "{-~"),
    "Graph": of("!-~"),
    "Print": of(" -~"),
    "Blank": of("\t", " "),
    "Cntrl": of("\x00-\x1f", "\x7f"),
    "XDigit": of("0-9", "A-F", "a-f"),
    "Space": SPACE,
}
_CATEGORY: Final = re.compile("L[ultmo]?|M[nce]?|N[dlo]?|Z[slp]?|P[dsecoif]?|S[mcko]?|C[cfosn]?")
_CASED: Final = frozenset({"Lu", "Ll", "Lt"})


def named(name: str, *, any_case: bool) -> Ranges | None:
    """The class `\\p{name}`: POSIX's in ASCII, and Unicode's general categories; None where it is neither."""
    if name in _POSIX:
        return _POSIX["Alpha" if any_case and name in ("Lower", "Upper") else name]
    for prefix in ("Is", "gc=", "general_category="):
        name = name.removeprefix(prefix)
    if not _CATEGORY.fullmatch(name):
        return None
    if any_case and name in _CASED:
        return union(*map(_category, _CASED))
    return _category(name)


@cache
def _category(name: str) -> Ranges:
    points = (point for point in range(LAST + 1) if unicodedata.category(chr(point)).startswith(name))
    return union((point, point) for point in points)
