"""How many generated cases of this test run were put to Java, and agreed."""

TARGET = 10_000
"""What all tests of this directory together put to Java at least."""

_counts = {"cases": 0, "equal texts": 0, "other texts": 0}


def add(cases: int) -> None:
    _counts["cases"] += cases


def add_equal_text(equal: bool) -> None:
    _counts["equal texts" if equal else "other texts"] += 1


def total() -> int:
    return _counts["cases"]


def summary() -> str:
    return f"oracle: {_counts['cases']:,} cases agree with Java's own classes"
