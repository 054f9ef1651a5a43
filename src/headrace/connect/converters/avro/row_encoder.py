"""One row value to Avro's binary form, and the rules of writing a value by an Avro schema that both encoders keep.

The measure of what the column encoder must give; it also takes what no Arrow type holds.
"""

import struct
from collections.abc import Callable
from typing import Any, Final

from headrace.avro.tree import NO_DEFAULT, Field, Node
from headrace.connect.api import ConnectSchema, SchemaType
from headrace.connect.api.schema import DECIMAL
from headrace.connect.converters.avro.defaults import default_from_json, to_number, unscaled
from headrace.connect.converters.avro.naming import UNION, AvroOptions, scrubbed
from headrace.connect.converters.avro.schema_reader import to_connect
from headrace.connect.converters.json.form import MisfitError, shown
from headrace.connect.records.varint import varint

_WHOLE: Final = {SchemaType.INT8: 8, SchemaType.INT16: 16, SchemaType.INT32: 32, SchemaType.INT64: 64}
_FLOATS: Final = frozenset((SchemaType.FLOAT32, SchemaType.FLOAT64))
_TAKES: Final = {
    "boolean": frozenset((SchemaType.BOOLEAN,)),
    "int": frozenset((SchemaType.INT8, SchemaType.INT16, SchemaType.INT32)),
    "long": frozenset(_WHOLE),
    "float": frozenset((*_WHOLE, SchemaType.FLOAT32)),
    "double": frozenset((*_WHOLE, *_FLOATS)),
    "string": frozenset((SchemaType.STRING,)),
    "bytes": frozenset((SchemaType.BYTES,)),
    "enum": frozenset((SchemaType.STRING,)),
    "fixed": frozenset((SchemaType.BYTES,)),
    "array": frozenset((SchemaType.ARRAY, SchemaType.MAP)),
    "map": frozenset((SchemaType.MAP,)),
    "record": frozenset((SchemaType.STRUCT,)),
}


class Writing:
    """The Avro schema that is written by; the newest of a subject need not be that of the values."""

    def __init__(self, node: Node, options: AvroOptions, *, strict: bool = True) -> None:
        self.node = node
        self.options = options
        self._strict = strict
        self._fields: dict[tuple[int, ConnectSchema], list[tuple[Field, int | None]]] = {}

    @property
    def is_raw(self) -> bool:
        """Bytes that are a whole message stand without their length, as Confluent's serializers write them."""
        return self.node.kind == "bytes"

    def null_value(self, schema: ConnectSchema) -> Any:
        """What a null stands for: the default, or None."""
        return None if schema.optional and self.options.ignore_default else schema.default

    def expect(self, node: Node, schema: ConnectSchema) -> None:
        """Raises MisfitError where values of a schema are not written as a type of Avro's."""
        if schema.type not in _TAKES.get(node.kind, ()):
            raise MisfitError(f"a {schema.type.value} cannot be written as Avro's {node.kind}")

    def branch(self, node: Node, schema: ConnectSchema) -> int:
        """The branch of a union that takes the values of a schema."""
        for number, branch in enumerate(node.branches):
            if schema.type in _TAKES.get(branch.kind, ()):
                return number
        raise MisfitError(f"no branch of the union takes a {schema.type.value}")

    def member(self, node: Node, number: int) -> int:
        """The branch of the `number`th field of a struct that stands for a union."""
        branches = [at for at, branch in enumerate(node.branches) if branch.kind != "null"]
        if number >= len(branches):
            raise MisfitError("the union has fewer branches than the struct has fields")
        return branches[number]

    def null_branch(self, node: Node, schema: ConnectSchema) -> int:
        for number, branch in enumerate(node.branches):
            if branch.kind == "null":
                return number
        raise MisfitError(f"null, but this {schema.type.value} is required and has no default")

    def fields(self, node: Node, schema: ConnectSchema) -> list[tuple[Field, int | None]]:
        """Each field of a record, and which field of the struct it is written from; None: its default is written."""
        key = (id(node), schema)
        if key not in self._fields:
            self._fields[key] = self._paired(node, schema)
        return self._fields[key]

    def _paired(self, node: Node, schema: ConnectSchema) -> list[tuple[Field, int | None]]:
        scrub = self.options.scrub
        names = {scrubbed(each.name) if scrub else each.name: at for at, each in enumerate(schema.fields)}
        unknown = names.keys() - {field.name for field in node.fields}
        if unknown and self._strict:
            raise MisfitError(
                f"{node.name} has no field {min(unknown)}: register a schema that has it, or set "
                "latest.compatibility.strict=false"
            )
        return [(field, names.get(field.name)) for field in node.fields]


def encode(writing: Writing, schema: ConnectSchema, value: Any) -> bytes:
    """The bytes of one value, which is not null. Raises MisfitError that knows the path to the fault."""
    if writing.is_raw:
        return _plain_bytes(schema, value)
    out = bytearray()
    _Row(writing, out).write(writing.node, schema, value)
    return bytes(out)


def default_of(field: Field, options: AvroOptions) -> bytes:
    """The bytes of a field's default. Raises MisfitError where it has none."""
    if field.default is NO_DEFAULT:
        raise MisfitError("it is missing, and the schema has no default for it")
    node = field.type.branches[0] if field.type.kind == "union" else field.type
    head = varint(0) if field.type.kind == "union" else b""
    if node.kind == "null":
        return head
    schema = to_connect(node, options)
    out = bytearray(head)
    _Row(Writing(node, options), out).write(node, schema, default_from_json(schema, field.default))
    return bytes(out)


