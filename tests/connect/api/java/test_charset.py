"""Bytes of texts as Java writes and reads them."""

import pytest

from headrace.connect.api.java.charset import decode, encode


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"\xed\xa0\x80", "\ufffd"),
        (b"\xed\xa0", "\ufffd"),
        (b"\xed\xa0a", "\ufffda"),
        (b"\xe2\x82a", "\ufffda"),
        (b"\xf5\x80\xff", "\ufffd" * 3),
        (b"\xef\xbb\xbfa", "\ufeffa"),
        ("é🐍".encode(), "é🐍"),
    ],
)
def test_bytes_that_are_no_text_are_marked_as_often_as_in_java(payload: bytes, text: str) -> None:
    assert decode(payload) == text


def test_utf_16_is_big_endian_where_no_mark_says_otherwise() -> None:
    assert encode("é", "utf-16") == b"\xfe\xff\0\xe9"
    assert encode("", "utf-16") == b""
    assert [decode(payload, "utf-16") for payload in (b"\0a", b"\xfe\xff\0a", b"\xff\xfea\0")] == ["a", "a", "a"]


def test_what_a_character_set_has_not_is_a_question_mark() -> None:
    assert encode("é€", "iso8859-1") == b"\xe9?"
    assert encode("\ud800", "utf-8") == b"?"
