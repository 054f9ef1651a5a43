"""Numbers out of their texts, eight characters at a time: arithmetic on columns of 64-bit words, no step for each row.

A word holds eight bytes of a text, the first one lowest; two words a row hold what stands before the next value. All
functions take numpy columns of uint64. Exact, or nothing: what has more characters than two words, an exponent, or a
form that is not JSON's gives None, and is for a parser.
"""

from typing import Any, Final, NamedTuple

import numpy as np

_NULL_BYTE, _MINUS, _DOT, _ZERO, _NINE = b"n-.09"
_WORD: Final = 8
_ONES: Final = np.uint64(0x0101010101010101)
_HIGHS: Final = _ONES << np.uint64(7)
_ZEROS: Final = _ONES * np.uint64(_ZERO)
_DOTS: Final = _ONES * np.uint64(_DOT)
_ABOVE_NINE: Final = _ONES * np.uint64(0x76)
"""Added to a byte, sets its highest bit where it is more than nine."""
_NULL_TEXT: Final = np.uint64(int.from_bytes(b"null", "little"))
_TENS: Final = 10.0 ** np.arange(_WORD)


class Numbers(NamedTuple):
    """Values of rows, and which of them are null, as a mask, or None where none is."""

    values: Any
    nulls: Any
    sizes: Any
    """How many bytes each text has."""


class _Texts(NamedTuple):
    """Numbers without their sign, right-justified in two words and filled with zeros; `lead` is None where one does."""

    lead: Any
    tail: Any
    negative: Any
    nulls: Any
    sizes: Any


def whole_numbers(first: Any, second: Any, stop: int) -> Numbers | None:
    """The integers, as int64, whose texts begin the words and end before the byte `stop`."""
    texts = _texts(first, second, stop)
    values = None if texts is None else _value(texts.lead, texts.tail)
    if texts is None or values is None:
        return None
    return Numbers(_signed(values, texts.negative), texts.nulls, texts.sizes)


def floating_numbers(first: Any, second: Any, stop: int) -> Numbers | None:
    """The same as float64: digits / 10 ** k, correctly rounded, since fifteen digits and 10 ** k are exact doubles."""
    texts = _texts(first, second, stop)
    if texts is None:
        return None
    dots = _matches(texts.tail, _DOTS)
    before = ~dots & (dots - np.uint64(1))
    """All bits below the mark of the first dot, or all bits; the mark is the dot's highest bit."""
    places = 7 - (np.bitwise_count(before) >> 3).astype(np.int8)
    if not places.all():
        return None
    lead, tail = _without_dots(texts, dots != 0, before >> np.uint64(7))
    mantissa = _value(lead, tail)
    if mantissa is None:
        return None
    return Numbers(_signed(mantissa / _TENS.take(places, mode="clip"), texts.negative), texts.nulls, texts.sizes)


