"""Schemas, values and records as JSON that loses nothing: what `java/Forms.java` reads and writes.

A value is null or [tag, content]: byte, short, int, long; float and double (the digits of a double as text); boolean;
string; bytes (base 64); decimal (unscaled digits, scale); date (milliseconds, for java.util.Date); list; map (pairs);
struct (pairs of field name and value). Without a schema a Python int is a Java Long, a float a Double, a datetime,
date or time a Date.

`canonical` makes two forms equal where Connect holds their values for equal: entries of maps and parameters in any
order, numbers without a schema by value.
"""

import base64
import datetime as dt
import math
from decimal import Decimal
from typing import Any, Final

from headrace.connect.api import ConnectSchema, Header, Record, SchemaType
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP

Form = Any

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_INTEGERS: Final = {
    SchemaType.INT8: ("byte", 7),
    SchemaType.INT16: ("short", 15),
    SchemaType.INT32: ("int", 31),
    SchemaType.INT64: ("long", 63),
}
_FLOATS: Final = {SchemaType.FLOAT32: "float", SchemaType.FLOAT64: "double"}


def schema_form(schema: ConnectSchema | None) -> Form:
    if schema is None:
        return None
    form: dict[str, Any] = {"type": schema.type.name}
    if schema.optional:
        form["optional"] = True
    for name in ("name", "version", "doc"):
        if getattr(schema, name) is not None:
            form[name] = getattr(schema, name)
    if schema.default is not None:
        form["default"] = value_form(schema, schema.default)
    if schema.parameters:
        form["parameters"] = [list(pair) for pair in schema.parameters]
    if schema.type is SchemaType.STRUCT:
        form["fields"] = [[field.name, schema_form(field.schema)] for field in schema.fields]
    if schema.type is SchemaType.MAP:
        form["key"] = schema_form(schema.key_schema)
    if schema.type in (SchemaType.MAP, SchemaType.ARRAY):
        form["item"] = schema_form(schema.value_schema)
    return form


def value_form(schema: ConnectSchema | None, value: Any) -> Form:
    """The form of a row value; ["foreign", ...], which equals no Java value, where it does not fit its schema."""
    if value is None:
        return None
    if schema is None:
        return _schemaless(value)
    if schema.name in (DATE, TIME, TIMESTAMP, DECIMAL):
        return _logical(schema, value)
    match schema.type, value:
        case SchemaType.BOOLEAN, bool():
            return ["boolean", value]
        case (SchemaType.BOOLEAN, _) | (_, bool()):
            return ["foreign", schema.type.name, repr(value)]
        case SchemaType.STRING, str():
            return ["string", value]
        case SchemaType.BYTES, bytes():
            return ["bytes", base64.b64encode(value).decode()]
        case SchemaType.ARRAY, list():
            return ["list", [value_form(schema.value_schema, item) for item in value]]
        case SchemaType.MAP, dict():
            pairs = value.items()
            return ["map", [[value_form(schema.key_schema, k), value_form(schema.value_schema, v)] for k, v in pairs]]
        case SchemaType.STRUCT, dict() if set(value) <= {field.name for field in schema.fields}:
            return ["struct", [[f.name, value_form(f.schema, value.get(f.name))] for f in schema.fields]]
        case ((SchemaType.FLOAT32 | SchemaType.FLOAT64), (int() | float())):
            return [_FLOATS[schema.type], _digits(float(value))]
        case _, int() if schema.type in _INTEGERS and -(1 << _INTEGERS[schema.type][1]) <= value < (
            1 << _INTEGERS[schema.type][1]
        ):
            return [_INTEGERS[schema.type][0], value]
    return ["foreign", schema.type.name, repr(value)]


def _schemaless(value: Any) -> Form:
    match value:
        case bool():
            return ["boolean", value]
        case int():
            return ["long", value]
        case float():
            return ["double", _digits(value)]
        case str():
            return ["string", value]
        case bytes():
            return ["bytes", base64.b64encode(value).decode()]
        case Decimal():
            return _decimal(value, None)
        case dt.datetime():
            return ["date", _millis(value)]
        case dt.date():
            return ["date", (value - _EPOCH.date()).days * 86_400_000]
        case dt.time():
            return ["date", _millis(dt.datetime.combine(_EPOCH.date(), value, dt.UTC))]
        case list() | tuple():
            return ["list", [_schemaless_or_null(item) for item in value]]
        case dict():
            return ["map", [[_schemaless_or_null(k), _schemaless_or_null(v)] for k, v in value.items()]]
    return ["foreign", type(value).__name__, repr(value)]


