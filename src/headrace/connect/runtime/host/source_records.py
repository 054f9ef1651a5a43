"""SourceRow: one record of a source, for what is said of it when it fails. Sans-IO.

`details` is `SourceRecord.toString`: names and order are Java's; bytes are told by their number, times in ISO 8601.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from headrace.connect.api import Batch, ConnectSchema, Record, SchemaType, SourceOrigin


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row of a source's batch: a FailedRecord."""

    batch: Batch
    row: int

    def describe(self) -> str:
        batch = self.batch
        if not isinstance(batch.origin, SourceOrigin):
            return f"A record for topic {batch.topic}"
        offset = dict(batch.source_offset(self.row))
        return f"The record of {dict(batch.origin.partition)} at {offset} for topic {batch.topic}"

    def details(self) -> str:
        batch = self.batch
        (record,) = batch.slice(self.row, self.row + 1).records()
        place = ""
        if isinstance(batch.origin, SourceOrigin):
            partition, offset = _text(batch.origin.partition), _text(batch.source_offset(self.row))
            place = f"sourcePartition={partition}, sourceOffset={offset}"
        return f"source record is = SourceRecord{{{place}}} {_record(record)}"


def _record(record: Record) -> str:
    return (
        f"ConnectRecord{{topic='{record.topic}', kafkaPartition={_text(record.partition)}, "
        f"key={_text(record.key, record.key_schema)}, keySchema={_schema(record.key_schema)}, "
        f"value={_text(record.value, record.value_schema)}, valueSchema={_schema(record.value_schema)}, "
        f"timestamp={_text(record.timestamp)}, headers=ConnectHeaders(headers={_headers(record)})}}"
    )


def _headers(record: Record) -> str:
    told = (
        f"ConnectHeader(key={header.name}, value={_text(header.value, header.schema)}, schema={_schema(header.schema)})"
        for header in record.headers
    )
    return f"[{', '.join(told)}]" if record.headers else ""


def _schema(schema: ConnectSchema | None) -> str:
    if schema is None:
        return "null"
    return f"Schema{{{schema.name}:{schema.type.name}}}" if schema.name else f"Schema{{{schema.type.name}}}"


def _text(value: Any, schema: ConnectSchema | None = None) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case bytes():
            return f"[{len(value)} bytes]"
        case Decimal():
            return format(value, "f")
        case Mapping():
            return _fields(value, schema)
        case list() | tuple():
            return f"[{', '.join(_text(item, schema and schema.value_schema) for item in value)}]"
    return str(value)


def _fields(value: Mapping[Any, Any], schema: ConnectSchema | None) -> str:
    if schema is None or schema.type is not SchemaType.STRUCT:
        inner = schema and schema.value_schema
        return "{" + ", ".join(f"{_text(key)}={_text(item, inner)}" for key, item in value.items()) + "}"
    named = [(field.name, value.get(field.name), field.schema) for field in schema.fields]
    return "Struct{" + ",".join(f"{name}={_text(item, of)}" for name, item, of in named if item is not None) + "}"
