"""Cast: fields, or the whole key or value, from one type to another (`org.apache.kafka.connect.transforms.Cast`).

Casts are Java's: integers wrap around, floats are held at the ends of an integer's range, texts print and parse as
Java's classes have it. Null goes on as it is.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import NoneType
from typing import Any, Final

import pyarrow as pa

from headrace.connect.api import (
    NO_DEFAULT,
    Batch,
    Column,
    ConfigDef,
    ConfigError,
    ConnectSchema,
    DataError,
    Field,
    Importance,
    SchemaType,
    Type,
    arrow_type,
    to_values,
)
from headrace.connect.api import schema as make_schema
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.connect.transforms.cast_column import cast_column
from headrace.connect.transforms.cast_value import TARGETS, cast_value
from headrace.connect.transforms.halves import Changed, ChangedColumn, HalfTransformation, KeyHalf, ValueHalf
from headrace.connect.transforms.requirements import checked, require_map, require_struct
from headrace.connect.transforms.settings import REPLACE_NULL, define_replace_null
from headrace.connect.transforms.struct_columns import check_nulls, rebuilt, with_default
from headrace.connect.transforms.struct_schema import like

_PURPOSE: Final = "cast types"
_PLAIN: Final = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
"""The columns that schemaless values make."""


class Cast(HalfTransformation):
    """What the Key and the Value form share."""

    PASSES_NULL = True

    @classmethod
    def config_def(cls) -> ConfigDef:
        definition = ConfigDef().define(
            "spec",
            Type.LIST,
            NO_DEFAULT,
            "Pairs field:type, or one type for the whole value: int8, int16, int32, int64, float32, float64, boolean "
            "or string.",
            importance=Importance.HIGH,
            validator=_check_spec,
        )
        return define_replace_null(definition)

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        self._casts, self._whole = _parse_spec(settings["spec"])
        self._replace_null: bool = settings[REPLACE_NULL]
        self._updated = lru_cache(maxsize=16)(self._make_updated)

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        if schema is None:
            return None, self._change_plain(value)
        updated = self._updated(schema)
        if self._whole is not None:
            return updated, cast_value(schema, value, self._whole)
        found, made = require_struct(schema, value, _PURPOSE), {}
        for field, target in zip(schema.fields, updated.fields, strict=True):
            item = found.get(field.name)
            if item is None and self._replace_null:
                item = field.schema.default
            if field.name in self._casts:
                item = cast_value(field.schema, item, self._casts[field.name])
            made[field.name] = checked(field.name, target.schema, item)
        return updated, made

    def _change_plain(self, value: Any) -> Any:
        if self._whole is not None:
            return cast_value(None, value, self._whole)
        found = require_map(value, _PURPOSE)
        return found | {name: cast_value(None, found.get(name), target) for name, target in self._casts.items()}

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        if schema is None:
            return self._change_plain_column(column)
        updated = self._updated(schema)
        if self._whole is not None:
            made = cast_column(column, self._whole)
            return None if made is None or made.type != arrow_type(updated) else (updated, made)
        if not isinstance(column, pa.StructArray):
            return None
        children = []
        for index, (field, target) in enumerate(zip(schema.fields, updated.fields, strict=True)):
            child = column.field(index)
            if self._replace_null:
                child = with_default(field.schema, child)
            if child is not None and field.name in self._casts:
                child = cast_column(child, self._casts[field.name])
            if child is None:
                return None
            check_nulls(field.name, target.schema, child, column)
            children.append(child)
        return updated, rebuilt([field.name for field in schema.fields], children, column)

    def _plain(self, batch: Batch, column: Column | None) -> Batch:
        """Maps whose values of a field are of one type are cast field by field; others row by row."""
        maps = to_values(None, column, len(batch))
        if self._whole is None and all(type(one) is dict for one in maps):
            for name, target in self._casts.items():
                items = _cast_items([one.get(name) for one in maps], target)
                if items is None:
                    return super()._plain(batch, column)
                maps = [{**one, name: item} for one, item in zip(maps, items, strict=True)]
            return self.with_columns(batch, None, maps)
        return super()._plain(batch, column)

    def _change_plain_column(self, column: pa.Array) -> ChangedColumn | None:
        """Schemaless data of one shape; None where a row would get a field that it has not."""
        if self._whole is not None:
            made = cast_column(column, self._whole)
            return None if made is None else (None, made)
        if not isinstance(column, pa.StructArray):
            return None
        children = {field.name: column.field(index) for index, field in enumerate(column.type)}
        for name, target in self._casts.items():
            child = cast_column(children[name], target) if name in children else None
            if child is None:
                return None
            children[name] = child
        return None, rebuilt(list(children), list(children.values()), column)

    def _make_updated(self, schema: ConnectSchema) -> ConnectSchema:
        """The schema of what a value of `schema` becomes. Raises DataError where a default cannot be cast."""
        default = schema.default
        if self._whole is not None:
            default = cast_value(schema, default, self._whole)
            if default is not None and schema.name in (DATE, DECIMAL, TIME, TIMESTAMP):
                raise DataError(f"Invalid default value: a {self._whole.name} named {schema.name} has none")
            return schema.replace(type=self._whole, fields=(), key_schema=None, value_schema=None, default=default)
        if default is not None:
            # As in Java, which puts the default of the whole struct to a cast, and structs have none.
            cast_value(schema, default, SchemaType.STRING)
        return like(schema, map(self._updated_field, schema.fields)).replace(optional=schema.optional)

    def _updated_field(self, field: Field) -> Field:
        """The field with a bare schema of its new type: name, doc and parameters were the old type's."""
        target = self._casts.get(field.name)
        if target is None:
            return field
        default = cast_value(field.schema, field.schema.default, target)
        return Field(field.name, make_schema(target, optional=field.schema.optional, default=default))


