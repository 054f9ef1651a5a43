"""Converter and Transformation: the stages between a task and Kafka.

A plug-in may implement the row form alone and the runtime feeds it row by row; where it has the batch form too, the two
give the same records (tests hold that).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from headrace.config import ConfigDef
from headrace.connect.api.batch import Batch, Record, from_records
from headrace.connect.api.column import Column
from headrace.connect.api.schema import ConnectSchema


@dataclass(frozen=True, slots=True)
class Converted:
    """A run of decoded values with one schema: rows `start` to `start + length` of the payloads given.

    `tombstone` is true where a value is null without a schema; None where none is.
    """

    start: int
    length: int
    schema: ConnectSchema | None
    column: Column | None
    tombstone: pa.BooleanArray | None = None


class Converter(ABC):
    """Values of one schema to payloads, and back."""

    @classmethod
    @abstractmethod
    def config_def(cls) -> ConfigDef: ...

    @abstractmethod
    def configure(self, properties: Mapping[str, Any], *, is_key: bool) -> None:
        """`properties`: the keys below `key.converter.` or `value.converter.`, prefix removed. Raises ConfigError."""

    @abstractmethod
    def from_connect(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> Sequence[bytes | None]:
        """`length` payloads. Raises DataError where a value does not fit."""

    def from_connect_column(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> pa.BinaryArray | pa.LargeBinaryArray:
        """The same in one column, for a converter that makes it without an object each."""
        return pa.array(self.from_connect(topic, schema, column, tombstone, length), pa.large_binary())

    @abstractmethod
    def to_connect(self, topic: str, payloads: Sequence[bytes | None]) -> list[Converted]:
        """The runs of `payloads`, in order, that cover all of them. Raises DataError where one cannot be read."""

    def to_connect_column(self, topic: str, payloads: pa.BinaryArray) -> list[Converted]:
        """The same of payloads in one column, for a converter that reads them faster without an object each."""
        return self.to_connect(topic, payloads.to_pylist())


class ColumnConverter(Converter):
    """A converter that works on columns alone: rows are put into one and taken out of one."""

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

    @abstractmethod
    def from_connect_column(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> pa.BinaryArray | pa.LargeBinaryArray:
        """`length` payloads. Raises DataError where a value does not fit."""

    def to_connect(self, topic: str, payloads: Sequence[bytes | None]) -> list[Converted]:
        return self.to_connect_column(topic, pa.array(payloads, pa.binary()))

    @abstractmethod
    def to_connect_column(self, topic: str, payloads: pa.BinaryArray) -> list[Converted]:
        """The runs of `payloads`, in order, that cover all of them. Raises DataError where one cannot be read."""


class Transformation(ABC):
    """A single message transform. Implement `apply` (rows) or `apply_batch` (batches), or both."""

    @classmethod
    @abstractmethod
    def config_def(cls) -> ConfigDef: ...

    @abstractmethod
    def configure(self, properties: Mapping[str, Any]) -> None:
        """`properties`: the keys below `transforms.<alias>.`, prefix removed. Raises ConfigError."""

    def apply(self, record: Record) -> Record | None:
        """The record that takes this one's place, or None to drop it. Raises DataError."""
        raise NotImplementedError(f"{type(self).__name__} implements neither apply nor apply_batch")

    def apply_batch(self, batch: Batch) -> list[Batch]:
        """The batches that take this one's place, in order."""
        kept = (self.apply(record) for record in batch.records())
        return from_records((record for record in kept if record is not None), batch.origin)

    def close(self) -> None:
        """Release what was taken."""
        return
