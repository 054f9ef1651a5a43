import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.connect.api.java.date_format import DateFormat, UnparseableError
from headrace.connect.transforms.date_columns import format_column, parse_column

NOW = dt.datetime(2026, 11, 22, 17, 30, tzinfo=dt.UTC)
TUTORIAL = "yyyy-MM-dd HH:mm:ss.S"


def ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


def millis(number: int) -> int:
    return ms("2026-11-22 17:30:55") + number


def parsed(pattern: str, text: str) -> int:
    return DateFormat(pattern, NOW).parse(text)


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (5, "5"), (50, "50"), (500, "500")])
def test_s_is_a_number_of_milliseconds_and_no_fraction(number: int, text: str) -> None:
    assert DateFormat(TUTORIAL, NOW).format(millis(number)) == f"2026-11-22 17:30:55.{text}"
    assert parsed(TUTORIAL, f"2026-11-22 17:30:55.{text}") == millis(number)


@pytest.mark.parametrize(
    ("pattern", "text", "same_as"),
    [
        (TUTORIAL, "2026-13-01 00:00:00.0", "2027-01-01 00:00:00"),
        (TUTORIAL, "2026-11-22 17:30:55.1500", "2026-11-22 17:30:56.5"),
        (TUTORIAL, "2026-1-2 3:4:5.6", "2026-01-02 03:04:05.006"),
        (TUTORIAL, "2026-00-00 00:00:00.0", "2025-11-30 00:00:00"),
        (TUTORIAL, "2026-11-22 17:30:55.5 and more", "2026-11-22 17:30:55.005"),
        (TUTORIAL, "2026- 1- 2  3:4:5.6", "2026-01-02 03:04:05.006"),
        ("yyyy-MM-dd'T'HH:mm:ss'Z'", "2026-11-22T17:30:55Z", "2026-11-22 17:30:55"),
        ("yyyyMMddHHmmss", "20261122173055", "2026-11-22 17:30:55"),
        ("dd/MM/yy", "22/11/26", "2026-11-22 00:00:00"),
        ("dd/MM/yy", "22/11/46", "2046-11-22 00:00:00"),
        ("dd/MM/yy", "23/11/46", "1946-11-23 00:00:00"),
        ("dd/MM/yy", "22/11/47", "1947-11-22 00:00:00"),
        ("dd/MM/yy", "22/11/2047", "2047-11-22 00:00:00"),
        ("EEE, d MMM yyyy HH:mm:ss Z", "Sun, 22 nov 2026 17:30:55 +0130", "2026-11-22 16:00:55"),
        ("d MMMM yyyy h:mm a", "22 November 2026 12:05 am", "2026-11-22 00:05:00"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2026-11-22T17:30:55-02:00", "2026-11-22 19:30:55"),
        ("HH:mm z", "12:00 GMT+1:00", "1970-01-01 11:00:00"),
        ("YYYY-'W'ww-u", "2026-W47-7", "2026-11-15 00:00:00"),
        ("yyyy-DDD", "2024-366", "2024-12-31 00:00:00"),
    ],
)
def test_parsing_is_lenient_as_javas_is(pattern: str, text: str, same_as: str) -> None:
    assert parsed(pattern, text) == ms(same_as)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (TUTORIAL, "2026-11-22"),
        (TUTORIAL, ""),
        (TUTORIAL, "2026/11/22 17:30:55.5"),
        (TUTORIAL, "yesterday"),
        ("d MMM yyyy", "22 xyz 2026"),
        ("HH:mm z", "12:00 Nowhere"),
        ("ssXXX", "10+01"),
        ("ssXXX", "10+24:00"),
    ],
)
def test_a_text_that_does_not_match_is_refused(pattern: str, text: str) -> None:
    with pytest.raises(UnparseableError):
        parsed(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("yyyy-MM-dd b", "Illegal pattern character 'b'"),
        ("yyyy 'open", "Unterminated quote"),
        ("XXXX", "invalid ISO 8601 format: length=4"),
    ],
)
def test_a_pattern_that_is_none_is_refused_in_javas_words(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DateFormat(pattern, NOW)


def test_days_before_the_gregorian_calendar_are_julian() -> None:
    date_format = DateFormat("yyyy-MM-dd G", NOW)
    first = date_format.parse("1582-10-15 AD")
    assert date_format.format(first - 1) == "1582-10-04 AD"
    assert date_format.parse("1582-10-04 AD") == first - 86_400_000
    assert date_format.format(date_format.parse("0044-03-15 BC")) == "0044-03-15 BC"


PATTERNS = [
    TUTORIAL, "yyyy-MM-dd HH:mm:ss.SSS", "yyyyMMddHHmmssSSS", "dd/MM/yyyy", "yyyy-M-d H:m:s", "EEE, d MMM yyyy KK:mm a",
    "MMMM yyyy", "S", "yyyy", "D u F E", "YYYY-ww", "H 'o''clock' k h", "yyyy-MM-dd'T'HH:mm:ss.SSSX", "G yy z Z",
    "'é' yyyy-MM-dd", "ss.S 'UTC'", "yyyy-MM-dd'1'HH", "W M y",
]  # fmt: skip
MOMENTS = st.integers(-62_167_219_200_000, 253_402_400_000_000) | st.integers(0, 2_000_000_000_000)


@settings(max_examples=100)
@given(st.sampled_from(PATTERNS), st.lists(st.none() | MOMENTS, max_size=5), st.integers(0, 2))
def test_columns_are_written_as_rows_are(pattern: str, moments: list[int | None], start: int) -> None:
    date_format = DateFormat(pattern, NOW)
    column = pa.array(moments, pa.int64())[start:]
    by_row = [None if moment is None else date_format.format(moment) for moment in moments[start:]]
    assert format_column(date_format, column).to_pylist() == by_row


@settings(max_examples=60)
@given(st.sampled_from(PATTERNS), MOMENTS, st.lists(st.none() | st.integers(0, 200_000), min_size=17, max_size=40))
def test_moments_of_a_few_minutes_are_written_as_rows_are(pattern: str, first: int, after: list[int | None]) -> None:
    date_format = DateFormat(pattern, NOW)
    moments = [None if each is None else first + each for each in after]
    by_row = [None if moment is None else date_format.format(moment) for moment in moments]
    assert format_column(date_format, pa.array(moments, pa.int64())).to_pylist() == by_row


def outcome(parse: Any) -> Any:
    try:
        return parse()
    except UnparseableError as error:
        return str(error)


@settings(max_examples=200)
@given(st.sampled_from(PATTERNS), st.data(), st.integers(0, 2))
def test_columns_are_read_as_rows_are(pattern: str, data: st.DataObject, start: int) -> None:
    date_format = DateFormat(pattern, NOW)
    written = MOMENTS.map(date_format.format)
    changed = st.tuples(written, st.integers(0, 25), st.text("0123456789 -:.TE\u0661", max_size=2)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]
    )
    texts = data.draw(st.lists(st.none() | written | changed, max_size=5))
    column = pa.array(texts, pa.string())[start:]
    by_row = outcome(lambda: [None if text is None else date_format.parse(text) for text in texts[start:]])
    assert outcome(lambda: parse_column(date_format, column).to_pylist()) == by_row
