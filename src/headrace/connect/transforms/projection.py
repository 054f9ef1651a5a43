"""Fields of one struct that make another: what a choice or renaming of fields is, for a row and for a column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa

from headrace.connect.api import ConnectSchema, DataError
from headrace.connect.transforms.requirements import required_null
from headrace.connect.transforms.struct_columns import check_nulls, rebuilt, with_default


@dataclass(frozen=True, slots=True)
class Projection:
    """Each field of `schema` takes the value of the field of `source` that `names` has in its place."""

    source: ConnectSchema
    schema: ConnectSchema
    names: tuple[str, ...]
    replace_null: bool
    indexes: tuple[int, ...]

    @classmethod
    def of(cls, source: ConnectSchema, schema: ConnectSchema, names: Sequence[str], replace_null: bool) -> Self:
        """Raises DataError where `source` has no such field."""
        places = {field.name: index for index, field in enumerate(source.fields)}
        for name in names:
            if name not in places:
                raise DataError(f"{name} is not a valid field name")
        return cls(source, schema, tuple(names), replace_null, tuple(places[name] for name in names))

    def row(self, value: dict[str, Any]) -> dict[str, Any]:
        """Raises DataError where a field that is not optional would be null."""
        made = {}
        for index, name, field in zip(self.indexes, self.names, self.schema.fields, strict=True):
            item = value.get(name)
            if item is None:
                item = self.source.fields[index].schema.default if self.replace_null else None
                if item is None and not field.schema.optional:
                    raise required_null(field.name, field.schema)
            made[field.name] = item
        return made

    def column(self, column: pa.StructArray) -> pa.StructArray | None:
        """The same of a column; None where only rows will do."""
        children = []
        for index, field in zip(self.indexes, self.schema.fields, strict=True):
            child = column.field(index)
            if self.replace_null:
                child = with_default(self.source.fields[index].schema, child)
            if child is None:
                return None
            check_nulls(field.name, field.schema, child, column)
            children.append(child)
        return rebuilt([field.name for field in self.schema.fields], children, column)
