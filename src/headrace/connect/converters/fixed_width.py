"""Numbers and booleans as their bytes, big-endian and of fixed width: Short-, Integer-, Long-, Float-, Double- and
BooleanConverter. Whole columns go through numpy, and no row is an object of Python's.

Java's classes differ in what they look at: those of numbers at the value's class and never at the schema, the one of
booleans at the schema first.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa

from headrace.connect.api import (
    Column,
    ColumnConverter,
    ConfigDef,
    ConnectSchema,
    Converted,
    DataError,
    HeaderAndValueConverter,
    SchemaType,
    arrow_type,
    schema,
    to_values,
)
from headrace.connect.api.java.text import class_text
from headrace.connect.converters.kind import converter_config, parse

_SCHEMALESS: Final = {bool: SchemaType.BOOLEAN, int: SchemaType.INT64, float: SchemaType.FLOAT64}
"""What Java's classes would be of values that nobody gave a type: those that JSON has."""


@cache
def _optional(kind: SchemaType) -> ConnectSchema:
    return schema(kind, optional=True)


@cache
def _arrow(kind: SchemaType) -> pa.DataType:
    return arrow_type(_optional(kind))


class FixedWidthConverter(ColumnConverter, HeaderAndValueConverter):
    """One type of values; a subclass names it."""

    _type: ClassVar[SchemaType]
    _noun: ClassVar[str]
    _wire: ClassVar[str]
    """numpy's name of the type on the wire."""
    _deserializer: ClassVar[str]

    @classmethod
    def config_def(cls) -> ConfigDef:
        return converter_config()

    def configure(self, properties: Mapping[str, Any], *, is_key: bool) -> None:
        parse(self.config_def(), properties, is_key=is_key)

    @property
    def _width(self) -> int:
        return np.dtype(self._wire).itemsize

    def from_connect_column(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> pa.BinaryArray | pa.LargeBinaryArray:
        self._check_schema(schema, tombstone, length)
        if column is None:
            return pa.nulls(length, pa.binary())
        if not isinstance(column, pa.Array) or column.type != _arrow(self._type):
            self._check_values(schema, to_values(schema, column, length))
            column = pa.array(to_values(schema, column, length), _arrow(self._type))
        return _to_bytes(column, np.dtype(self._wire))

    @property
    def _schema(self) -> ConnectSchema:
        return _optional(self._type)

    def _check_schema(self, schema: ConnectSchema | None, tombstone: pa.BooleanArray | None, length: int) -> None:
        """Java's classes of numbers do not look at it."""

    def _check_values(self, schema: ConnectSchema | None, values: list[Any]) -> None:
        for value in values:
            if value is not None and not self._is_mine(schema, value):
                raise DataError(self._refusal(class_text(schema, value)))

    def _is_mine(self, schema: ConnectSchema | None, value: Any) -> bool:
        """Whether Java would hold the value in the class that this converter takes."""
        if schema is not None and type(value) in _SCHEMALESS:
            return schema.name not in _OTHER_CLASSES and schema.type is self._type
        return _SCHEMALESS.get(type(value)) is self._type

    def _refusal(self, found: str) -> str:
        return f"Failed to serialize to {self._noun} (was {found}): "

    def to_connect_column(self, topic: str, payloads: pa.BinaryArray) -> list[Converted]:
        """One run; nulls have the schema too."""
        if not len(payloads):
            return []
        kind = self._schema
        try:
            column = self._decoded(payloads)
        except ValueError as error:
            raise DataError(f"Failed to deserialize {self._noun}: {error}") from None
        return [Converted(0, len(payloads), kind, column)]

    def _decoded(self, payloads: pa.BinaryArray) -> pa.Array:
        """Raises ValueError."""
        numbers = self._numbers(payloads)
        return self._with_nulls(numbers.astype(numbers.dtype.newbyteorder("=")), payloads)

    def _with_nulls(self, data: Any, payloads: pa.BinaryArray) -> pa.Array:
        # Not by pa.array, which looks for pandas each time.
        present = len(payloads) - payloads.null_count
        made = pa.Array.from_buffers(_arrow(self._type), present, [None, pa.py_buffer(data)])
        if not payloads.null_count:
            return made
        valid = _valid(payloads)
        return made.take(pa.array(np.cumsum(valid) - 1, mask=~valid))

    def _numbers(self, payloads: pa.BinaryArray) -> Any:
        """What is on the wire, for the rows that are not null. Raises ValueError where one has another width."""
        present = payloads.drop_null() if payloads.null_count else payloads
        _, offsets, data = present.buffers()
        if present.offset or not _is_even(offsets, self._width, len(present)):
            kind = np.int64 if payloads.type == pa.large_binary() else np.int32
            bounds: Any = np.frombuffer(offsets, kind)[present.offset : present.offset + len(present) + 1]
            if (bounds[1:] - bounds[:-1] != self._width).any():
                raise ValueError(f"Size of data received by {self._deserializer} is not {self._width}")
            data = data.slice(bounds[0], bounds[-1] - bounds[0]) if data else None
        return np.frombuffer(data or b"", self._wire, len(present))


_OTHER_CLASSES: Final = frozenset(
    f"org.apache.kafka.connect.data.{name}" for name in ("Date", "Time", "Timestamp", "Decimal")
)


def _to_bytes(column: pa.Array, wire: Any) -> pa.BinaryArray:
    """The values one behind the other; a null has no bytes."""
    if not column.null_count:
        return _binary(len(column), _even(wire.itemsize, len(column)), _plain(column, wire).astype(wire))
    valid = _valid(column)
    offsets = np.zeros(len(column) + 1, np.int32)
    np.cumsum(wire.itemsize * valid, out=offsets[1:])
    present = _plain(column, wire)[valid].astype(wire)
    return _binary(len(column), pa.py_buffer(offsets), present, pa.array(valid).buffers()[1])


def _plain(column: pa.Array, wire: Any) -> Any:
    """The values as numpy's, booleans as 1 and 0; anything may stand for a null."""
    start, stop = column.offset, column.offset + len(column)
    data = column.buffers()[1] or b""
    if pa.types.is_boolean(column.type):
        first = start // 8
        bits = np.frombuffer(data, np.uint8)[first : (stop + 7) // 8]
        return np.unpackbits(bits, count=stop - 8 * first, bitorder="little")[start - 8 * first :]
    return np.frombuffer(data, wire.newbyteorder("="), stop)[start:]


def _binary(length: int, offsets: pa.Buffer, data: Any, validity: pa.Buffer | None = None) -> pa.BinaryArray:
    return pa.Array.from_buffers(pa.binary(), length, [validity, offsets, pa.py_buffer(data)])


_KEPT_ROWS: Final = 1 << 16


def _even(width: int, rows: int) -> pa.Buffer:
    """The offsets of values of one width that lie one behind the other."""
    return _kept(width).slice(0, 4 * (rows + 1)) if rows <= _KEPT_ROWS else _ladder(width, rows)


@cache
def _kept(width: int) -> pa.Buffer:
    """Made once: all batches without nulls have the same offsets, which would be half of the work."""
    return _ladder(width, _KEPT_ROWS)


def _ladder(width: int, rows: int) -> pa.Buffer:
    return pa.py_buffer(np.arange(rows + 1, dtype=np.int32) * np.int32(width))


def _is_even(offsets: pa.Buffer, width: int, rows: int) -> bool:
    """Whether offsets are those of `_even`; others may be of one width too, as those of a slice are."""
    even = _even(width, rows)
    return bool(offsets.size >= even.size and offsets.slice(0, even.size).equals(even))


def _valid(column: pa.Array) -> Any:
    return column.is_valid().to_numpy(zero_copy_only=False)


class ShortConverter(FixedWidthConverter):
    """`org.apache.kafka.connect.converters.ShortConverter`."""

    _type, _noun, _wire, _deserializer = SchemaType.INT16, "short", ">i2", "ShortDeserializer"


class IntegerConverter(FixedWidthConverter):
    """`org.apache.kafka.connect.converters.IntegerConverter`."""

    _type, _noun, _wire, _deserializer = SchemaType.INT32, "integer", ">i4", "IntegerDeserializer"


class LongConverter(FixedWidthConverter):
    """`org.apache.kafka.connect.converters.LongConverter`."""

    _type, _noun, _wire, _deserializer = SchemaType.INT64, "long", ">i8", "LongDeserializer"


class FloatConverter(FixedWidthConverter):
    """`org.apache.kafka.connect.converters.FloatConverter`."""

    _type, _noun, _wire, _deserializer = SchemaType.FLOAT32, "float", ">f4", "Deserializer"


class DoubleConverter(FixedWidthConverter):
    """`org.apache.kafka.connect.converters.DoubleConverter`."""

    _type, _noun, _wire, _deserializer = SchemaType.FLOAT64, "double", ">f8", "Deserializer"


class BooleanConverter(FixedWidthConverter):
    """`org.apache.kafka.connect.converters.BooleanConverter`: a byte, 1 or 0."""

    _type, _noun, _wire, _deserializer = SchemaType.BOOLEAN, "boolean", ">i1", "BooleanDeserializer"

    def _check_schema(self, schema: ConnectSchema | None, tombstone: pa.BooleanArray | None, length: int) -> None:
        check_schema("BooleanConverter", self._type, schema, tombstone, length)

    def _refusal(self, found: str) -> str:
        return f"BooleanConverter is not compatible with objects of type {found}"

    def _decoded(self, payloads: pa.BinaryArray) -> pa.Array:
        numbers = self._numbers(payloads)
        if numbers.view(np.uint8).max(initial=0) > 1:
            odd = numbers[(numbers & -2) != 0]
            raise ValueError(f"Unexpected byte received by BooleanDeserializer: {odd[0]}")
        return self._with_nulls(np.packbits(numbers.view(bool), bitorder="little"), payloads)


def check_schema(
    name: str, wanted: SchemaType, schema: ConnectSchema | None, tombstone: pa.BooleanArray | None, length: int
) -> None:
    """Raises DataError where the schema is of another type and some row has it: a tombstone has none."""
    if schema is None or schema.type is wanted:
        return
    if tombstone is None or tombstone.true_count < length:
        raise DataError(f"Invalid schema type for {name}: {schema.type.name}")
