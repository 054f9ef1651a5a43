"""From a line of text to a record, as Kafka's LineMessageReader parses it. Sans-IO."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from headrace.tools.command import Refusal

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Record:
    """What is produced for a line."""

    key: bytes | None
    value: bytes | None
    headers: list[Header]


class LineReader:
    """Parses lines by `properties`: parse.key, key.separator, parse.headers, headers.*, ignore.error, null.marker."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        self._parse_key = _is_true(properties, "parse.key")
        self._parse_headers = _is_true(properties, "parse.headers")
        self._ignore_error = _is_true(properties, "ignore.error")
        self._key_separator = properties.get("key.separator", "\t")
        self._delimiter = properties.get("headers.delimiter", "\t")
        self._separator = properties.get("headers.separator", ",")
        self._header_separator = properties.get("headers.key.separator", ":")
        self._null = properties.get("null.marker")
        self._refuse_equal_separators()

    def record(self, line: str, number: int) -> Record:
        """The record of `line`, the `number`th from 1. Raises Refusal where a separator is missing."""
        headers, rest = self._cut(self._parse_headers, line, self._delimiter, ("headers delimiter", number, line))
        key, value = self._cut(self._parse_key, rest, self._key_separator, ("key separator", number, line))
        return Record(
            self._bytes(key),
            self._bytes(value),
            self._headers(headers, number) if headers not in (None, self._null) else [],
        )

    def _cut(self, wanted: bool, text: str, mark: str, where: tuple[str, int, str]) -> tuple[str | None, str]:
        before, found, after = text.partition(mark)
        if not wanted:
            return None, text
        if found:
            return before, after
        if self._ignore_error:
            return None, text
        name, number, line = where
        raise Refusal(f"No {name} found on line number {number}: '{line}'")

    def _headers(self, text: str | None, number: int) -> list[Header]:
        # Java's String.split drops what is empty at the end.
        pairs = re.split(self._separator, text or "")
        while len(pairs) > 1 and not pairs[-1]:
            pairs.pop()
        return [self._header(pair, number) for pair in pairs]

    def _header(self, pair: str, number: int) -> Header:
        key, found, value = pair.partition(self._header_separator)
        if not found:
            if self._ignore_error:
                return pair, None
            raise Refusal(f"No header key separator found in pair '{pair}' on line number {number}")
        if key == self._null:
            raise Refusal(f"Header keys should not be equal to the null marker '{key}' as they can't be null")
        return key, self._bytes(value)

    def _bytes(self, text: str | None) -> bytes | None:
        return None if text is None or text == self._null else text.encode("utf-8", "surrogateescape")

    def _refuse_equal_separators(self) -> None:
        marks = {
            "headers.delimiter": self._delimiter,
            "headers.separator": self._separator,
            "headers.key.separator": self._header_separator,
        }
        names = list(marks)
        for number, one in enumerate(names):
            for other in names[number + 1 :]:
                if marks[one] == marks[other]:
                    raise Refusal(f"{one} and {other} may not be equal")
        for name, mark in {"key.separator": self._key_separator, **marks}.items():
            if mark == self._null:
                raise Refusal(f"null.marker and {name} may not be equal")


def _is_true(properties: Mapping[str, str], key: str) -> bool:
    return properties.get(key, "").strip().lower() == "true"
