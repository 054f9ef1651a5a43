"""What `/connector-plugins` lists: the entry points of this installation, none of them imported.

Plug-ins are listed under their Java class names, by which the world's config files call them.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Final

from headrace.connect.runtime.connector_requests import connector_type

_KINDS: Final = {
    "headrace.connectors": "",
    "headrace.converters": "converter",
    "headrace.header_converters": "header_converter",
    "headrace.transforms": "transformation",
    "headrace.predicates": "predicate",
}


def listed(*, connectors_only: bool) -> list[dict[str, str]]:
    """Class, type and version of each plug-in."""
    found = []
    for group, kind in _KINDS.items():
        if connectors_only and kind:
            continue
        points = sorted(entry_points(group=group), key=lambda point: point.name)
        found += [_described(point, kind) for point in points if _is_listed(point, points)]
    return found


def _is_listed(point: EntryPoint, points: list[EntryPoint]) -> bool:
    """A native name is listed where its class has no Java name."""
    return "." in point.name or not any("." in other.name and other.value == point.value for other in points)


def _described(point: EntryPoint, kind: str) -> dict[str, str]:
    version = point.dist.version if point.dist is not None else "undefined"
    return {"class": point.name, "type": kind or connector_type(point.name), "version": version}


def is_stage(plugin: str) -> bool:
    """Whether a path's plug-in (class, or last part of it) is a converter, transformation or predicate."""
    names = [point.name for group, kind in _KINDS.items() if kind for point in entry_points(group=group)]
    return any(plugin in (name, name.rpartition(".")[2]) for name in names)


def matches(class_name: str, plugin: str) -> bool:
    """Whether a path's plug-in (class, last part of it, or that without `Connector`) is this class."""
    return _short(class_name).endswith(_short(plugin))


def _short(name: str) -> str:
    return name.removesuffix("Connector") or name


def class_of(plugin: str) -> str:
    """The class that a path's plug-in names; itself where none does."""
    names = [point.name for point in entry_points(group="headrace.connectors")]
    if plugin in names:
        return plugin
    simple = [name for name in names if _short(name.rpartition(".")[2]) == _short(plugin)]
    return simple[0] if simple else plugin
