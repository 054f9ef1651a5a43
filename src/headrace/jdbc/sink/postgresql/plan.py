"""A plan: how the records of one topic and one pair of schemas go into one table. Made once, checked before any row.

Sans-IO. Every fault that configuration, schema and table show by themselves is said here, with its remedy.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from headrace.connect.api import Batch, Column, ConnectError, DataError
from headrace.jdbc.dialects import TableId
from headrace.jdbc.sink.fields import FieldSource, Layout, Misfit, check_keys, field_columns, record_name
from headrace.jdbc.sink.postgresql import statements
from headrace.jdbc.sink.postgresql.check import no_unique_key
from headrace.jdbc.sink.postgresql.ddl import column_definition, possible_definitions
from headrace.jdbc.sink.postgresql.fit import BadValue, Zone, fit, misfit, type_name
from headrace.jdbc.sink.postgresql.statements import Shape
from headrace.jdbc.sink.postgresql.table import SinkColumn, SinkTable
from headrace.jdbc.sink.settings import SinkSettings

log = logging.getLogger(__name__)

SHOWN_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """`fields` and `shape.columns` go side by side; `mode`: insert, upsert, update or delete."""

    layout: Layout
    fields: tuple[FieldSource, ...]
    shape: Shape
    mode: str
    fits: tuple[Callable[[Column], pa.Array], ...]
    defaults: bool = True
    probe: str | None = None
    """The key column by which a range of the table can be looked at quickly."""
    trim_values: bool = False
    """Errors leave out values."""

    @property
    def table(self) -> SinkTable:
        return self.shape.table

    def goes_with(self, other: "Plan") -> bool:
        """Whether rows of both go into one statement: older and newer schemas of the same columns."""
        return self is other or (self.mode == other.mode and self.shape is other.shape)

    @property
    def is_copied(self) -> bool:
        """Whether rows may go by COPY into the table itself."""
        return self.table.copyable and self.mode in ("insert", "upsert")

    @property
    def key_numbers(self) -> list[int]:
        """Which columns are the key."""
        return [number for number, column in enumerate(self.shape.columns) if column.name in self.shape.keys]

    def arrays(self, batch: Batch) -> list[pa.Array]:
        """The batch's values as the table takes them. Raises DataError that names record, column and value."""
        columns = field_columns(Layout(self.layout.topic, self.fields), batch, defaults=self.defaults)
        if self.mode != "insert":
            check_keys(Layout(self.layout.topic, self.fields), batch, columns)
        arrays = []
        for column, change, values in zip(self.shape.columns, self.fits, columns, strict=True):
            try:
                arrays.append(change(values))
            except BadValue as bad:
                place = f"table {self.table.name}, column {column.name!r}: value{self.shown(bad.value)}"
                raise DataError(
                    f"{place} of record {record_name(batch, bad.row)} cannot be written: {bad.why}"
                ) from None
        return arrays

    def shown(self, value: object) -> str:
        """A value as an error text has it, with a blank before: not at full length, or not at all."""
        text = "" if self.trim_values else f" {value!r}"
        return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."


def missing_fields(table: SinkTable, layout: Layout) -> list[FieldSource]:
    """The fields that the table has no column for."""
    return [field for field in layout.fields if table.column(field.column) is None]


def make_plan(settings: SinkSettings, table: SinkTable, layout: Layout, *, deletes: bool = False) -> Plan:
    """The plan, or a ConnectError that says why there is none and what to do."""
    _no_field_missing(table, layout)
    pairs = _written(table, layout)
    mode = "delete" if deletes else settings.insert_mode
    keys = tuple(column.name for field, column in pairs if field.is_key)
    shape = Shape(table, tuple(column for _, column in pairs), keys if mode != "insert" else ())
    if mode in ("insert", "upsert"):
        _no_column_left_empty(table, pairs, layout)
    if mode == "upsert":
        _has_unique_key(shape)
    if mode == "update" and not shape.others:
        raise Misfit(f"table {table.name}: insert.mode=update, and there is no field to change besides the key")
    zone = Zone(settings.time_zone)
    return Plan(
        layout,
        tuple(field for field, _ in pairs),
        shape,
        mode,
        tuple(_fit(table, field, column, zone) for field, column in pairs),
        settings.replace_null_with_default,
        _probe(shape) if mode == "upsert" else None,
        settings.trim_values,
    )


def _no_field_missing(table: SinkTable, layout: Layout) -> None:
    missing = missing_fields(table, layout)
    if not missing:
        return
    columns = possible_definitions(missing)
    evolve = f"set auto.evolve=true, or run {statements.add_columns(table.name, columns)}, or " if columns else ""
    raise Misfit(
        f"table {table.name} has no column for {_fields(missing)} of topic {layout.topic}: {evolve}name the "
        f"fields that are to be written in fields.whitelist{_plain_string(missing)}"
    )


