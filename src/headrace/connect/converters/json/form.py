"""What the modules of this package share: the two options of a value's form, and the error that finds its own path."""

from dataclasses import dataclass
from typing import Any, Final

from headrace.connect.api import ConnectSchema, DataError

NON_FINITE: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
"""How Java writes the floats that JSON does not have."""


@dataclass(frozen=True, slots=True)
class Form:
    """`decimal.format=NUMERIC`, and `replace.null.with.default`."""

    numeric_decimals: bool = False
    replace_null: bool = True


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
