"""TimestampConverter: a field, or the whole key or value, from one form of timestamp to another.

`org.apache.kafka.connect.transforms.TimestampConverter`. Forms: Timestamp, Date, Time, `string` (a SimpleDateFormat
pattern) and `unix` (an INT64 of `unix.precision`). In between stands the number of milliseconds since 1970, for a
column as for a row; sub-milliseconds are cut as Java cuts them.
"""

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

from headrace.connect.api import (
    NO_DEFAULT,
    ConfigDef,
    ConfigError,
    ConnectSchema,
    Field,
    Importance,
    Type,
    one_of,
)
from headrace.connect.api.java.date_format import DateFormat
from headrace.connect.transforms.halves import Changed, ChangedColumn, HalfTransformation, KeyHalf, ValueHalf
from headrace.connect.transforms.requirements import (
    checked,
    require_map,
    require_struct_or_none,
    require_struct_schema,
)
from headrace.connect.transforms.settings import REPLACE_NULL, define_replace_null
from headrace.connect.transforms.struct_columns import check_nulls, child_of, rebuilt, with_default
from headrace.connect.transforms.struct_schema import like
from headrace.connect.transforms.timestamp_form import FORMS, PRECISIONS, Settings, form_of_schema, form_of_value

_PURPOSE: Final = "converting timestamp formats"


class TimestampConverter(HalfTransformation):
    """What the Key and the Value form share."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        high, medium, low = Importance.HIGH, Importance.MEDIUM, Importance.LOW
        definition = (
            ConfigDef()
            .define("field", Type.STRING, "", "The field to convert; empty: the whole value.", importance=high)
            .define(
                "target.type",
                Type.STRING,
                NO_DEFAULT,
                "The form wanted: string, unix, Date, Time, or Timestamp.",
                importance=high,
                validator=one_of(*FORMS),
            )
            .define(
                "format",
                Type.STRING,
                "",
                "A SimpleDateFormat pattern: how target.type string is written and how strings are read.",
                importance=medium,
            )
            .define(
                "unix.precision",
                Type.STRING,
                "milliseconds",
                "What target.type unix, and an INT64 that is read, counts since 1970.",
                importance=low,
                validator=one_of(*PRECISIONS),
            )
        )
        return define_replace_null(definition)

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        self._field: str = settings["field"]
        self._target = FORMS[settings["target.type"]]
        self._replace_null: bool = settings[REPLACE_NULL]
        self._settings = Settings(_date_format(settings), settings["unix.precision"])
        self._updated = lru_cache(maxsize=16)(self._make_updated)

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        if schema is None:
            return None, self._convert_plain(value)
        if not self._field:
            return self._target.schema(schema.optional), self._convert(schema, value)
        found = require_struct_or_none(schema, value, _PURPOSE)
        updated = self._updated(schema)
        return updated, None if found is None else self._convert_struct(schema, updated.fields, found)

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        if schema is None:
            return None
        if not self._field:
            return self._target.schema(schema.optional), self._convert_leaf(schema, column)
        if not isinstance(column, pa.StructArray):
            return None
        updated, children = self._updated(schema), []
        for index, (field, target) in enumerate(zip(schema.fields, updated.fields, strict=True)):
            child = child_of(column, index)
            if self._replace_null:
                child = with_default(field.schema, child)
            if child is None:
                return None
            if field.name == self._field:
                child = self._convert_leaf(field.schema, child)
            check_nulls(field.name, target.schema, child, column)
            children.append(child)
        return updated, rebuilt([field.name for field in updated.fields], children, column)

    def _make_updated(self, schema: ConnectSchema) -> ConnectSchema:
        """The schema of a struct whose field is in the target's form; its default is converted too."""
        require_struct_schema(schema)
        fields = tuple(
            Field(field.name, self._target.schema(field.schema.optional)) if field.name == self._field else field
            for field in schema.fields
        )
        default = None if schema.default is None else self._convert_struct(schema, fields, schema.default)
        return like(schema, fields).replace(optional=schema.optional, default=default)

    def _convert(self, schema: ConnectSchema, value: Any) -> Any:
        form = form_of_schema(schema, self._field)
        if value is None:
            return None
        return self._target.from_millis(form.to_millis(value, self._settings), self._settings)

    def _convert_struct(self, schema: ConnectSchema, targets: tuple[Field, ...], value: dict[str, Any]) -> Any:
        converted = {}
        for field, target in zip(schema.fields, targets, strict=True):
            item = value.get(field.name)
            if item is None and self._replace_null:
                item = field.schema.default
            if field.name == self._field:
                item = self._convert(field.schema, item)
            converted[field.name] = checked(field.name, target.schema, item)
        return converted

    def _convert_plain(self, value: Any) -> Any:
        if not self._field:
            return self._convert_inferred(value)
        found = require_map(value, _PURPOSE)
        return found | {self._field: self._convert_inferred(found.get(self._field))}

    def _convert_inferred(self, value: Any) -> Any:
        if value is None:
            return None
        millis = form_of_value(value, self._field).to_millis(value, self._settings)
        return self._target.from_millis(millis, self._settings)

    def _convert_leaf(self, schema: ConnectSchema, column: pa.Array) -> pa.Array:
        millis = form_of_schema(schema, self._field).column_to_millis(column, self._settings)
        return self._target.column_from_millis(millis, self._settings)


class TimestampConverterKey(KeyHalf, TimestampConverter):
    """`TimestampConverter$Key`."""


class TimestampConverterValue(ValueHalf, TimestampConverter):
    """`TimestampConverter$Value`."""


def _date_format(settings: Mapping[str, Any]) -> DateFormat | None:
    pattern = settings["format"]
    if not pattern.strip():
        if settings["target.type"] == "string":
            message = "TimestampConverter requires format option to be specified when using string timestamps"
            raise ConfigError(message, {"format": [message]})
        return None
    try:
        return DateFormat(pattern, dt.datetime.now(dt.UTC))
    except ValueError as error:
        message = (
            "TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: "
            f"format={pattern}: {error}"
        )
        raise ConfigError(message, {"format": [message]}) from error
