"""Schemas and rows that Avro takes, and fastavro's view of a schema."""

import io
import json
from typing import Any

import fastavro
from hypothesis import strategies as st

from headrace.avro.tree import Node
from headrace.connect.api import ConnectSchema, Field, SchemaType
from headrace.connect.converters.avro.converter import AvroReadForm, AvroWriteForm
from headrace.connect.converters.avro.naming import AvroOptions
from headrace.connect.converters.avro.row_encoder import Writing
from headrace.connect.converters.avro.schema_writer import to_avro
from tests.connect.strategies import any_schemas, values

HEAD = b"\0\0\0\0\7"


def nameable(kind: ConnectSchema) -> ConnectSchema:
    """The schema with fields named f0, f1, ... and structs without names: Avro takes neither twice nor every name."""
    match kind.type:
        case SchemaType.STRUCT:
            fields = [Field(f"f{at}", nameable(field.schema)) for at, field in enumerate(kind.fields)]
            return kind.replace(name=None, fields=tuple(fields))
        case SchemaType.ARRAY:
            assert kind.value_schema is not None
            return kind.replace(value_schema=nameable(kind.value_schema))
        case SchemaType.MAP:
            assert kind.value_schema is not None
            return kind.replace(value_schema=nameable(kind.value_schema))
    return kind


@st.composite
def rows(draw: st.DrawFn, max_size: int = 6) -> tuple[ConnectSchema, list[Any]]:
    """A schema that Avro takes, and rows that fit it, none of them null."""
    kind = nameable(draw(any_schemas()))
    one = values(kind.replace(optional=False))
    return kind, draw(st.lists(one, min_size=1, max_size=max_size))


def filled(kind: ConnectSchema | None, value: Any) -> Any:
    """The row value with nulls replaced by defaults, as the converter does."""
    assert kind is not None
    if value is None:
        return kind.default
    match kind.type:
        case SchemaType.STRUCT:
            return {field.name: filled(field.schema, value[field.name]) for field in kind.fields}
        case SchemaType.ARRAY:
            return [filled(kind.value_schema, item) for item in value]
        case SchemaType.MAP:
            return {key: filled(kind.value_schema, item) for key, item in value.items()}
    return value


def forms(kind: ConnectSchema, **options: Any) -> tuple[Node, AvroWriteForm, AvroReadForm]:
    """The Avro schema of a Connect schema, and both of its forms."""
    chosen = AvroOptions(**options)
    node = to_avro(kind, chosen)
    return node, AvroWriteForm(kind, Writing(node, chosen)), AvroReadForm(node, chosen)


def plain(json_schema: Any) -> Any:
    """The schema without logical types: fastavro would make dates of numbers."""
    if isinstance(json_schema, dict):
        return {key: plain(value) for key, value in json_schema.items() if key != "logicalType"}
    return [plain(value) for value in json_schema] if isinstance(json_schema, list) else json_schema


def by_fastavro(text: str) -> Any:
    """The schema as fastavro takes it."""
    return fastavro.parse_schema(plain(json.loads(text)))


def written(schema: Any, value: Any) -> bytes:
    """A value in fastavro's words."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


def read(schema: Any, payload: bytes) -> Any:
    """What fastavro reads, records told from maps in unions by tuples, so that it can be written again."""
    source = io.BytesIO(payload)
    value = fastavro.schemaless_reader(source, schema, None, return_record_name=True, return_named_type=True)
    assert not source.read()
    return value
