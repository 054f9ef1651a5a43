"""Compatibility levels: which earlier versions a schema is held against, and in which direction. Sans-IO.

The texts are those of Confluent's SchemaValidatorBuilder.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headrace.registry.formats import ParsedSchema

_SHOWN_CHARACTERS: Final = 10 * 1024
CHECKED_TYPES: Final = ("AVRO",)
"""The types whose versions are held against each other; of others every version is let through."""


class Level(enum.Enum):
    """What a new version has to be compatible with."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"

    @property
    def transitive(self) -> bool:
        return self.value.endswith("_TRANSITIVE")

    @property
    def backward(self) -> bool:
        return self.value.startswith(("BACKWARD", "FULL"))

    @property
    def forward(self) -> bool:
        return self.value.startswith(("FORWARD", "FULL"))


@dataclass(frozen=True, slots=True)
class Previous:
    """An earlier version."""

    version: int
    kind: str
    schema: ParsedSchema


def differences(level: Level, kind: str, new: ParsedSchema, previous: Sequence[Previous]) -> list[str]:
    """Why a schema is not compatible with the earlier versions (the oldest first), at this level."""
    if level is Level.NONE:
        return []
    latest_first = list(reversed(previous))
    for old in latest_first if level.transitive else latest_first[:1]:
        found = _with_one(level, kind, new, old)
        if found:
            return [*found, f"{{validateFields: 'false', compatibility: '{level.value}'}}"]
    return []


def _with_one(level: Level, kind: str, new: ParsedSchema, old: Previous) -> list[str]:
    if kind != old.kind:
        return ["Incompatible because of different schema type"]
    found: list[str] = []
    if level.forward:
        found += [text % _words(text, "old", "new") for text in old.schema.incompatibilities(new)]
    if level.backward:
        found += [text % _words(text, "new", "old") for text in new.incompatibilities(old.schema)]
    return [*found, f"{{oldSchemaVersion: {old.version}}}", f"{{{_shown(old.schema)}}}"] if found else []


def _words(text: str, reader: str, writer: str) -> tuple[str, ...]:
    """As many as the text has room for."""
    return (reader, writer)[: text.replace("%%", "").count("%s")]


def _shown(schema: ParsedSchema) -> str:
    text = schema.canonical
    if len(text) <= _SHOWN_CHARACTERS:
        return f"oldSchema: '{text}'"
    return f"oldSchema: <truncated> '{text[:_SHOWN_CHARACTERS]}...'"
