"""SetSchemaMetadata: name and version of the schema of a key or value.

`org.apache.kafka.connect.transforms.SetSchemaMetadata`. It works on structs alone, as it does in Java, and replaces
nulls by defaults on the way.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa

from headrace.connect.api import ConfigDef, ConfigError, ConnectSchema, DataError, Importance, SchemaType, Type
from headrace.connect.transforms.halves import Changed, ChangedColumn, HalfTransformation, KeyHalf, ValueHalf
from headrace.connect.transforms.projection import Projection
from headrace.connect.transforms.settings import REPLACE_NULL, define_replace_null


class SetSchemaMetadata(HalfTransformation):
    """What the Key and the Value form share."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        definition = (
            ConfigDef()
            .define("schema.name", Type.STRING, None, "The name to set.", importance=Importance.HIGH)
            .define("schema.version", Type.INT, None, "The version to set.", importance=Importance.HIGH)
        )
        return define_replace_null(definition)

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        keys = {"schema.name": "name", "schema.version": "version"}
        self._changes = {name: settings[key] for key, name in keys.items() if settings[key] is not None}
        if not self._changes:
            message = "Neither schema name nor version configured: set schema.name or schema.version"
            raise ConfigError(message, {"schema.name": [message]})
        self._replace_null: bool = settings[REPLACE_NULL]
        self._projection = lru_cache(maxsize=16)(self._make_projection)

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        if schema is None:
            raise DataError("Schema required for [updating schema metadata]")
        projection = self._projection(schema)
        return projection.schema, None if value is None else projection.row(value)

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        if schema is None:
            return None
        projection = self._projection(schema)
        projected = projection.column(column)
        return None if projected is None else (projection.schema, projected)

    def _make_projection(self, schema: ConnectSchema) -> Projection:
        if schema.type is not SchemaType.STRUCT:
            raise DataError(f"Cannot list fields on non-struct type: SetSchemaMetadata on {schema.type.name}")
        names = [field.name for field in schema.fields]
        return Projection.of(schema, schema.replace(**self._changes), names, self._replace_null)


class SetSchemaMetadataKey(KeyHalf, SetSchemaMetadata):
    """`SetSchemaMetadata$Key`."""


class SetSchemaMetadataValue(ValueHalf, SetSchemaMetadata):
    """`SetSchemaMetadata$Value`."""
