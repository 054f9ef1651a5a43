"""One file's tree: checked key by key against the tables, and brought to one form, so that files can be merged.

Lists of `NAME=value` become mappings, as do the short forms of `build`, `depends_on`, `networks` and `extends`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from headrace.compose.findings import Findings, Place, did_you_mean
from headrace.compose.keys import CONDITIONS, ITEM_KEYS, NESTED_KEYS, SERVICE_KEYS, TOP_KEYS, Key, Shape
from headrace.compose.nodes import Entries, Items, Node, Scalar

_FORMS: Final[Mapping[Shape, tuple[type, ...]]] = {
    Shape.ONE: (Scalar,),
    Shape.LIST: (Items,),
    Shape.MAP: (Entries,),
    Shape.LIST_OR_MAP: (Items, Entries),
    Shape.ONE_OR_LIST: (Scalar, Items),
    Shape.ONE_OR_MAP: (Scalar, Entries),
    Shape.ANY: (Scalar, Items, Entries),
}


def check_file(root: Entries, findings: Findings) -> Entries:
    """The file in its one form; what cannot be read is found and left out."""
    values = _checked(root, TOP_KEYS, "", findings)
    services = values.get("services")
    if isinstance(services, Entries):
        formed = {}
        for name, service in services.values.items():
            if isinstance(service, Entries):
                formed[name] = check_service(name, service, findings)
            else:
                text = f"services.{name} needs {Shape.MAP.value}, such as `image:`; check how far they are indented."
                findings.fault(services.where(name), text)
        values["services"] = Entries(formed, services.place, services.keys, services.tag)
    return Entries(values, root.place, root.keys, root.tag)


def check_service(name: str, service: Entries, findings: Findings) -> Entries:
    """One service in its one form."""
    values = _checked(service, SERVICE_KEYS, f"services.{name}", findings)
    for key, value in list(values.items()):
        path = f"services.{name}.{key}"
        if isinstance(value, Entries) and key in NESTED_KEYS:
            _known_keys(value, NESTED_KEYS[key], path, findings)
        form = _NORMAL.get(key)
        if form is not None and not _is_null(value):
            values[key] = form(value, path, findings)
        _check_items(key, values[key], path, findings)
    return Entries(values, service.place, service.keys, service.tag)


def _checked(entries: Entries, table: Mapping[str, Key], path: str, findings: Findings) -> dict[str, Node]:
    """The values whose keys and shapes are right."""
    _known_keys(entries, table, path, findings)
    values = {}
    for key, value in entries.values.items():
        if key in table and (_is_null(value) or _fits(value, table[key].shape)):
            values[key] = value
        elif key in table:
            findings.fault(
                _line_of(entries, key, value), _misshapen(f"{path}.{key}".lstrip("."), key, value, table[key])
            )
    return values


def _known_keys(entries: Entries, known: Iterable[str], path: str, findings: Findings) -> None:
    table = list(known)
    for key in entries.values:
        if key not in table and not key.startswith("x-"):
            where = f"in {path}" if path else "at the top of a compose file"
            hint = did_you_mean(key, table)
            fix = f"{hint} Correct or remove it." if hint else ": remove it."
            findings.fault(entries.where(key), f"{key}: is no key {where}{fix}")


def _fits(value: Node, shape: Shape) -> bool:
    return isinstance(value, _FORMS[shape])


def _is_null(value: Node) -> bool:
    return isinstance(value, Scalar) and value.is_null


def _line_of(entries: Entries, key: str, value: Node) -> Place:
    return value.place if isinstance(value, Scalar) else entries.where(key)


def _misshapen(path: str, name: str, value: Node, key: Key) -> str:
    if isinstance(value, Scalar) and Items in _FORMS[key.shape]:
        said, dash = _without_value(value.text), value.plain and value.text.startswith("-")
        if dash:
            return f"{path}: {said} has no blank after its dash, so it is no list: write `- {said[1:]}`."
        return f"{path} needs {key.shape.value}, not {said!r}: write `- {said}` in a line below `{name}:`."
    found = {Scalar: "one value", Items: "a list", Entries: "a mapping"}[type(value)]
    return f"{path} needs {key.shape.value}, not {found}."


def _without_value(text: str) -> str:
    """The first word, without what may be a secret in NAME=value."""
    word = (text.split() or [""])[0]
    return f"{word.partition('=')[0]}=..." if "=" in word else word


def _named_values(value: Node, path: str, findings: Findings) -> Node:
    """`- NAME=value` lines as a mapping; a name alone has no value, which is null."""
    if isinstance(value, Entries):
        for key, item in value.values.items():
            if not isinstance(item, Scalar):
                findings.fault(value.where(key), f"{path}.{key} needs one value: write it in this line, in quotes.")
        return value
    values: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    for item in value.items if isinstance(value, Items) else ():
        if not isinstance(item, Scalar):
            findings.fault(item.place, f"{path}: write `- NAME=value`, or leave the dash out: `NAME: value`.")
            continue
        name, equals, text = item.text.partition("=")
        values[name] = Scalar(text, item.place, plain=not equals)
        keys[name] = item.place
    return Entries(values, value.place, keys, value.tag)


def _named_items(value: Node, path: str, findings: Findings) -> Node:
    """`- name` lines as a mapping of names to nothing: `depends_on` and `networks`."""
    if not isinstance(value, Items):
        return value
    values: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    for item in value.items:
        if isinstance(item, Scalar):
            values[item.text] = Scalar("", item.place)
            keys[item.text] = item.place
        else:
            findings.fault(item.place, f"{path}: write `- NAME`, or leave the dashes out for the long form.")
    return Entries(values, value.place, keys, value.tag)


def _under(name: str) -> Callable[[Node, str, Findings], Node]:
    """A short form that stands for one key of the long form."""

    def form(value: Node, path: str, findings: Findings) -> Node:
        if isinstance(value, Scalar):
            return Entries({name: value}, value.place, {name: value.place})
        return value

    return form


def _list(value: Node, path: str, findings: Findings) -> Node:
    return value if isinstance(value, Items) else Items((value,), value.place)


_NORMAL: Final[Mapping[str, Callable[[Node, str, Findings], Node]]] = {
    "environment": _named_values,
    "depends_on": _named_items,
    "networks": _named_items,
    "build": _under("context"),
    "extends": _under("service"),
    "env_file": _list,
}


def _check_items(key: str, value: Node, path: str, findings: Findings) -> None:
    """The keys of each item's long form."""
    if key not in ITEM_KEYS:
        return
    if isinstance(value, Entries):
        items = [(f"{path}.{name}", item) for name, item in value.values.items()]
    else:
        items = [(path, item) for item in value.items] if isinstance(value, Items) else []
    for where, item in items:
        if isinstance(item, Entries):
            _known_keys(item, ITEM_KEYS[key], where, findings)
        elif isinstance(item, Items):
            findings.fault(item.place, f"{where}: a list has no place here: take one dash away.")
        condition = item.get("condition") if isinstance(item, Entries) and key == "depends_on" else None
        if isinstance(condition, Scalar) and condition.text not in CONDITIONS:
            text = f"{where}: condition {condition.text} is none of {', '.join(CONDITIONS)}: write one of them."
            findings.fault(condition.place, text)
