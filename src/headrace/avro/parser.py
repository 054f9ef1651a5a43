"""Reads Avro schemas as Java's parser does, errors in its words. Sans-IO."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from headrace.avro.tree import NAMED, NO_DEFAULT, PRIMITIVES, Field, Node

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIELD_KEYS: Final = frozenset(("name", "type", "doc", "default", "order", "aliases"))
_TYPE_KEYS: Final = frozenset(
    ("type", "name", "namespace", "doc", "aliases", "fields", "symbols", "size", "items", "values")
)
_ORDERS: Final = ("ascending", "descending", "ignore")


class Parser:
    """Parses one schema after the other; each knows the names of those before it."""

    def __init__(self) -> None:
        self.names: dict[str, Node] = {}

    def parse(self, text: str) -> Node:
        """The tree of a text. Raises ValueError."""
        try:
            value = json.loads(text)
        except ValueError as error:
            # A bare name of a primitive type is no JSON, but Java's tools take it as a schema.
            if text.strip() in PRIMITIVES:
                return Node(text.strip())
            raise ValueError(f"it is no JSON: {error}") from error
        return self._node(value, "")

    def _node(self, value: Any, space: str) -> Node:
        if isinstance(value, str):
            return self._known(value, space)
        if isinstance(value, list):
            return self._union(value, space)
        if isinstance(value, dict):
            return self._object(value, space)
        raise ValueError(f"Schema not yet supported: {json.dumps(value)}")

    def _known(self, name: str, space: str) -> Node:
        if name in PRIMITIVES:
            return Node(name)
        full = name if "." in name or not space else f"{space}.{name}"
        found = self.names.get(full) or self.names.get(name)
        if found is None:
            raise ValueError(f'Undefined schema: "{full}": it is neither a type nor a name that is defined before')
        return found

    def _union(self, values: list[Any], space: str) -> Node:
        node = Node("union", branches=[self._node(value, space) for value in values])
        seen: set[str] = set()
        for branch in node.branches:
            if branch.kind == "union":
                raise ValueError(f"Nested union: {json.dumps(values)}")
            if branch.full_name in seen:
                raise ValueError(f"Duplicate in union:{branch.full_name}")
            seen.add(branch.full_name)
        return node

    def _object(self, value: Mapping[str, Any], space: str) -> Node:
        kind = value.get("type")
        if not isinstance(kind, str):
            raise ValueError(f"No type: {json.dumps(value)}")
        if kind in NAMED:
            return self._named(kind, value, space)
        if kind in PRIMITIVES:
            return Node(kind, properties=_properties(value))
        if kind in ("array", "map"):
            return self._container(kind, value, space)
        return self._known(kind, space)

    def _container(self, kind: str, value: Mapping[str, Any], space: str) -> Node:
        key, noun = ("items", "item") if kind == "array" else ("values", "value")
        if key not in value:
            raise ValueError(f"{kind.capitalize()} has no {noun}s type: {json.dumps(value)}")
        node = Node(kind, inner=self._node(value[key], space))
        node.properties = _properties(value)
        return node

    def _named(self, kind: str, value: Mapping[str, Any], space: str) -> Node:
        node = Node(kind, _full_name(value, space), doc=_text(value, "doc"))
        if node.name in self.names:
            raise ValueError(f"Can't redefine: {node.name}")
        if node.name in PRIMITIVES:
            raise ValueError(f"Schemas may not be named after primitives: {node.name}")
        self.names[node.name] = node
        node.aliases = [_qualified(alias, node.space) for alias in _texts(value, "aliases")]
        node.properties = _properties(value, "default" if kind == "enum" else "")
        match kind:
            case "enum":
                self._enum(node, value)
            case "fixed":
                self._fixed(node, value)
            case _:
                self._record(node, value)
        return node

    def _enum(self, node: Node, value: Mapping[str, Any]) -> None:
        if not isinstance(value.get("symbols"), list):
            raise ValueError(f"Enum has no symbols: {json.dumps(value)}")
        for symbol in _texts(value, "symbols"):
            if _checked_name(symbol) in node.symbols:
                raise ValueError(f"Duplicate enum symbol: {symbol}")
            node.symbols.append(symbol)
        node.enum_default = _text(value, "default")
        if node.enum_default is not None and node.enum_default not in node.symbols:
            raise ValueError(f"The Enum Default: {node.enum_default} is not in the enum symbol set: {node.symbols}")

    def _fixed(self, node: Node, value: Mapping[str, Any]) -> None:
        size = value.get("size")
        if type(size) is not int or size < 0:
            raise ValueError(f"Invalid or no size: {json.dumps(value)}")
        node.size = size

    def _record(self, node: Node, value: Mapping[str, Any]) -> None:
        if not isinstance(value.get("fields"), list):
            raise ValueError(f"Record has no fields: {json.dumps(value)}")
        for each in value["fields"]:
            made = self._field(each, node.space)
            if any(made.name == other.name for other in node.fields):
                raise ValueError(f"Duplicate field {made.name} in record {node.name}")
            node.fields.append(made)

    def _field(self, value: Any, space: str) -> Field:
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            raise ValueError(f"No field name: {json.dumps(value)}")
        name = _checked_name(value["name"])
        if "type" not in value:
            raise ValueError(f"No field type: {json.dumps(value)}")
        order = str(value.get("order", "ascending")).lower()
        if order not in _ORDERS:
            raise ValueError(f"Field {name} has the order {order}: it is one of {', '.join(_ORDERS)}")
        return Field(
            name,
            self._node(value["type"], space),
            doc=_text(value, "doc"),
            default=value.get("default", NO_DEFAULT),
            order=order,
            aliases=_texts(value, "aliases"),
            properties={key: each for key, each in value.items() if key not in _FIELD_KEYS},
        )


def _full_name(value: Mapping[str, Any], space: str) -> str:
    name = value.get("name")
    if not isinstance(name, str):
        raise ValueError(f"No name in schema: {json.dumps(value)}")
    own = value.get("namespace")
    full = _qualified(name, own if isinstance(own, str) else space)
    for part in full.split("."):
        _checked_name(part)
    return full


def _qualified(name: str, space: str) -> str:
    return name if "." in name or not space else f"{space}.{name}"


def _checked_name(name: str) -> str:
    if not name:
        raise ValueError("Empty name")
    if not _NAME.fullmatch(name):
        raise ValueError(f"Illegal {'initial ' if not _NAME.match(name) else ''}character in: {name}")
    return name


def _properties(value: Mapping[str, Any], *more: str) -> dict[str, Any]:
    return {key: each for key, each in value.items() if key not in _TYPE_KEYS and key not in more}


def _text(value: Mapping[str, Any], key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) else None


def _texts(value: Mapping[str, Any], key: str) -> list[str]:
    found = value.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"{key} not an array of names: {json.dumps(found)}")
    return list(found)
