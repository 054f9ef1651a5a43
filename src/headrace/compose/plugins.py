"""Plug-ins that images install from the Confluent Hub, and what does their work here.

What we have is asked of this installation's entry points, so that a plug-in that is added is matched by itself.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Final

from headrace.compose.plan import PluginNote

_GROUPS: Final = ("headrace.connectors", "headrace.converters", "headrace.transforms")
_CONFLUENT: Final = "io.confluent.connect."

BRINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "kafka-connect-jdbc": (f"{_CONFLUENT}jdbc.JdbcSourceConnector", f"{_CONFLUENT}jdbc.JdbcSinkConnector"),
    "jdbc-connector-for-apache-kafka": (
        "io.aiven.connect.jdbc.JdbcSourceConnector",
        "io.aiven.connect.jdbc.JdbcSinkConnector",
    ),
    "kafka-connect-json-schema-converter": (f"{_CONFLUENT}json.JsonSchemaConverter",),
    "kafka-connect-avro-converter": (f"{_CONFLUENT}avro.AvroConverter",),
    "kafka-connect-protobuf-converter": (f"{_CONFLUENT}protobuf.ProtobufConverter",),
}
"""Plug-ins that we stand in for, or will, and the classes that connector files name of them."""


@cache
def _installed() -> frozenset[str]:
    return frozenset(point.name for group in _GROUPS for point in entry_points(group=group))


def plugin_note(name: str, version: str, installed: Iterable[str] | None = None) -> PluginNote:
    """What does the work of this plug-in here."""
    known = frozenset(installed) if installed is not None else _installed()
    ours = [cls for cls in BRINGS.get(name, ()) if cls in known]
    return PluginNote(name, version, ", ".join(ours))


def describe(plugin: PluginNote) -> str:
    """One line on a plug-in that an image installs."""
    said = f"{plugin.name} {plugin.version}"
    if plugin.ours:
        short = ", ".join(cls.rpartition(".")[2] for cls in plugin.ours.split(", "))
        return f"{said}: ours stands in for it ({short})."
    if plugin.name in BRINGS:
        classes = ", ".join(BRINGS[plugin.name])
        return f"{said}: not here yet; a connector that names {classes} is refused, all others run."
    return f"{said}: we have no such plug-in; a connector of its classes is refused, all others run."
