"""What converters with a registry do alike: ids, subjects, runs of one id, nulls. What a format does is a form.

A form is a schema with the code that writes or reads by it. A null is a null payload, with a schema or without.
"""

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from headrace.connect.api import (
    Column,
    ColumnConverter,
    ConfigDef,
    ConnectSchema,
    Converted,
    DataError,
    integers,
    to_values,
)
from headrace.connect.converters.json.form import MisfitError
from headrace.connect.converters.registry.client import RegisteredSchema, RegistryClient
from headrace.connect.converters.registry.framing import head, runs
from headrace.connect.converters.registry.settings import RegistrySettings, registry_config_def
from headrace.connect.converters.registry.subject import strategy

Made = TypeVar("Made")
ENCODE_LIMIT_BYTES: Final = 1 << 29
"""Columns of bytes hold 2 GiB at most: what may come near is encoded in halves."""


class WriteForm(Protocol):
    """Writes values of one Connect schema."""

    text: str
    """The schema as it is registered."""
    record: str | None
    """The full name of what it describes, where it has one."""

    def encode(self, column: pa.Array, head: bytes) -> pa.BinaryArray:
        """Messages of a column without nulls. Raises MisfitError."""
        ...

    def encode_row(self, value: Any) -> bytes:
        """The payload of one value, which is not null. Raises MisfitError."""
        ...


class ReadForm(Protocol):
    """Reads what was written by one registered schema."""

    schema: ConnectSchema

    def decode(self, messages: pa.BinaryArray) -> Column:
        """The values of whole messages, none of them null. Raises MisfitError."""
        ...


