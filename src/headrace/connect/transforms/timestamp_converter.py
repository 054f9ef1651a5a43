"""TimestampConverter: a field, or the whole key or value, from one form of timestamp to another.

`org.apache.kafka.connect.transforms.TimestampConverter`. Forms: Timestamp, Date, Time, `string` (a SimpleDateFormat
pattern) and `unix` (an INT64 of `unix.precision`). In between stands the number of milliseconds since 1970, for a
column as for a row; sub-milliseconds are cut as Java cuts them.
"""

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa

from headrace.connect.api import (
    NO_DEFAULT,
    ConfigDef,
    ConfigError,
    ConnectSchema,
    DataError,
    Field,
    Importance,
    SchemaType,
    Type,
    one_of,
)
from headrace.connect.api.java.date_format import DateFormat
from headrace.connect.transforms.halves import Changed, ChangedColumn, HalfTransformation, KeyHalf, ValueHalf
from headrace.connect.transforms.struct_columns import child_of, rebuilt, with_default
from headrace.connect.transforms.timestamp_form import FORMS, PRECISIONS, Settings, form_of_schema, form_of_value


class TimestampConverter(HalfTransformation):
    """What the Key and the Value form share."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        high, medium, low = Importance.HIGH, Importance.MEDIUM, Importance.LOW
        return (
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
            .define(
                "replace.null.with.default",
                Type.BOOLEAN,
                True,
                "Whether a null in a field that has a default becomes that default.",
                importance=medium,
            )
        )

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        self._field: str = settings["field"]
        self._target = FORMS[settings["target.type"]]
        self._replace_null: bool = settings["replace.null.with.default"]
        self._settings = Settings(_date_format(settings), settings["unix.precision"])
        self._updated = lru_cache(maxsize=16)(self._make_updated)

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        if schema is None:
            return None, self._convert_schemaless(value)
        if not self._field:
            return self._target.schema(schema.optional), self._convert(schema, value)
        return self._updated(schema), self._convert_struct(schema, value)

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        if schema is None:
            return None
        updated = self._updated(schema) if self._field else self._target.schema(schema.optional)
        converted = self._convert_column(schema, updated, column)
        return None if converted is None else (updated, converted)

    def _make_updated(self, schema: ConnectSchema) -> ConnectSchema:
        """The schema of a struct whose field is in the target's form; its default is converted too."""
        if schema.type is not SchemaType.STRUCT:
            raise DataError(
                f"TimestampConverter: field={self._field} needs a struct, and the schema is {schema.type.value}; "
                "leave `field` out to convert the whole value"
            )
        fields = [
            Field(field.name, self._target.schema(field.schema.optional)) if field.name == self._field else field
            for field in schema.fields
        ]
        default = None if schema.default is None else self._convert_struct(schema, schema.default)
        return schema.replace(fields=tuple(fields), default=default)

    def _convert(self, schema: ConnectSchema, value: Any) -> Any:
        form = form_of_schema(schema, self._field)
        return (
            None if value is None else self._target.from_millis(form.to_millis(value, self._settings), self._settings)
        )

    def _convert_struct(self, schema: ConnectSchema, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise DataError(f"TimestampConverter: field={self._field} needs a struct, found a {type(value).__name__}")
        converted = {}
        for field in schema.fields:
            item = value.get(field.name)
            if item is None and self._replace_null:
                item = field.schema.default
            converted[field.name] = self._convert(field.schema, item) if field.name == self._field else item
        return converted

    def _convert_schemaless(self, value: Any) -> Any:
        if value is None:
            return None
        if not self._field:
            return self._convert_inferred(value)
        if not isinstance(value, dict):
            raise DataError(f"TimestampConverter: field={self._field} needs a map, found a {type(value).__name__}")
        return value | {self._field: self._convert_inferred(value.get(self._field))}

    def _convert_inferred(self, value: Any) -> Any:
        if value is None:
            return None
        millis = form_of_value(value, self._field).to_millis(value, self._settings)
        return self._target.from_millis(millis, self._settings)

    def _convert_column(self, schema: ConnectSchema, updated: ConnectSchema, column: pa.Array) -> pa.Array | None:
        """The converted column, or None where only rows will do."""
        if not self._field:
            return self._convert_leaf(schema, column)
        children = []
        for index, field in enumerate(schema.fields):
            child = child_of(column, index)
            if self._replace_null:
                child = with_default(field.schema, child)
            if child is None:
                return None
            children.append(self._convert_leaf(field.schema, child) if field.name == self._field else child)
        return rebuilt([field.name for field in updated.fields], children, column)

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
