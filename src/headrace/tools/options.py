"""Command lines as joptsimple reads them, which Kafka's tools are written with.

`--name value`, `--name=value` and `-name value` are one thing; a required argument takes the next word whatever it
looks like; an option may be given more than once, and only the one who asks for a single value minds; words that belong
to no option are passed over; nothing is abbreviated. Sans-IO.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DECLARED = Path(__file__).with_name("declared")
_RANGES = {"Integer": 31, "Long": 63}


class OptionError(ValueError):
    """A command line that cannot be read, in joptsimple's words."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option; `argument` is "required", "optional" or "" and `called` what the help calls its argument."""

    name: str
    description: str = ""
    argument: str = ""
    type: str = ""
    called: str = ""
    default: str | None = None
    hidden: bool = False


@dataclass(slots=True)
class Parsed:
    """The options that were given, with their arguments in order."""

    declared: dict[str, Option]
    given: dict[str, list[str]] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return name in self.given

    def values(self, name: str) -> list[str]:
        """Every argument that `name` was given; its default where there was none."""
        default = self.declared[name].default
        return self.given.get(name) or ([default] if default is not None else [])

    def value(self, name: str) -> str | None:
        """The one argument of `name`, its default, or None. Raises OptionError where there are several."""
        values = self.values(name)
        if len(values) > 1:
            raise OptionError(f"Found multiple arguments for option {name}, but you asked for only one")
        return _checked(self.declared[name], values[0]) if values else None

    def number(self, name: str) -> int | None:
        """`value` as the number that it is declared to be."""
        text = self.value(name)
        return None if text is None else int(text)


class OptionParser:
    """Reads command lines for one tool's options."""

    def __init__(self, options: Iterable[Option]) -> None:
        self.options = {option.name: option for option in options}

    def parse(self, words: Sequence[str]) -> Parsed:
        """Raises OptionError at the first word that is no option of ours, or that lacks its argument."""
        parsed = Parsed(self.options)
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--":
                break
            if looks_like_an_option(word):
                self._take(word, rest, parsed)
        return parsed

    def _take(self, word: str, rest: list[str], parsed: Parsed) -> None:
        name, equals, value = word.lstrip("-" if word.startswith("--") else "").removeprefix("-").partition("=")
        option = self.options.get(name)
        if option is None:
            # A single dash may carry a cluster of one-letter options, and no tool of Kafka's has any.
            unknown = name if word.startswith("--") else name[:1]
            raise OptionError(f"{unknown} is not a recognized option")
        arguments = parsed.given.setdefault(name, [])
        if not option.argument:
            return
        if equals:
            arguments.append(value)
        elif option.argument == "required":
            if not rest:
                raise OptionError(f"Option {name} requires an argument")
            arguments.append(rest.pop(0))
        elif rest and not looks_like_an_option(rest[0]):
            arguments.append(rest.pop(0))


def looks_like_an_option(word: str) -> bool:
    """Whether joptsimple takes `word` for an option; `-` alone is a word like any other."""
    return word.startswith("-") and word != "-"


def declared_options(tool: str) -> list[Option]:
    """The options of Kafka's own `tool`, from the file that lists them."""
    return [Option(**entry) for entry in json.loads((DECLARED / f"{tool}.json").read_text(encoding="utf-8"))]


def _checked(option: Option, text: str) -> str:
    bits = _RANGES.get(option.type)
    if bits is not None:
        try:
            if not -(2**bits) <= int(text) < 2**bits:
                raise ValueError
        except ValueError:
            raise OptionError(f"Cannot parse argument '{text}' of option {option.name}") from None
    return text