def _texts(first: Any, second: Any, stop: int) -> _Texts | None:
    if not all(_ends(first, second, stop, row) for row in (0, len(first) // 2, -1)):
        return None
    leading = first.astype(np.uint8)
    nulls = negative = None
    if leading.max() > _NINE:
        nulls = leading == _NULL_BYTE
        if (first.astype(np.uint32)[nulls] != _NULL_TEXT).any():
            return None
        first = np.where(nulls, (first >> np.uint64(24) & ~np.uint64(0xFF)) | np.uint64(_ZERO), first)
        leading = first.astype(np.uint8)
    if leading.min() < _ZERO:
        negative = leading == _MINUS
        first = np.where(negative, first >> np.uint64(8) | second << np.uint64(56), first)
        second = np.where(negative, second >> np.uint64(8), second)
        leading = first.astype(np.uint8)
    if leading.min() < _ZERO or leading.max() > _NINE or _is_zero_led(first):
        return None
    return _justified(first, second, stop, negative, nulls)


def _ends(first: Any, second: Any, stop: int, row: int) -> bool:
    """Whether the text of one row ends in its words: a few rows tell of most columns that are too long, at no cost."""
    return stop in int(first[row]).to_bytes(_WORD, "little") or stop in int(second[row]).to_bytes(_WORD, "little")


def _is_zero_led(first: Any) -> bool:
    """Whether a zero stands before another digit."""
    return bool((first.astype(np.uint16) & 0xF0FF == _ZERO << 8 | _ZERO).any())


def _justified(first: Any, second: Any, stop: int, negative: Any, nulls: Any) -> _Texts | None:
    stops = _ONES * np.uint64(stop)
    width, lead = _place(_matches(first, stops)), None
    if width.max() < _WORD:
        tail = _right(first, width)
    else:
        width += np.where(width == _WORD, _place(_matches(second, stops)), np.uint64(0))
        if width.max() == 2 * _WORD:
            return None
        lead, tail = _right_in_two(first, second, width)
    sizes = width if negative is None else width + negative
    return _Texts(lead, tail, negative, nulls, sizes if nulls is None else np.where(nulls, len(b"null"), sizes))


def _matches(words: Any, wanted: Any) -> Any:
    """Words whose lowest bit set is the highest of the first byte that is wanted; 0 where no byte is."""
    words = words ^ wanted
    return words - _ONES & ~words & _HIGHS


def _place(marks: Any) -> Any:
    """The number of the byte that is marked, 8 where none is."""
    return np.bitwise_count(~marks & (marks - np.uint64(1))).astype(np.uint64) >> np.uint64(3)


def _right(words: Any, width: Any) -> Any:
    """The first `width` characters at the highest place, zeros before them."""
    bits = width << np.uint64(3)
    return words << np.uint64(64) - bits | _ZEROS >> bits


def _right_in_two(first: Any, second: Any, width: Any) -> tuple[Any, Any]:
    over = np.maximum(width, _WORD) - _WORD
    bits = over << np.uint64(3)
    tail = first >> bits | second << np.uint64(64) - bits
    is_short = width < _WORD
    if is_short.any():
        tail = np.where(is_short, _right(first, np.minimum(width, _WORD)), tail)
    return _right(first, over), tail


def _without_dots(texts: _Texts, dotted: Any, below: Any) -> tuple[Any, Any]:
    """The words with what is `below` the dot in its place; `dotted` says in which rows there is one."""
    lead, tail = texts.lead, texts.tail
    moved = (tail & below) << np.uint64(8) | tail & ~(below << np.uint64(8) | np.uint64(0xFF))
    moved |= np.uint64(_ZERO) if lead is None else lead >> np.uint64(56)
    if lead is not None:
        lead = np.where(dotted, lead << np.uint64(8) | np.uint64(_ZERO), lead)
    return lead, moved if dotted.all() else np.where(dotted, moved, tail)


def _value(lead: Any, tail: Any) -> Any:
    """The integers of sixteen digits, or None where a byte is none."""
    if lead is None:
        return _eight_digits(tail)
    high, low = _eight_digits(lead), _eight_digits(tail)
    return None if high is None or low is None else high * 10**_WORD + low


def _eight_digits(words: Any) -> Any:
    """Neighbours are put together: digits to pairs, pairs to fours, fours to eights."""
    digits = words ^ _ZEROS
    if np.bitwise_or.reduce(digits | digits + _ABOVE_NINE) & _HIGHS:
        return None
    pairs = digits * np.uint64(10 << 8 | 1) >> np.uint64(8) & np.uint64(0x00FF00FF00FF00FF)
    fours = pairs * np.uint64(100 << 16 | 1) >> np.uint64(16) & np.uint64(0x0000FFFF0000FFFF)
    return (fours * np.uint64(10_000 << 32 | 1) >> np.uint64(32)).view(np.int64)


def _signed(values: Any, negative: Any) -> Any:
    return values if negative is None else np.where(negative, -values, values)
