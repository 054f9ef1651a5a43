"""Avro: a schema as a tree, printed as Java's Avro prints it, which is Confluent's canonical form.

`normalized` follows Confluent's AvroSchemaUtils: properties and aliases sorted, empty docs left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from headrace.avro.parser import Parser
from headrace.avro.printer import Printer
from headrace.avro.tree import Node, in_normal_form
from headrace.registry.formats import avro_resolution


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """An Avro schema; `known` are the full names that its references define."""

    root: Node
    known: frozenset[str]

    @property
    def canonical(self) -> str:
        return Printer(self.known).text(self.root)

    def normalized(self) -> Self:
        return type(self)(in_normal_form(self.root), self.known)

    def resolved(self) -> str:
        return Printer(frozenset()).text(in_normal_form(self.root))

    def incompatibilities(self, writer: Any) -> list[str]:
        try:
            found = avro_resolution.incompatibilities(self.root, writer.root)
        except ValueError as error:
            return [f"Unexpected exception during compatibility check: {error}".replace("%", "%%")]
        return [difference.text() for difference in found]


def parse(text: str, references: Mapping[str, str]) -> AvroSchema:
    """Understand a text. Raises ValueError that says what is wrong with it."""
    parser = Parser()
    for referenced in references.values():
        parser.parse(referenced)
    known = frozenset(parser.names)
    return AvroSchema(parser.parse(text), known)
