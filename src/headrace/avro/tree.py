"""The tree of an Avro schema. Sans-IO. A name that is used again is the same node again, so trees may have cycles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

PRIMITIVES: Final = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
NAMED: Final = ("record", "error", "enum", "fixed")
NO_DEFAULT: Final = object()


@dataclass(eq=False, slots=True)
class Field:
    """A field of a record; names of aliases are as written, for they are in no namespace."""

    name: str
    type: "Node"
    doc: str | None = None
    default: Any = NO_DEFAULT
    order: str = "ascending"
    aliases: list[str] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Node:
    """A type; of the fields below those that its kind has are set."""

    kind: str
    name: str = ""
    """Full name of a named type."""
    doc: str | None = None
    aliases: list[str] = field(default_factory=list)
    """Full names."""
    fields: list[Field] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    enum_default: str | None = None
    size: int = 0
    inner: "Node | None" = None
    """Of an array's items, of a map's values."""
    branches: "list[Node]" = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def space(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def simple_name(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def full_name(self) -> str:
        """The name of a named type, the kind of another, as Java's getFullName."""
        return self.name or self.kind


def in_normal_form(node: Node) -> Node:
    """A copy in Confluent's normal form."""
    return _Normal().of(node)


class _Normal:
    def __init__(self) -> None:
        self._done: dict[int, Node] = {}

    def of(self, node: Node) -> Node:
        if id(node) in self._done:
            return self._done[id(node)]
        made = self._done[id(node)] = Node(
            node.kind,
            node.name,
            doc=node.doc or None,
            aliases=sorted(node.aliases),
            symbols=node.symbols,
            enum_default=node.enum_default,
            size=node.size,
            properties=_sorted_properties(node.properties),
        )
        made.inner = self.of(node.inner) if node.inner is not None else None
        made.branches = [self.of(branch) for branch in node.branches]
        made.fields = [self._field(each) for each in node.fields]
        return made

    def _field(self, each: Field) -> Field:
        properties = {name: each.properties[name] for name in sorted(each.properties)}
        default = each.default if each.default is NO_DEFAULT else _sorted(each.default)
        return Field(each.name, self.of(each.type), each.doc, default, each.order, sorted(each.aliases), properties)


def _sorted_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a logical type first, the rest by name."""
    logical = {"logicalType": 0, "precision": 1, "scale": 2} if "logicalType" in properties else {}
    names = sorted(properties, key=lambda name: (logical.get(name, 3), name))
    return {name: _sorted(properties[name]) for name in names if not (name == "scale" and properties[name] == 0)}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return value
