"""HoistField: the whole key or value becomes the one field of a struct, or of a map where there is no schema.

`org.apache.kafka.connect.transforms.HoistField`. A tombstone becomes a map that holds null, as in Java.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa

from headrace.connect.api import NO_DEFAULT, ConfigDef, ConnectSchema, Field, Importance, Type
from headrace.connect.transforms.halves import Changed, ChangedColumn, HalfTransformation, KeyHalf, ValueHalf
from headrace.connect.transforms.requirements import checked, required_null
from headrace.connect.transforms.struct_schema import struct_schema


class HoistField(HalfTransformation):
    """What the Key and the Value form share."""

    PASSES_TOMBSTONES = False

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef().define(
            "field", Type.STRING, NO_DEFAULT, "The name of the one field that is made.", importance=Importance.MEDIUM
        )

    def configure(self, properties: Mapping[str, Any]) -> None:
        self._field: str = self.config_def().parse(properties)["field"]
        self._updated = lru_cache(maxsize=16)(lambda schema: struct_schema([Field(self._field, schema)]))

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        if schema is None:
            return None, {self._field: value}
        return self._updated(schema), {self._field: checked(self._field, schema, value)}

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        updated = None if schema is None else self._updated(schema)
        if schema is not None and not schema.optional and column.null_count:
            raise required_null(self._field, schema)
        return updated, pa.StructArray.from_arrays([column], names=[self._field])


class HoistFieldKey(KeyHalf, HoistField):
    """`HoistField$Key`."""


class HoistFieldValue(ValueHalf, HoistField):
    """`HoistField$Value`."""
