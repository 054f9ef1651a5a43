"""Java's properties files, and the environment names of the container images.

Sans-IO but for `read_properties`, which reads the file it is given.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from headrace.config.definition import ConfigError

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def read_properties(path: str | Path) -> dict[str, str]:
    """The keys and values of a properties file. Raises ConfigError that names the file where it cannot be read."""
    try:
        return parse_properties(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the properties file {path}: {error}") from error


def parse_properties(text: str) -> dict[str, str]:
    r"""Parse the format of `java.util.Properties`: `=`, `:` or blank as separator, `\` escapes and continued lines.

    >>> parse_properties("a=1\n# note\nb : two \\\n   words")
    {'a': '1', 'b': 'two words'}
    """
    result: dict[str, str] = {}
    for line in _logical_lines(text.splitlines()):
        key, value = _split(line)
        result[key] = value
    return result


def _logical_lines(lines: Iterable[str]) -> Iterable[str]:
    pending = ""
    for raw in lines:
        line = raw.lstrip(" \t\f")
        if not pending and (not line or line[0] in "#!"):
            continue
        trailing = len(line) - len(line.rstrip("\\"))
        if trailing % 2:
            pending += line[:-1]
            continue
        yield pending + line
        pending = ""
    if pending:
        yield pending


def _split(line: str) -> tuple[str, str]:
    end = 0
    while end < len(line) and line[end] not in "=: \t\f":
        end += 2 if line[end] == "\\" else 1
    separator = re.match(r"[ \t\f]*[=:]?[ \t\f]*", line[end:])
    start = end + (separator.end() if separator else 0)
    return _unescape(line[:end]), _unescape(line[start:])


def _unescape(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] == "u" and len(code) == 5:
            return chr(int(code[1:], 16))
        return _ESCAPES.get(code, code)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", character, text)


def from_environment(prefix: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The properties that variables such as CONNECT_GROUP_ID give, named as the container images map them.

    `_` is `.`, `__` is `-`, `___` is `_`; `prefix` is given without its underscore.

    >>> from_environment("CONNECT", {"CONNECT_GROUP_ID": "g", "CONNECT_A__B___C": "1", "PATH": "/bin"})
    {'group.id': 'g', 'a-b_c': '1'}
    """
    start = prefix + "_"
    names = {"_": ".", "__": "-", "___": "_"}
    return {
        re.sub("_{1,3}", lambda match: names[match.group()], name[len(start) :]).lower(): value
        for name, value in environment.items()
        if name.startswith(start)
    }
