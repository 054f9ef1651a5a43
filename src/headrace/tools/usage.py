"""A tool's help in joptsimple's layout: two columns of 39 characters, broken where Java breaks lines. Sans-IO."""

import re
from collections.abc import Iterable
from itertools import zip_longest

from headrace.tools.options import Option

_COLUMN = 39
_GAP = "  "
_INDENT = "  "
# Java's line breaks: behind blanks, hyphens, commas and colons, and behind a dot that a letter follows.
_PIECE = re.compile(r"\S*?(?:-+(?=[^\s\d-])|\.(?=[A-Za-z])|:(?=\w)|,(?=[A-Za-z])|\s+|$)")


def usage(options: Iterable[Option]) -> str:
    """The lines that a tool prints for `--help` and below a refused command line."""
    shown = sorted((option for option in options if not option.hidden), key=lambda option: option.name)
    rows = [
        ("Option", "Description"),
        ("------", "-----------"),
        *((_left(option), _right(option)) for option in shown),
    ]
    lines = [line for row in rows for line in _lines(*row)]
    left, right = (max(len(line[side]) for line in lines) for side in (0, 1))
    return "".join(f"{option:{left}}{_GAP}{description:{right}}\n" for option, description in lines)


def _left(option: Option) -> str:
    parts = ": ".join(part for part in (option.type, option.called) if part)
    if option.argument == "required":
        return f"--{option.name} <{parts}>"
    return f"--{option.name} [{parts}]" if option.argument else f"--{option.name}"


def _right(option: Option) -> str:
    if option.default is None:
        return option.description
    return f"{option.description} (default: {option.default})".strip()


def _lines(*row: str) -> Iterable[tuple[str, str]]:
    left, right = ([line for part in text.split("\n") if part for line in _wrapped(part)] for text in row)
    return zip_longest(left, right, fillvalue="")


def _wrapped(text: str) -> list[str]:
    """`text` in lines of at most a column, the first not indented. A blank at an end counts, as in Java."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if len(lines[-1] + piece) > _COLUMN:
            lines[-1] = lines[-1].rstrip()
            lines.append(_INDENT)
        lines[-1] += piece
    return lines