class RegistryConverter(ColumnConverter):
    """A converter whose messages name their schema by an id. One thread a converter."""

    KIND: ClassVar[str]
    """AVRO or JSON."""

    @classmethod
    @abstractmethod
    def own_config_def(cls) -> ConfigDef:
        """The keys of the format."""

    @abstractmethod
    def configure_form(self, settings: Mapping[str, Any]) -> None: ...

    @abstractmethod
    def own_form(self, schema: ConnectSchema) -> WriteForm:
        """The form of values of a schema. Raises DataError."""

    @abstractmethod
    def form_by(self, registered: RegisteredSchema, schema: ConnectSchema) -> WriteForm:
        """The form that writes values of a schema by a registered one. Raises DataError, MisfitError."""

    @abstractmethod
    def read_form(self, registered: RegisteredSchema) -> ReadForm:
        """The form of messages of a registered schema. Raises DataError."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return registry_config_def().merge(cls.own_config_def())

    def configure(self, properties: Mapping[str, Any], *, is_key: bool) -> None:
        parsed = self.config_def().parse(properties)
        settings = RegistrySettings.of(properties, parsed, is_key=is_key)
        role = "key.subject.name.strategy" if is_key else "value.subject.name.strategy"
        self._is_key = is_key
        self._subject = strategy(role, parsed[role])
        self._registry = RegistryClient(settings)
        self._by_latest: bool = parsed["use.latest.version"] and not parsed["auto.register.schemas"]
        self._cache_size: int = parsed["schemas.cache.config"]
        self._forms: dict[Hashable, Any] = {}
        self.configure_form(parsed)

    def _remembered(self, key: Hashable, make: Callable[[], Made]) -> Made:
        known: Made | None = self._forms.get(key)
        if known is None:
            if len(self._forms) >= self._cache_size:
                self._forms.clear()
            known = self._forms[key] = make()
        return known

    def _writing(self, topic: str, schema: ConnectSchema) -> tuple[bytes, WriteForm]:
        """What stands before each payload, and what writes it."""
        try:
            own = self._remembered(("own", schema), lambda: self.own_form(schema))
        except DataError as error:
            raise DataError(f"topic {topic}: {error}") from None
        subject = self._subject(topic, self._is_key, own.record)
        if not self._by_latest:
            return head(self._registry.id_of(subject, self.KIND, own.text)), own
        latest = self._registry.latest(subject)
        form = self._remembered(("by", latest.id, schema), lambda: self.form_by(self._expected(latest), schema))
        return head(latest.id), form

    def _expected(self, registered: RegisteredSchema) -> RegisteredSchema:
        if registered.kind != self.KIND:
            raise DataError(
                f"the schema with id {registered.id} is of type {registered.kind}, and {type(self).__name__} is for "
                f"{self.KIND}: use the converter of that type"
            )
        return registered

    def from_connect_column(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> pa.BinaryArray | pa.LargeBinaryArray:
        if schema is None:
            return self._schemaless(topic, column, length)
        if column is None:
            column = [None] * length
        try:
            if isinstance(column, list):
                return self._from_rows(topic, schema, column, tombstone)
            return self._from_column(topic, schema, column, tombstone)
        except MisfitError as error:
            raise error.data_error(topic, schema, type(self).__name__) from None

    def _schemaless(self, topic: str, column: Column | None, length: int) -> pa.BinaryArray:
        if any(value is not None for value in to_values(None, column, length)):
            raise DataError(
                f"topic {topic}: {type(self).__name__} writes values that have a schema, and these have none: "
                "JsonConverter with schemas.enable=false writes them"
            )
        return pa.nulls(length, pa.binary())

    def _from_rows(
        self, topic: str, schema: ConnectSchema, values: list[Any], tombstone: pa.BooleanArray | None
    ) -> pa.LargeBinaryArray:
        deleted = to_values(None, tombstone, len(values))
        payloads: list[bytes | None] = []
        for value, gone in zip(values, deleted, strict=True):
            if value is None:
                _expect_null(schema, gone=bool(gone))
                payloads.append(None)
            else:
                before, form = self._writing(topic, schema)
                payloads.append(before + form.encode_row(value))
        return pa.array(payloads, pa.large_binary())

    def _from_column(
        self, topic: str, schema: ConnectSchema, column: pa.Array, tombstone: pa.BooleanArray | None
    ) -> pa.BinaryArray | pa.LargeBinaryArray:
        if column.null_count:
            valid = column.is_valid().to_numpy(zero_copy_only=False)
            deleted = 0 if tombstone is None else tombstone.true_count
            _expect_null(schema, gone=deleted >= column.null_count)
            present = column.drop_null()
            if not len(present):
                return pa.nulls(len(column), pa.binary())
            return self._from_column(topic, schema, present, None).take(pa.array(np.cumsum(valid) - 1, mask=~valid))
        if not len(column):
            return pa.array([], pa.binary())
        before, form = self._writing(topic, schema)
        parts = _encoded(form, column, before)
        return parts[0] if len(parts) == 1 else pa.concat_arrays([part.cast(pa.large_binary()) for part in parts])

    def to_connect(self, topic: str, payloads: Sequence[bytes | None]) -> list[Converted]:
        return self.to_connect_column(topic, pa.array(payloads, pa.large_binary()))

    def to_connect_column(self, topic: str, payloads: pa.BinaryArray) -> list[Converted]:
        found = list(runs(topic, payloads))
        parts: dict[int | None, list[tuple[int, int]]] = {}
        for start, stop, schema_id in found:
            parts.setdefault(schema_id, []).append((start, stop))
        if len(found) <= 2 * len(parts):
            return [self._run(topic, start, schema_id, payloads[start:stop]) for start, stop, schema_id in found]
        converted = [
            run for schema_id, spans in parts.items() for run in self._turns(topic, schema_id, spans, payloads)
        ]
        return sorted(converted, key=lambda run: run.start)

    def _turns(
        self, topic: str, schema_id: int | None, spans: list[tuple[int, int]], payloads: pa.BinaryArray
    ) -> Iterator[Converted]:
        """The runs of one id where several ids take turns, as two versions of a writer make them: read at once."""
        rows = np.concatenate([np.arange(start, stop) for start, stop in spans])
        whole = self._run(topic, 0, schema_id, payloads.take(integers(rows)))
        at = 0
        for start, stop in spans:
            gone = None if whole.tombstone is None else whole.tombstone[at : at + stop - start]
            column = None if whole.column is None else whole.column[at : at + stop - start]
            yield Converted(start, stop - start, whole.schema, column, gone if gone and gone.true_count else None)
            at += stop - start

    def _run(self, topic: str, start: int, schema_id: int | None, messages: pa.BinaryArray) -> Converted:
        if schema_id is None:
            return Converted(start, len(messages), None, None, pa.array(np.ones(len(messages), bool)))
        try:
            form = self._remembered(
                ("read", schema_id), lambda: self.read_form(self._expected(self._registry.schema(schema_id)))
            )
        except DataError as error:
            raise DataError(f"topic {topic}: {error}") from None
        try:
            if not messages.null_count:
                return Converted(start, len(messages), form.schema, form.decode(messages))
            null = messages.is_null().to_numpy(zero_copy_only=False)
            column = _spread(form.decode(messages.drop_null()), ~null)
        except MisfitError as error:
            raise error.data_error(topic, form.schema, type(self).__name__) from None
        return Converted(start, len(messages), form.schema, column, pa.array(null))


def _expect_null(schema: ConnectSchema, *, gone: bool) -> None:
    if not gone and not schema.optional:
        raise MisfitError(f"null, but this {schema.type.value} is required")


def _encoded(form: WriteForm, column: pa.Array, before: bytes) -> list[pa.BinaryArray]:
    if len(column) > 1 and 6 * column.nbytes + 64 * len(column) > ENCODE_LIMIT_BYTES:
        half = len(column) // 2
        return _encoded(form, column[:half], before) + _encoded(form, column[half:], before)
    return [form.encode(column, before)]


def _spread(column: Column, rows: Any) -> Column:
    if isinstance(column, list):
        values = iter(column)
        return [next(values) if there else None for there in rows]
    return column.take(pa.array(np.cumsum(rows) - 1, mask=~rows))
