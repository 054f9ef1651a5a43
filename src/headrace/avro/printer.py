"""Prints Avro schemas as Java's Schema.toString does: compact, keys in its order, a known name by its name. Sans-IO."""

import json
from typing import Any

from headrace.avro.tree import NO_DEFAULT, PRIMITIVES, Field, Node


class Printer:
    """Prints one schema; `known` are full names that are not written out."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = set(known)

    def text(self, node: Node) -> str:
        return json.dumps(self._value(node, None), separators=(",", ":"), ensure_ascii=False)

    def _value(self, node: Node, space: str | None) -> Any:
        match node.kind:
            case "union":
                return [self._value(branch, space) for branch in node.branches]
            case "array" | "map":
                assert node.inner is not None
                inner = {"items" if node.kind == "array" else "values": self._value(node.inner, space)}
                return {"type": node.kind, **inner, **node.properties}
            case kind if kind in PRIMITIVES:
                return {"type": kind, **node.properties} if node.properties else kind
            case _:
                return self._named(node, space)

    def _named(self, node: Node, space: str | None) -> Any:
        if node.name in self._known:
            return _shortened(node.name, space)
        self._known.add(node.name)
        shown: dict[str, Any] = {"type": node.kind, "name": node.simple_name}
        if node.space != (space or ""):
            shown["namespace"] = node.space
        if node.doc is not None:
            shown["doc"] = node.doc
        shown |= self._own(node) | node.properties
        if node.aliases:
            shown["aliases"] = [_shortened(alias, node.space) for alias in node.aliases]
        return shown

    def _own(self, node: Node) -> dict[str, Any]:
        match node.kind:
            case "fixed":
                return {"size": node.size}
            case "enum":
                default = {} if node.enum_default is None else {"default": node.enum_default}
                return {"symbols": node.symbols, **default}
            case _:
                return {"fields": [self._field(each, node.space) for each in node.fields]}

    def _field(self, each: Field, space: str) -> dict[str, Any]:
        shown: dict[str, Any] = {"name": each.name, "type": self._value(each.type, space)}
        if each.doc is not None:
            shown["doc"] = each.doc
        if each.default is not NO_DEFAULT:
            shown["default"] = each.default
        if each.order != "ascending":
            shown["order"] = each.order
        if each.aliases:
            shown["aliases"] = each.aliases
        return {**shown, **each.properties}


def _shortened(name: str, space: str | None) -> str:
    """A full name as it is written in a namespace; in full where the rest of it would be a type of Avro's."""
    own, _, simple = name.rpartition(".")
    if own and own == space and simple not in (*PRIMITIVES, "record", "enum", "array", "map", "union", "fixed"):
        return simple
    return name
