"""A later file over an earlier one, as `docker compose -f a -f b` merges them.

Both trees are in the form that `shape` gives. `!override` replaces where merging would be usual, `!reset` takes away.
"""

from collections.abc import Callable, Mapping
from typing import Final

from headrace.compose.keys import SERVICE_KEYS, TOP_KEYS, Key, Merge
from headrace.compose.nodes import Entries, Items, Node, Scalar
from headrace.compose.ports import port_identity


def merge_files(base: Entries, later: Entries) -> Entries:
    """Two files as one."""
    return _merge_by(base, later, TOP_KEYS, {"services": _merge_services})


def merge_services(base: Entries, later: Entries) -> Entries:
    """Two forms of one service as one: a later file's, or one that `extends` another."""
    return _merge_by(base, later, SERVICE_KEYS, {"build": _merge_deep})


def without_resets(node: Node) -> Node:
    """The tree without what `!reset` took away."""
    if isinstance(node, Entries):
        kept = {key: without_resets(value) for key, value in node.values.items() if value.tag != "!reset"}
        return Entries(kept, node.place, node.keys)
    if isinstance(node, Items):
        return Items(tuple(without_resets(item) for item in node.items if item.tag != "!reset"), node.place)
    return node


def _merge_services(base: Node, later: Node) -> Node:
    return _join(base, later, lambda _, one, two: _both(one, two, merge_services))


def _merge_by(base: Entries, later: Entries, table: Mapping[str, Key], special: Mapping[str, "Join"]) -> Entries:
    def pick(key: str, one: Node, two: Node) -> Node:
        if two.tag:
            return two
        if isinstance(two, Scalar) and two.is_null and not isinstance(one, Scalar):  # `ports:` with nothing below it
            return one
        if key in special:
            return special[key](one, two)
        return _RULES[table[key].merge](key, one, two) if key in table else two

    return _entries(base, later, pick)


Join = Callable[[Node, Node], Node]
Pick = Callable[[str, Node, Node], Node]


def _entries(base: Entries, later: Entries, pick: Pick) -> Entries:
    values = dict(base.values)
    for key, value in later.values.items():
        values[key] = pick(key, values[key], value) if key in values else value
    return Entries(values, base.place, {**base.keys, **later.keys}, later.tag)


def _join(base: Node, later: Node, pick: Pick) -> Node:
    if isinstance(base, Entries) and isinstance(later, Entries) and not later.tag:
        return _entries(base, later, pick)
    return later


def _both(base: Node, later: Node, merge: Callable[[Entries, Entries], Entries]) -> Node:
    if isinstance(base, Entries) and isinstance(later, Entries) and not later.tag:
        return merge(base, later)
    return later


def _merge_deep(base: Node, later: Node) -> Node:
    if isinstance(base, Items) and isinstance(later, Items) and not later.tag:
        return Items((*base.items, *later.items), later.place)
    return _join(base, later, lambda _, one, two: _merge_deep(one, two))


def _append(key: str, base: Node, later: Node) -> Node:
    """Both lists, where one item of each name is kept: the later one's."""
    if not (isinstance(base, Items) and isinstance(later, Items)):
        return later
    replaced = {_identity(key, item) for item in later.items}
    return Items((*(item for item in base.items if _identity(key, item) not in replaced), *later.items), later.place)


def _identity(key: str, item: Node) -> object:
    match key:
        case "volumes":
            return _mount_target(item)
        case "ports":
            return port_identity(item)
        case "env_file" if isinstance(item, Entries):
            path = item.get("path")
            return path.text if isinstance(path, Scalar) else ""
    return item.text if isinstance(item, Scalar) else id(item)


def _mount_target(item: Node) -> object:
    if isinstance(item, Entries):
        target = item.get("target")
        return target.text if isinstance(target, Scalar) else id(item)
    parts = item.text.split(":") if isinstance(item, Scalar) else [""]
    return parts[1] if len(parts) > 1 else parts[0]


def _by_name(key: str, base: Node, later: Node) -> Node:
    return _join(base, later, lambda _, __, two: two)


def _replace(key: str, base: Node, later: Node) -> Node:
    return later


_RULES: Final[Mapping[Merge, Pick]] = {
    Merge.REPLACE: _replace,
    Merge.APPEND: _append,
    Merge.BY_NAME: _by_name,
    Merge.DEEP: lambda _, base, later: _merge_deep(base, later),
}
