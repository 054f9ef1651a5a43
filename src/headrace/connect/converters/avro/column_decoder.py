"""Many payloads of one Avro schema to an Arrow column, each field of all rows at once; agrees with the row decoder.

A cursor in each row reads the same field of all rows by numpy; rows of another branch of a union, and items of arrays,
are parts that read for themselves. What does not come out exactly (a length too long, bytes left, a number out of
range) is the row decoder's, which names it.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.avro.tree import Node
from headrace.connect.api import Column, ConnectSchema, SchemaType, arrow_type, integers, to_column
from headrace.connect.api.schema import DATE, DECIMAL, TIME
from headrace.connect.converters.avro.cursor import Cursors, DoubtError
from headrace.connect.converters.avro.naming import UNION, AvroOptions
from headrace.connect.converters.avro.row_decoder import decode
from headrace.connect.converters.avro.schema_reader import optional_branch
from headrace.connect.converters.registry.framing import spans

MOST_ROUNDS: Final = 200
"""Items of arrays are read one round for all rows; where a row has more of them, row by row is faster."""
_DAY_MS: Final = 86_400_000
_REFUSALS: Final = (DoubtError, IndexError, ValueError, OverflowError, pa.ArrowInvalid, pa.ArrowNotImplementedError)
_RANGES: Final[dict[SchemaType, Any]] = {
    SchemaType.INT8: np.int8,
    SchemaType.INT16: np.int16,
    SchemaType.INT32: np.int32,
}


def decode_column(
    node: Node, schema: ConnectSchema, payloads: pa.BinaryArray, skipped: int, options: AvroOptions
) -> Column:
    """The column of payloads without nulls, each behind `skipped` bytes. Raises MisfitError."""
    kind = arrow_type(schema)
    if kind is not None and len(payloads):
        try:
            return _whole(node, schema, kind, payloads, skipped, options)
        except _REFUSALS:
            pass
    rows = [decode(node, schema, payload[skipped:], options) for payload in payloads.to_pylist()]
    return to_column(schema, rows)


def _whole(
    node: Node, schema: ConnectSchema, kind: pa.DataType, payloads: pa.BinaryArray, skipped: int, options: AvroOptions
) -> pa.Array:
    start, size, data = spans(payloads)
    cursors = Cursors(payloads.buffers()[2], data, start + skipped, start + size)
    decoder = _Decoder(cursors, options)
    if node.kind == "bytes":
        column = decoder.sized_bytes(schema, kind, size - skipped)
    else:
        column = decoder.read(node, schema, kind)
    decoder.cursors.expect_end()
    return column


class _Decoder:
    """Reads the rows of its cursors."""

    def __init__(self, cursors: Cursors, options: AvroOptions) -> None:
        self.cursors = cursors
        self._options = options
        self._by_kind: Final[dict[str, Callable[[Node, ConnectSchema, pa.DataType], pa.Array]]] = {
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
            "error": self._record,
            "union": self._union,
        }

    def read(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        """The next value of each row."""
        return self._by_kind[node.kind](node, schema, kind)

    def _part(self, rows: Any) -> "_Decoder":
        return _Decoder(self.cursors.part(rows), self._options)

    def _read_part(self, rows: Any, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        """The next value of these rows; the others stay where they are."""
        part = self._part(rows)
        column = part.read(node, schema, kind)
        self.cursors.move(part.cursors, rows)
        return column

    def _integer(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        numbers = self.cursors.varint()
        narrow = _RANGES.get(schema.type)
        if narrow is not None and len(numbers):
            limits = np.iinfo(narrow)
            if numbers.min() < limits.min or numbers.max() > limits.max:
                raise DoubtError
        if schema.name in (DATE, TIME):
            if schema.name == TIME and len(numbers) and not 0 <= numbers.min() <= numbers.max() < _DAY_MS:
                raise DoubtError
            return integers(numbers.astype(np.int32)).cast(kind)
        return integers(numbers).cast(kind)

    def _float(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        numbers = self.cursors.numbers("<f4" if node.kind == "float" else "<f8")
        own = pa.float32() if node.kind == "float" else pa.float64()
        return pa.Array.from_buffers(own, len(numbers), [None, pa.py_buffer(np.ascontiguousarray(numbers))])

    def _boolean(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        bytes_ = self.cursors.byte()
        if (bytes_ > 1).any():
            raise DoubtError
        return pa.array(bytes_ == 1)

    def _text(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        return self.sized_bytes(schema, kind, self.cursors.varint())

    def sized_bytes(self, schema: ConnectSchema, kind: pa.DataType, sizes: Any) -> pa.Array:
        """The next bytes of each row as what the schema says: text, bytes or a decimal."""
        if schema.name == DECIMAL:
            return self._decimal(kind, sizes)
        return self.cursors.blobs(sizes).cast(kind)

    def _decimal(self, kind: pa.DataType, sizes: Any) -> pa.Array:
        """Bytes, from the last to the first, into Arrow's little-endian numbers; above them the sign is repeated."""
        start, end = self.cursors.spans(sizes)
        width = kind.byte_width
        if len(sizes) and (sizes.min() < 1 or sizes.max() > width):
            raise DoubtError
        sign = np.where(self.cursors.backwards(start, 0) >= 0x80, np.uint8(0xFF), np.uint8(0))
        matrix = np.repeat(sign[:, None], width, axis=1)
        for at in range(int(sizes.max(initial=0))):
            rows = sizes > at
            matrix[rows, at] = self.cursors.backwards(end[rows], at + 1)
        column = pa.Array.from_buffers(kind, len(sizes), [None, pa.py_buffer(matrix)])
        bounds = pc.min_max(column)
        limit = 10**kind.precision
        for bound in (bounds["min"].as_py(), bounds["max"].as_py()):
            if bound is not None and abs(bound.scaleb(kind.scale)) >= limit:
                raise DoubtError
        return column

    def _enum(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        numbers = self.cursors.varint()
        if (numbers < 0).any():
            raise DoubtError
        return pa.array(node.symbols, kind).take(integers(numbers))

    def _fixed(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        return self.sized_bytes(schema, kind, np.full(len(self.cursors), node.size, np.int64))

    def _union(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        numbers = self.cursors.varint()
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(node.branches):
            raise DoubtError
        if schema.name == UNION and optional_branch(node, self._options) is None:
            return self._branches(node, schema, kind, numbers)
        chosen = optional_branch(node, self._options)
        assert chosen is not None
        present = numbers == chosen
        if present.all():
            return self.read(node.branches[chosen], schema, kind)
        rows = np.flatnonzero(present)
        return _spread(self._read_part(rows, node.branches[chosen], schema, kind), present)

    def _branches(self, node: Node, schema: ConnectSchema, kind: pa.DataType, numbers: Any) -> pa.Array:
        """A struct with one field a branch, of which one is set."""
        children = []
        null = np.zeros(len(numbers), bool)
        at = 0
        for number, branch in enumerate(node.branches):
            here = numbers == number
            if branch.kind == "null":
                null |= here
                continue
            part = self._read_part(np.flatnonzero(here), branch, schema.fields[at].schema, kind.field(at).type)
            children.append(_spread(part, here))
            at += 1
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=pa.array(null) if null.any() else None)

    def _record(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        if not node.fields:
            raise DoubtError
        parts = zip(node.fields, schema.fields, kind, strict=True)
        children = [self.read(field.type, own.schema, inner.type) for field, own, inner in parts]
        return pa.StructArray.from_arrays(children, fields=list(kind))

    def _array(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        assert node.inner is not None and schema.value_schema is not None
        if schema.type is SchemaType.MAP:
            assert schema.key_schema is not None
            key, item = node.inner.fields
            pairs = [(key.type, schema.key_schema, kind.key_type), (item.type, schema.value_schema, kind.item_type)]
            return self._pairs(pairs, kind)
        counts, (items,) = self._rounds([(node.inner, schema.value_schema, kind.value_type)])
        return pa.ListArray.from_arrays(_offsets(counts), items, type=kind)

    def _map(self, node: Node, schema: ConnectSchema, kind: pa.DataType) -> pa.Array:
        assert node.inner is not None and schema.key_schema is not None and schema.value_schema is not None
        key = (Node("string"), schema.key_schema, kind.key_type)
        return self._pairs([key, (node.inner, schema.value_schema, kind.item_type)], kind)

    def _pairs(self, pairs: list[tuple[Node, ConnectSchema, pa.DataType]], kind: pa.DataType) -> pa.Array:
        counts, (keys, items) = self._rounds(pairs)
        if keys.null_count or pa.types.is_nested(keys.type):
            raise DoubtError
        return pa.MapArray.from_arrays(_offsets(counts), keys, items, type=kind)

    def _rounds(self, parts: list[tuple[Node, ConnectSchema, pa.DataType]]) -> tuple[Any, list[pa.Array]]:
        """The items of each row's blocks: how many a row has, and of each part the column of all, in rows' order."""
        length = len(self.cursors)
        left, open_rows = np.zeros(length, np.int64), np.ones(length, bool)
        found: list[list[pa.Array]] = [[pa.array([], kind)] for _, _, kind in parts]
        rows_of: list[Any] = [np.zeros(0, np.int64)]
        while True:
            self._next_blocks(left, open_rows)
            rows = np.flatnonzero(open_rows)
            if not len(rows):
                break
            if len(rows_of) > MOST_ROUNDS:
                raise DoubtError
            for columns, (node, schema, kind) in zip(found, parts, strict=True):
                columns.append(self._read_part(rows, node, schema, kind))
            rows_of.append(rows)
            left[rows] -= 1
        owner = np.concatenate(rows_of)
        order = integers(np.argsort(owner, kind="stable"))
        return np.bincount(owner, minlength=length), [pa.concat_arrays(columns).take(order) for columns in found]

    def _next_blocks(self, left: Any, open_rows: Any) -> None:
        """Where a block is at its end: how many items the next has; a row without one has no more."""
        while True:
            ended = np.flatnonzero(open_rows & (left == 0))
            if not len(ended):
                return
            part = self.cursors.part(ended)
            counts = part.varint()
            self.cursors.move(part, ended)
            sized = ended[counts < 0]
            if len(sized):
                part = self.cursors.part(sized)
                part.varint()
                self.cursors.move(part, sized)
            left[ended] = np.abs(counts)
            open_rows[ended[counts == 0]] = False


def _offsets(counts: Any) -> pa.Array:
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    return integers(offsets)


def _spread(present: pa.Array, rows: Any) -> pa.Array:
    """The values in the rows where `rows` is true, null in the others."""
    if not len(present):
        return pa.nulls(len(rows), present.type)
    return present.take(pa.array(np.cumsum(rows) - 1, mask=~rows))
