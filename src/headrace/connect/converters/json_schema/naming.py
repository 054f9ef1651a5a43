"""Names that Confluent's converter gives, and the options of the mapping between schemas."""

from dataclasses import dataclass
from typing import Final

from headrace.connect.api import SchemaType

ENUM: Final = "org.apache.kafka.connect.data.Enum"
"""The parameter of a string that is an enum; with `.SYMBOL` behind it, one parameter a symbol."""
CONNECT_TYPES: Final = {
    SchemaType.INT8: ("integer", "int8"),
    SchemaType.INT16: ("integer", "int16"),
    SchemaType.INT32: ("integer", "int32"),
    SchemaType.INT64: ("integer", "int64"),
    SchemaType.FLOAT32: ("number", "float32"),
    SchemaType.FLOAT64: ("number", "float64"),
    SchemaType.BOOLEAN: ("boolean", None),
    SchemaType.STRING: ("string", None),
    SchemaType.BYTES: ("string", "bytes"),
}
"""`type` and `connect.type` of the types without parts."""


@dataclass(frozen=True, slots=True)
class JsonSchemaOptions:
    """`object.additional.properties` and `use.optional.for.nonrequired`."""

    additional: bool = True
    optional_for_nonrequired: bool = False
