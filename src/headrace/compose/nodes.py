"""YAML as a tree whose every node knows its line: merge keys resolved, keys that are there twice named.

Scalars keep the text that was written: what it means is YAML 1.2's (`scalars`), so that `22:22`, `yes` and `on` stay
text, as for Docker, while PyYAML's own rules are YAML 1.1's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import yaml

from headrace.compose.findings import Findings, Place, Source

_LIMIT: Final = 100_000
"""Nodes of a file with aliases followed: a few lines of aliases can ask for any number."""

_REPEATABLE: Final = frozenset({"version", "services", "volumes", "networks"})
"""Keys that begin a new fragment where they come again at the top of a file: tutorials print a file in such pieces."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as written; `plain` where it was without quotes, so that it may be null, a number or a boolean."""

    text: str
    place: Place
    plain: bool = True
    tag: str = ""

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Node", ...]
    place: Place
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping; `keys` are the places of its keys."""

    values: Mapping[str, "Node"]
    place: Place
    keys: Mapping[str, Place] = field(default_factory=dict)
    tag: str = ""

    def where(self, key: str) -> Place:
        """The line of `key`, or of the mapping where it is not there."""
        return self.keys.get(key, self.place)

    def get(self, key: str) -> "Node | None":
        """The value of `key`; None where it is missing or null."""
        value = self.values.get(key)
        return None if isinstance(value, Scalar) and value.is_null else value


Node = Scalar | Items | Entries


def parse(text: str, source: Source, findings: Findings) -> list[Entries]:
    """The fragments of a file, in their order; nothing where it is empty or broken, which is then found.

    A fragment is a document (`---`), or begins where `services:` or `version:` comes again.
    """
    try:
        roots = list(yaml.compose_all(text, Loader=yaml.BaseLoader))
    except yaml.MarkedYAMLError as error:
        findings.fault(*_broken(error, text, source))
        return []
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        findings.fault(Place(source, line), "A character that cannot be seen has no place in YAML: remove it.")
        return []
    tree = _Tree(source, findings)
    return [entries for root in roots for entries in tree.fragments(root)]


class _Tree:
    """PyYAML's nodes to ours."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self._open: set[int] = set()
        self._count = 0

    def fragments(self, root: yaml.Node) -> list[Entries]:
        if not isinstance(root, yaml.MappingNode):
            if not (isinstance(root, yaml.ScalarNode) and not root.value):
                self._findings.fault(self._place(root), "A compose file is a mapping: it begins with `services:`.")
            return []
        pieces: list[list[tuple[yaml.Node, yaml.Node]]] = [[]]
        for key, value in root.value:
            if key.value in _REPEATABLE and key.value in [other.value for other, _ in pieces[-1]]:
                pieces.append([])
            pieces[-1].append((key, value))
        for piece in pieces[1:]:
            place = self._place(piece[0][0])
            text = f"{piece[0][0].value}: is here again: read as a fragment of its own and merged; Docker refuses it."
            self._findings.note("", place, text)
        return [self._entries(root, piece) for piece in pieces]

    def node(self, node: yaml.Node) -> Node:
        place = self._place(node)
        self._count += 1
        if id(node) in self._open or self._count > _LIMIT:
            self._findings.fault(
                place, "An alias holds itself, or aliases grow beyond all bounds: write the values out."
            )
            return Scalar("", place)
        if isinstance(node, yaml.ScalarNode):
            return Scalar(self._text(node), place, plain=node.style is None, tag=_tag(node))
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._entries(node, node.value)
            return Items(tuple(self.node(item) for item in node.value), place, _tag(node))
        finally:
            self._open.discard(id(node))

    def _text(self, node: yaml.ScalarNode) -> str:
        """The text, unless an escape makes it one that no file name and no variable can have."""
        text = str(node.value)
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            self._findings.fault(self._place(node), "An escape in these quotes is no character: remove it.")
            return "faulty"
        return text

    def _entries(self, node: yaml.Node, pairs: list[tuple[yaml.Node, yaml.Node]]) -> Entries:
        own: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        merged: list[Entries] = []
        for key, value in pairs:
            if not isinstance(key, yaml.ScalarNode):
                self._findings.fault(self._place(key), "A key must be text: quote it, or mend the braces.")
            elif key.value == "<<" and key.style is None:  # a quoted one is a name
                merged += self._merged(value)
            elif (name := self._text(key)) in own:
                text = f"{key.value} is here twice, first in line {keys[name].line}: leave one of them out."
                self._findings.fault(self._place(key), text)
            else:
                keys[name] = self._place(key)
                own[name] = self.node(value)
        for entries in merged:
            keys = {**entries.keys, **keys}
            own = {**entries.values, **own}
        return Entries(own, self._place(pairs[0][0] if pairs else node), keys, _tag(node))

    def _merged(self, value: yaml.Node) -> Iterator[Entries]:
        """The mappings of `<<: *a` and `<<: [*a, *b]`; the first wins."""
        for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            found = self.node(part)
            if isinstance(found, Entries):
                yield found
            else:
                self._findings.fault(
                    self._place(value), "<<: takes a mapping: name the anchor of one, as in <<: *common."
                )

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._source, node.start_mark.line + 1)


def _tag(node: yaml.Node) -> str:
    """Compose's own tags, `!reset` and `!override`."""
    return node.tag if node.tag in ("!reset", "!override") else ""


def _broken(error: yaml.MarkedYAMLError, text: str, source: Source) -> tuple[Place, str]:
    mark = error.problem_mark or error.context_mark
    number = mark.line if mark else 0
    lines = text.splitlines()
    line = lines[number] if number < len(lines) else ""
    problem = str(error.problem or error.context or error)
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in problem:
        return Place(
            source, number + 1
        ), "A tab indents this line: YAML takes blanks alone, so put blanks in its place."
    return Place(source, number + 1), f"This is not YAML ({problem}): {_fix(problem)}"


def _fix(problem: str) -> str:
    if "mapping values are not allowed" in problem:
        return "the colon here has no place: check how far this line is indented, or quote the value."
    if "expected ':'" in problem:
        return "a key ends with a colon and a blank: write `key: value`."
    if "block end" in problem:
        return "this line is not indented as those above that it belongs with: line them up."
    if "undefined alias" in problem:
        return "write the anchor (&name) before the alias (*name)."
    if "cannot start any token" in problem:
        return "quote the value."
    return "mend this line or the one above."


def items_of(node: Node | None) -> tuple[Node, ...]:
    """The items of a list; none of anything else."""
    return node.items if isinstance(node, Items) else ()


def pairs_of(node: Node | None) -> list[tuple[str, Place, Node]]:
    """Key, its place and value of a mapping; none of anything else."""
    return [(key, node.where(key), value) for key, value in node.values.items()] if isinstance(node, Entries) else []


def names_of(node: Node | None) -> frozenset[str]:
    """The keys of a mapping; none of anything else."""
    return frozenset(node.values) if isinstance(node, Entries) else frozenset()
