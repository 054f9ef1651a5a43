"""JsonSchemaConverter: what is JSON Schema's of a converter with a registry. One thread a converter."""

import json
from collections.abc import Mapping
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import Column, ConfigDef, ConnectSchema, DataError, Importance, SchemaType, Type, between
from headrace.connect.converters.json.column_decoder import InexactError, decode_column, decode_exact
from headrace.connect.converters.json.column_encoder import encode_column
from headrace.connect.converters.json.config import decimal_format
from headrace.connect.converters.json.envelope import parse_exactly, parse_json
from headrace.connect.converters.json.form import Form, MisfitError
from headrace.connect.converters.json.row_encoder import dumps
from headrace.connect.converters.json.text_columns import FEW, DoubtError, decode_texts
from headrace.connect.converters.json_schema.naming import JsonSchemaOptions
from headrace.connect.converters.json_schema.schema_reader import to_connect
from headrace.connect.converters.json_schema.schema_writer import json_schema_text, to_json_schema
from headrace.connect.converters.registry import RegisteredSchema
from headrace.connect.converters.registry.codec import RegistryConverter
from headrace.connect.converters.registry.framing import payloads_of

_NOTHING: Final = pa.scalar(b"", pa.binary())


class JsonSchemaConverter(RegistryConverter):
    """`io.confluent.connect.json.JsonSchemaConverter`."""

    KIND = "JSON"

    @classmethod
    def own_config_def(cls) -> ConfigDef:
        low = {"importance": Importance.LOW}
        return (
            ConfigDef()
            .define("schemas.cache.config", Type.INT, 1000, "How many schemas a converter remembers.",
                    validator=between(1), **low)
            .define("object.additional.properties", Type.BOOLEAN, True,
                    "Whether the schemas of structs allow properties that they do not name.", **low)
            .define("use.optional.for.nonrequired", Type.BOOLEAN, False,
                    "A property that is not required is optional: null is said by leaving it out.", **low)
            .define("decimal.format", Type.STRING, "BASE64",
                    "How decimals are written, case insensitive: BASE64 (Java's default) or NUMERIC.",
                    validator=decimal_format, **low)
            .define("replace.null.with.default", Type.BOOLEAN, True,
                    "Whether a null in a field that has a default is written and read as that default.", **low)
            .define("ignore.default.for.nullables", Type.BOOLEAN, False,
                    "Write null as null where the field is optional and has a default.", **low)
            .define("json.fail.invalid.schema", Type.BOOLEAN, False,
                    "Refuse messages that the registered schema does not allow, written or read.", **low)
        )  # fmt: skip

    def configure_form(self, settings: Mapping[str, Any]) -> None:
        lenient: bool = settings["use.optional.for.nonrequired"]
        self._options = JsonSchemaOptions(settings["object.additional.properties"], lenient)
        replace_null = settings["replace.null.with.default"] and not settings["ignore.default.for.nullables"]
        numeric = settings["decimal.format"].upper() == "NUMERIC"
        self._form = Form(numeric, replace_null, with_registry=True, omit_nulls=lenient)
        self._strict: bool = settings["latest.compatibility.strict"]
        self._check: bool = settings["json.fail.invalid.schema"]

    def own_form(self, schema: ConnectSchema) -> "JsonWriteForm":
        try:
            json_schema = to_json_schema(schema, self._form, self._options)
        except MisfitError as error:
            raise DataError(f"the default of a schema does not fit it: {error}") from None
        text = json_schema_text(json_schema)
        return JsonWriteForm(schema, text, self._form, Validity(text, {}) if self._check else None)

    def form_by(self, registered: RegisteredSchema, schema: ConnectSchema) -> "JsonWriteForm":
        wanted = self.read_form(registered).schema
        if self._strict and wanted.type is schema.type is SchemaType.STRUCT:
            unknown = sorted({field.name for field in schema.fields} - {field.name for field in wanted.fields})
            if unknown:
                raise MisfitError(
                    f"the schema with id {registered.id} has no property {unknown[0]}: register one that has it, or "
                    "set latest.compatibility.strict=false"
                )
        return JsonWriteForm(schema, registered.text, self._form, self._validity(registered))

    def read_form(self, registered: RegisteredSchema) -> "JsonReadForm":
        try:
            schema = to_connect(registered.text, dict(registered.references), self._form, self._options)
        except (ValueError, RecursionError) as error:
            raise DataError(f"the schema with id {registered.id} is no JSON schema: {error}") from error
        return JsonReadForm(schema, self._form, self._validity(registered))

    def _validity(self, registered: RegisteredSchema) -> "Validity | None":
        return Validity(registered.text, dict(registered.references)) if self._check else None


class Validity:
    """Whether messages are what a JSON Schema allows (`json.fail.invalid.schema`)."""

    def __init__(self, text: str, references: Mapping[str, str]) -> None:
        import jsonschema_rs

        registry = jsonschema_rs.Registry([(name, json.loads(other)) for name, other in references.items()])
        self._validator = jsonschema_rs.validator_for(json.loads(text), registry=registry)

    def expect(self, text: bytes) -> None:
        """Raises MisfitError with what is not allowed."""
        for error in self._validator.iter_errors(parse_json(text)):
            fault = MisfitError(f"the JSON schema does not allow it: {error.message}")
            fault.path = [str(step) for step in error.instance_path]
            raise fault


class JsonWriteForm:
    """Values of a Connect schema as JSON."""

    def __init__(self, schema: ConnectSchema, text: str, form: Form, validity: Validity | None) -> None:
        self.text = text
        self.record = schema.name
        self._schema = schema
        self._form = form
        self._validity = validity

    def encode(self, column: pa.Array, head: bytes) -> pa.BinaryArray:
        texts = encode_column(self._schema, column, self._form, "", "")
        if self._validity is not None:
            for text in texts.to_pylist():
                self._validity.expect(text)
        return pc.binary_join_element_wise(pa.scalar(head, pa.binary()), texts, _NOTHING)

    def encode_row(self, value: Any) -> bytes:
        text = dumps(self._schema, value, self._form)
        if self._validity is not None:
            self._validity.expect(text)
        return text


class JsonReadForm:
    """JSON that was written by a JSON Schema."""

    def __init__(self, schema: ConnectSchema, form: Form, validity: Validity | None) -> None:
        self.schema = schema
        self._form = form
        self._validity = validity

    def decode(self, messages: pa.BinaryArray) -> Column:
        texts = payloads_of(messages)
        if self._validity is not None:
            for text in texts.to_pylist():
                self._validity.expect(text)
        if len(texts) >= FEW and texts.type == pa.binary():
            try:
                return decode_texts(self.schema, texts)
            except DoubtError:
                pass
        return self._parsed(texts.to_pylist())

    def _parsed(self, texts: list[bytes]) -> Column:
        try:
            values = list(map(orjson.loads, texts))
        except orjson.JSONDecodeError:
            values = [parse_json(text) for text in texts]
        try:
            return decode_column(self.schema, values, self._form)
        except InexactError:
            return decode_exact(self.schema, [parse_exactly(text) for text in texts], self._form)
