"""An Avro schema, whoever wrote it, to the Connect schema that stands for it."""

import re
from typing import Any, Final

from headrace.avro.tree import NO_DEFAULT, Node
from headrace.connect.api import ConnectSchema, DataError, SchemaType
from headrace.connect.api import Field as ConnectField
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.connect.api.schema import schema as make_schema
from headrace.connect.converters.avro.defaults import default_from_json
from headrace.connect.converters.avro.naming import (
    DEFAULT_PRECISION,
    DEFAULT_RECORD,
    ENUM,
    FIXED_SIZE,
    INTERNAL_TYPE,
    MAP_ENTRY,
    PRECISION,
    UNION,
    AvroOptions,
)

_PLAIN: Final = {
    "boolean": SchemaType.BOOLEAN,
    "int": SchemaType.INT32,
    "long": SchemaType.INT64,
    "float": SchemaType.FLOAT32,
    "double": SchemaType.FLOAT64,
    "string": SchemaType.STRING,
    "bytes": SchemaType.BYTES,
    "enum": SchemaType.STRING,
    "fixed": SchemaType.BYTES,
}
_LOGICAL: Final = {
    ("int", "date"): DATE,
    ("int", "time-millis"): TIME,
    ("long", "timestamp-millis"): TIMESTAMP,
    ("bytes", "decimal"): DECIMAL,
    ("fixed", "decimal"): DECIMAL,
}
_NARROW: Final = {"int8": SchemaType.INT8, "int16": SchemaType.INT16}
_DEFAULT_NAME: Final = re.compile(re.escape(DEFAULT_RECORD) + r"\d*")


def to_connect(node: Node, options: AvroOptions) -> ConnectSchema:
    """The Connect schema of an Avro schema. Raises DataError for what Connect has no type for."""
    return _Reader(options).of(node)


def is_map_entry(node: Node | None) -> bool:
    """Whether an array of this is a map whose keys are no strings."""
    return (
        node is not None
        and node.kind == "record"
        and [field.name for field in node.fields] == ["key", "value"]
        and (node.name == MAP_ENTRY or node.properties.get(INTERNAL_TYPE) == "MapEntry")
    )


def optional_branch(node: Node, options: AvroOptions) -> int | None:
    """Of a union that means a value or null (or always the one value): the value's branch; None for other unions."""
    kinds = [branch.kind for branch in node.branches]
    if len(kinds) == 2 and kinds.count("null") == 1:
        return 1 - kinds.index("null")
    return 0 if len(kinds) == 1 and kinds != ["null"] and options.flatten_singletons else None


class _Reader:
    def __init__(self, options: AvroOptions) -> None:
        self._options = options
        self._underway: set[str] = set()

    def of(self, node: Node, *, optional: bool = False, doc: str | None = None, default: Any = None) -> ConnectSchema:
        if node.kind == "union":
            return self._union(node, optional=optional, doc=doc, default=default)
        made = self._base(node, optional=optional, doc=doc)
        json = default
        if json is None and not self._options.discard_type_doc_default:
            json = node.properties.get("connect.default")
        if json is None:
            return made
        try:
            return made.replace(default=default_from_json(made, json))
        except (ValueError, OverflowError, UnicodeEncodeError) as error:
            raise DataError(f"the default of {node.full_name} does not fit it: {error}") from error

    def _union(self, node: Node, *, optional: bool, doc: str | None, default: Any) -> ConnectSchema:
        nullable = any(branch.kind == "null" for branch in node.branches)
        chosen = optional_branch(node, self._options)
        if chosen is not None:
            return self.of(node.branches[chosen], optional=optional or nullable, doc=doc, default=default)
        members = [branch for branch in node.branches if branch.kind != "null"]
        if not members:
            raise DataError("a union of null alone holds nothing that Connect has a type for")
        fields = [ConnectField(self._member_name(each), self.of(each, optional=True)) for each in members]
        if len({field.name for field in fields}) < len(fields):
            raise DataError(
                f"two branches of a union are both named {fields[0].name}: set enhanced.avro.schema.support=true on "
                "the converter, which takes their full names"
            )
        return make_schema(SchemaType.STRUCT, optional=optional or nullable, name=UNION, doc=doc, fields=fields)

    def _member_name(self, node: Node) -> str:
        return node.full_name if self._options.enhanced or not node.name else node.simple_name

    def _base(self, node: Node, *, optional: bool, doc: str | None) -> ConnectSchema:
        given = node.properties
        logical = _LOGICAL.get((node.kind, str(given.get("logicalType"))))
        version = given.get("connect.version")
        return make_schema(
            self._type(node),
            optional=optional,
            name=logical or _name(node),
            version=version if type(version) is int else 1 if logical else None,
            doc=doc or self._own_doc(node),
            parameters=self._parameters(node, logical),
            **self._parts(node),
        )

    def _own_doc(self, node: Node) -> str | None:
        if self._options.discard_type_doc_default:
            return None
        return node.doc if node.kind == "record" and node.doc is not None else _text(node, "connect.doc")

    def _type(self, node: Node) -> SchemaType:
        match node.kind:
            case "record" | "error":
                return SchemaType.STRUCT
            case "map":
                return SchemaType.MAP
            case "array":
                return SchemaType.MAP if is_map_entry(node.inner) else SchemaType.ARRAY
            case "null":
                raise DataError("a null that is no branch of a union holds nothing that Connect has a type for")
            case "int" if node.properties.get("connect.type") in _NARROW:
                return _NARROW[node.properties["connect.type"]]
        return _PLAIN[node.kind]

    def _parts(self, node: Node) -> dict[str, Any]:
        match node.kind:
            case "map":
                assert node.inner is not None
                key = make_schema(SchemaType.STRING, optional=self._options.optional_map_keys)
                return {"key_schema": key, "value_schema": self.of(node.inner)}
            case "array":
                assert node.inner is not None
                if is_map_entry(node.inner):
                    key, item = (self.of(field.type) for field in node.inner.fields)
                    return {"key_schema": key, "value_schema": item}
                return {"value_schema": self.of(node.inner)}
            case "record" | "error":
                return {"fields": self._fields(node)}
        return {}

    def _fields(self, node: Node) -> list[ConnectField]:
        if node.name in self._underway:
            raise DataError(f"the record {node.name} holds itself: recursive schemas are not offered")
        self._underway.add(node.name)
        fields = []
        for each in node.fields:
            default = None if each.default is NO_DEFAULT else each.default
            fields.append(ConnectField(each.name, self.of(each.type, doc=each.doc, default=default)))
        self._underway.discard(node.name)
        return fields

    def _parameters(self, node: Node, logical: str | None) -> dict[str, str]:
        given = node.properties.get("connect.parameters")
        found = {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}
        match node.kind:
            case "enum" if self._options.meta_data:
                return {ENUM: node.name, **{f"{ENUM}.{symbol}": symbol for symbol in node.symbols}, **found}
            case "fixed" if logical is None:
                return {FIXED_SIZE: str(node.size), **found}
        if logical == DECIMAL:
            precision = node.properties.get("precision", DEFAULT_PRECISION)
            exact = {} if precision == DEFAULT_PRECISION else {PRECISION: str(precision)}
            return {"scale": str(node.properties.get("scale", 0)), **exact, **found}
        return found


def _name(node: Node) -> str | None:
    named = _text(node, "connect.name") or node.name or None
    return None if named and _DEFAULT_NAME.fullmatch(named) else named


def _text(node: Node, key: str) -> str | None:
    found = node.properties.get(key)
    return found if isinstance(found, str) else None
