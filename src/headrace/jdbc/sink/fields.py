"""A batch as named columns for a table: which fields are written, which of them are the key, by `pk.mode`.

Sans-IO, and knows no database. What a record cannot be written for is a DataError that names the record.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import (
    Batch,
    Column,
    ConnectError,
    ConnectSchema,
    DataError,
    SchemaType,
    SinkOrigin,
    schema,
    to_column,
    to_values,
)
from headrace.connect.api.schema import timestamp
from headrace.jdbc.sink.settings import SinkSettings

_STRING: Final = schema(SchemaType.STRING)
_INT32: Final = schema(SchemaType.INT32)
_INT64: Final = schema(SchemaType.INT64)
_COUNTED: Final = (SchemaType.INT64, SchemaType.STRING)
_DIGITS: Final = r"^-?\d{1,19}$"


class Misfit(ConnectError):
    """Records that their schema alone keeps out of the table; `record` is the first of them, where it is known."""

    record: str | None = None


@dataclass(frozen=True, slots=True)
class FieldSource:
    """One column to be: its name, its schema, and where its values are in a batch.

    `part`: key, value (a field of the struct, or all of it where `whole`), topic, partition or offset. `counts`: us or
    ns, where its numbers are timestamps. `column`: the name of the column that is made for it.
    """

    name: str
    schema: ConnectSchema
    part: str
    is_key: bool = False
    whole: bool = False
    counts: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of the records of one topic and one pair of schemas, keys first."""

    topic: str
    fields: tuple[FieldSource, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the key."""
        return tuple(field.column for field in self.fields if field.is_key)

    def only_keys(self) -> "Layout":
        """The layout of deletes."""
        return Layout(self.topic, tuple(field for field in self.fields if field.is_key))


def record_name(batch: Batch, row: int) -> str:
    """A record as a person finds it again: `topic-partition@offset`."""
    if not isinstance(batch.origin, SinkOrigin):
        return f"topic {batch.topic}, row {row}"
    topic, partition, offset = batch.kafka_position(row)
    return f"{topic}-{partition}@{offset}"


def split_deletes(batch: Batch) -> list[tuple[bool, Batch]]:
    """Runs of the batch, in order, each with whether its records have no value."""
    gone = _null_rows(batch.value, batch.length)
    if gone is None:
        return [(False, batch)]
    if pc.all(gone).as_py():
        return [(True, batch)]
    flags = gone.to_pylist()
    ends = [row for row in range(1, batch.length) if flags[row] != flags[row - 1]]
    spans = zip([0, *ends], [*ends, batch.length], strict=True)
    return [(flags[start], batch.slice(start, stop)) for start, stop in spans]


def first_null(column: Column | None, length: int) -> int | None:
    """The first row without a value."""
    gone = _null_rows(column, length)
    return None if gone is None else int(pc.index(gone, True).as_py())


def _null_rows(column: Column | None, length: int) -> pa.BooleanArray | None:
    """Which rows are null; None where no row is."""
    if column is None:
        return pa.array([True] * length, pa.bool_()) if length else None
    gone = pa.array([value is None for value in column], pa.bool_()) if isinstance(column, list) else column.is_null()
    return gone if pc.any(gone).as_py() else None


def layout(settings: SinkSettings, batch: Batch, *, deletes: bool = False) -> Layout:
    """How the records of this batch's schemas become columns. Raises DataError, ConnectError.

    With `deletes` the records have no value, and the key alone counts.
    """
    keys = _keys(settings, batch)
    fields = keys if deletes else [*keys, *_values(settings, batch, {field.name for field in keys})]
    if not fields:
        raise Misfit(f"topic {batch.topic}: no field is left to write; correct fields.whitelist")
    return Layout(batch.topic, tuple(replace(field, column=settings.column_name(field.name)) for field in fields))


def _values(settings: SinkSettings, batch: Batch, taken: Set[str]) -> Iterator[FieldSource]:
    found = batch.value_schema
    if found is not None and found.type is SchemaType.STRING and settings.value_column:
        yield FieldSource(settings.value_column, found, "value", whole=True)
        return
    chosen = settings.fields_whitelist
    for field in _value_struct(batch).fields:
        if field.name in taken or (chosen and field.name not in chosen):
            continue
        if field.name in settings.timestamp_fields and field.schema.type in _COUNTED and field.schema.name is None:
            moment = timestamp(optional=field.schema.optional)
            yield FieldSource(field.name, moment, "value", counts=settings.timestamp_unit)
        else:
            yield FieldSource(field.name, field.schema, "value")


def _value_struct(batch: Batch) -> ConnectSchema:
    found = batch.value_schema
    if found is not None and found.type is SchemaType.STRUCT:
        return found
    row = record_name(batch, 0)
    if found is None:
        raise DataError(
            f"record {row}: its value has no schema, and the columns of a table come from one: write records "
            "with schema and set value.converter.schemas.enable=true (JsonConverter), or a converter that knows schemas"
        )
    raise DataError(
        f"record {row}: its value is {found.type.name}, and a row needs a STRUCT: use the converter that the records "
        "were written with (value.converter, value.converter.schemas.enable=true), or the HoistField transform"
    )


def _keys(settings: SinkSettings, batch: Batch) -> list[FieldSource]:
    match settings.pk_mode:
        case "kafka":
            parts = (("topic", _STRING), ("partition", _INT32), ("offset", _INT64))
            named = zip(settings.pk_fields, parts, strict=True)
            return [FieldSource(name, kind, part, is_key=True) for name, (part, kind) in named]
        case "record_key":
            return _record_key(settings, batch)
        case "record_value":
            found = _value_struct(batch)
            return _struct_keys(settings, batch.topic, found, "value")
    return []


def _record_key(settings: SinkSettings, batch: Batch) -> list[FieldSource]:
    found = batch.key_schema
    if found is None:
        raise DataError(
            f"record {record_name(batch, 0)}: pk.mode=record_key, and its key is null or has no schema: write records "
            "with keys and schemas (key.converter, key.converter.schemas.enable=true), or set pk.mode=record_value"
        )
    if found.type is SchemaType.STRUCT:
        return _struct_keys(settings, batch.topic, found, "key")
    if len(settings.pk_fields) != 1:
        raise Misfit(
            f"topic {batch.topic}: the records' key is {found.type.name}, one value: set pk.fields to the one column "
            f"it goes to (it is {','.join(settings.pk_fields) or 'empty'})"
        )
    return [FieldSource(settings.pk_fields[0], found, "key", is_key=True, whole=True)]


def _struct_keys(settings: SinkSettings, topic: str, struct: ConnectSchema, part: str) -> list[FieldSource]:
    names = settings.pk_fields or tuple(field.name for field in struct.fields)
    keys = []
    for name in names:
        field = struct.field(name)
        if field is None:
            there = ", ".join(field.name for field in struct.fields)
            raise Misfit(
                f"topic {topic}: pk.fields names {name!r}, and the records' {part} has no such field; it has {there}"
            )
        keys.append(FieldSource(name, field.schema, part, is_key=True))
    return keys


def field_columns(found: Layout, batch: Batch, *, defaults: bool = True) -> list[Column]:
    """The columns of the layout's fields; with `defaults`, a null of a field with a default is the default."""
    columns = ((field, _column(field, batch)) for field in found.fields)
    return [
        _moments(column, field.counts) if field.counts else _with_default(field, column, defaults)
        for field, column in columns
    ]


def _moments(column: Column, unit: str) -> Column:
    """Numbers since 1970, or their digits, as timestamps in microseconds; other text stays as it is."""
    array = pa.array(column) if isinstance(column, list) else column
    is_text = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    if is_text and not pc.all(pc.match_substring_regex(array.drop_null(), _DIGITS), min_count=0).as_py():
        return array
    numbers = array.cast(pa.int64())
    if unit == "ns":
        gone = numbers.is_null().to_numpy(zero_copy_only=False)
        numbers = pa.array(np.floor_divide(numbers.fill_null(0).to_numpy(), 1000), mask=gone)
    return numbers.cast(pa.timestamp("us", tz="UTC"))


def _column(field: FieldSource, batch: Batch) -> Column:
    match field.part:
        case "topic" | "partition" | "offset":
            return _kafka_column(field.part, batch)
        case "key":
            held, kind = batch.key, batch.key_schema
        case _:
            held, kind = batch.value, batch.value_schema
    if held is None or kind is None:
        return to_column(field.schema, [None] * batch.length)
    if field.whole:
        return held
    if isinstance(held, list):
        return to_column(field.schema, [None if row is None else row.get(field.name) for row in held])
    position = next(number for number, entry in enumerate(kind.fields) if entry.name == field.name)
    part = held.field(position)
    return part if not held.null_count else pc.if_else(held.is_valid(), part, pa.scalar(None, part.type))


def _kafka_column(part: str, batch: Batch) -> pa.Array:
    if not isinstance(batch.origin, SinkOrigin):
        raise ConnectError("pk.mode=kafka needs records that come from Kafka")
    if part == "topic":
        return pa.repeat(pa.scalar(batch.origin.topic), batch.length)
    held = batch.origin.partition if part == "partition" else batch.origin.offset
    return held if batch.origin_index is None else held.take(batch.origin_index)


def _with_default(field: FieldSource, column: Column, wanted: bool) -> Column:
    default = field.schema.default
    if default is None or not wanted or first_null(column, len(column)) is None:
        return column
    values: Sequence[Any] = to_values(field.schema, column, len(column))
    return to_column(field.schema, [default if value is None else value for value in values])


def check_values(batch: Batch, settings: SinkSettings) -> None:
    """Every record has a value, and a key where the key is taken from it. Raises DataError that names the record."""
    row = first_null(batch.value, batch.length)
    if row is not None:
        raise DataError(
            f"record {record_name(batch, row)} has no value (a tombstone), and delete.enabled is false: set "
            "delete.enabled=true with pk.mode=record_key to delete the row, or drop such records by a Filter transform"
        )


def check_keys(found: Layout, batch: Batch, columns: Sequence[Column]) -> None:
    """No key has a null in it. Raises DataError that names the record."""
    for field, column in zip(found.fields, columns, strict=True):
        row = first_null(column, batch.length) if field.is_key else None
        if row is not None:
            raise DataError(
                f"record {record_name(batch, row)}: field {field.name!r} of its {field.part} is null, and it is part "
                "of the primary key (pk.fields); give it a value, or choose another pk.mode or pk.fields"
            )
