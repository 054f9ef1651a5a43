"""A Connect schema to a JSON Schema (draft 7), with `connect.*` members for what JSON Schema does not know."""

from typing import Any

import orjson

from headrace.connect.api import ConnectSchema, SchemaType
from headrace.connect.converters.json.form import UNION, Form
from headrace.connect.converters.json.row_encoder import encode
from headrace.connect.converters.json_schema.naming import CONNECT_TYPES, ENUM, JsonSchemaOptions


def to_json_schema(schema: ConnectSchema, form: Form, options: JsonSchemaOptions) -> dict[str, Any]:
    """The JSON Schema of a Connect schema. Raises MisfitError where a default does not fit."""
    return _Writer(form, options).of(schema)


def json_schema_text(json: dict[str, Any]) -> str:
    """The schema as it is registered."""
    return orjson.dumps(json, option=orjson.OPT_SERIALIZE_NUMPY).decode()


class _Writer:
    def __init__(self, form: Form, options: JsonSchemaOptions) -> None:
        self._form = form
        self._options = options

    def of(self, schema: ConnectSchema, index: int | None = None, *, may_be_missing: bool = False) -> dict[str, Any]:
        """The schema; `index` is a field's place, and `may_be_missing` says that null is said by leaving it out."""
        place = {} if index is None else {"connect.index": index}
        if schema.name == UNION and schema.type is SchemaType.STRUCT:
            return self._union(schema) | place
        base = self._typed(schema) | self._described(schema)
        if schema.optional and not may_be_missing:
            return {"oneOf": [{"type": "null"}, base], **place}
        return base | place

    def _union(self, schema: ConnectSchema) -> dict[str, Any]:
        null = [{"type": "null"}] if schema.optional else []
        branches = [self.of(field.schema.replace(optional=False), at) for at, field in enumerate(schema.fields)]
        return {"oneOf": [*null, *branches]}

    def _typed(self, schema: ConnectSchema) -> dict[str, Any]:
        match schema:
            case ConnectSchema(type=SchemaType.STRUCT):
                return self._object(schema)
            case ConnectSchema(type=SchemaType.ARRAY, value_schema=ConnectSchema() as item):
                return {"type": "array", "items": self.of(item)}
            case ConnectSchema(type=SchemaType.MAP):
                return self._map(schema)
            case ConnectSchema(type=SchemaType.STRING) if schema.parameter(ENUM) is not None:
                return {"enum": [value for key, value in schema.parameters if key.startswith(f"{ENUM}.")]}
            case ConnectSchema(type=SchemaType.BYTES, name="org.apache.kafka.connect.data.Decimal"):
                return {"type": "number", "connect.type": "bytes"}
        kind, connect = CONNECT_TYPES[schema.type]
        return {"type": kind} | ({} if connect is None else {"connect.type": connect})

    def _object(self, schema: ConnectSchema) -> dict[str, Any]:
        lenient = self._options.optional_for_nonrequired
        made: dict[str, Any] = {"type": "object"}
        made["properties"] = {
            field.name: self.of(field.schema, index, may_be_missing=lenient)
            for index, field in enumerate(schema.fields)
        }
        required = [field.name for field in schema.fields if not field.schema.optional]
        if lenient and required:
            made["required"] = required
        if not self._options.additional:
            made["additionalProperties"] = False
        return made

    def _map(self, schema: ConnectSchema) -> dict[str, Any]:
        assert schema.key_schema is not None and schema.value_schema is not None
        if self._form.is_object(schema):
            return {"type": "object", "connect.type": "map", "additionalProperties": self.of(schema.value_schema)}
        parts = {"key": self.of(schema.key_schema, 0), "value": self.of(schema.value_schema, 1)}
        return {"type": "array", "connect.type": "map", "items": {"type": "object", "properties": parts}}

    def _described(self, schema: ConnectSchema) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if schema.name is not None:
            made["title"] = schema.name
        if schema.doc is not None:
            made["description"] = schema.doc
        if schema.version is not None:
            made["connect.version"] = schema.version
        parameters = {key: value for key, value in schema.parameters if not key.startswith(ENUM)}
        if parameters:
            made["connect.parameters"] = parameters
        if schema.default is not None:
            made["default"] = encode(schema, schema.default, self._form)
        return made
