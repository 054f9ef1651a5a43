"""`${VAR}` and its forms, as Docker Compose fills them in.

Sans-IO: the variables are handed in. `$$` is a dollar sign.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR: Final = re.compile(r":-|-|:\?|\?|:\+|\+")


class InterpolationError(ValueError):
    """A `$` that cannot be filled in; the text says what to write, and nothing of a value (invariant 7)."""


def interpolate(text: str, variables: Mapping[str, str], unset: Callable[[str], None] = lambda name: None) -> str:
    """`text` with its variables filled in; `unset` is called with the name of each that has neither value nor default.

    >>> interpolate("${A:-x} ${B-y} ${C:+z} $D $$E", {"B": "", "C": "c", "D": "d"})
    'x  z d $E'
    """
    parts = []
    position = 0
    while (dollar := text.find("$", position)) >= 0:
        parts.append(text[position:dollar])
        filled, position = _one(text, dollar + 1, variables, unset)
        parts.append(filled)
    return "".join([*parts, text[position:]])


def _one(text: str, start: int, variables: Mapping[str, str], unset: Callable[[str], None]) -> tuple[str, int]:
    """What stands for the `$` before `start`, and where the text goes on."""
    if text[start : start + 1] == "$":
        return "$", start + 1
    if text[start : start + 1] == "{":
        end = _closing(text, start)
        return _braced(text[start + 1 : end], variables, unset), end + 1
    name = _NAME.match(text, start)
    if name is None:
        raise InterpolationError("a $ here begins no variable: write $$ where a dollar sign is meant")
    return _value(name.group(), variables, unset), name.end()


def _closing(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise InterpolationError("a ${ here has no closing brace: add it, or write $$ where a dollar sign is meant")


def _braced(inner: str, variables: Mapping[str, str], unset: Callable[[str], None]) -> str:
    name = _NAME.match(inner)
    if name is None:
        raise InterpolationError("a ${} here names no variable: write ${NAME}, or $$ where a dollar sign is meant")
    if name.end() == len(inner):
        return _value(inner, variables, unset)
    operator = _OPERATOR.match(inner, name.end())
    if operator is None:
        raise InterpolationError(f"after ${{{name.group()} only :- - :? ? :+ + are known: write one of them")
    value = variables.get(name.group())
    present = bool(value) if operator.group().startswith(":") else value is not None
    rest = inner[operator.end() :]
    match operator.group()[-1]:
        case "-":
            return (value or "") if present else interpolate(rest, variables, unset)
        case "+":
            return interpolate(rest, variables, unset) if present else ""
    if not present:
        raise InterpolationError(_required(name.group(), interpolate(rest, variables, unset)))
    return value or ""


def _required(name: str, message: str) -> str:
    reason = f": {message}" if message else ""
    return f"the variable {name} is required{reason} (set {name} in the shell or in .env)"


def _value(name: str, variables: Mapping[str, str], unset: Callable[[str], None]) -> str:
    value = variables.get(name)
    if value is None:
        unset(name)
    return value or ""
