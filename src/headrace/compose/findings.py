"""What reading finds: faults and notes, each with its place. One `Findings` goes through the whole of a reading."""

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.compose.plan import ComposeError, Fault, Note

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Source:
    """A file: the name that is shown of it, and the folder that its relative paths begin at."""

    label: str
    base: Path


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1; 0 is the file as a whole."""

    source: Source
    line: int = 0


@dataclass(slots=True)
class Findings:
    """Faults and notes in the order in which they were found. `unset` are variables without a value, by their place."""

    faults: list[tuple[Place, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unset: dict[Place, list[str]] = field(default_factory=dict)
    spoilt: set[Place] = field(default_factory=set)
    """Lines whose variables cannot be filled in: what else is wrong with them comes of that."""

    def fault(self, place: Place, text: str) -> None:
        """Something that cannot be run; `text` says what, and the fix. Said once, however often it is found."""
        if (place, text) not in self.faults and place not in self.spoilt:
            self.faults.append((place, text))

    def note(self, service: str, place: Place, text: str) -> None:
        """Something that the user should know of and need not change."""
        note = Note(service, text, place.line)
        if note not in self.notes:
            self.notes.append(note)

    def unset_variable(self, place: Place, name: str) -> None:
        """A variable that has no value and no default: blank, as in Docker, and named."""
        names = self.unset.setdefault(place, [])
        if name not in names:
            names.append(name)
            self.note("", place, f"{_no_value(name)} It is taken as blank, as Docker takes it.")

    def check(self) -> None:
        """Raises ComposeError with every fault found so far, by file and line."""
        if self.faults:
            order = {place.source.label: number for number, (place, _) in reversed(list(enumerate(self.faults)))}
            found = sorted(self.faults, key=lambda fault: (order[fault[0].source.label], fault[0].line))
            raise ComposeError(
                [Fault(place.source.label, place.line, self._text(place, text)) for place, text in found]
            )

    def _text(self, place: Place, text: str) -> str:
        return " ".join([text, *(_no_value(name) for name in self.unset.get(place, ()) if name not in text)])


def _no_value(name: str) -> str:
    return f"The variable {name} has no value: set it in the shell or in .env, or write ${{{name}:-default}}."


def did_you_mean(name: str, known: "Iterable[str]") -> str:
    """`; did you mean X?`, or nothing.

    >>> did_you_mean("port", ["ports", "image"])
    '; did you mean ports?'
    """
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def sentence(error: Exception) -> str:
    """An error's text as a sentence: a capital letter first, a full stop last.

    >>> sentence(ValueError("a $ here begins no variable"))
    'A $ here begins no variable.'
    """
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('?') else '.'}"