def _schemaless_or_null(value: Any) -> Form:
    return None if value is None else _schemaless(value)


def _logical(schema: ConnectSchema, value: Any) -> Form:
    match schema.name, value:
        case "org.apache.kafka.connect.data.Decimal", (Decimal() | int()):
            return _decimal(Decimal(value), int(schema.parameter("scale") or 0))
        case "org.apache.kafka.connect.data.Timestamp", dt.datetime():
            return ["date", _millis(value)]
        case "org.apache.kafka.connect.data.Time", dt.time():
            return ["date", _millis(dt.datetime.combine(_EPOCH.date(), value, dt.UTC))]
        case "org.apache.kafka.connect.data.Date", dt.date() if not isinstance(value, dt.datetime):
            return ["date", (value - _EPOCH.date()).days * 86_400_000]
    return ["foreign", schema.name, repr(value)]


def _millis(value: dt.datetime) -> int:
    return ((value if value.tzinfo else value.replace(tzinfo=dt.UTC)) - _EPOCH) // _MILLISECOND


def _decimal(value: Decimal, scale: int | None) -> Form:
    """Exact whatever Python's decimal context; at the schema's scale where there is one."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return ["foreign", "DECIMAL", repr(value)]
    unscaled = int("".join(map(str, digits)) or "0") * (-1 if sign else 1)
    if scale is None:
        return ["decimal", str(unscaled), -exponent]
    if exponent + scale >= 0:
        return ["decimal", str(unscaled * 10 ** (exponent + scale)), scale]
    whole, rest = divmod(unscaled, 10 ** -(exponent + scale))
    return ["foreign", "DECIMAL", repr(value)] if rest else ["decimal", str(whole), scale]


def _digits(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def header_form(header: Header) -> Form:
    return [header.name, schema_form(header.schema), value_form(header.schema, header.value)]


def record_form(record: Record, offset: int | None = None) -> Form:
    """The form of a record; with an offset it is a sink's."""
    form = {
        "topic": record.topic,
        "partition": record.partition,
        "timestamp": record.timestamp,
        "keySchema": schema_form(record.key_schema),
        "key": value_form(record.key_schema, record.key),
        "valueSchema": schema_form(record.value_schema),
        "value": value_form(record.value_schema, record.value),
        "headers": [header_form(header) for header in record.headers],
    }
    return form if offset is None else form | {"offset": offset}


def canonical_record(form: Form) -> Form:
    """A record's form such that `==` is what Connect holds for equal."""
    if form is None:
        return None
    headers = [[name, canonical_schema(kind), canonical(kind, value)] for name, kind, value in form["headers"]]
    halves = {
        "keySchema": canonical_schema(form["keySchema"]),
        "key": canonical(form["keySchema"], form["key"]),
        "valueSchema": canonical_schema(form["valueSchema"]),
        "value": canonical(form["valueSchema"], form["value"]),
    }
    return {name: form[name] for name in ("topic", "partition", "timestamp")} | halves | {"headers": headers}


def canonical_schema(form: Form) -> Form:
    if form is None:
        return None
    made = dict(form)
    if "default" in form:
        made["default"] = canonical(form, form["default"])
    made["parameters"] = sorted(form.get("parameters", []))
    if "fields" in form:
        made["fields"] = [[name, canonical_schema(kind)] for name, kind in form["fields"]]
    for part in ("key", "item"):
        if part in form:
            made[part] = canonical_schema(form[part])
    return made


def canonical(schema: Form, value: Form) -> Form:
    if value is None:
        return None
    tag, *content = value
    schema = schema or {}
    match tag:
        case "float" | "double":
            return [tag if schema else "double", repr(float(content[0]))]
        case "byte" | "short" | "int" if not schema:
            return ["long", content[0]]
        case "list":
            return ["list", [canonical(schema.get("item"), item) for item in content[0]]]
        case "map":
            kinds = schema.get("key"), schema.get("item")
            return ["map", sorted(([canonical(kinds[0], k), canonical(kinds[1], v)] for k, v in content[0]), key=repr)]
        case "struct":
            kinds_by_name = dict(schema.get("fields", []))
            return ["struct", [[name, canonical(kinds_by_name.get(name), item)] for name, item in content[0]]]
    return value


def beyond_python(form: Form) -> bool:
    """Whether a form holds a date of a year that Python's datetime does not have."""
    match form:
        case ["date", int() as millis]:
            return not -62_135_596_800_000 <= millis <= 253_402_300_799_999
        case list():
            return any(beyond_python(part) for part in form)
        case dict():
            return any(beyond_python(part) for part in form.values())
    return False
