"""The column types of tables made from a record's schema (`auto.create`, `auto.evolve`).

Sans-IO. The map is that of the known JDBC sink connectors, with a Decimal's precision and scale where they are known.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from headrace.connect.api import ConnectSchema, SchemaType
from headrace.jdbc.sink.fields import FieldSource, Misfit
from headrace.jdbc.sink.postgresql.fit import kind_of
from headrace.jdbc.sink.postgresql.table import DIALECT

_TYPES: Final = {
    SchemaType.INT8: "SMALLINT",
    SchemaType.INT16: "SMALLINT",
    SchemaType.INT32: "INT",
    SchemaType.INT64: "BIGINT",
    SchemaType.FLOAT32: "REAL",
    SchemaType.FLOAT64: "DOUBLE PRECISION",
    SchemaType.BOOLEAN: "BOOLEAN",
    SchemaType.STRING: "TEXT",
    SchemaType.BYTES: "BYTEA",
}


def column_definition(field: FieldSource) -> tuple[str, str, bool]:
    """Name, type with its default, and whether it takes nulls."""
    kind = column_type(field.schema, field.name)
    default = _literal(field.schema.default)
    optional = field.schema.optional and not field.is_key
    return field.column, kind if default is None else f"{kind} DEFAULT {default}", optional


def possible_definitions(fields: Sequence[FieldSource]) -> list[tuple[str, str, bool]] | None:
    """The definitions of these fields' columns; None where a field has none."""
    try:
        return [column_definition(field) for field in fields]
    except Misfit:
        return None


def column_type(schema: ConnectSchema, name: str) -> str:
    """The type of a column for values of a schema. Raises Misfit where there is none."""
    match kind_of(schema):
        case "decimal":
            return _numeric(schema)
        case "date" | "time" | "timestamp" as word:
            return word.upper()
        case "list" if schema.value_schema is not None:
            return f"{column_type(schema.value_schema, name)}[]"
        case "document" | "list":
            raise Misfit(
                f"field {name!r} is a {schema.type.name}, which auto.create and auto.evolve make no column for: "
                "flatten it with the Flatten transform, or make the column yourself, as jsonb"
            )
    return _TYPES[schema.type]


def _numeric(schema: ConnectSchema) -> str:
    precision, scale = schema.parameter("connect.decimal.precision"), int(schema.parameter("scale") or 0)
    if precision is None or not 0 < int(precision) <= 1000 or not 0 <= scale <= int(precision):
        return "DECIMAL"
    return f"DECIMAL({int(precision)},{scale})"


def _literal(value: Any) -> str | None:
    """A default as SQL has it; None where there is none, or none that a literal can be."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case float():
            return f"'{value!r}'"
        case Decimal():
            return format(value, "f")
        case str():
            return DIALECT.literal(value)
        case bytes():
            return f"'\\x{value.hex()}'"
        case datetime():
            return f"'{value.replace(tzinfo=None).isoformat(' ')}'"
        case date() | time():
            return f"'{value.isoformat()}'"
    return None
