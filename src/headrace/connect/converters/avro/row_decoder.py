"""One payload in Avro's binary form to a row value. The measure of what the column decoder must give."""

import struct
from collections.abc import Callable
from typing import Any, Final

from headrace.avro.tree import Node
from headrace.connect.api import ConnectSchema, SchemaType
from headrace.connect.api.schema import DECIMAL
from headrace.connect.converters.avro.defaults import from_number, scaled
from headrace.connect.converters.avro.naming import UNION, AvroOptions
from headrace.connect.converters.avro.schema_reader import optional_branch
from headrace.connect.converters.json.form import MisfitError, shown

_BITS: Final = {SchemaType.INT8: 8, SchemaType.INT16: 16, SchemaType.INT32: 32, SchemaType.INT64: 64}

MOST_EMPTY_ITEMS: Final = 1 << 20
"""Items may have no bytes (records without fields): so many are believed in a message that is shorter."""


def decode(node: Node, schema: ConnectSchema, payload: bytes, options: AvroOptions) -> Any:
    """The value of a whole payload. Raises MisfitError that knows the path to the fault."""
    if node.kind == "bytes":
        return scaled(schema, payload) if schema.name == DECIMAL else payload
    row = _Row(payload, options)
    value = row.read(node, schema)
    if row.at != len(payload):
        raise MisfitError(f"{len(payload) - row.at} bytes are left behind the value: the schema is not the writer's")
    return value


class _Row:
    """A cursor in one payload."""

    def __init__(self, data: bytes, options: AvroOptions) -> None:
        self.at = 0
        self._data = data
        self._options = options

    def read(self, node: Node, schema: ConnectSchema) -> Any:
        return _BY_KIND[node.kind](self, node, schema)

    def _take(self, size: int) -> bytes:
        if not 0 <= size <= len(self._data) - self.at:
            raise MisfitError(f"{size} bytes are announced, and {len(self._data) - self.at} are left")
        self.at += size
        return self._data[self.at - size : self.at]

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 63:
                raise MisfitError("a number has more than ten bytes")
        return (number >> 1) ^ -(number & 1)

    def _integer(self, node: Node, schema: ConnectSchema) -> Any:
        number, bits = self._varint(), _BITS[schema.type]
        if not -(1 << bits - 1) <= number < 1 << bits - 1:
            raise MisfitError(f"{number} is beyond the range of {schema.type.value}")
        try:
            return from_number(schema, number)
        except (OverflowError, ValueError) as error:
            raise MisfitError(f"{number} as {schema.name}: {error}") from None

    def _float(self, node: Node, schema: ConnectSchema) -> float:
        if node.kind == "float":
            return float(struct.unpack("<f", self._take(4))[0])
        return float(struct.unpack("<d", self._take(8))[0])

    def _boolean(self, node: Node, schema: ConnectSchema) -> bool:
        byte = self._take(1)[0]
        if byte > 1:
            raise MisfitError(f"{byte} is no boolean")
        return byte == 1

    def _string(self, node: Node, schema: ConnectSchema) -> str:
        data = self._take(self._varint())
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise MisfitError(f"{shown(data)} is no text in UTF-8: {error.reason}") from None

    def _bytes(self, node: Node, schema: ConnectSchema) -> Any:
        data = self._take(self._varint())
        return scaled(schema, data) if schema.name == DECIMAL else data

    def _enum(self, node: Node, schema: ConnectSchema) -> str:
        number = self._varint()
        if not 0 <= number < len(node.symbols):
            raise MisfitError(f"{number} is the number of no symbol of {node.name}")
        return node.symbols[number]

    def _fixed(self, node: Node, schema: ConnectSchema) -> Any:
        data = self._take(node.size)
        return scaled(schema, data) if schema.name == DECIMAL else data

    def _union(self, node: Node, schema: ConnectSchema) -> Any:
        number = self._varint()
        if not 0 <= number < len(node.branches):
            raise MisfitError(f"{number} is the number of no branch of the union")
        branch = node.branches[number]
        if branch.kind == "null":
            return None
        if schema.name != UNION or optional_branch(node, self._options) is not None:
            return self.read(branch, schema)
        members = [each for each in node.branches if each.kind != "null"]
        value: dict[str, Any] = dict.fromkeys(field.name for field in schema.fields)
        field = schema.fields[members.index(branch)]
        value[field.name] = self.read(branch, field.schema)
        return value

    def _count(self) -> int:
        """How many items a block has; negative where its bytes are announced too."""
        count = self._varint()
        if count < 0:
            count = -count
            self._varint()
        if count > max(len(self._data), MOST_EMPTY_ITEMS):
            raise MisfitError(f"{count} items are announced in a message of {len(self._data)} bytes")
        return count

    def _array(self, node: Node, schema: ConnectSchema) -> Any:
        assert node.inner is not None
        if schema.type is SchemaType.MAP:
            return self._entries(node.inner, schema)
        assert schema.value_schema is not None
        items: list[Any] = []
        while count := self._count():
            for _ in range(count):
                items.append(self._inside(f"[{len(items)}]", node.inner, schema.value_schema))
        return items

    def _map(self, node: Node, schema: ConnectSchema) -> dict[Any, Any]:
        assert node.inner is not None and schema.key_schema is not None and schema.value_schema is not None
        found = {}
        while count := self._count():
            for _ in range(count):
                key = self._string(node, schema.key_schema)
                found[key] = self._inside(f"[{shown(key)}]", node.inner, schema.value_schema)
        return found

    def _entries(self, entry: Node, schema: ConnectSchema) -> dict[Any, Any]:
        assert schema.key_schema is not None and schema.value_schema is not None
        found = {}
        while count := self._count():
            for _ in range(count):
                key = self._inside("[]", entry.fields[0].type, schema.key_schema)
                if isinstance(key, dict | list):
                    raise MisfitError(f"{shown(key)} cannot be the key of a map here")
                found[key] = self._inside(f"[{shown(key)}]", entry.fields[1].type, schema.value_schema)
        return found

    def _record(self, node: Node, schema: ConnectSchema) -> dict[str, Any]:
        pairs = zip(node.fields, schema.fields, strict=True)
        return {own.name: self._inside(own.name, field.type, own.schema) for field, own in pairs}

    def _inside(self, name: str, node: Node, schema: ConnectSchema) -> Any:
        try:
            return self.read(node, schema)
        except MisfitError as error:
            raise error.inside(name) from None


_BY_KIND: Final[dict[str, Callable[[_Row, Node, ConnectSchema], Any]]] = {
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
    "error": _Row._record,
    "union": _Row._union,
}
