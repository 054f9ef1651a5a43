"""Numbers parsed in words of eight characters against Python's own reading, and against JSON's grammar."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.connect.converters.json.digits import Numbers, floating_numbers, whole_numbers


def words(*texts: str) -> tuple[Any, Any]:
    """The first sixteen bytes of each text, as two columns of words."""
    data = b"".join(text.encode()[:16].ljust(16, b"\0") for text in texts)
    both = np.frombuffer(data, "<u8").reshape(-1, 2)
    return np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])


def values(found: Numbers | None) -> list[Any] | None:
    if found is None:
        return None
    nulls = [False] * len(found.values) if found.nulls is None else found.nulls.tolist()
    return [None if null else value for value, null in zip(found.values.tolist(), nulls, strict=True)]


INTEGERS = st.integers(-(10**15) + 1, 10**15 - 1) | st.integers(-120, 120) | st.none()


@settings(max_examples=300)
@given(st.lists(INTEGERS, min_size=1, max_size=9), st.sampled_from(",}"))
def test_integers_of_fifteen_characters_are_read_whatever_stands_behind_them(
    numbers: list[int | None], stop: str
) -> None:
    texts = [json.dumps(number) for number in numbers if len(str(number)) <= 15]
    numbers = [number for number in numbers if len(str(number)) <= 15]
    if not texts:
        return
    found = whole_numbers(*words(*(f'{text}{stop}"x":99,' for text in texts)), ord(stop))
    assert found is not None
    assert values(found) == numbers
    assert found.sizes.tolist() == list(map(len, texts))


SHORT_FLOATS = st.builds(
    lambda whole, places: f"{whole / 10**places:.{max(places, 1)}f}", st.integers(-(10**7), 10**7), st.integers(0, 7)
)


@settings(max_examples=300)
@given(st.lists(SHORT_FLOATS | st.sampled_from(["0", "-0", "-0.0", "12", "99999999", "null"]), min_size=1, max_size=9))
def test_short_floats_are_the_nearest_doubles(texts: list[str]) -> None:
    found = values(floating_numbers(*words(*(text + ',"x":1.5' for text in texts)), ord(",")))
    wanted = [json.loads(text) for text in texts]
    assert found is not None
    assert found == wanted
    for one, text in zip(found, texts, strict=True):
        assert one is None or math.copysign(1, one) == math.copysign(1, float(text))


@settings(max_examples=500)
@given(st.lists(st.text("0123456789.-+eEn ,", max_size=17), min_size=1, max_size=2))
def test_whatever_is_read_is_a_number_of_json(texts: list[str]) -> None:
    read = words(*(text + "," for text in texts))
    for found, kind in ((whole_numbers(*read, ord(",")), int), (floating_numbers(*read, ord(",")), (int, float))):
        if found is not None:
            parsed = [json.loads(text.partition(",")[0]) for text in texts]
            assert values(found) == parsed
            assert all(isinstance(number, kind) for number in parsed)


@pytest.mark.parametrize(
    "text",
    ["01", "-01", "00", "00.5", "-", "", ".5", "-.5", "5.", "1.2.3", "1e5", "1E5", "--1", "+1", "nul", "nulls", "0x1F",
     "12345678.", "1234567890123456", "0.12345678", "1.2345678", "12345678.2.5", "1234567.1234567.", "٣", "12a", "1/2"],
)  # fmt: skip
def test_what_is_no_number_or_too_long_is_left_to_a_parser_in_every_row(text: str) -> None:
    for rows in ([text], ["1", text], [text, "123456789"], ["-1", "null", text]):
        read = words(*(row + "," for row in rows))
        assert whole_numbers(*read, ord(",")) is None
        if text not in ("1.2345678", "0.12345678"):
            assert floating_numbers(*read, ord(",")) is None
