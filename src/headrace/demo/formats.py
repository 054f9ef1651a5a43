"""The formats of the demo's messages, and the connectors that use them."""

import enum
from typing import Any, Final

from headrace.supervisor.stack import REGISTRY_PORT

REGISTRY_URL: Final = f"http://schema-registry:{REGISTRY_PORT}"
"""As the connectors name it; the address book knows where it is."""


class Format(enum.StrEnum):
    """What the messages are written in; JSON carries its schema in each of them, the others in the registry."""

    JSON = "json"
    AVRO = "avro"
    JSON_SCHEMA = "json-schema"

    @property
    def converter(self) -> str | None:
        """The converter's Java name; None is the worker's own."""
        return _CONVERTERS.get(self)

    @property
    def needs_registry(self) -> bool:
        return self.converter is not None


_CONVERTERS: Final = {
    Format.AVRO: "io.confluent.connect.avro.AvroConverter",
    Format.JSON_SCHEMA: "io.confluent.connect.json.JsonSchemaConverter",
}


def in_format(connector: dict[str, Any], format: Format) -> dict[str, Any]:
    """The connector with its value converter changed to the format's."""
    if format.converter is None:
        return connector
    converter = {"value.converter": format.converter, "value.converter.schema.registry.url": REGISTRY_URL}
    return {**connector, "config": {**connector["config"], **converter}}
