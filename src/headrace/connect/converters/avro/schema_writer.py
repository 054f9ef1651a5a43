"""A Connect schema to an Avro schema, members in the order in which Confluent's converter adds them."""

from typing import Any, Final

from headrace.avro.printer import Printer
from headrace.avro.tree import NO_DEFAULT, Field, Node
from headrace.connect.api import ConnectSchema, DataError, SchemaType
from headrace.connect.api.schema import DECIMAL
from headrace.connect.converters.avro.defaults import default_to_json
from headrace.connect.converters.avro.naming import (
    DEFAULT_PRECISION,
    DEFAULT_RECORD,
    ENUM,
    FIXED_SIZE,
    INTERNAL_TYPE,
    LOGICAL,
    MAP_ENTRY,
    PRECISION,
    UNION,
    AvroOptions,
    is_name,
    scrubbed,
)

_PLAIN: Final = {
    SchemaType.INT8: "int",
    SchemaType.INT16: "int",
    SchemaType.INT32: "int",
    SchemaType.INT64: "long",
    SchemaType.FLOAT32: "float",
    SchemaType.FLOAT64: "double",
    SchemaType.BOOLEAN: "boolean",
    SchemaType.STRING: "string",
    SchemaType.BYTES: "bytes",
}
_NAMELESS: Final = ("union", "array", "map")


def to_avro(schema: ConnectSchema, options: AvroOptions) -> Node:
    """The Avro schema of a Connect schema. Raises DataError for names that Avro does not take."""
    return _Writer(options).of(schema)


def avro_text(node: Node) -> str:
    """The schema as it is registered."""
    return Printer(frozenset()).text(node)


