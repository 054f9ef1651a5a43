"""Flatten: structs in structs (or maps in maps) become one, the names of their fields joined by a delimiter.

`org.apache.kafka.connect.transforms.Flatten`. What lies in an optional struct is optional, and has the default that the
struct's default holds; arrays stay as they are. Null goes on as it is, with the schema that it has.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

from headrace.connect.api import ConfigDef, ConnectSchema, DataError, Field, Importance, SchemaType, Type
from headrace.connect.transforms.halves import Changed, ChangedColumn, HalfTransformation, KeyHalf, ValueHalf
from headrace.connect.transforms.requirements import checked, class_name, require_map, require_struct
from headrace.connect.transforms.struct_columns import check_nulls, child_of, masked, rebuilt, with_default
from headrace.connect.transforms.struct_schema import like

_PURPOSE: Final = "flattening"
_LEAVES: Final = frozenset({type(None), bool, int, float, str, bytes, list})
"""What Connect knows without a schema, beside maps: no decimals, no dates and times."""


class Flatten(HalfTransformation):
    """What the Key and the Value form share."""

    PASSES_NULL = True

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef().define(
            "delimiter",
            Type.STRING,
            ".",
            "What stands between the names of fields in the names that are made.",
            importance=Importance.MEDIUM,
        )

    def configure(self, properties: Mapping[str, Any]) -> None:
        self._delimiter: str = self.config_def().parse(properties)["delimiter"]
        self._updated = lru_cache(maxsize=16)(self._make_updated)

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        if schema is None:
            return None, self._add_plain("", require_map(value, _PURPOSE), {})
        value = require_struct(schema, value, _PURPOSE)
        updated = self._updated(schema)
        items = dict(self._items("", schema, value))
        return updated, {field.name: self._leaf(field, items) for field in updated.fields}

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        if schema is None:
            return self._change_plain_column(column)
        if schema.type is not SchemaType.STRUCT:
            return None
        updated = self._updated(schema)
        children = self._children(schema, column, iter(updated.fields))
        if children is None:
            return None
        return updated, rebuilt([field.name for field in updated.fields], children, column)

    def _name(self, prefix: str, name: str) -> str:
        return f"{prefix}{self._delimiter}{name}" if prefix else name

    def _add_plain(self, prefix: str, value: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
        """Adds the leaves of a map to `made`; of leaves of one name the last stays. `prefix` ends with a delimiter."""
        for key, item in value.items():
            name = f"{prefix}{key}" if prefix else key
            if type(item) in _LEAVES:
                made[name] = item
            elif isinstance(item, dict):
                self._add_plain(f"{name}{self._delimiter}" if name else "", item, made)
            else:
                raise DataError(
                    f"Flatten transformation was passed a value of type class {class_name(None, item)} which is not "
                    f"supported by Connect's data API (for field {name})"
                )
        return made

    def _items(self, prefix: str, schema: ConnectSchema, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """The leaves of a struct, with defaults for nulls; none of a struct that is null."""
        for field in schema.fields:
            name, item = self._name(prefix, field.name), value.get(field.name)
            if field.schema.type is not SchemaType.STRUCT:
                yield name, field.schema.default if item is None else item
            elif item is not None:
                yield from self._items(name, field.schema, item)

    @staticmethod
    def _leaf(field: Field, items: dict[str, Any]) -> Any:
        return checked(field.name, field.schema, items[field.name]) if field.name in items else None

    def _make_updated(self, schema: ConnectSchema) -> ConnectSchema:
        return like(schema, self._fields("", schema, schema.optional, schema.default))

    def _fields(self, prefix: str, schema: ConnectSchema, optional: bool, default: Any) -> Iterator[Field]:
        """The leaves below a struct: optional where anything above is, with a default of their own or from above."""
        for field in schema.fields:
            name, kind = self._name(prefix, field.name), field.schema
            own = kind.default
            if own is None and default is not None:
                own = default.get(field.name)
            if kind.type is SchemaType.STRUCT:
                yield from self._fields(name, kind, optional or kind.optional, own)
            elif kind.type is SchemaType.MAP:
                raise DataError(
                    f"Flatten transformation does not support MAP for record with schemas (for field {name})."
                )
            else:
                yield Field(name, kind.replace(optional=optional or kind.optional, default=own))

    def _children(self, schema: ConnectSchema, column: pa.Array, fields: Iterator[Field]) -> list[pa.Array] | None:
        """The leaves of a column of structs, in the order of `fields`; None where only rows will do.

        Java replaces a null in a field by its default, but nothing in a struct that is null.
        """
        leaves: list[pa.Array] = []
        for index, field in enumerate(schema.fields):
            if field.schema.type is SchemaType.STRUCT:
                inner = self._children(field.schema, child_of(column, index), fields)
                if inner is None:
                    return None
                leaves += inner
                continue
            leaf = with_default(field.schema, column.field(index))
            if leaf is None:
                return None
            made = next(fields)
            check_nulls(made.name, made.schema, leaf, column)
            leaves.append(masked(leaf, column))
        return leaves

    def _change_plain_column(self, column: pa.Array) -> ChangedColumn | None:
        leaves: dict[str, pa.Array] = {}
        if not self._plain_leaves("", column, leaves):
            return None
        return None, rebuilt(list(leaves), list(leaves.values()), column)

    def _plain_leaves(self, prefix: str, column: pa.Array, leaves: dict[str, pa.Array]) -> bool:
        """Adds the leaves of schemaless structs of one shape; False where only rows will do."""
        if not pa.types.is_struct(column.type) or (prefix and column.null_count):
            return False
        for index, field in enumerate(column.type):
            name, child = self._name(prefix, field.name), column.field(index)
            if pa.types.is_struct(field.type):
                if not self._plain_leaves(name, child, leaves):
                    return False
            elif pa.types.is_temporal(field.type) or pa.types.is_decimal(field.type) or pa.types.is_map(field.type):
                return False
            else:
                leaves[name] = child
        return True


class FlattenKey(KeyHalf, Flatten):
    """`Flatten$Key`."""


class FlattenValue(ValueHalf, Flatten):
    """`Flatten$Value`."""
