"""A whole Arrow column to Avro's binary form; agrees with the row encoder.

Numbers are laid into matrices of bytes by numpy, texts are joined by Arrow, and what is null in a union has no bytes:
nothing is done row by row.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.avro.tree import Node
from headrace.connect.api import ConnectSchema, SchemaType, to_column
from headrace.connect.api.schema import DATE, DECIMAL, TIME, TIMESTAMP
from headrace.connect.converters.avro import row_encoder
from headrace.connect.converters.avro.naming import UNION
from headrace.connect.converters.avro.pieces import (
    Matrix,
    Piece,
    binary,
    constant,
    fixed,
    joined,
    span,
    spread,
    varints,
)
from headrace.connect.converters.avro.row_encoder import Writing
from headrace.connect.converters.json.form import MisfitError

Pieces = list[Piece]


def encode_column(writing: Writing, schema: ConnectSchema, column: pa.Array, head: bytes) -> pa.BinaryArray:
    """One message a row of a column without nulls, behind `head`. Raises MisfitError."""
    length = len(column)
    if writing.is_raw:
        plain = _unscaled(schema, column) if schema.name == DECIMAL else column.cast(pa.binary())
        return joined([constant(head, length), plain.joined() if isinstance(plain, Matrix) else plain], length)
    return joined([constant(head, length), *_Encoder(writing).pieces(writing.node, schema, column)], length)


class _Encoder:
    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._by_kind: Final[dict[str, Callable[[Node, ConnectSchema, pa.Array], Pieces]]] = {
            "int": self._integer,
            "long": self._integer,
            "float": self._float,
            "double": self._float,
            "boolean": self._boolean,
            "string": self._text,
            "bytes": self._text,
            "enum": self._enum,
            "fixed": self._fixed,
            "array": self._array,
            "map": self._map,
            "record": self._record,
        }

    def pieces(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        """The pieces of a column that may hold nulls."""
        if column.null_count:
            column = self._with_default(schema, column)
        if node.kind == "union":
            return self._union(node, schema, column)
        if column.null_count:
            raise MisfitError(f"null, but this {schema.type.value} is required and has no default")
        self._writing.expect(node, schema)
        return self._by_kind[node.kind](node, schema, column)

    def _with_default(self, schema: ConnectSchema, column: pa.Array) -> pa.Array:
        value = self._writing.null_value(schema)
        if value is None:
            return column
        filler = to_column(schema, [value])
        if isinstance(filler, list):
            raise MisfitError("the default cannot be held in a column")
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        rows = np.where(valid, np.arange(len(column)), len(column))
        return pa.concat_arrays([column, filler.cast(column.type)]).take(pa.array(rows))

    def _union(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        if schema.name == UNION and schema.type is SchemaType.STRUCT:
            return self._branches(node, schema, column)
        chosen = self._writing.branch(node, schema)
        if not column.null_count:
            return [constant(bytes([chosen << 1]), len(column)), *self.pieces(node.branches[chosen], schema, column)]
        null = self._writing.null_branch(node, schema)
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        index = np.where(valid, np.uint8(chosen << 1), np.uint8(null << 1))
        present = column.drop_null()
        inside = joined(self.pieces(node.branches[chosen], schema, present), len(present))
        return [Matrix(index[:, None]), spread(inside, valid)]

    def _branches(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        """Of a struct that stands for a union: the one field that is set."""
        index = np.full(len(column), -1, np.int64)
        bodies: Pieces = []
        for number, (field, child) in enumerate(zip(schema.fields, column.flatten(), strict=True)):
            valid = child.is_valid().to_numpy(zero_copy_only=False)
            if (index[valid] >= 0).any():
                raise MisfitError("two branches of a union are set, of which one may be")
            branch = self._writing.member(node, number)
            index[valid] = branch
            present = child.drop_null()
            try:
                body = joined(self.pieces(node.branches[branch], field.schema, present), len(present))
            except MisfitError as error:
                raise error.inside(field.name) from None
            bodies.append(spread(body, valid))
        if (index < 0).any():
            index[index < 0] = self._writing.null_branch(node, schema)
        return [varints(index), *bodies]

    def _integer(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        return [varints(_numbers(schema, column))]

    def _float(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        kind = "<f4" if node.kind == "float" else "<f8"
        return [fixed(column.to_numpy(zero_copy_only=False).astype(kind, copy=False))]

    def _boolean(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        return [fixed(column.to_numpy(zero_copy_only=False).view(np.uint8))]

    def _text(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        if schema.name == DECIMAL:
            plain = _unscaled(schema, column)
            sizes = plain.bytes.shape[1] if plain.used is None else plain.used.sum(axis=1)
            return [varints(np.broadcast_to(sizes, len(column)).astype(np.int64)), plain]
        data = column.cast(pa.binary())
        _, sizes, _ = span(data)
        return [varints(sizes.astype(np.int64)), data]

    def _enum(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        found = pc.index_in(column, value_set=pa.array(node.symbols, pa.string()))
        if found.null_count:
            row = int(np.argmax(found.is_null().to_numpy(zero_copy_only=False)))
            raise MisfitError(f"{column[row].as_py()!r} is no symbol of {node.name}: {', '.join(node.symbols)}")
        return [varints(found.to_numpy().astype(np.int64))]

    def _fixed(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        if schema.name == DECIMAL:
            return [joined([_of_size(_big_endian(column), node)], len(column))]
        data = column.cast(pa.binary())
        _, sizes, _ = span(data)
        if (sizes != node.size).any():
            raise MisfitError(f"{sizes[sizes != node.size][0]} bytes, and {node.name} has {node.size}")
        return [data]

    def _record(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        children = column.flatten()
        pieces: Pieces = []
        for field, number in self._writing.fields(node, schema):
            try:
                if number is None:
                    pieces.append(constant(row_encoder.default_of(field, self._writing.options), len(column)))
                else:
                    pieces += self.pieces(field.type, schema.fields[number].schema, children[number])
            except MisfitError as error:
                raise error.inside(field.name) from None
        return pieces

    def _array(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        if schema.type is SchemaType.MAP:
            return self._entries(node, schema, column)
        assert node.inner is not None and schema.value_schema is not None
        items = column.flatten()
        return _blocks(column, joined(self._inside(node.inner, schema.value_schema, items), len(items)))

    def _map(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        assert node.inner is not None and schema.key_schema is not None and schema.value_schema is not None
        keys, items = _entries_of(column)
        pieces = self._inside(Node("string"), schema.key_schema, keys)
        return _blocks(column, joined([*pieces, *self._inside(node.inner, schema.value_schema, items)], len(keys)))

    def _entries(self, node: Node, schema: ConnectSchema, column: pa.Array) -> Pieces:
        """A map whose keys are no strings: an array of records."""
        assert node.inner is not None and schema.key_schema is not None and schema.value_schema is not None
        key, item = node.inner.fields
        keys, items = _entries_of(column)
        pieces = self._inside(key.type, schema.key_schema, keys)
        return _blocks(column, joined([*pieces, *self._inside(item.type, schema.value_schema, items)], len(keys)))

    def _inside(self, node: Node, schema: ConnectSchema, items: pa.Array) -> Pieces:
        try:
            return self.pieces(node, schema, items)
        except MisfitError as error:
            raise error.inside("[]") from None


def _entries_of(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    start, stop = column.offsets[0].as_py(), column.offsets[-1].as_py()
    return column.keys[start:stop], column.items[start:stop]


def _blocks(column: pa.Array, items: pa.BinaryArray) -> Pieces:
    """Each row's items, given for all rows one behind the other, as one block: their number, themselves, and a zero."""
    offsets = column.offsets.to_numpy()
    bounds = offsets - offsets[0]
    start, sizes, data = span(items)
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
    bodies = binary(len(column), np.diff(ends[bounds]), data.slice(start, int(ends[-1])))
    counts = np.diff(bounds).astype(np.int64)
    return [varints(counts, counts > 0), bodies, constant(b"\0", len(column))]


