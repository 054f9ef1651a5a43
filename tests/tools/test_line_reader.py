"""From lines to records."""

import pytest

from headrace.tools.command import Refusal
from headrace.tools.line_reader import LineReader, Record


def read(line: str, **properties: str) -> Record:
    return LineReader({key.replace("_", "."): value for key, value in properties.items()}).record(line, 1)


def test_a_line_is_a_value_without_a_key() -> None:
    assert read("hello\tworld") == Record(None, b"hello\tworld", [])
    assert read("") == Record(None, b"", [])


def test_a_key_ends_at_the_first_separator() -> None:
    assert read("k:v:w", parse_key="TRUE ", key_separator=":") == Record(b"k", b"v:w", [])


def test_headers_come_before_the_key() -> None:
    record = read("h1:v1,h2:v:2\tkey\tvalue", parse_headers="true", parse_key="true")
    assert record == Record(b"key", b"value", [("h1", b"v1"), ("h2", b"v:2")])


def test_the_null_marker_is_null_in_keys_values_and_headers() -> None:
    record = read("h:N\tN\tN", parse_headers="true", parse_key="true", null_marker="N")
    assert record == Record(None, None, [("h", None)])
    assert read("N\tk\tv", parse_headers="true", parse_key="true", null_marker="N") == Record(b"k", b"v", [])


def test_a_separator_of_headers_is_a_regular_expression() -> None:
    properties = {"parse.headers": "true", "headers.separator": "[;|]"}
    assert LineReader(properties).record("a:1;b:2|c:3\tv", 1).headers == [("a", b"1"), ("b", b"2"), ("c", b"3")]


def test_a_line_without_its_separator_is_refused_with_its_number() -> None:
    with pytest.raises(Refusal, match="No key separator found on line number 7: 'nokey'"):
        LineReader({"parse.key": "true"}).record("nokey", 7)
    with pytest.raises(Refusal, match="No header key separator found in pair 'h' on line number 1"):
        read("h\tv", parse_headers="true")


def test_a_line_without_its_separator_is_a_value_where_errors_are_ignored() -> None:
    assert read("nokey", parse_key="true", ignore_error="true") == Record(None, b"nokey", [])


def test_a_header_key_cannot_be_null() -> None:
    with pytest.raises(Refusal, match="Header keys should not be equal to the null marker 'N' as they can't be null"):
        read("N:1\tv", parse_headers="true", null_marker="N")


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({"headers.delimiter": ","}, "headers.delimiter and headers.separator may not be equal"),
        ({"headers.delimiter": ":"}, "headers.delimiter and headers.key.separator may not be equal"),
        ({"headers.separator": ":"}, "headers.separator and headers.key.separator may not be equal"),
        ({"key.separator": "X", "null.marker": "X"}, "null.marker and key.separator may not be equal"),
        ({"headers.separator": "X", "null.marker": "X"}, "null.marker and headers.separator may not be equal"),
    ],
)
def test_separators_that_cannot_be_told_apart_are_refused(properties: dict[str, str], sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        LineReader(properties)
    assert str(refused.value) == sentence


def test_bytes_that_are_no_utf8_are_sent_as_they_came() -> None:
    line = b"a\xff\tb\xfe".decode("utf-8", "surrogateescape")
    assert read(line, parse_key="true") == Record(b"a\xff", b"b\xfe", [])
