"""Schemas of structs made of others, with what Java's `SchemaBuilder` refuses."""

from collections.abc import Iterable

from headrace.connect.api import ConnectSchema, DataError, Field, SchemaType
from headrace.connect.api import schema as make_schema


def struct_schema(fields: Iterable[Field]) -> ConnectSchema:
    """A struct of these fields. Raises DataError where two have one name, or one has none."""
    return make_schema(SchemaType.STRUCT, fields=_checked(fields))


def like(source: ConnectSchema, fields: Iterable[Field]) -> ConnectSchema:
    """A struct of these fields with name, version, doc and parameters of `source`; never optional, no default.

    Java's `SchemaUtil.copySchemaBasics` leaves both behind.
    """
    return source.replace(
        type=SchemaType.STRUCT,
        fields=_checked(fields),
        optional=False,
        default=None,
        key_schema=None,
        value_schema=None,
    )


def _checked(fields: Iterable[Field]) -> tuple[Field, ...]:
    seen: dict[str, Field] = {}
    for field in fields:
        if not field.name:
            raise DataError("fieldName cannot be null.")
        if field.name in seen:
            raise DataError(f"Cannot create field because of field name duplication {field.name}")
        seen[field.name] = field
    return tuple(seen.values())