class _Writer:
    """One schema; it knows the named types that it has made."""

    def __init__(self, options: AvroOptions) -> None:
        self._options = options
        self._made: dict[str, tuple[ConnectSchema, Node]] = {}
        self._unnamed = 0
        self._entries = 0

    def of(self, schema: ConnectSchema) -> Node:
        base = self._base(schema.replace(optional=False))
        if not schema.optional:
            return base
        null = Node("null")
        branches = base.branches if base.kind == "union" else [base]
        return Node("union", branches=[*branches, null] if schema.default is not None else [null, *branches])

    def _base(self, schema: ConnectSchema) -> Node:
        """The node without regard to null, its properties added."""
        if schema.name == UNION and schema.type is SchemaType.STRUCT:
            return Node("union", branches=[self.of(field.schema.replace(optional=False)) for field in schema.fields])
        node, is_new = self._typed(schema)
        if is_new:
            node.properties |= self._meta_data(schema, node) | _logical(schema)
        return node

    def _typed(self, schema: ConnectSchema) -> tuple[Node, bool]:
        match schema.type:
            case SchemaType.STRUCT:
                return self._named(schema, schema.name or self._next_default())
            case SchemaType.ARRAY:
                assert schema.value_schema is not None
                return Node("array", inner=self.of(schema.value_schema)), True
            case SchemaType.MAP:
                return self._map(schema), True
            case SchemaType.STRING if self._options.enhanced and schema.parameter(ENUM):
                return self._named(schema, schema.parameter(ENUM) or "")
            case SchemaType.BYTES if schema.parameter(FIXED_SIZE) and schema.name and schema.name not in LOGICAL:
                return self._named(schema, schema.name)
            case SchemaType.BYTES if schema.name == DECIMAL:
                scale, precision = schema.parameter("scale") or 0, schema.parameter(PRECISION) or DEFAULT_PRECISION
                return Node("bytes", properties={"scale": int(scale), "precision": int(precision)}), True
        return Node(_PLAIN[schema.type]), True

    def _next_default(self) -> str:
        self._unnamed += 1
        return DEFAULT_RECORD if self._unnamed == 1 else f"{DEFAULT_RECORD}{self._unnamed}"

    def _named(self, schema: ConnectSchema, name: str) -> tuple[Node, bool]:
        """The named type of that name: made, or the one made before of an equal schema."""
        full = self._name(name, "the schema")
        if full in self._made:
            known, node = self._made[full]
            if known is not schema:
                raise DataError(
                    f"two different types are both named {name}, and a name stands for one type in an Avro schema: "
                    "rename one (SetSchemaMetadata), or flatten the record (Flatten)"
                )
            return node, False
        node = Node("record", full)
        self._made[full] = schema, node
        match schema.type:
            case SchemaType.STRUCT:
                node.doc = schema.doc
                node.fields = [self._field(field.name, field.schema) for field in schema.fields]
                _expect_distinct(node, schema)
            case SchemaType.STRING:
                node.kind = "enum"
                node.symbols = [value for key, value in schema.parameters if key.startswith(f"{ENUM}.")]
            case _:
                node.kind, node.size = "fixed", int(schema.parameter(FIXED_SIZE) or 0)
        return node, True

    def _name(self, name: str, what: str) -> str:
        if self._options.scrub:
            return scrubbed(name)
        if not all(map(is_name, name.split("."))):
            raise DataError(
                f"{what} has the name {name!r}, and names in Avro are letters, digits and _: set "
                "scrub.invalid.names=true on the converter, or rename it"
            )
        return name

    def _field(self, name: str, schema: ConnectSchema) -> Field:
        made = Field(self._name(name, "a field"), self.of(schema), doc=schema.doc)
        if schema.default is not None:
            json = default_to_json(schema, schema.default)
            made.default = json if _is_default_of(made.type, json) else NO_DEFAULT
        elif schema.optional:
            made.default = None
        return made

    def _map(self, schema: ConnectSchema) -> Node:
        key, item = schema.key_schema, schema.value_schema
        assert key is not None and item is not None
        if key.type is SchemaType.STRING and (self._options.optional_map_keys or not key.optional):
            return Node("map", inner=self.of(item))
        self._entries += 1
        own = schema.name or (MAP_ENTRY if self._entries == 1 else f"{MAP_ENTRY}{self._entries}")
        entry = Node("record", self._name(own, "a map"), fields=[self._field("key", key), self._field("value", item)])
        if own != MAP_ENTRY:
            entry.properties[INTERNAL_TYPE] = "MapEntry"
        return Node("array", inner=entry)

    def _meta_data(self, schema: ConnectSchema, node: Node) -> dict[str, Any]:
        if not self._options.meta_data:
            return {}
        made: dict[str, Any] = {}
        if schema.doc is not None:
            made["connect.doc"] = schema.doc
        if schema.version is not None:
            made["connect.version"] = schema.version
        derived = ENUM if node.kind == "enum" else FIXED_SIZE if node.kind == "fixed" else None
        parameters = {key: value for key, value in schema.parameters if derived is None or not key.startswith(derived)}
        if parameters:
            made["connect.parameters"] = parameters
        if schema.default is not None:
            made["connect.default"] = default_to_json(schema, schema.default)
        if schema.name is not None:
            made["connect.name"] = schema.name
        if schema.type in (SchemaType.INT8, SchemaType.INT16):
            made["connect.type"] = schema.type.value
        return made


def _expect_distinct(node: Node, schema: ConnectSchema) -> None:
    seen: dict[str, str] = {}
    for made, field in zip(node.fields, schema.fields, strict=True):
        if made.name in seen:
            raise DataError(
                f"the fields {seen[made.name]!r} and {field.name!r} of {node.name} would both be named {made.name} in "
                "Avro: rename one (ReplaceField)"
            )
        seen[made.name] = field.name


def _logical(schema: ConnectSchema) -> dict[str, str]:
    found = LOGICAL.get(schema.name or "")
    return {} if found is None else {"logicalType": found}


def _is_default_of(node: Node, json: Any) -> bool:
    """Whether Avro takes this as a default: it is of the first branch of each union, and JSON has all of it."""
    match node.kind:
        case "union":
            return _is_default_of(node.branches[0], json)
        case "null":
            return json is None
        case "float" | "double":
            return not isinstance(json, str)
        case "array" | "map":
            assert node.inner is not None
            items = json if isinstance(json, list) else json.values()
            return all(_is_default_of(node.inner, item) for item in items)
        case "record":
            return all(each.name in json and _is_default_of(each.type, json[each.name]) for each in node.fields)
    return json is not None
