"""A schema as JSON, in the order in which Java's JsonConverter writes its members, and back."""

from typing import Any

from headrace.connect.api import ConnectSchema, DataError, Field, SchemaType
from headrace.connect.api.schema import schema as make_schema
from headrace.connect.converters.json.form import Form, MisfitError
from headrace.connect.converters.json.row_decoder import decode
from headrace.connect.converters.json.row_encoder import encode


def schema_to_json(schema: ConnectSchema | None, form: Form) -> dict[str, Any] | None:
    """The JSON object of a schema, as orjson takes it; None (null) for no schema."""
    if schema is None:
        return None
    made: dict[str, Any] = {"type": schema.type.value}
    match schema.type:
        case SchemaType.ARRAY:
            made["items"] = schema_to_json(schema.value_schema, form)
        case SchemaType.MAP:
            made["keys"] = schema_to_json(schema.key_schema, form)
            made["values"] = schema_to_json(schema.value_schema, form)
        case SchemaType.STRUCT:
            made["fields"] = [
                (schema_to_json(item.schema, form) or {}) | {"field": item.name} for item in schema.fields
            ]
    made["optional"] = schema.optional
    for member in ("name", "version", "doc"):
        if getattr(schema, member) is not None:
            made[member] = getattr(schema, member)
    if schema.parameters:
        made["parameters"] = dict(schema.parameters)
    if schema.default is not None:
        made["default"] = encode(schema, schema.default, form)
    return made


def schema_from_json(json: Any, form: Form) -> ConnectSchema | None:
    """The schema of a parsed JSON object; None for null. Raises DataError that says what is wrong with it."""
    if json is None:
        return None
    if not isinstance(json, dict) or not isinstance(json.get("type"), str):
        raise DataError("the schema of a JSON message must be an object with a 'type'")
    try:
        kind = SchemaType(json["type"])
    except ValueError:
        raise DataError(f"the schema of a JSON message has the unknown type {json['type']!r}") from None
    made = make_schema(
        kind,
        optional=json.get("optional") is True,
        name=_member(json, "name", str),
        version=_member(json, "version", int),
        doc=_member(json, "doc", str),
        parameters=_parameters(json.get("parameters")),
        **_parts(kind, json, form),
    )
    return _with_default(made, json["default"], form) if "default" in json else made


def _member(json: dict[str, Any], name: str, kind: type) -> Any:
    """A member of that type; as in Java, one of another type counts as absent."""
    value = json.get(name)
    return value if type(value) is kind else None


def _parameters(json: Any) -> dict[str, str]:
    if not isinstance(json, dict):
        return {}
    if not all(isinstance(value, str) for value in json.values()):
        raise DataError("the parameters of a schema must have string values")
    return json


def _parts(kind: SchemaType, json: dict[str, Any], form: Form) -> dict[str, Any]:
    match kind:
        case SchemaType.ARRAY:
            return {"value_schema": _part(json, "items", kind, form)}
        case SchemaType.MAP:
            return {
                "key_schema": _part(json, "keys", kind, form),
                "value_schema": _part(json, "values", kind, form),
            }
        case SchemaType.STRUCT:
            if not isinstance(json.get("fields"), list):
                raise DataError("the schema of a struct must have an array of 'fields'")
            return {"fields": [_field(item, form) for item in json["fields"]]}
    return {}


def _part(json: dict[str, Any], name: str, kind: SchemaType, form: Form) -> ConnectSchema:
    part = schema_from_json(json.get(name), form)
    if part is None:
        raise DataError(f"the schema of {'an' if kind is SchemaType.ARRAY else 'a'} {kind.value} must have {name!r}")
    return part


def _field(json: Any, form: Form) -> Field:
    if not isinstance(json, dict) or not isinstance(json.get("field"), str):
        raise DataError("each field of a struct's schema must have a name in 'field'")
    found = schema_from_json(json, form)
    assert found is not None
    return Field(json["field"], found)


def _with_default(schema: ConnectSchema, json: Any, form: Form) -> ConnectSchema:
    try:
        return schema.replace(default=None if json is None else decode(schema, json, form))
    except MisfitError as error:
        raise DataError(f"the default of a schema does not fit it: {error}") from error
