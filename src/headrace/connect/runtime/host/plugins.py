"""Plug-ins by name: entry points of this installation and of the directories that `plugin.path` lists.

A name is a native one (`jdbc-source`), a Java class name, or its last part as Kafka Connect allows
(`JdbcSourceConnector`, `JdbcSource`).
"""

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, TypeVar

from headrace.connect.api import ConfigError, Connector, Converter, HeaderConverter, Predicate, Transformation
from headrace.connect.transforms import unknown_transform

CONNECTORS: Final = "headrace.connectors"
CONVERTERS: Final = "headrace.converters"
HEADER_CONVERTERS: Final = "headrace.header_converters"
TRANSFORMS: Final = "headrace.transforms"
PREDICATES: Final = "headrace.predicates"
_GROUPS: Final = (CONNECTORS, CONVERTERS, TRANSFORMS, HEADER_CONVERTERS, PREDICATES)
Plugin = TypeVar("Plugin", Connector, Converter, HeaderConverter, Transformation, Predicate)


def add_plugin_path(paths: str | None) -> None:
    """Make the plug-ins of the directories of `plugin.path` known: each holds distributions as pip lays them out."""
    for path in filter(None, (part.strip() for part in (paths or "").split(","))):
        if path not in sys.path:
            sys.path.append(path)
    _points.cache_clear()
    java_name.cache_clear()


@cache
def _points(group: str) -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def connector_class(name: str) -> type[Connector]:
    """The connector class of that name. Raises ConfigError with what there is."""
    return _load(CONNECTORS, Connector, name, "connector.class")  # type: ignore[type-abstract]


def converter_class(name: str, key: str) -> type[Converter]:
    """The converter class that configuration `key` names. Raises ConfigError with what there is."""
    return _load(CONVERTERS, Converter, name, key)  # type: ignore[type-abstract]


def header_converter_class(name: str, key: str) -> type[HeaderConverter]:
    """The header converter class that configuration `key` names. Raises ConfigError with what there is."""
    return _load(HEADER_CONVERTERS, HeaderConverter, name, key)  # type: ignore[type-abstract]


def transform_class(name: str, key: str) -> type[Transformation]:
    """The transformation class that configuration `key` names. Raises ConfigError with what there is."""
    return _load(TRANSFORMS, Transformation, name, key)  # type: ignore[type-abstract]


def predicate_class(name: str, key: str) -> type[Predicate]:
    """The predicate class that configuration `key` names. Raises ConfigError with what there is."""
    return _load(PREDICATES, Predicate, name, key)  # type: ignore[type-abstract]


def stage_class(name: str) -> type[Converter | HeaderConverter | Transformation | Predicate]:
    """The class of that name that is no connector. Raises ConfigError."""
    bases: dict[str, Any] = {
        CONVERTERS: Converter,
        HEADER_CONVERTERS: HeaderConverter,
        TRANSFORMS: Transformation,
        PREDICATES: Predicate,
    }
    for group, base in bases.items():
        point = _find(group, name)
        if point is not None:
            return _loaded(point, base)
    raise ConfigError(f"Unknown plugin {name}.")


@cache
def java_name(plugin: type) -> str:
    """The Java class name under which a plug-in's class is known; without one, its own."""
    named = (name for group in _GROUPS for name, point in _points(group).items() if "." in name and _is(point, plugin))
    return next(named, f"{plugin.__module__}.{plugin.__qualname__}")


def _is(point: EntryPoint, plugin: type) -> bool:
    """Whether an entry point is this class; it may name the package that the class's module is in."""
    if point.attr != plugin.__qualname__ or not f"{plugin.__module__}.".startswith(f"{point.module}."):
        return False
    return point.load() is plugin


def _load(group: str, base: type[Plugin], name: str, key: str) -> type[Plugin]:
    point = _find(group, name)
    if point is None:
        raise ConfigError(_unknown(group, base.__name__, name, key))
    return _loaded(point, base)


def _find(group: str, name: str) -> EntryPoint | None:
    points = _points(group)
    if name in points:
        return points[name]
    for known, point in points.items():
        simple = known.rpartition(".")[2]
        if name in (simple, simple.removesuffix("Connector")):
            return point
    return None


def _loaded(point: EntryPoint, base: type[Plugin]) -> type[Plugin]:
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"The plug-in {point.name} cannot be loaded from {point.value}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ConfigError(f"The plug-in {point.name} ({point.value}) is not a {base.__name__}")
    return found


def _unknown(group: str, noun: str, name: str, key: str) -> str:
    """The words of Kafka Connect, then what was probably meant."""
    names = sorted(_points(group))
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else ""
    if name in _points({TRANSFORMS: PREDICATES, PREDICATES: TRANSFORMS}.get(group, group)):
        hint = f"; {name} does not implement the {noun} interface"
    if group == TRANSFORMS and "?" in (sentence := unknown_transform(name, names)):
        hint = f"; {sentence}"
    return (
        f"Failed to find any class that implements {noun} and which name matches {name} ({key}), "
        f"available {noun.lower()}s are: {', '.join(names)}{hint}"
    )


def list_plugins() -> list[dict[str, str]]:
    """Class, type and version of each plug-in, as `/connector-plugins` shows them."""
    found = []
    for name in sorted(_points(CONNECTORS)):
        try:
            plugin = connector_class(name)
        except ConfigError:
            continue
        found.append({"class": name, "type": plugin.connector_type, "version": plugin.version})
    for group, kind in (
        (CONVERTERS, "converter"),
        (HEADER_CONVERTERS, "header_converter"),
        (TRANSFORMS, "transformation"),
        (PREDICATES, "predicate"),
    ):
        found += [{"class": name, "type": kind} for name in sorted(_points(group))]
    return found
