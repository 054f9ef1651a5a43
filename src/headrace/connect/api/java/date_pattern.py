"""Patterns of `java.text.SimpleDateFormat`: letters, how often each is repeated, and texts between them."""

from dataclasses import dataclass
from typing import Final

LETTERS: Final = "GyMdkHmsSEDFwWahKzZYuXL"
NUMBERS: Final = "yYdkHmsSDFwWhKu"
"""Letters that are always written as a number; M and L are where they are repeated at most twice."""


@dataclass(frozen=True, slots=True)
class Literal:
    text: str


@dataclass(frozen=True, slots=True)
class Element:
    """A run of one pattern letter."""

    letter: str
    count: int

    @property
    def is_number(self) -> bool:
        return self.letter in NUMBERS or (self.letter in "ML" and self.count <= 2)


def parse_pattern(pattern: str) -> tuple[Literal | Element, ...]:
    """The parts of a pattern. Raises ValueError in Java's words.

    >>> parse_pattern("yyyy'T'")
    (Element(letter='y', count=4), Literal(text='T'))
    """
    parts: list[Literal | Element] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "'":
            text, position = _quoted(pattern, position)
            parts.append(Literal(text))
        elif character.isascii() and character.isalpha():
            if character not in LETTERS:
                raise ValueError(f"Illegal pattern character '{character}'")
            end = position
            while end < len(pattern) and pattern[end] == character:
                end += 1
            parts.append(Element(character, end - position))
            position = end
        else:
            parts.append(Literal(character))
            position += 1
    return _merged(parts)


def _quoted(pattern: str, start: int) -> tuple[str, int]:
    """The text that a quote at `start` opens, and where the pattern goes on; two quotes stand for one."""
    if pattern.startswith("''", start):
        return "'", start + 2
    text, position = "", start + 1
    while position < len(pattern):
        if pattern.startswith("''", position):
            text, position = text + "'", position + 2
        elif pattern[position] == "'":
            return text, position + 1
        else:
            text, position = text + pattern[position], position + 1
    raise ValueError("Unterminated quote")


def _merged(parts: list[Literal | Element]) -> tuple[Literal | Element, ...]:
    merged: list[Literal | Element] = []
    for part in parts:
        if isinstance(part, Literal) and merged and isinstance(merged[-1], Literal):
            merged[-1] = Literal(merged[-1].text + part.text)
        else:
            merged.append(part)
    return tuple(merged)
