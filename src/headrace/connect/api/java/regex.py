"""`java.util.regex.Pattern` and `Matcher.replaceFirst` by Python's `re`."""

import re
from dataclasses import dataclass
from typing import Final

from headrace.connect.api.java.regex_pattern import RegexError, Translator, unquoted

__all__ = ["JavaPattern", "RegexError", "Replacement", "parse_replacement"]


_NAME: Final = re.compile("[A-Za-z0-9]*")


class JavaPattern:
    """A compiled pattern. Raises RegexError."""

    def __init__(self, text: str) -> None:
        translator = Translator(unquoted(text))
        translated = translator.translate()
        self.text = text
        self.names = translator.names
        try:
            self._search = re.compile(translated, re.ASCII)
            self._whole = re.compile(f"(?:{translated})\\Z", re.ASCII)
        except (re.error, OverflowError) as error:
            raise RegexError(f"{error} (as Python's re puts it)") from None

    @property
    def groups(self) -> int:
        return self._search.groups

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        return self._whole.match(text) is not None

    def match_groups(self, text: str) -> tuple[str | None, ...] | None:
        """The groups of a match of the whole text, the whole one first."""
        found = self._whole.match(text)
        return None if found is None else (found[0], *found.groups())

    def replace_first(self, text: str, replacement: "Replacement") -> str:
        """As `Matcher.replaceFirst`: the first match, which may be shorter than the one of the whole text."""
        found = self._search.search(text)
        if found is None:
            return text
        made = "".join(part if isinstance(part, str) else found[part] or "" for part in replacement.parts)
        return text[: found.start()] + made + text[found.end() :]


@dataclass(frozen=True, slots=True)
class Replacement:
    """The texts and group numbers that make a replacement."""

    parts: tuple[str | int, ...]


def parse_replacement(text: str, pattern: JavaPattern) -> Replacement:
    """`$1` (as many digits as there are groups), `${name}`, `\\` before what stands for itself. Raises RegexError."""
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        if text[at] == "\\":
            if at + 1 == len(text):
                raise RegexError("character to be escaped is missing")
            parts.append(text[at + 1])
            at += 2
        elif text[at] == "$":
            group, at = _reference(text, at + 1, pattern)
            parts.append(group)
        else:
            parts.append(text[at])
            at += 1
    return Replacement(tuple(parts))


def _reference(text: str, at: int, pattern: JavaPattern) -> tuple[int, int]:
    """The group that stands after a `$`, and where the text goes on."""
    if at == len(text):
        raise RegexError("Illegal group reference: group index is missing")
    if text[at] == "{":
        return _named_reference(text, at + 1, pattern)
    if text[at] not in "0123456789":
        raise RegexError("Illegal group reference")
    group = int(text[at])
    if group > pattern.groups:
        raise RegexError(f"No group {group}")
    at += 1
    while at < len(text) and text[at] in "0123456789" and group * 10 + int(text[at]) <= pattern.groups:
        group, at = group * 10 + int(text[at]), at + 1
    return group, at


def _named_reference(text: str, at: int, pattern: JavaPattern) -> tuple[int, int]:
    found = _NAME.match(text, at)
    name = found[0] if found else ""
    end = at + len(name)
    if not name:
        raise RegexError("named capturing group has 0 length name")
    if end == len(text) or text[end] != "}":
        raise RegexError("named capturing group is missing trailing '}'")
    if name[0].isdigit():
        raise RegexError(f"capturing group name {{{name}}} starts with digit character")
    if name not in pattern.names:
        raise RegexError(f"No group with name {{{name}}}")
    return pattern.names[name], end + 1
