"""HeaderFrom: fields copied or moved to headers (`org.apache.kafka.connect.transforms.HeaderFrom$Key`, `$Value`)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain, repeat
from typing import Any, NamedTuple

import pyarrow as pa

from headrace.connect.api import (
    NO_DEFAULT,
    Batch,
    ConfigDef,
    ConfigError,
    ConnectSchema,
    DataError,
    Header,
    Importance,
    Record,
    Transformation,
    Type,
    non_empty_list,
    one_of,
    to_values,
)
from headrace.connect.transforms.halves import Changed, Half, KeyHalf, ValueHalf
from headrace.connect.transforms.requirements import checked, require_map, require_struct
from headrace.connect.transforms.settings import REPLACE_NULL, define_replace_null
from headrace.connect.transforms.struct_columns import check_nulls, child_of, rebuilt, with_default
from headrace.connect.transforms.struct_schema import like

Headers = tuple[Header, ...]


class _Plan(NamedTuple):
    """What becomes of structs of one schema: the fields that stay, and the field of each header (None: missing)."""

    schema: ConnectSchema
    kept: tuple[int, ...]
    sources: tuple[int | None, ...]


class HeaderFrom(Half, Transformation):
    """What the Key and the Value form share."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        high = Importance.HIGH
        definition = (
            ConfigDef()
            .define("fields", Type.LIST, NO_DEFAULT, "The fields.", importance=high, validator=non_empty_list)
            .define(
                "headers",
                Type.LIST,
                NO_DEFAULT,
                "The names of the headers, in the order of the fields.",
                importance=high,
                validator=non_empty_list,
            )
            .define(
                "operation",
                Type.STRING,
                NO_DEFAULT,
                "move takes the fields out of the key or value, copy leaves them there.",
                importance=high,
                validator=one_of("move", "copy"),
            )
        )
        return define_replace_null(definition)

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        self._fields: list[str] = settings["fields"]
        self._names: list[str] = settings["headers"]
        if len(self._fields) != len(self._names):
            message = "'fields' config must have the same number of elements as 'headers' config."
            raise ConfigError(message, {"fields": [message], "headers": [message]})
        self._moves = settings["operation"] == "move"
        self._purpose = f"header {settings['operation']}"
        self._replaces_null: bool = settings[REPLACE_NULL]
        self._plan = lru_cache(maxsize=16)(self._make_plan)

    def apply(self, record: Record) -> Record:
        schema, value = self.read(record)
        (schema, value), added = self._schemaless(value) if schema is None else self._with_schema(schema, value)
        return replace(self.write(record, schema, value), headers=record.headers + added)

    def apply_batch(self, batch: Batch) -> list[Batch]:
        schema, column = self.columns(batch)
        if schema is None or not isinstance(column, pa.StructArray) or column.null_count:
            return super().apply_batch(batch)
        plan = self._plan(schema)
        made = self._column(schema, plan, column)
        if made is None:
            return super().apply_batch(batch)
        changed, added = made
        if batch.headers is not None:
            added = tuple([old + new for old, new in zip(batch.headers, added, strict=True)])
        return [replace(self.with_columns(batch, plan.schema, changed), headers=added)]

    def _schemaless(self, value: Any) -> tuple[Changed, Headers]:
        found = require_map(value, self._purpose)
        added = tuple(
            Header(name, None, found.get(field)) for field, name in zip(self._fields, self._names, strict=True)
        )
        if self._moves:
            found = {key: item for key, item in found.items() if key not in self._fields}
        return (None, found), added

    def _with_schema(self, schema: ConnectSchema, value: Any) -> tuple[Changed, Headers]:
        found = require_struct(schema, value, self._purpose)
        plan = self._plan(schema)
        items = found
        if self._moves:
            kept = [schema.fields[index] for index in plan.kept]
            items = {
                field.name: checked(field.name, field.schema, self._item(field.schema, found.get(field.name)))
                for field in kept
            }
        added = []
        for field_name, name, index in zip(self._fields, self._names, plan.sources, strict=True):
            if index is None:
                raise DataError(f"HeaderFrom: {self._purpose}: the schema has no field {field_name}")
            source = schema.fields[index].schema
            added.append(_header(name, source, self._item(source, found.get(field_name))))
        return (plan.schema, items), tuple(added)

    def _item(self, schema: ConnectSchema, value: Any) -> Any:
        return schema.default if value is None and self._replaces_null else value

    def _make_plan(self, schema: ConnectSchema) -> _Plan:
        indexes = {field.name: index for index, field in enumerate(schema.fields)}
        sources = tuple(indexes.get(name) for name in self._fields)
        if not self._moves:
            return _Plan(schema, tuple(indexes.values()), sources)
        kept = tuple(index for index in indexes.values() if index not in sources)
        fields = tuple(schema.fields[index] for index in kept)
        return _Plan(like(schema, fields), kept, sources)

    def _column(
        self, schema: ConnectSchema, plan: _Plan, column: pa.StructArray
    ) -> tuple[pa.StructArray, tuple[Headers, ...]] | None:
        """The changed column and the headers of each row, or None where only rows will do."""
        sources = [index for index in plan.sources if index is not None]
        if len(sources) < len(plan.sources):
            return None
        used = {*sources, *(plan.kept if self._moves else ())}
        children = {index: self._child(schema.fields[index].schema, child_of(column, index)) for index in used}
        if any(child is None for child in children.values()):
            return None
        if self._moves:
            kept = [(schema.fields[index], children[index]) for index in plan.kept]
            for field, child in kept:
                check_nulls(field.name, field.schema, child, column)
            column = rebuilt([field.name for field, _ in kept], [child for _, child in kept], column)
        headers = [
            _headers(name, schema.fields[index].schema, children[index])
            for name, index in zip(self._names, sources, strict=True)
        ]
        return column, tuple(headers[0]) if len(headers) == 1 else tuple(map(_joined, zip(*headers, strict=True)))

    def _child(self, schema: ConnectSchema, child: pa.Array) -> pa.Array | None:
        return with_default(schema, child) if self._replaces_null else child


def _header(name: str, schema: ConnectSchema, value: Any) -> Header:
    """As `ConnectHeaders` takes it: a null, be there a default or not, in an optional schema alone."""
    if value is None and not schema.optional:
        raise DataError(f"header {name}: a null value requires an optional schema but was {schema.type.name}")
    return Header(name, schema, value)


def _joined(rows: tuple[Headers, ...]) -> Headers:
    return tuple(chain.from_iterable(rows))


def _headers(name: str, schema: ConnectSchema, column: pa.Array) -> Sequence[Headers]:
    """A header a row, each in a tuple; where values come again, their rows share it."""
    if column.null_count and not schema.optional:
        _header(name, schema, None)
    kind = column.type
    if not column.null_count and (pa.types.is_integer(kind) or pa.types.is_string(kind)):
        encoded = column.dictionary_encode()
        if 2 * len(encoded.dictionary) < len(column):
            known = _made(name, schema, encoded.dictionary.to_pylist())
            return list(map(known.__getitem__, encoded.indices.to_numpy().tolist()))
    return _made(name, schema, to_values(schema, column, len(column)))


def _made(name: str, schema: ConnectSchema, values: Iterable[Any]) -> list[Headers]:
    return list(zip(map(Header, repeat(name), repeat(schema), values)))


class HeaderFromKey(KeyHalf, HeaderFrom):
    """`HeaderFrom$Key`."""


class HeaderFromValue(ValueHalf, HeaderFrom):
    """`HeaderFrom$Value`."""
