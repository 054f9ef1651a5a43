"""What the modules of this package share: the options of a value's form, and the error that finds its own path."""

from dataclasses import dataclass
from typing import Any, Final

from headrace.connect.api import ConnectSchema, DataError, SchemaType

NON_FINITE: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
"""How Java writes the floats that JSON does not have."""


UNION: Final = "io.confluent.connect.json.OneOf"
"""The name of a STRUCT that stands for one of several schemas: one field a schema, of which one is set."""


@dataclass(frozen=True, slots=True)
class Form:
    """`decimal.format=NUMERIC`, `replace.null.with.default`, and what JsonSchemaConverter does otherwise.

    `with_registry`: pairs of maps are objects of key and value, and a union is the one branch that is set;
    `omit_nulls`: optional fields that are null are left out.
    """

    numeric_decimals: bool = False
    replace_null: bool = True
    with_registry: bool = False
    omit_nulls: bool = False

    def is_union(self, schema: ConnectSchema) -> bool:
        return self.with_registry and schema.name == UNION and schema.type is SchemaType.STRUCT

    def is_object(self, schema: ConnectSchema) -> bool:
        """Whether a map is written as an object: its keys are strings."""
        key = schema.key_schema
        return key is not None and key.type is SchemaType.STRING and not (self.with_registry and key.optional)


class MisfitError(Exception):
    """A value that does not fit its schema. Each STRUCT, ARRAY and MAP that it passes adds its part of the path."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.path: list[str] = []

    def inside(self, name: str) -> "MisfitError":
        self.path.insert(0, name)
        return self

    def data_error(self, topic: str, schema: ConnectSchema | None, converter: str = "JsonConverter") -> DataError:
        """The error that a person reads: field, schema, topic and reason."""
        where = f"field {'.'.join(self.path)}" if self.path else "the value"
        owner = f" of {schema.name}" if schema is not None and schema.name else ""
        return DataError(f"{converter}, topic {topic}: {where}{owner}: {self}")


def shown(value: Any) -> str:
    """A value in an error's text, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def null_value(schema: ConnectSchema, form: Form) -> Any:
    """What a null stands for: the default, or None. Raises MisfitError where the schema allows neither."""
    if schema.default is not None and form.replace_null:
        return schema.default
    if schema.optional:
        return None
    raise MisfitError(f"null, but this {schema.type.value} is required and has no default")
