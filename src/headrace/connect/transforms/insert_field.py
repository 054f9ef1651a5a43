"""InsertField: fields with a record's topic, partition, offset and timestamp, and one with a constant.

`org.apache.kafka.connect.transforms.InsertField`. The topic and the partition are those that earlier transformations
have left; the offset is the one consumed, and only a sink's records have one. Null goes on as it is.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import repeat
from typing import Any, Final, NamedTuple

import pyarrow as pa

from headrace.connect.api import (
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
    SinkOrigin,
    Type,
    from_records,
    schema,
    to_values,
)
from headrace.connect.api.schema import timestamp
from headrace.connect.transforms.halves import Changed, HalfTransformation, KeyHalf, ValueHalf
from headrace.connect.transforms.projection import Projection
from headrace.connect.transforms.requirements import require_map, require_struct
from headrace.connect.transforms.settings import REPLACE_NULL, define_replace_null
from headrace.connect.transforms.struct_columns import rebuilt
from headrace.connect.transforms.struct_schema import like
from headrace.connect.transforms.timestamp_form import FORMS, Settings

_PURPOSE: Final = "field insertion"
_KEYS: Final = ("topic.field", "partition.field", "offset.field", "timestamp.field", "static.field")
_SCHEMAS: Final = {
    "topic.field": schema(SchemaType.STRING),
    "partition.field": schema(SchemaType.INT32),
    "offset.field": schema(SchemaType.INT64),
    "timestamp.field": timestamp(),
    "static.field": schema(SchemaType.STRING),
}
_NO_SETTINGS: Final = Settings(None, "milliseconds")
_DOCUMENTATION: Final = {
    "topic.field": "The field for the topic.",
    "partition.field": "The field for the partition.",
    "offset.field": "The field for the offset; of sinks alone.",
    "timestamp.field": "The field for the record's timestamp.",
    "static.field": "The field for static.value.",
}


class _Insertion(NamedTuple):
    """A field to insert: its name, the key that asks for it, and its schema."""

    key: str
    name: str
    schema: ConnectSchema

    @classmethod
    def parse(cls, key: str, text: str) -> "_Insertion":
        """`name!` is required, `name?` and `name` are optional."""
        required = text.endswith("!")
        name = text[:-1] if required or text.endswith("?") else text
        return cls(key, name, _SCHEMAS[key] if required else _SCHEMAS[key].replace(optional=True))


class _Plan(NamedTuple):
    """What structs of one schema become: how their fields go over, and the schema with the new ones behind them."""

    kept: Projection
    schema: ConnectSchema


class InsertField(HalfTransformation):
    """What the Key and the Value form share."""

    PASSES_NULL = True

    @classmethod
    def config_def(cls) -> ConfigDef:
        definition = ConfigDef()
        for key in _KEYS:
            text = f"{_DOCUMENTATION[key]} A trailing ! makes it required, ? optional (as it is without either)."
            definition.define(key, Type.STRING, None, text, importance=Importance.MEDIUM)
        definition.define("static.value", Type.STRING, None, "The constant.", importance=Importance.MEDIUM)
        return define_replace_null(definition)

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        self._insertions = [_Insertion.parse(key, settings[key]) for key in _KEYS if settings[key] is not None]
        self._static: str | None = settings["static.value"]
        if not self._insertions:
            message = f"No field insertion configured: set one of {', '.join(_KEYS)}"
            raise ConfigError(message, {key: [message] for key in _KEYS})
        if settings["static.field"] is not None and self._static is None:
            message = (
                f"Invalid value null for configuration static.value: No value specified for static field: "
                f"{settings['static.field']}"
            )
            raise ConfigError(message, {"static.value": [message]})
        self._replace_null: bool = settings[REPLACE_NULL]
        self._plan = lru_cache(maxsize=16)(self._make_plan)

    def change(self, schema: ConnectSchema | None, value: Any) -> Changed:
        raise NotImplementedError("InsertField changes a value by its record")

    def apply(self, record: Record) -> Record:
        return self._insert(record, None)

    def apply_batch(self, batch: Batch) -> list[Batch]:
        schema, column = self.columns(batch)
        if column is None:
            return [batch]
        if not isinstance(column, pa.StructArray):
            return self._by_rows(batch) if schema is not None else [self._plain_rows(batch, column)]
        return [made for part in self._parts(batch, column) for made in self._change_part(part)]

    def _by_rows(self, batch: Batch) -> list[Batch]:
        offsets = _offsets(batch)
        each = repeat(None) if offsets is None else offsets.to_pylist()
        made = (self._insert(record, offset) for record, offset in zip(batch.records(), each, strict=False))
        return from_records(made, batch.origin)

    def _plain_rows(self, batch: Batch, column: Column) -> Batch:
        """Maps without schema; what the rows have nothing to say for is no entry of theirs."""
        maps = [None if row is None else require_map(row, _PURPOSE) for row in to_values(None, column, len(batch))]
        for insertion in self._insertions:
            items = self._child(insertion.key, batch).to_pylist()
            maps = [
                row if row is None or item is None else {**row, insertion.name: item}
                for row, item in zip(maps, items, strict=True)
            ]
        return self.with_columns(batch, None, maps)

    def _insert(self, record: Record, offset: int | None) -> Record:
        schema, value = self.read(record)
        if value is None:
            return record
        if schema is None:
            made = dict(require_map(value, _PURPOSE))
        else:
            require_struct(schema, value, _PURPOSE)
            plan = self._plan(schema)
            schema, made = plan.schema, plan.kept.row(value)
        for insertion in self._insertions:
            item = self._item(insertion.key, record, offset)
            if schema is not None:
                is_moment = insertion.key == "timestamp.field" and item is not None
                made[insertion.name] = FORMS["Timestamp"].from_millis(item, _NO_SETTINGS) if is_moment else item
            elif item is not None:
                made[insertion.name] = item
        return self.write(record, schema, made)

    def _item(self, key: str, record: Record, offset: int | None) -> Any:
        """What a record has to say for a key; None where it has nothing, and then no field is set."""
        match key:
            case "topic.field":
                return record.topic
            case "partition.field":
                return record.partition
            case "timestamp.field":
                return record.timestamp
            case "offset.field":
                if offset is None:
                    raise _no_offset()
                return offset
        return self._static

    def _change_part(self, batch: Batch) -> list[Batch]:
        schema, column = self.columns(batch)
        assert isinstance(column, pa.StructArray)
        if schema is not None and column.null_count == len(batch):
            return [batch]
        if schema is None:
            made = self._plain_column(batch, column)
            return self._by_rows(batch) if made is None else [self.with_columns(batch, None, made)]
        plan = self._plan(schema)
        kept = plan.kept.column(column)
        if kept is None:
            return self._by_rows(batch)
        children = [kept.field(index) for index in range(len(schema.fields))]
        for insertion in self._insertions:
            child = self._child(insertion.key, batch)
            if insertion.key == "timestamp.field":
                child = child.cast(pa.timestamp("ms", tz="UTC"))
            children.append(child)
        made = rebuilt([field.name for field in plan.schema.fields], children, column)
        return [self.with_columns(batch, plan.schema, made)]

    def _plain_column(self, batch: Batch, column: pa.StructArray) -> pa.StructArray | None:
        """Schemaless data of one shape; None where some rows would have a field and others not."""
        children = {field.name: column.field(index) for index, field in enumerate(column.type)}
        for insertion in self._insertions:
            child = self._child(insertion.key, batch)
            if 0 < child.null_count < len(child):
                return None
            if child.null_count == 0:
                children[insertion.name] = child
        return rebuilt(list(children), list(children.values()), column)

    def _child(self, key: str, batch: Batch) -> pa.Array:
        """The column of what the records have to say for a key."""
        match key:
            case "topic.field":
                return pa.repeat(pa.scalar(batch.topic, pa.string()), len(batch))
            case "partition.field":
                return batch.partition if batch.partition is not None else pa.nulls(len(batch), pa.int32())
            case "timestamp.field":
                return batch.timestamp if batch.timestamp is not None else pa.nulls(len(batch), pa.int64())
            case "offset.field":
                offsets = _offsets(batch)
                if offsets is None:
                    raise _no_offset()
                return offsets
        return pa.repeat(pa.scalar(self._static, pa.string()), len(batch))

    def _make_plan(self, schema: ConnectSchema) -> _Plan:
        names = [field.name for field in schema.fields]
        added = tuple(Field(insertion.name, insertion.schema) for insertion in self._insertions)
        return _Plan(
            Projection.of(schema, schema, names, self._replace_null),
            like(schema, schema.fields + added),
        )


class InsertFieldKey(KeyHalf, InsertField):
    """`InsertField$Key`."""


class InsertFieldValue(ValueHalf, InsertField):
    """`InsertField$Value`."""


def _offsets(batch: Batch) -> pa.Int64Array | None:
    """The offset that each row was consumed at; None of a source's batch."""
    if not isinstance(batch.origin, SinkOrigin):
        return None
    offsets = batch.origin.offset
    return offsets if batch.origin_index is None else offsets.take(batch.origin_index)


def _no_offset() -> DataError:
    return DataError(f"Only SinkRecord supported for [{_PURPOSE}], found a source's: offset.field is for sinks alone")
