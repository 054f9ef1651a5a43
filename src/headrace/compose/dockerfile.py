"""Dockerfiles, as far as they tell what a build would be: FROM, ARG, ENV, COPY, CMD, ENTRYPOINT and plug-ins installed.

Sans-IO. Nothing is built: what RUN does beyond installing plug-ins is not looked at.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from headrace.compose.findings import did_you_mean
from headrace.compose.interpolation import InterpolationError, interpolate

_FIRST: Final = ("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL")
_INSTRUCTIONS: Final = frozenset(
    (*_FIRST, "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")
)
_INSTALLERS: Final = (("confluent-hub", "install"), ("confluent", "connect", "plugin", "install"))
_COMPONENT: Final = re.compile(r"[\w.-]+/([\w.-]+):([\w.-]+)")


class DockerfileError(ValueError):
    """A Dockerfile that cannot be read; `line` is where."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


@dataclass(slots=True)
class Stage:
    """A stage of a build: the image that it begins with, and what it adds. Names of plug-ins are without owner."""

    image: str
    environment: dict[str, str] = field(default_factory=dict)
    plugins: list[tuple[str, str]] = field(default_factory=list)
    copies: list[tuple[str, ...]] = field(default_factory=list)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


def read_dockerfile(text: str, arguments: Mapping[str, str], target: str = "") -> Stage:
    """The stage `target`, or the last one. Raises DockerfileError."""
    given: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for line, instruction, rest in instructions(text):
        if instruction == "ARG":
            name, _, value = rest.partition("=")
            given[name.strip()] = arguments.get(name.strip(), _fill(value.strip().strip("\"'"), given))
        elif instruction == "FROM":
            stage, name = _from(rest, given, stages)
            stages[name or str(len(stages))] = stage
        elif stage is None:
            raise DockerfileError(line, f"{instruction} comes before FROM: begin with FROM IMAGE")
        else:
            _apply(stage, instruction, rest, given)
    if stage is None:
        raise DockerfileError(1, "there is no FROM: begin with FROM IMAGE")
    if target and target.lower() not in stages:
        raise DockerfileError(1, f"there is no stage {target}{did_you_mean(target, stages) or ': correct target:'}")
    return stages[target.lower()] if target else stage


def instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, name and the rest of each instruction; continued lines are joined, comments within them left out."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        start, joined = number, ""
        while number < len(lines):
            line = lines[number].strip()
            number += 1
            if line.startswith("#") or (not line and joined):
                start = start if joined else number
                continue
            joined += line.removesuffix("\\") + " "
            if not line.endswith("\\"):
                break
        number, joined = _heredocs(lines, number, joined)
        name, _, rest = joined.strip().partition(" ")
        if name and name.upper() not in _INSTRUCTIONS:
            hint = did_you_mean(name.upper(), _INSTRUCTIONS) or ": correct it"
            raise DockerfileError(start + 1, f"{name} is no instruction{hint}")
        if name:
            yield start + 1, name.upper(), rest.strip()


def _heredocs(lines: list[str], number: int, joined: str) -> tuple[int, str]:
    """`RUN <<EOF`: the lines up to EOF belong to the instruction."""
    for word in re.findall(r"<<-?[\"']?(\w+)[\"']?", joined):
        while number < len(lines) and lines[number].strip() != word:
            joined += f"; {lines[number]}"
            number += 1
        number += 1
    return number, joined


def _from(rest: str, given: Mapping[str, str], stages: Mapping[str, Stage]) -> tuple[Stage, str]:
    parts = [part for part in rest.split() if not part.startswith("--")]
    image = _fill(parts[0], given) if parts else ""
    name = parts[2].lower() if len(parts) == 3 and parts[1].upper() == "AS" else ""
    base = stages.get(image.lower())
    if base is None:
        return Stage(image), name
    copied = Stage(base.image, dict(base.environment), list(base.plugins), list(base.copies))
    copied.entrypoint, copied.command = base.entrypoint, base.command
    return copied, name


def _apply(stage: Stage, instruction: str, rest: str, given: Mapping[str, str]) -> None:
    known = {**given, **stage.environment}
    match instruction:
        case "ENV":
            stage.environment.update(_environment(rest, known))
        case "RUN":
            stage.plugins += installed_plugins(_fill(rest, known))
        case "COPY" | "ADD":
            stage.copies.append(tuple(part for part in _exec_form(_fill(rest, known)) if not part.startswith("--")))
        case "CMD":
            stage.command = _exec_form(rest)
        case "ENTRYPOINT":
            stage.entrypoint = _exec_form(rest)


def _environment(rest: str, known: Mapping[str, str]) -> dict[str, str]:
    first = rest.split(maxsplit=1)
    if first and "=" not in first[0]:
        return {first[0]: _fill(first[1] if len(first) > 1 else "", known)}
    pairs = (word.partition("=") for word in _split(rest))
    return {name: _fill(value, known) for name, _, value in pairs}


def _exec_form(rest: str) -> tuple[str, ...]:
    try:
        found = json.loads(rest) if rest.startswith("[") else None
    except ValueError:
        found = None
    return tuple(str(word) for word in found) if isinstance(found, list) else tuple(_split(rest))


def installed_plugins(script: str) -> list[tuple[str, str]]:
    """Name and version of each plug-in that a shell script installs.

    >>> installed_plugins("a && confluent-hub install --no-prompt confluentinc/kafka-connect-jdbc:10.2.2")
    [('kafka-connect-jdbc', '10.2.2')]
    """
    found = []
    for command in re.split(r"&&|\|\||[;\n&|]", script):
        said = _split(command)
        at = [said.index(words[0]) for words in _INSTALLERS if _has(said, words)]
        for word in said[at[0] :] if at else ():
            match = _COMPONENT.fullmatch(word)
            if match:
                found.append((match.group(1), match.group(2)))
    return found


def _has(said: list[str], words: tuple[str, ...]) -> bool:
    return any(tuple(said[at : at + len(words)]) == words for at in range(len(said)))


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote of the shell's that goes on elsewhere
        return text.split()


def _fill(text: str, known: Mapping[str, str]) -> str:
    """A Dockerfile's variables; what is none is left as it is, since the shell has the last word."""
    try:
        return interpolate(text, known)
    except InterpolationError:
        return text
