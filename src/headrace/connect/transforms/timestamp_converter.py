"""TimestampConverter: a field, or the whole key or value, from one form of timestamp to another.

`org.apache.kafka.connect.transforms.TimestampConverter`. Forms: Timestamp, Date, Time, `string` (a SimpleDateFormat
pattern) and `unix` (an INT64 of `unix.precision`). In between stands the number of milliseconds since 1970, for a
column as for a row; sub-milliseconds are cut as Java cuts them.
"""

import datetime as dt
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

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
    Record,
    SchemaType,
    Transformation,
    Type,
    one_of,
)
from headrace.connect.api.java.date_format import DateFormat
from headrace.connect.transforms.timestamp_form import FORMS, PRECISIONS, Settings, form_of_schema, form_of_value


class TimestampConverter(Transformation):
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

    def apply(self, record: Record) -> Record:
        schema, value = self._read(record)
        if schema is None:
            return self._write(record, None, self._convert_schemaless(value))
        if not self._field:
            return self._write(record, self._target.schema(schema.optional), self._convert(schema, value))
        return self._write(record, self._updated(schema), self._convert_struct(schema, value))

    def apply_batch(self, batch: Batch) -> list[Batch]:
        schema, column = self._columns(batch)
        if schema is None and column is None:
            return [batch]
        if schema is None or isinstance(column, list):
            return super().apply_batch(batch)
        updated = self._updated(schema) if self._field else self._target.schema(schema.optional)
        if column is not None:
            column = self._convert_column(schema, updated, column)
            if column is None:
                return super().apply_batch(batch)
        return [self._with_columns(batch, updated, column)]

    @abstractmethod
    def _read(self, record: Record) -> tuple[ConnectSchema | None, Any]: ...

    @abstractmethod
    def _write(self, record: Record, schema: ConnectSchema | None, value: Any) -> Record: ...

    @abstractmethod
    def _columns(self, batch: Batch) -> tuple[ConnectSchema | None, Column | None]: ...

    @abstractmethod
    def _with_columns(self, batch: Batch, schema: ConnectSchema | None, column: Column | None) -> Batch: ...

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
        for field, child in zip(schema.fields, column.flatten(), strict=True):
            child = self._with_default(field.schema, child)
            if child is None:
                return None
            children.append(self._convert_leaf(field.schema, child) if field.name == self._field else child)
        if not children:
            return column
        kind = pa.struct([(field.name, child.type) for field, child in zip(updated.fields, children, strict=True)])
        mask = column.is_null() if column.null_count else None
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=mask)

    def _convert_leaf(self, schema: ConnectSchema, column: pa.Array) -> pa.Array:
        millis = form_of_schema(schema, self._field).column_to_millis(column, self._settings)
        return self._target.column_from_millis(millis, self._settings)

    def _with_default(self, schema: ConnectSchema, column: pa.Array) -> pa.Array | None:
        if column.null_count == 0 or schema.default is None or not self._replace_null:
            return column
        if pa.types.is_nested(column.type):
            return None
        return column.fill_null(pa.scalar(schema.default, column.type))


class TimestampConverterKey(TimestampConverter):
    """`TimestampConverter$Key`."""

    def _read(self, record: Record) -> tuple[ConnectSchema | None, Any]:
        return record.key_schema, record.key

    def _write(self, record: Record, schema: ConnectSchema | None, value: Any) -> Record:
        return replace(record, key_schema=schema, key=value)

    def _columns(self, batch: Batch) -> tuple[ConnectSchema | None, Column | None]:
        return batch.key_schema, batch.key

    def _with_columns(self, batch: Batch, schema: ConnectSchema | None, column: Column | None) -> Batch:
        return batch.with_key(schema, column)


class TimestampConverterValue(TimestampConverter):
    """`TimestampConverter$Value`."""

    def _read(self, record: Record) -> tuple[ConnectSchema | None, Any]:
        return record.value_schema, record.value

    def _write(self, record: Record, schema: ConnectSchema | None, value: Any) -> Record:
        return replace(record, value_schema=schema, value=value)

    def _columns(self, batch: Batch) -> tuple[ConnectSchema | None, Column | None]:
        return batch.value_schema, batch.value

    def _with_columns(self, batch: Batch, schema: ConnectSchema | None, column: Column | None) -> Batch:
        return batch.with_value(schema, column)


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
