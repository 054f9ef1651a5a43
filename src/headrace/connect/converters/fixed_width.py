"""Numbers and booleans as their bytes, big-endian and of fixed width: Short-, Integer-, Long-, Float-, Double- and
BooleanConverter. Whole columns go through numpy, and no row is an object of Python's.

Java's classes differ in what they look at: those of numbers at the value's class and never at the schema, the one of
booleans at the schema first.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa

from headrace.connect.api import (
    Column,
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


class FixedWidthConverter(HeaderAndValueConverter):
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

    def from_connect(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> Sequence[bytes | None]:
        payloads: list[bytes | None] = self.from_connect_column(topic, schema, column, tombstone, length).to_pylist()
        return payloads

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
        if not isinstance(column, pa.Array) or column.type != arrow_type(self._schema):
            self._check_values(schema, to_values(schema, column, length))
            column = pa.array(to_values(schema, column, length), arrow_type(self._schema))
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

    def to_connect(self, topic: str, payloads: Sequence[bytes | None]) -> list[Converted]:
        return self.to_connect_column(topic, pa.array(payloads, pa.binary()))

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
        return _with_nulls(numbers.astype(numbers.dtype.newbyteorder("=")), payloads)

    def _numbers(self, payloads: pa.BinaryArray) -> Any:
        """What is on the wire, for the rows that are not null. Raises ValueError where one has another width."""
        present = payloads.drop_null() if payloads.null_count else payloads
        kind = np.int64 if payloads.type == pa.large_binary() else np.int32
        _, offsets, data = present.buffers()
        bounds: Any = np.frombuffer(offsets, kind)[present.offset : present.offset + len(present) + 1]
        if (bounds[1:] - bounds[:-1] != self._width).any():
            raise ValueError(f"Size of data received by {self._deserializer} is not {self._width}")
        return np.frombuffer(data or b"", np.uint8)[bounds[0] : bounds[-1]].view(self._wire)


_OTHER_CLASSES: Final = frozenset(
    f"org.apache.kafka.connect.data.{name}" for name in ("Date", "Time", "Timestamp", "Decimal")
)


def _to_bytes(column: pa.Array, wire: Any) -> pa.BinaryArray:
    """The values one behind the other; a null has no bytes."""
    if not column.null_count:
        offsets = np.arange(len(column) + 1, dtype=np.int32) * np.int32(wire.itemsize)
        return _binary(offsets, column.to_numpy(zero_copy_only=False).astype(wire))
    offsets = np.zeros(len(column) + 1, np.int32)
    np.cumsum(wire.itemsize * _valid(column), out=offsets[1:])
    present = column.drop_null().to_numpy(zero_copy_only=False).astype(wire)
    return _binary(offsets, present, pa.array(_valid(column)).buffers()[1])


def _binary(offsets: Any, data: Any, validity: Any = None) -> pa.BinaryArray:
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [validity, pa.py_buffer(offsets), pa.py_buffer(data)])


def _valid(column: pa.Array) -> Any:
    return column.is_valid().to_numpy(zero_copy_only=False)


def _with_nulls(numbers: Any, payloads: pa.BinaryArray) -> pa.Array:
    # Not by pa.array, which looks for pandas each time.
    kind = pa.from_numpy_dtype(numbers.dtype)
    data = np.packbits(numbers, bitorder="little") if kind == pa.bool_() else numbers
    made = pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(data)])
    if not payloads.null_count:
        return made
    valid = _valid(payloads)
    return made.take(pa.array(np.cumsum(valid) - 1, mask=~valid))


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
        odd = (numbers & -2) != 0
        if odd.any():
            raise ValueError(f"Unexpected byte received by BooleanDeserializer: {numbers[odd][0]}")
        return _with_nulls(numbers.astype(bool), payloads)


def check_schema(
    name: str, wanted: SchemaType, schema: ConnectSchema | None, tombstone: pa.BooleanArray | None, length: int
) -> None:
    """Raises DataError where the schema is of another type and some row has it: a tombstone has none."""
    if schema is None or schema.type is wanted:
        return
    if tombstone is None or tombstone.true_count < length:
        raise DataError(f"Invalid schema type for {name}: {schema.type.name}")