class CastKey(KeyHalf, Cast):
    """`Cast$Key`."""


class CastValue(ValueHalf, Cast):
    """`Cast$Value`."""


def _cast_items(items: list[Any], target: SchemaType) -> list[Any] | None:
    """Schemaless values of one type, cast in a column; None where they are none, or only rows will do."""
    kinds = {type(item) for item in items} - {NoneType}
    kind = _PLAIN.get(kinds.pop()) if len(kinds) == 1 else None
    if kind is None:
        return None
    try:
        made = cast_column(pa.array(items, kind), target)
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        return None
    return None if made is None else made.to_pylist()


def _check_spec(name: str, value: Any) -> None:
    if value is None:
        return
    try:
        _parse_spec(value)
    except ValueError as error:
        raise ConfigError(f"Invalid value [{', '.join(value)}] for configuration {name}: {error}") from None


def _parse_spec(pairs: list[str]) -> tuple[dict[str, SchemaType], SchemaType | None]:
    """The target of each field, or that of the whole value. Raises ValueError."""
    casts: dict[str, SchemaType] = {}
    whole: SchemaType | None = None
    for pair in pairs:
        parts = pair.rstrip(":").split(":")
        if len(parts) > 2:
            raise ValueError(f"Invalid mapping: {pair}")
        target = _target(parts[-1].strip())
        if parts[1:]:
            casts[parts[0].strip()] = target
        else:
            whole = target
    if whole is not None and len(pairs) > 1:
        raise ValueError(
            "Cast transformations that specify a type to cast the entire value to may only specify a single cast in "
            "their spec"
        )
    if not pairs:
        raise ValueError("Must specify at least one field to cast.")
    return casts, whole


def _target(text: str) -> SchemaType:
    found = SchemaType.__members__.get(text.upper())
    if found is None:
        raise ValueError(f"Invalid type found in casting spec: {text}")
    if found not in TARGETS:
        names = ", ".join(target.name for target in TARGETS)
        raise ValueError(f"Cast transformation does not support casting to {found.name}; supported types are [{names}]")
    return found
