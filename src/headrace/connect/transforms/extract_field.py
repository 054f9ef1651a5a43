"""ExtractField: the value of one field takes the place of the whole key or value.

`org.apache.kafka.connect.transforms.ExtractField`. Null stays null, with the schema of the field.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa

from headrace.connect.api import NO_DEFAULT, ConfigDef, ConnectSchema, DataError, Importance, SchemaType, Type
from headrace.connect.transforms.field_path import FieldPath, define_syntax, syntax_of
from headrace.connect.transforms.halves import Changed, ChangedColumn, HalfTransformation, KeyHalf, ValueHalf
from headrace.connect.transforms.requirements import require_map, require_struct_or_none
from headrace.connect.transforms.settings import REPLACE_NULL, define_replace_null

_PURPOSE = "field extraction"


class ExtractField(HalfTransformation):
    """What the Key and the Value form share."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        definition = ConfigDef().define(
            "field", Type.STRING, NO_DEFAULT, "The field to extract.", importance=Importance.MEDIUM
        )
        return define_syntax(define_replace_null(definition))

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        self._path = FieldPath.parse("field", settings["field"], syntax_of(settings))
        self._replace_null: bool = settings[REPLACE_NULL]
        self._field_schema = lru_cache(maxsize=16)(self._find_schema)

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        if schema is None:
            return None, self._path.plain_value(require_map(value, _PURPOSE))
        struct = require_struct_or_none(schema, value, _PURPOSE)
        return self._field_schema(schema), self._path.value(schema, struct, self._replace_null)

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        if schema is not None and schema.type is not SchemaType.STRUCT:
            return None
        found = None if schema is None else self._field_schema(schema)
        extracted = self._path.column(schema, column, self._replace_null)
        return None if extracted is None else (found, extracted)

    def _find_schema(self, schema: ConnectSchema) -> ConnectSchema:
        field = self._path.field(schema)
        if field is None:
            raise DataError(f"Unknown field: {self._path.text}")
        return field.schema


class ExtractFieldKey(KeyHalf, ExtractField):
    """`ExtractField$Key`."""


class ExtractFieldValue(ValueHalf, ExtractField):
    """`ExtractField$Value`."""
