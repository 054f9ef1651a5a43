"""ValueToKey: a new key, made of fields of the value.

`org.apache.kafka.connect.transforms.ValueToKey`. A tombstone has no fields: it is refused, as in Java.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa

from headrace.connect.api import (
    NO_DEFAULT,
    Batch,
    ConfigDef,
    ConnectSchema,
    DataError,
    Field,
    Importance,
    Record,
    Transformation,
    Type,
    non_empty_values,
)
from headrace.connect.transforms.halves import with_key
from headrace.connect.transforms.projection import Projection
from headrace.connect.transforms.requirements import require_map, require_struct
from headrace.connect.transforms.settings import REPLACE_NULL, define_replace_null
from headrace.connect.transforms.struct_columns import child_of, rebuilt
from headrace.connect.transforms.struct_schema import struct_schema

_PURPOSE = "copying fields from value to key"


class ValueToKey(Transformation):
    """`ValueToKey`."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        definition = ConfigDef().define(
            "fields",
            Type.LIST,
            NO_DEFAULT,
            "The fields of the value that make the key.",
            importance=Importance.HIGH,
            validator=non_empty_values,
        )
        return define_replace_null(definition)

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        self._fields: list[str] = list(dict.fromkeys(settings["fields"]))
        self._replace_null: bool = settings[REPLACE_NULL]
        self._projection = lru_cache(maxsize=16)(self._make_projection)

    def apply(self, record: Record) -> Record:
        if record.value_schema is None:
            return with_key(record, None, self._plain_key(record.value))
        value = require_struct(record.value_schema, record.value, _PURPOSE)
        projection = self._projection(record.value_schema)
        return with_key(record, projection.schema, projection.row(value))

    def apply_batch(self, batch: Batch) -> list[Batch]:
        schema, column = batch.value_schema, batch.value
        if schema is None and isinstance(column, list):
            return [batch.with_key(None, [self._plain_key(value) for value in column])]
        if isinstance(column, pa.Array) and pa.types.is_struct(column.type) and not column.null_count:
            keys = self._plain_keys(column) if schema is None else self._projection(schema).column(column)
            if keys is not None:
                return [batch.with_key(None if schema is None else self._projection(schema).schema, keys)]
        return super().apply_batch(batch)

    def _plain_key(self, value: Any) -> dict[str, Any]:
        value = require_map(value, _PURPOSE)
        return {name: value.get(name) for name in self._fields}

    def _plain_keys(self, column: pa.StructArray) -> pa.StructArray:
        places = [column.type.get_field_index(name) for name in self._fields]
        missing = pa.nulls(len(column))
        return rebuilt(self._fields, [child_of(column, at) if at >= 0 else missing for at in places], column)

    def _make_projection(self, schema: ConnectSchema) -> Projection:
        fields = []
        for name in self._fields:
            field = schema.field(name)
            if field is None:
                raise DataError(f"Field does not exist: {name}")
            fields.append(Field(name, field.schema))
        return Projection.of(schema, struct_schema(fields), self._fields, self._replace_null)