def added_columns(table: SinkTable, layout: Layout) -> str:
    """The DDL of the columns that the table lacks. Raises Misfit where it cannot have them."""
    missing = missing_fields(table, layout)
    if table.kind == "v":
        raise Misfit(
            f"{table.name} is a view and has no column for {_fields(missing)} of topic {layout.topic}, and auto.evolve "
            "adds none to views: make the view anew with it, or name the fields in fields.whitelist"
        )
    columns = [column_definition(field) for field in missing]
    required = [field for field in missing if not field.schema.optional and field.schema.default is None]
    if required:
        names = {field.column for field in required}
        by_hand = statements.add_columns(table.name, [column for column in columns if column[0] in names])
        raise Misfit(
            f"table {table.name} has no column for {_fields(required)} of topic {layout.topic}, and auto.evolve adds "
            "none for a field that is neither optional nor has a default, since the rows that are there have no value "
            f"for it: make the field optional, or run {by_hand}"
        )
    return statements.add_columns(table.name, columns)


def _fields(fields: Sequence[FieldSource]) -> str:
    word = "field" if len(fields) == 1 else "fields"
    return f"{word} {', '.join(repr(field.name) for field in fields)}"


def _plain_string(missing: Sequence[FieldSource]) -> str:
    """What to say of a column that was never meant: values that are no struct are often a converter set wrongly."""
    if not any(field.whole and field.part == "value" for field in missing):
        return ""
    return (
        "; the records' values are plain strings (string.output.value.column.name names their column): for rows, use "
        "the converter that they were written with (value.converter, value.converter.schemas.enable=true)"
    )


def _written(table: SinkTable, layout: Layout) -> list[tuple[FieldSource, SinkColumn]]:
    """Fields and their columns, without those that the database computes itself."""
    pairs: list[tuple[FieldSource, SinkColumn]] = []
    for field in layout.fields:
        column = table.column(field.column)
        assert column is not None
        twin = next((other for other, taken in pairs if taken is column), None)
        if twin is not None:
            raise _twins(table.name, twin, field, column.name, layout.topic)
        if column.generated:
            log.warning("table %s computes column %r itself: the field is left out", table.name, column.name)
        else:
            pairs.append((field, column))
    return pairs


def no_twins(table: TableId, layout: Layout) -> None:
    """Raises Misfit where two fields would be one column of a table that is to be made."""
    seen: dict[str, FieldSource] = {}
    for field in layout.fields:
        twin = seen.setdefault(field.column, field)
        if twin is not field:
            raise _twins(table, twin, field, field.column, layout.topic)


def _twins(table: TableId, one: FieldSource, two: FieldSource, column: str, topic: str) -> Misfit:
    return Misfit(
        f"table {table}: fields {one.name!r} and {two.name!r} of topic {topic} both go to column {column!r}: "
        "rename or drop one with the ReplaceField transform"
    )


def _no_column_left_empty(table: SinkTable, pairs: Sequence[tuple[FieldSource, SinkColumn]], layout: Layout) -> None:
    taken = {column.name for _, column in pairs}
    empty = [column.name for column in table.columns if column.needs_value and column.name not in taken]
    if empty:
        names = ", ".join(repr(name) for name in empty)
        raise Misfit(
            f"table {table.name}: column {names} takes no nulls and has no default, and the records of topic "
            f"{layout.topic} have no such field: give the column a default, or drop its NOT NULL, or add the field "
            "with the InsertField transform"
        )


def _has_unique_key(shape: Shape) -> None:
    text = no_unique_key(shape.table, shape.keys)
    if text is not None:
        raise ConnectError(text)


def _fit(table: SinkTable, field: FieldSource, column: SinkColumn, zone: Zone) -> Callable[[Column], pa.Array]:
    remedy = misfit(column, field.schema)
    if remedy is not None:
        raise Misfit(
            f"table {table.name}: column {column.name!r} is of type {column.shown}, and field {field.name!r} is "
            f"{type_name(field.schema)}, which does not fit: {remedy}"
        )
    return fit(column, field.schema, zone)


def _probe(shape: Shape) -> str | None:
    """The first column of the key's index, where its values have a plain order."""
    index = shape.table.unique_on(shape.keys)
    if index is None or not shape.table.copyable:
        return None
    first = next(column for column in shape.columns if column.name == index[0])
    return first.name if first.base in ("int2", "int4", "int8", "date", "timestamp", "timestamptz") else None
