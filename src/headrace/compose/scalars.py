"""What a scalar means, and the text that a container would be given for it.

Docker reads YAML by go-yaml's rules: YAML 1.2, and octal numbers as in 1.1. A value without quotes that is a number is
given to the container as Go prints that number, so that `7.10` arrives as `7.1`.
"""

import math
import re
from decimal import Decimal
from typing import Final

from headrace.compose.nodes import Scalar

_BOOLEANS: Final = {text: form for form in ("true", "false") for text in (form, form.capitalize(), form.upper())}
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER: Final = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|[0-9]+)")


def container_text(scalar: Scalar) -> str:
    """The text that a container gets for this value; "" for null.

    >>> from headrace.compose.findings import Place, Source
    >>> from pathlib import Path
    >>> at = Place(Source("compose.yaml", Path()))
    >>> [container_text(Scalar(text, at)) for text in ("1", "7.10", "True", "yes", "22:22", "0123", "1_000")]
    ['1', '7.1', 'true', 'yes', '22:22', '83', '1000']
    """
    if not scalar.plain:
        return scalar.text
    if scalar.is_null:
        return ""
    text = scalar.text
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    bare = text.replace("_", "") if text[:1] in "+-.0123456789" else text
    integer = _integer(bare)
    if integer is not None:
        return str(integer)
    return _go_float(float(bare)) if _FLOAT.fullmatch(bare) else text


def _integer(text: str) -> int | None:
    match = _INTEGER.fullmatch(text)
    if match is None:
        return None
    sign, digits = match.groups()
    if digits[:1] == "0" and digits.isdigit() and len(digits) > 1:
        digits = f"0o{digits}"
    try:
        number = int(digits, 0)
    except ValueError:  # 0129: not octal, so a float
        return None
    number = -number if sign == "-" else number
    return number if -(2**63) <= number < 2**64 else None


def _go_float(number: float) -> str:
    """As Go's %v: the shortest digits, an exponent below 1e-4 and from 1e21."""
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    if number == 0 or 1e-4 <= abs(number) < 1e21:
        text = format(Decimal(repr(number)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = f"{Decimal(repr(number)).normalize():e}".partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].rjust(2, '0')}"
