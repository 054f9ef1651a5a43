"""ReplaceField: fields left out, kept or renamed.

`org.apache.kafka.connect.transforms.ReplaceField`. Null goes on as it is, with the schema that it has.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

from headrace.connect.api import ConfigDef, ConfigError, ConnectSchema, Field, Importance, SchemaType, Type
from headrace.connect.transforms.halves import Changed, ChangedColumn, HalfTransformation, KeyHalf, ValueHalf
from headrace.connect.transforms.projection import Projection
from headrace.connect.transforms.requirements import require_map, require_struct
from headrace.connect.transforms.settings import REPLACE_NULL, define_replace_null, names
from headrace.connect.transforms.struct_columns import rebuilt
from headrace.connect.transforms.struct_schema import like

log = logging.getLogger(__name__)

_PURPOSE: Final = "field replacement"
_FORMER: Final = {"blacklist": "exclude", "whitelist": "include"}


class ReplaceField(HalfTransformation):
    """What the Key and the Value form share."""

    PASSES_NULL = True

    @classmethod
    def config_def(cls) -> ConfigDef:
        definition = (
            ConfigDef()
            .define(
                "exclude",
                Type.LIST,
                [],
                "Fields to leave out; stronger than include.",
                importance=Importance.MEDIUM,
                validator=names,
            )
            .define(
                "include",
                Type.LIST,
                [],
                "Fields to keep; empty: all.",
                importance=Importance.MEDIUM,
                validator=names,
            )
            .define(
                "renames",
                Type.LIST,
                [],
                "New names of fields: old:new pairs, as in foo:bar,abc:xyz.",
                importance=Importance.MEDIUM,
                validator=_check_renames,
            )
        )
        return define_replace_null(definition)

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        for old, new in _FORMER.items():
            if old in properties:
                log.warning("ReplaceField: %s is no key since Apache Kafka 4.0 and does nothing; write %s", old, new)
        self._exclude, self._include = set(settings["exclude"]), set(settings["include"])
        self._renames = dict(map(_pair, settings["renames"]))
        self._originals = {self._renames[name]: name for name in hash_map_order(self._renames)}
        self._replace_null: bool = settings[REPLACE_NULL]
        self._plan = lru_cache(maxsize=64)(self._make_plan)
        self._projection = lru_cache(maxsize=16)(self._make_projection)

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        if schema is None:
            return None, self._change_map(require_map(value, _PURPOSE))
        value = require_struct(schema, value, _PURPOSE)
        projection = self._projection(schema)
        return projection.schema, projection.row(value)

    def change_column(self, schema: ConnectSchema | None, column: pa.Array) -> ChangedColumn | None:
        if schema is None:
            return self._change_plain_column(column)
        if schema.type is not SchemaType.STRUCT:
            return None
        projection = self._projection(schema)
        projected = projection.column(column)
        return None if projected is None else (projection.schema, projected)

    def _change_plain_column(self, column: pa.Array) -> ChangedColumn | None:
        if not pa.types.is_struct(column.type):
            return None
        kept = {self._renamed(f.name): column.field(at) for at, f in enumerate(column.type) if self._keeps(f.name)}
        return None, rebuilt(list(kept), list(kept.values()), column)

    def _keeps(self, name: str) -> bool:
        return name not in self._exclude and (not self._include or name in self._include)

    def _renamed(self, name: str) -> str:
        return self._renames.get(name, name)

    def _change_map(self, value: dict[str, Any]) -> dict[str, Any]:
        pairs, dropped = self._plan(tuple(value))
        if pairs is not None:
            return {renamed: value[name] for name, renamed in pairs}
        made = value.copy()
        for name in dropped:
            del made[name]
        return made

    def _make_plan(self, names: tuple[str, ...]) -> tuple[list[tuple[str, str]] | None, list[str]]:
        """For maps of these names: what is kept under which name, or None where a copy without `dropped` does."""
        pairs = [(name, self._renamed(name)) for name in names if self._keeps(name)]
        dropped = [name for name in names if not self._keeps(name)]
        copied = len(dropped) <= len(pairs) and all(name == renamed for name, renamed in pairs)
        return None if copied else pairs, dropped

    def _make_projection(self, schema: ConnectSchema) -> Projection:
        fields = [Field(self._renamed(field.name), field.schema) for field in schema.fields if self._keeps(field.name)]
        originals = [self._originals.get(field.name, field.name) for field in fields]
        return Projection.of(schema, like(schema, fields), originals, self._replace_null)


class ReplaceFieldKey(KeyHalf, ReplaceField):
    """`ReplaceField$Key`."""


class ReplaceFieldValue(ValueHalf, ReplaceField):
    """`ReplaceField$Value`."""


def hash_map_order(keys: Iterable[str]) -> list[str]:
    """The order in which Java's HashMap goes through these keys: it decides who is the origin of a name given twice.

    >>> hash_map_order(["b", "a", "zz"])
    ['a', 'b', 'zz']
    """
    keys = list(dict.fromkeys(keys))
    size = 16
    while len(keys) > size * 3 // 4:
        size *= 2
    return sorted(keys, key=lambda key: _spread_hash(key) & (size - 1))


def _spread_hash(text: str) -> int:
    units = text.encode("utf-16-be", "surrogatepass")
    code = 0
    for at in range(0, len(units), 2):
        code = (code * 31 + (units[at] << 8 | units[at + 1])) & 0xFFFFFFFF
    return code ^ code >> 16


def _pair(mapping: str) -> tuple[str, str]:
    """The halves of old:new; like Java's split, it does not mind colons at the end."""
    parts = mapping.rstrip(":").split(":")
    if len(parts) != 2:
        raise ValueError(f"Invalid rename mapping: {mapping}")
    return parts[0], parts[1]


def _check_renames(name: str, value: Any) -> None:
    for mapping in value or ():
        try:
            _pair(mapping)
        except ValueError as error:
            raise ConfigError(f"Invalid value [{', '.join(value)}] for configuration {name}: {error}") from None
