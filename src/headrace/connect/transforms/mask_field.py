"""MaskField: fields set to the empty value of their type, or to one replacement.

`org.apache.kafka.connect.transforms.MaskField`. Null stays null. Where it differs from Java: a masked Decimal is a
zero of its schema's scale (Java puts a zero of scale 0, which converters refuse beside another scale).
"""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headrace.connect.api import (
    NO_DEFAULT,
    ConfigDef,
    ConnectSchema,
    DataError,
    Importance,
    SchemaType,
    Type,
    integers,
    non_empty,
    non_empty_values,
    to_column,
    to_values,
)
from headrace.connect.api import values as conversion
from headrace.connect.api.java.numbers import EXACT, exponent_of, parse_decimal
from headrace.connect.api.java.text import class_text
from headrace.connect.api.schema import DECIMAL
from headrace.connect.transforms.halves import Changed, ChangedColumn, HalfTransformation, KeyHalf, ValueHalf
from headrace.connect.transforms.requirements import checked, require_map, require_struct
from headrace.connect.transforms.settings import REPLACE_NULL, define_replace_null
from headrace.connect.transforms.struct_columns import check_nulls, rebuilt, with_default

_PURPOSE: Final = "mask fields"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_CONVERTERS: Final[dict[str, Callable[[None, str], Any]]] = {
    SchemaType.INT8.value: conversion.to_int8,
    SchemaType.INT16.value: conversion.to_int16,
    SchemaType.INT32.value: conversion.to_int32,
    SchemaType.INT64.value: conversion.to_int64,
    SchemaType.FLOAT32.value: conversion.to_float32,
    SchemaType.FLOAT64.value: conversion.to_float64,
    SchemaType.STRING.value: lambda _, text: text,
    DECIMAL: lambda _, text: parse_decimal(text),
}
_SCHEMALESS: Final = {int: SchemaType.INT64.value, float: SchemaType.FLOAT64.value, str: SchemaType.STRING.value}


class MaskField(HalfTransformation):
    """What the Key and the Value form share."""

    PASSES_TOMBSTONES = False

    @classmethod
    def config_def(cls) -> ConfigDef:
        definition = (
            ConfigDef()
            .define(
                "fields",
                Type.LIST,
                NO_DEFAULT,
                "The fields to mask.",
                importance=Importance.HIGH,
                validator=non_empty_values,
            )
            .define(
                "replacement",
                Type.STRING,
                None,
                "What takes the place of numbers and texts; without it, 0 and the empty text do.",
                importance=Importance.LOW,
                validator=non_empty,
            )
        )
        return define_replace_null(definition)

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        self._fields = frozenset(settings["fields"])
        self._replacement: str | None = settings["replacement"]
        self._replace_null: bool = settings[REPLACE_NULL]
        self._replaced = lru_cache(maxsize=16)(self._make_replaced)

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        if schema is None:
            found = require_map(value, _PURPOSE)
            return None, found | {name: self._masked(None, found.get(name)) for name in self._fields}
        found, made = require_struct(schema, value, _PURPOSE), {}
        for field in schema.fields:
            item = found.get(field.name)
            if item is None and self._replace_null:
                item = field.schema.default
            if field.name in self._fields:
                item = self._masked(field.schema, item)
            made[field.name] = checked(field.name, field.schema, item)
        return schema, made

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        if column.null_count or not isinstance(column, pa.StructArray):
            return None
        if schema is None:
            return self._change_plain_column(column)
        children = []
        for index, field in enumerate(schema.fields):
            child = column.field(index)
            if self._replace_null:
                child = with_default(field.schema, child)
            if child is not None and field.name in self._fields:
                child = self._mask_column(field.schema, child)
            if child is None:
                return None
            check_nulls(field.name, field.schema, child, column)
            children.append(child)
        return schema, rebuilt([field.name for field in schema.fields], children, column)

    def _change_plain_column(self, column: pa.StructArray) -> ChangedColumn | None:
        """Schemaless data of one shape, whose inner structs are maps and lose it."""
        children = {field.name: column.field(index) for index, field in enumerate(column.type)}
        for name in self._fields:
            child = children.get(name)
            if child is None or pa.types.is_struct(child.type):
                return None
            masked = self._mask_column(None, child)
            if masked is None:
                return None
            children[name] = masked
        return None, rebuilt(list(children), list(children.values()), column)

    def _mask_column(self, schema: ConnectSchema | None, column: pa.Array) -> pa.Array | None:
        """The mask wherever the column is not null; None where Arrow does not hold the mask."""
        if column.null_count == len(column):
            return column
        first = column.drop_null().slice(0, 1) if column.null_count else column.slice(0, 1)
        mask = self._masked(schema, to_values(schema, first, 1)[0])
        made = to_column(schema, [mask]) if schema is not None else pa.array([mask], column.type)
        if not isinstance(made, pa.Array) or made.type != column.type:
            return None
        rows = integers(np.zeros(len(column), np.int32))
        if column.null_count:
            nulls = column.is_null().to_numpy(zero_copy_only=False)
            rows = pa.array(np.zeros(len(column), np.int32), mask=nulls)
        return made.take(rows)

    def _masked(self, schema: ConnectSchema | None, value: Any) -> Any:
        if value is None:
            return None
        if self._replacement is None:
            return _empty(schema, value)
        kind = _kind(schema, value)
        if kind is None:
            raise DataError(f"Cannot mask value of type {class_text(schema, value)} with custom replacement.")
        return _scaled(schema, self._replaced(kind)) if kind == DECIMAL else self._replaced(kind)

    def _make_replaced(self, kind: str) -> Any:
        """The replacement as a value of that type."""
        assert self._replacement is not None
        try:
            return _CONVERTERS[kind](None, self._replacement)
        except ValueError as error:
            message = f"Unable to convert {self._replacement} (class java.lang.String) to number: {error}"
            raise DataError(message) from None


def _scaled(schema: ConnectSchema | None, number: Decimal) -> Decimal:
    """The number in its schema's scale. Raises DataError where digits would be lost; Java's converters do, later."""
    scale = int(schema.parameter("scale") or 0) if schema is not None else -exponent_of(number)
    if -exponent_of(number) > scale:
        raise DataError(f"the replacement {number} has more digits behind the point than its field, of scale {scale}")
    return EXACT.quantize(number, Decimal((0, (1,), -scale)))


def _empty(schema: ConnectSchema | None, value: Any) -> Any:
    """What stands for a value of its type. Raises DataError where nothing does: for bytes and structs."""
    match value:
        case bool():
            return False
        case int() | float():
            return type(value)(0)
        case Decimal():
            return _scaled(schema, Decimal(0))
        case str():
            return ""
        case dt.datetime():
            return _EPOCH
        case dt.date():
            return _EPOCH.date()
        case dt.time():
            return dt.time()
        case list():
            return []
        case dict() if schema is None or schema.type is SchemaType.MAP:
            return {}
    raise DataError(f"Cannot mask value of type: {class_text(schema, value)}")


def _kind(schema: ConnectSchema | None, value: Any) -> str | None:
    """The type that a replacement has to have; None where values of this type take none."""
    if isinstance(value, Decimal):
        return DECIMAL
    if isinstance(value, (bool, dt.date, dt.time)):
        return None
    if schema is not None:
        return DECIMAL if schema.name == DECIMAL else schema.type.value if schema.type.value in _CONVERTERS else None
    return _SCHEMALESS.get(type(value))


class MaskFieldKey(KeyHalf, MaskField):
    """`MaskField$Key`."""


class MaskFieldValue(ValueHalf, MaskField):
    """`MaskField$Value`."""