def _numbers(schema: ConnectSchema, column: pa.Array) -> Any:
    if schema.name in (DATE, TIME):
        column = column.cast(pa.int32())
    elif schema.name == TIMESTAMP:
        column = column.cast(pa.int64())
    return column.to_numpy(zero_copy_only=False).astype(np.int64)


def _big_endian(column: pa.Array) -> Any:
    """The unscaled numbers of a decimal column, a matrix of bytes, highest first."""
    width = column.type.byte_width
    data = np.frombuffer(column.buffers()[1], np.uint8)[column.offset * width : (column.offset + len(column)) * width]
    return data.reshape(-1, width)[:, ::-1]


def _unscaled(schema: ConnectSchema, column: pa.Array) -> Matrix:
    """The unscaled numbers of a decimal column, each with as few bytes as its sign needs."""
    matrix = _big_endian(column)
    sign = np.where(matrix[:, :1] >= 0x80, np.uint8(0xFF), np.uint8(0))
    # A byte is spare where all before it and itself repeat the sign, and the next one shows the sign by itself.
    repeats = np.logical_and.accumulate(matrix[:, :-1] == sign, axis=1)
    shows = (matrix[:, 1:] >= 0x80) == (sign >= 0x80)
    used = np.ones(matrix.shape, bool)
    used[:, :-1] = ~(repeats & shows)
    return Matrix(matrix, used)


def _of_size(matrix: Any, node: Node) -> Matrix:
    width = matrix.shape[1]
    sign = np.where(matrix[:, :1] >= 0x80, np.uint8(0xFF), np.uint8(0))
    if node.size >= width:
        return Matrix(np.concatenate([np.broadcast_to(sign, (len(matrix), node.size - width)), matrix], axis=1))
    kept = matrix[:, width - node.size :]
    if (matrix[:, : width - node.size] != sign).any() or ((kept[:, :1] >= 0x80) != (sign >= 0x80)).any():
        raise MisfitError(f"a number does not fit the {node.size} bytes of {node.name}")
    return Matrix(kept)
