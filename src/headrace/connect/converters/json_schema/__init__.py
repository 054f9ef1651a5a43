"""JsonSchemaConverter: values as JSON, schemas as JSON Schema in a registry, laid out as Confluent's converter does.

Values are JsonConverter's, but for what its form says of registries; `schema_writer` and `schema_reader` map a schema
to JSON Schema and back.
"""

from headrace.connect.converters.json_schema.converter import JsonSchemaConverter

__all__ = ["JsonSchemaConverter"]
