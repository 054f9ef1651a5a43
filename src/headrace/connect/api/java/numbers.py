"""Java's numbers: what they print, what they read, and how one type becomes another.

Floats print as since JDK 19 (the shortest digits that read back; older ones sometimes print more).
"""

import math
import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Final

import numpy as np

EXACT: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Arithmetic that rounds nothing."""
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?")
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1
_LONG_MIN, _LONG_MAX = -(2**63), 2**63 - 1
_EXPONENT_OF_64_ZERO_BITS: Final = 64


def wrap(number: int, bits: int) -> int:
    """The lowest `bits` bits of an integer as a signed one: Java's narrowing casts.

    >>> wrap(300, 8)
    44
    """
    half = 1 << (bits - 1)
    return ((number + half) & ((1 << bits) - 1)) - half


def float64_text(value: float) -> str:
    """`Double.toString`: plain from 0.001 up to 10,000,000, with an exponent elsewhere.

    >>> float64_text(1e7), float64_text(5e-324)
    ('1.0E7', '4.9E-324')
    """
    if not math.isfinite(value):
        return _not_finite(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits = repr(value)
    return _scientific(f"{value:.1e}" if _is_one_digit(digits) else digits)


def float32_text(value: float) -> str:
    """`Float.toString`; a number that no float holds prints as the double that it is."""
    if not math.isfinite(value):
        return _not_finite(value)
    if to_float32(value) != value:
        return float64_text(value)
    single = np.float32(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return np.format_float_positional(single, trim="0")
    digits = np.format_float_scientific(single, trim="-")
    return _scientific(f"{value:.1e}" if _is_one_digit(digits) else digits)


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _is_one_digit(text: str) -> bool:
    """Java prints two digits at least, and of those with two the nearest: 4.9E-324 where 5E-324 would do."""
    mantissa = text.lstrip("-").partition("e")[0]
    return len(mantissa.strip("0.")) == 1


def _scientific(text: str) -> str:
    """The same number as Java lays it out: 1.0E10, 1.234E-5."""
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    written = "".join(map(str, digits))
    point = exponent + len(written) - 1
    return f"{'-' * sign}{written[0]}.{written[1:].rstrip('0') or '0'}E{point}"


def decimal_text(value: Decimal) -> str:
    """`BigDecimal.toString`; a BigDecimal has no negative zero."""
    return str(value if value else value.copy_abs())


def parse_decimal(text: str) -> Decimal:
    """`new BigDecimal(text)`. Raises ValueError (Java: NumberFormatException).

    >>> parse_decimal("1_000")
    Traceback (most recent call last):
    ValueError: 1_000 is no number
    """
    found = _DECIMAL.fullmatch(text)
    if found is None or (not text.isascii() and max(text) > "\uffff"):
        raise ValueError(f"{text} is no number")
    if found[1] is not None and not _INT_MIN <= int(found[1]) <= _INT_MAX:
        raise ValueError(f"the exponent of {text} is out of range")
    number = Decimal(text)
    if not _INT_MIN <= -exponent_of(number) <= _INT_MAX:
        raise ValueError(f"the scale of {text} is out of range")
    return number


def exponent_of(number: Decimal) -> int:
    """The exponent of a finite number: its scale, negated."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int), number
    return exponent


def to_float32(value: float) -> float:
    """`(float) value`, beyond its range infinite."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def decimal_to_float32(number: Decimal) -> float:
    """`BigDecimal.floatValue`: rounded once, where going by way of a double would round twice."""
    double = float(number)
    single = to_float32(double)
    if not math.isfinite(single) or single == double or number == Decimal(double):
        return single
    upward = Decimal(double) < number
    neighbour = float(np.nextafter(np.float32(single), np.float32(math.inf if upward else -math.inf)))
    is_halfway = math.isfinite(neighbour) and double - single == neighbour - double
    return neighbour if is_halfway else single


def float_to_integer(value: float, bits: int = 64) -> int:
    """`(long) value`, or `(int)` for 32 bits: towards zero, the nearest where it does not fit, 0 for NaN."""
    if math.isnan(value):
        return 0
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if math.isinf(value):
        return high if value > 0 else low
    return max(low, min(high, int(value)))


def decimal_to_long(number: Decimal) -> int:
    """`BigDecimal.longValue`: towards zero, of which the lowest 64 bits."""
    if not number or number.adjusted() < 0 or exponent_of(number) >= _EXPONENT_OF_64_ZERO_BITS:
        return 0
    return wrap(int(number), 64)
