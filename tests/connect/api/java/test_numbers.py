"""Java's numbers as text and back."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.connect.api.java.numbers import (
    decimal_text,
    decimal_to_float32,
    decimal_to_long,
    float32_text,
    float64_text,
    float_to_integer,
    parse_decimal,
    to_float32,
    wrap,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"), (-0.0, "-0.0"), (1e-3, "0.001"), (9.99e-4, "9.99E-4"), (1e7, "1.0E7"), (9999999.0, "9999999.0"),
        (123456.789, "123456.789"), (1.5e300, "1.5E300"), (5e-324, "4.9E-324"), (1e-323, "9.9E-324"),
        (math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (-2.5e-10, "-2.5E-10"),
    ],
)  # fmt: skip
def test_a_double_has_javas_text(value: float, text: str) -> None:
    assert float64_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"), (16777216.0, "1.6777216E7"),
        (1e10, "1.0E10"), (1.4e-45, "1.4E-45"), (3.4028235e38, "3.4028235E38"),
        (-0.0, "-0.0"), (math.inf, "Infinity"),
    ],
)  # fmt: skip
def test_a_float_has_javas_text(value: float, text: str) -> None:
    assert float32_text(to_float32(value)) == text


def test_a_number_that_no_float_holds_prints_as_a_double() -> None:
    assert float32_text(0.1) == "0.1"
    assert float32_text(1e39) == "1.0E39"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_texts_of_doubles_read_back(value: float) -> None:
    assert float(float64_text(value)) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_texts_of_floats_read_back(value: float) -> None:
    assert float(np.float32(float32_text(value))) == value


@pytest.mark.parametrize("text", ["5", "+5", "-0", "1.", ".5", "1e5", "1E-5", "١٢", "1e2147483647", "00.10"])
def test_numbers_are_read(text: str) -> None:
    assert parse_decimal(text) == Decimal(text)


@pytest.mark.parametrize(
    "text", ["", "-", ".", "1_0", "0x1", "1e", "NaN", "Infinity", " 1", "1 ", "1e2147483648", "1.5e-2147483648", "1d"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_decimal(text)


def test_a_decimal_has_no_negative_zero() -> None:
    assert decimal_text(Decimal("-0.00")) == "0.00"
    assert decimal_text(Decimal("1E+400")) == "1E+400"


def test_narrowing_keeps_the_lowest_bits() -> None:
    assert [wrap(128, 8), wrap(-129, 8), wrap(2**40 + 1, 16), wrap(2**63, 64)] == [-128, 127, 1, -(2**63)]


def test_floats_become_the_nearest_integer_towards_zero() -> None:
    assert [float_to_integer(each) for each in (-3.99, 1e300, -math.inf, math.nan)] == [-3, 2**63 - 1, -(2**63), 0]
    assert float_to_integer(1e10, 32) == 2**31 - 1


def test_a_decimals_lowest_bits_are_found_without_writing_all_its_digits() -> None:
    assert decimal_to_long(Decimal("1E999999999")) == 0
    assert decimal_to_long(Decimal("-1E-999999999")) == 0
    assert decimal_to_long(Decimal("99999999999999999999.9")) == wrap(99999999999999999999, 64)


def test_a_float_is_rounded_once() -> None:
    """By way of a double, 1.00000005960464477540 would become 1.0: a tie there, and none."""
    assert decimal_to_float32(Decimal("1.00000005960464477540")) == float(np.nextafter(np.float32(1), np.float32(2)))
    assert decimal_to_float32(Decimal("1.00000005960464477539")) == 1.0
    assert decimal_to_float32(Decimal("1E39")) == math.inf
