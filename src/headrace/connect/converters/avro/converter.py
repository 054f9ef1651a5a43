"""AvroConverter: what is Avro's of a converter with a registry. One thread a converter."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from headrace.avro.parser import Parser
from headrace.avro.tree import Node
from headrace.connect.api import Column, ConfigDef, ConnectSchema, DataError, Importance, Type, between
from headrace.connect.converters.avro.column_decoder import decode_column
from headrace.connect.converters.avro.column_encoder import encode_column
from headrace.connect.converters.avro.naming import AvroOptions
from headrace.connect.converters.avro.row_encoder import Writing, encode
from headrace.connect.converters.avro.schema_reader import to_connect
from headrace.connect.converters.avro.schema_writer import avro_text, to_avro
from headrace.connect.converters.registry import RegisteredSchema
from headrace.connect.converters.registry.codec import RegistryConverter
from headrace.connect.converters.registry.framing import HEAD_BYTES


def avro_config_def() -> ConfigDef:
    """The keys of the mapping between schemas."""
    low = {"importance": Importance.LOW}
    return (
        ConfigDef()
        .define("schemas.cache.config", Type.INT, 1000, "How many schemas a converter remembers.",
                validator=between(1), **low)
        .define("enhanced.avro.schema.support", Type.BOOLEAN, False,
                "Keep enums as enums, and full names of records in unions.", importance=Importance.MEDIUM)
        .define("connect.meta.data", Type.BOOLEAN, True,
                "Write what Avro does not know of a Connect schema as properties connect.*.", **low)
        .define("scrub.invalid.names", Type.BOOLEAN, False,
                "Replace what Avro does not take in names by _, instead of refusing the schema.",
                importance=Importance.MEDIUM)
        .define("discard.type.doc.default", Type.BOOLEAN, False,
                "Take documentation and defaults of fields alone, not of their types.", **low)
        .define("allow.optional.map.keys", Type.BOOLEAN, False, "Write maps whose string keys are optional as maps.",
                **low)
        .define("flatten.singleton.unions", Type.BOOLEAN, True, "Take a union of one type for that type.", **low)
        .define("ignore.default.for.nullables", Type.BOOLEAN, False,
                "Write null as null where the field is optional and has a default.", **low)
    )  # fmt: skip


class AvroConverter(RegistryConverter):
    """`io.confluent.connect.avro.AvroConverter`."""

    KIND = "AVRO"

    @classmethod
    def own_config_def(cls) -> ConfigDef:
        return avro_config_def()

    def configure_form(self, settings: Mapping[str, Any]) -> None:
        self._options = AvroOptions(
            enhanced=settings["enhanced.avro.schema.support"],
            meta_data=settings["connect.meta.data"],
            scrub=settings["scrub.invalid.names"],
            optional_map_keys=settings["allow.optional.map.keys"],
            flatten_singletons=settings["flatten.singleton.unions"],
            discard_type_doc_default=settings["discard.type.doc.default"],
            ignore_default=settings["ignore.default.for.nullables"],
        )
        self._strict: bool = settings["latest.compatibility.strict"]

    def own_form(self, schema: ConnectSchema) -> "AvroWriteForm":
        return AvroWriteForm(schema, Writing(to_avro(schema, self._options), self._options))

    def form_by(self, registered: RegisteredSchema, schema: ConnectSchema) -> "AvroWriteForm":
        return AvroWriteForm(schema, Writing(parsed(registered), self._options, strict=self._strict))

    def read_form(self, registered: RegisteredSchema) -> "AvroReadForm":
        return AvroReadForm(parsed(registered), self._options)


class AvroWriteForm:
    """Values of a Connect schema by an Avro schema."""

    def __init__(self, schema: ConnectSchema, writing: Writing) -> None:
        self.text = avro_text(writing.node)
        self.record = _record_name(writing.node)
        self._schema = schema
        self._writing = writing

    def encode(self, column: pa.Array, head: bytes) -> pa.BinaryArray:
        return encode_column(self._writing, self._schema, column, head)

    def encode_row(self, value: Any) -> bytes:
        return encode(self._writing, self._schema, value)


class AvroReadForm:
    """What was written by an Avro schema."""

    def __init__(self, node: Node, options: AvroOptions) -> None:
        self.schema = to_connect(node, options)
        self._node = node
        self._options = options

    def decode(self, messages: pa.BinaryArray) -> Column:
        return decode_column(self._node, self.schema, messages, HEAD_BYTES, self._options)


def _record_name(node: Node) -> str | None:
    """The name of a record, optional or not."""
    branches = [branch for branch in node.branches if branch.kind != "null"] if node.kind == "union" else [node]
    return branches[0].name if len(branches) == 1 and branches[0].kind == "record" else None


def parsed(registered: RegisteredSchema) -> Node:
    """The tree of a registered schema. Raises DataError where it is none."""
    parser = Parser()
    try:
        for _, text in registered.references:
            parser.parse(text)
        return parser.parse(registered.text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the schema with id {registered.id} is no Avro schema: {error}") from error
