"""Env files, `.env` and `env_file:`, as Docker Compose reads them.

Single quotes keep everything, double quotes and none let `${VAR}` be filled in; a value in quotes may go over lines.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from headrace.compose.interpolation import InterpolationError, interpolate

_KEY: Final = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.\-\[\]]*)[ \t]*(?:([=:])[ \t]*)?")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class EnvLine:
    """A variable of an env file; `value` is None where only its name is there: it comes from the shell."""

    name: str
    value: str | None
    line: int


class DotenvError(ValueError):
    """An env file that cannot be read; `line` is where."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def parse_env(text: str, variables: Mapping[str, str]) -> list[EnvLine]:
    """The variables of an env file, in order; those above and `variables` fill in those below.

    >>> [(line.name, line.value) for line in parse_env("A=1\\nB='$A'\\nC=${A}2 # two", {})]
    [('A', '1'), ('B', '$A'), ('C', '12')]
    """
    found: list[EnvLine] = []
    known = dict(variables)
    position, text = 0, text.replace("\r\n", "\n")
    while position < len(text):
        end = _end_of_line(text, position)
        if not text[position:end].strip() or text[position:end].lstrip().startswith("#"):
            position = end + 1
            continue
        line, position = _variable(text, position, known)
        found.append(line)
        if line.value is not None:
            known = {**known, line.name: variables.get(line.name, line.value)}
    return found


def parse_raw(text: str) -> list[EnvLine]:
    """An env file with `format: raw`: `NAME=value` a line, quotes and dollar signs kept."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.partition("=")
        if line.strip() and not line.lstrip().startswith("#"):
            found.append(EnvLine(name.strip(), value if equals else None, number))
    return found


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _variable(text: str, position: int, known: Mapping[str, str]) -> tuple[EnvLine, int]:
    number = text.count("\n", 0, position) + 1
    end = _end_of_line(text, position)
    match = _KEY.match(text, position, end)
    if match is None or (not match.group(2) and text[match.end() : end].split("#")[0].strip()):
        raise DotenvError(number, "this line is no variable: write NAME=value")
    name = match.group(1)
    if not match.group(2):
        return EnvLine(name, None, number), end + 1
    quote = text[match.end() : match.end() + 1]
    try:
        if quote and quote in "'\"":
            value, position = _quoted(text, match.end(), number, quote)
            value = value if quote == "'" else _unescape(interpolate(value, known))
        else:
            value, position = _bare(text[match.end() : end]), end
            value = interpolate(value, known)
    except InterpolationError as error:
        raise DotenvError(number, str(error)) from error
    return EnvLine(name, value, number), _end_of_line(text, position) + 1


def _quoted(text: str, start: int, number: int, quote: str) -> tuple[str, int]:
    position = start + 1
    while position < len(text):
        if text[position] == "\\" and quote == '"':
            position += 1
        elif text[position] == quote:
            return text[start + 1 : position], position
        position += 1
    raise DotenvError(number, f"the quote {quote} is not closed: close it at the end of the value")


def _bare(value: str) -> str:
    """A value without quotes ends at ` #`."""
    if value.startswith("#"):
        return ""
    return re.split(r"\s#", value, maxsplit=1)[0].strip()


def _unescape(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group()), value)