def _plain_bytes(schema: ConnectSchema, value: Any) -> bytes:
    if schema.name == DECIMAL:
        try:
            return unscaled(schema, value)
        except (ValueError, ArithmeticError, TypeError) as error:
            raise MisfitError(str(error)) from None
    if not isinstance(value, bytes | bytearray | memoryview):
        raise MisfitError(f"{shown(value)} is no bytes")
    return bytes(value)


class _Row:
    def __init__(self, writing: Writing, out: bytearray) -> None:
        self._writing = writing
        self._out = out

    def write(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        if value is None:
            value = self._writing.null_value(schema)
        if node.kind == "union":
            self._union(node, schema, value)
            return
        if value is None:
            raise MisfitError(f"null, but this {schema.type.value} is required and has no default")
        self._writing.expect(node, schema)
        _BY_KIND[node.kind](self, node, schema, value)

    def _union(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        if value is None:
            self._out += varint(self._writing.null_branch(node, schema))
        elif schema.name == UNION and schema.type is SchemaType.STRUCT:
            present = [number for number, field in enumerate(schema.fields) if value.get(field.name) is not None]
            if len(present) > 1:
                raise MisfitError("two branches of a union are set, of which one may be")
            if not present:
                self._out += varint(self._writing.null_branch(node, schema))
                return
            field = schema.fields[present[0]]
            branch = self._writing.member(node, present[0])
            self._out += varint(branch)
            self._inside(field.name, node.branches[branch], field.schema, value[field.name])
        else:
            branch = self._writing.branch(node, schema)
            self._out += varint(branch)
            self.write(node.branches[branch], schema, value)

    def _inside(self, name: str, node: Node, schema: ConnectSchema | None, value: Any) -> None:
        assert schema is not None
        try:
            self.write(node, schema, value)
        except MisfitError as error:
            raise error.inside(name) from None

    def _integer(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        bits = _WHOLE[schema.type]
        try:
            number = to_number(schema, value) if not isinstance(value, bool | float | str) else None
        except (TypeError, AttributeError, ValueError):
            number = None
        if number is None or not -(1 << bits - 1) <= number < 1 << bits - 1:
            raise MisfitError(f"{shown(value)} is no {schema.name or schema.type.value}")
        self._out += varint(number)

    def _float(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        if type(value) not in (int, float):
            raise MisfitError(f"{shown(value)} is no {schema.type.value}")
        try:
            self._out += struct.pack("<f" if node.kind == "float" else "<d", value)
        except OverflowError:
            # As numpy and Java cast it.
            self._out += struct.pack("<f", float("inf") if value > 0 else float("-inf"))

    def _boolean(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        if not isinstance(value, bool):
            raise MisfitError(f"{shown(value)} is no boolean")
        self._out.append(value)

    def _string(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        if not isinstance(value, str):
            raise MisfitError(f"{shown(value)} is no string")
        try:
            data = value.encode()
        except UnicodeEncodeError:
            raise MisfitError(f"{shown(value)} has half a character, which UTF-8 does not have") from None
        self._out += varint(len(data)) + data

    def _bytes(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        data = _plain_bytes(schema, value)
        self._out += varint(len(data)) + data

    def _enum(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        if value not in node.symbols:
            raise MisfitError(f"{value!r} is no symbol of {node.name}: {', '.join(node.symbols)}")
        self._out += varint(node.symbols.index(value))

    def _fixed(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        data = _plain_bytes(schema, value)
        if schema.name == DECIMAL and len(data) < node.size:
            data = (b"\xff" if data[0] >= 0x80 else b"\0") * (node.size - len(data)) + data
        if len(data) != node.size:
            raise MisfitError(f"{len(data)} bytes, and {node.name} has {node.size}")
        self._out += data

    def _array(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        assert node.inner is not None
        if schema.type is SchemaType.MAP:
            self._entries(node.inner, schema, value)
            return
        if not isinstance(value, list | tuple):
            raise MisfitError(f"{shown(value)} is no array")
        self._begin(value)
        for number, item in enumerate(value):
            self._inside(f"[{number}]", node.inner, schema.value_schema, item)
        self._end(value)

    def _map(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        assert node.inner is not None
        self._begin(_expect_dict(value))
        for key, item in value.items():
            self._inside(f"[{shown(key)}]", Node("string"), schema.key_schema, key)
            self._inside(f"[{shown(key)}]", node.inner, schema.value_schema, item)
        self._end(value)

    def _entries(self, entry: Node, schema: ConnectSchema, value: Any) -> None:
        self._begin(_expect_dict(value))
        for key, item in value.items():
            self._inside(f"[{shown(key)}]", entry.fields[0].type, schema.key_schema, key)
            self._inside(f"[{shown(key)}]", entry.fields[1].type, schema.value_schema, item)
        self._end(value)

    def _begin(self, items: Any) -> None:
        if items:
            self._out += varint(len(items))

    def _end(self, items: Any) -> None:
        self._out.append(0)

    def _record(self, node: Node, schema: ConnectSchema, value: Any) -> None:
        _expect_dict(value)
        for field, number in self._writing.fields(node, schema):
            if number is None:
                try:
                    self._out += default_of(field, self._writing.options)
                except MisfitError as error:
                    raise error.inside(field.name) from None
            else:
                own = schema.fields[number]
                self._inside(own.name, field.type, own.schema, value.get(own.name))


_BY_KIND: Final[dict[str, Callable[[_Row, Node, ConnectSchema, Any], None]]] = {
    "int": _Row._integer,
    "long": _Row._integer,
    "float": _Row._float,
    "double": _Row._float,
    "boolean": _Row._boolean,
    "string": _Row._string,
    "bytes": _Row._bytes,
    "enum": _Row._enum,
    "fixed": _Row._fixed,
    "array": _Row._array,
    "map": _Row._map,
    "record": _Row._record,
}


def _expect_dict(value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise MisfitError(f"{shown(value)} is no struct or map")
    return value
