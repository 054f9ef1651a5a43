"""Numbers from text as Java's classes read them."""

import math

import pytest

from headrace.connect.api.java.parse_numbers import parse_float32, parse_float64, parse_integer


@pytest.mark.parametrize(
    ("text", "bits", "number"),
    [("127", 8, 127), ("-128", 8, -128), ("+7", 16, 7), ("007", 32, 7), ("٣", 8, 3), ("-0", 64, 0)],
)
def test_integers_have_a_sign_and_digits_of_any_script(text: str, bits: int, number: int) -> None:
    assert parse_integer(text, bits) == number


@pytest.mark.parametrize(
    ("text", "bits"), [("128", 8), ("", 8), (" 1", 32), ("1_0", 32), ("0x1", 32), ("--1", 8), ("1.0", 8)]
)
def test_other_texts_are_no_integers(text: str, bits: int) -> None:
    with pytest.raises(ValueError):
        parse_integer(text, bits)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (" 1.5 ", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3d", 1000.0), ("2F", 2.0), ("0x1.8p1", 3.0),
        ("1e400", math.inf), ("1e-400", 0.0), ("-0x1p99999", -math.inf), ("-Infinity", -math.inf),
    ],
)  # fmt: skip
def test_floats_may_have_blanks_suffixes_and_hexadecimal_digits(text: str, number: float) -> None:
    assert parse_float64(text) == parse_float32(text) == number


def test_nan_has_one_spelling() -> None:
    assert math.isnan(parse_float64("+NaN"))
    for text in ("nan", "inf", "", "1e", ".", "1_0", "0x1", "1,5"):
        with pytest.raises(ValueError):
            parse_float64(text)


def test_a_float_is_rounded_once() -> None:
    # By way of a double it would be 16777216.0: first to the tie, then to even.
    assert parse_float32("16777217.0000000001") == 16777218.0
