"""Paths to a field (KIP-821), as `SingleFieldPath` has them.

V1: the text is the name of a field at the top. V2: dots lead into structs and maps; a name that holds dots stands
between backticks, and a backtick that is followed by a dot is escaped by a backslash.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import pyarrow as pa

from headrace.connect.api import ConfigDef, ConfigError, ConnectSchema, DataError, Field, Importance, Type
from headrace.connect.transforms.requirements import (
    require_map_or_none,
    require_struct_or_none,
    require_struct_schema,
)
from headrace.connect.transforms.struct_columns import masked, with_default

_KEY: Final = "field.syntax.version"
_PURPOSE: Final = "nested field access"


class Syntax(enum.Enum):
    """`field.syntax.version`."""

    V1 = "V1"
    V2 = "V2"


def define_syntax(definition: ConfigDef) -> ConfigDef:
    """`definition` with the key that says how paths are written."""
    return definition.define(
        _KEY,
        Type.STRING,
        Syntax.V1.value,
        "How fields are named. V1: fields at the top alone. V2: dots lead to nested fields, and a name with dots in it "
        "stands between backticks: `foo.bar`.baz is the field baz of the field foo.bar.",
        importance=Importance.HIGH,
        validator=_check_syntax,
    )


def syntax_of(settings: Mapping[str, Any]) -> Syntax:
    return Syntax[settings[_KEY].upper()]


def _check_syntax(name: str, value: Any) -> None:
    if str(value).upper() not in Syntax.__members__:
        raise ConfigError(
            f"Invalid value {value} for configuration {name}: String must be one of (case insensitive): V1, V2"
        )


@dataclass(frozen=True, slots=True)
class FieldPath:
    """The names from the top to a field."""

    text: str
    steps: tuple[str, ...]

    @classmethod
    def parse(cls, key: str, text: str, syntax: Syntax) -> Self:
        """The path that the config's `key` holds. Raises ConfigError."""
        if syntax is Syntax.V1:
            return cls(text, (text,))
        try:
            steps = _steps(text)
        except ValueError as error:
            raise ConfigError(str(error), {key: [str(error)]}) from None
        return cls(text, steps)

    def field(self, schema: ConnectSchema) -> Field | None:
        """The field at the path's end, or None. Raises DataError where a step is no struct."""
        found = None
        for step in self.steps:
            require_struct_schema(schema)
            found = schema.field(step)
            if found is None:
                return None
            schema = found.schema
        return found

    def plain_value(self, value: dict[str, Any] | None) -> Any:
        """The value at the path in a schemaless map; None where there is none."""
        for step in self.steps[:-1]:
            if value is None:
                return None
            value = require_map_or_none(value.get(step), _PURPOSE)
        return None if value is None else value.get(self.steps[-1])

    def value(self, schema: ConnectSchema, value: Any, replace_null: bool) -> Any:
        """The value at the path in a struct. Defaults always stand for nulls on the way, at its end if asked for."""
        for step, last in self._steps_and_ends():
            field = schema.field(step)
            if value is None or field is None:
                return None
            value = value.get(step)
            if value is None and (replace_null or not last):
                value = field.schema.default
            if not last:
                require_struct_or_none(field.schema, value, _PURPOSE)
            schema = field.schema
        return value

    def column(self, schema: ConnectSchema | None, column: pa.Array, replace_null: bool) -> pa.Array | None:
        """The column at the path in a column of structs; None where only rows will do."""
        for step, last in self._steps_and_ends():
            index = column.type.get_field_index(step) if pa.types.is_struct(column.type) else -1
            if index < 0:
                return None
            child = column.field(index)
            if schema is not None:
                schema = schema.fields[index].schema
                if replace_null or not last:
                    child = with_default(schema, child)
            if child is None:
                return None
            column = masked(child, column)
        return column

    def _steps_and_ends(self) -> list[tuple[str, bool]]:
        last = len(self.steps) - 1
        return [(step, position == last) for position, step in enumerate(self.steps)]


def _steps(text: str) -> tuple[str, ...]:
    steps, at = [], 0
    while at < len(text):
        step, at = _quoted(text, at) if text[at] == "`" else _bare(text, at)
        steps.append(step)
    if text.endswith("."):
        steps.append("")
    if not steps:
        raise ValueError("the path of a field needs a name at least")
    return tuple(steps)


def _bare(text: str, at: int) -> tuple[str, int]:
    """The step up to the next dot, and where the one after it begins."""
    dot = text.find(".", at)
    return (text[at:], len(text)) if dot < 0 else (text[at:dot], dot + 1)


def _quoted(text: str, opening: int) -> tuple[str, int]:
    """The step between backticks: the closing one is followed by a dot or the end, and not escaped."""
    step, start, at = "", opening + 1, opening + 1
    while (at := text.find("`", at)) >= 0:
        escaped = text[at - 1] == "\\"
        if at == len(text) - 1 and not escaped:
            return step + text[start:at], at + 1
        if text[at + 1 : at + 2] == ".":
            if not escaped:
                return step + text[start:at], at + 2
            step, start = step + text[start : at - 1] + "`", at + 1
        at += 1
    raise ValueError(
        f"Incomplete backtick pair in path: [{text}], consider adding a backslash before backtick at position "
        f"{opening} to escape it"
    )


def unknown_field(path: FieldPath) -> DataError:
    return DataError(f"Unknown field: {path.text}")
