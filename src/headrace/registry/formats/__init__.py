"""The formats of schemas: what a text means, its canonical form, and whether two are the same or compatible.

Every format is a module with `parse`; sans-IO, and without state.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, Self

from headrace.registry.errors import InvalidSchema


class ParsedSchema(Protocol):
    """A schema that has been understood."""

    @property
    def canonical(self) -> str:
        """The text that is stored and compared."""

    def normalized(self) -> Self:
        """The same schema with the order of what has no meaning taken out."""

    def resolved(self) -> str:
        """The text with the schemas that it refers to written out, normalised: equal for schemas that mean the same."""

    def incompatibilities(self, writer: Any) -> list[str]:
        """Why a reader with this schema cannot read what was written with `writer`, as texts with two `%s`."""


def _avro(text: str, references: Mapping[str, str]) -> ParsedSchema:
    from headrace.registry.formats import avro

    return avro.parse(text, references)


def _json(text: str, references: Mapping[str, str]) -> ParsedSchema:
    from headrace.registry.formats import json_schema

    return json_schema.parse(text, references)


_FORMATS: Final[Mapping[str, Callable[[str, Mapping[str, str]], ParsedSchema]]] = {"AVRO": _avro, "JSON": _json}
TYPES: Final = tuple(_FORMATS)


def parse(kind: str, text: str, references: Mapping[str, str]) -> ParsedSchema:
    """Understand a text; `references` are the schemas that it uses, each after those that it uses itself, by name.

    Raises InvalidSchema that says what is wrong with it.
    """
    if kind not in _FORMATS:
        raise InvalidSchema(f"Invalid schema type {kind}: this registry has {' and '.join(TYPES)}")
    try:
        return _FORMATS[kind](text, references)
    except ValueError as error:
        used = f"[{', '.join(references)}]"
        raise InvalidSchema(f"Invalid schema {text} with refs {used} of type {kind}, details: {error}") from error
