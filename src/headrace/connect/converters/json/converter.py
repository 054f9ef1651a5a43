"""JsonConverter: whole columns where there are any, row by row otherwise. One thread a converter."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import (
    Column,
    ConfigDef,
    ConnectSchema,
    Converted,
    HeaderAndValueConverter,
    to_values,
)
from headrace.connect.converters.json.column_encoder import encode_column
from headrace.connect.converters.json.config import json_config, schema_content
from headrace.connect.converters.json.envelope import Envelopes
from headrace.connect.converters.json.form import Form, MisfitError
from headrace.connect.converters.json.row_encoder import dumps
from headrace.connect.converters.json.runs import Runs, decode_fixed, decode_plain
from headrace.connect.converters.json.schema_form import schema_to_json
from headrace.connect.converters.json.text_columns import FEW, DoubtError, decode_texts
from headrace.connect.converters.kind import parse

log = logging.getLogger(__name__)

_TO_THE_END: Final = 1 << 31
"""Without a stop Arrow's slice reckons with a negative one, and fails."""
ENCODE_LIMIT_BYTES: Final = 1 << 29
"""Columns of text hold 2 GiB at most: what may come near is encoded in halves."""


class JsonConverter(HeaderAndValueConverter):
    """`org.apache.kafka.connect.json.JsonConverter`."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return json_config()

    def configure(self, properties: Mapping[str, Any], *, is_key: bool) -> None:
        settings = parse(self.config_def(), properties, is_key=is_key)
        if "schema.registry.url" in properties:
            role = "key.converter" if is_key else "value.converter"
            log.info("%s.schema.registry.url is not used: JsonConverter writes the schema into each message", role)
        self._schemas_enable: bool = settings["schemas.enable"]
        self._cache_size: int = settings["schemas.cache.size"]
        numeric = settings["decimal.format"].upper() == "NUMERIC"
        self._form = Form(numeric_decimals=numeric, replace_null=settings["replace.null.with.default"])
        self._envelopes = Envelopes(self._cache_size, self._form)
        self._prefixes: dict[ConnectSchema | None, str] = {}
        content = schema_content(settings["schema.content"], self._form)
        self._content = content if self._schemas_enable else None

    def from_connect(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> Sequence[bytes | None]:
        if schema is None or isinstance(column, list):
            return self._from_rows(topic, schema, to_values(None, column, length), tombstone)
        if tombstone is not None and tombstone.true_count:
            return self._around_tombstones(topic, schema, column, tombstone)
        if column is None:
            return [self._from_row(topic, schema, None)] * length
        return [payload for part in self._columns(topic, schema, column) for payload in part.to_pylist()]

    def from_connect_column(
        self,
        topic: str,
        schema: ConnectSchema | None,
        column: Column | None,
        tombstone: pa.BooleanArray | None,
        length: int,
    ) -> pa.BinaryArray | pa.LargeBinaryArray:
        deletes = tombstone is not None and tombstone.true_count
        if schema is None or column is None or isinstance(column, list) or deletes:
            return super().from_connect_column(topic, schema, column, tombstone, length)
        parts = self._columns(topic, schema, column)
        return parts[0] if len(parts) == 1 else pa.concat_arrays([part.cast(pa.large_binary()) for part in parts])

    def _columns(self, topic: str, schema: ConnectSchema, column: pa.Array) -> list[pa.BinaryArray]:
        try:
            return self._from_column(schema, column)
        except MisfitError as error:
            raise error.data_error(topic, schema) from None

    def _from_column(self, schema: ConnectSchema, column: pa.Array) -> list[pa.BinaryArray]:
        prefix, suffix = self._prefix(schema), "}" if self._schemas_enable else ""
        if len(column) > 1 and len(column) * len(prefix) + 6 * column.nbytes > ENCODE_LIMIT_BYTES:
            half = len(column) // 2
            return self._from_column(schema, column[:half]) + self._from_column(schema, column[half:])
        return [encode_column(schema, column, self._form, prefix, suffix)]

    def _around_tombstones(
        self, topic: str, schema: ConnectSchema, column: pa.Array | None, tombstone: pa.BooleanArray
    ) -> list[bytes | None]:
        rows = np.flatnonzero(~tombstone.to_numpy(zero_copy_only=False))
        payloads: list[bytes | None] = [None] * len(tombstone)
        present = None if column is None else column.take(pa.array(rows))
        for row, payload in zip(rows, self.from_connect(topic, schema, present, None, len(rows)), strict=True):
            payloads[row] = payload
        return payloads

    def _from_rows(
        self, topic: str, schema: ConnectSchema | None, values: list[Any], tombstone: pa.BooleanArray | None
    ) -> list[bytes | None]:
        deleted = to_values(None, tombstone, len(values))
        return [
            None if value is None and (gone or schema is None) else self._from_row(topic, schema, value)
            for value, gone in zip(values, deleted, strict=True)
        ]

    def _from_row(self, topic: str, schema: ConnectSchema | None, value: Any) -> bytes:
        try:
            payload = dumps(schema, value, self._form)
            prefix = self._prefix(schema).encode()
        except MisfitError as error:
            raise error.data_error(topic, schema) from None
        return prefix + payload + b"}" if self._schemas_enable else payload

    def _prefix(self, schema: ConnectSchema | None) -> str:
        """All that comes before the payload. Raises MisfitError where a default does not fit."""
        if not self._schemas_enable:
            return ""
        known = self._prefixes.get(schema)
        if known is None:
            if len(self._prefixes) >= self._cache_size:
                self._prefixes.clear()
            text = orjson.dumps(schema_to_json(schema, self._form), option=orjson.OPT_SERIALIZE_NUMPY).decode()
            known = self._prefixes[schema] = f'{{"schema":{text},"payload":'
        return known

    def to_connect(self, topic: str, payloads: Sequence[bytes | None]) -> list[Converted]:
        if not self._schemas_enable:
            return decode_plain(payloads)
        if self._content is not None:
            return decode_fixed(self._content, topic, payloads, self._form)
        runs = Runs(topic, self._envelopes, self._form)
        return runs.decode(list(payloads))

    def to_connect_column(self, topic: str, payloads: pa.BinaryArray) -> list[Converted]:
        if self._schemas_enable and len(payloads) >= FEW and not payloads.null_count:
            try:
                return [self._column(payloads)]
            except DoubtError:
                pass
        return self.to_connect(topic, payloads.to_pylist())

    def _column(self, messages: pa.BinaryArray) -> Converted:
        """One run of messages that begin alike. Raises DoubtError."""
        if self._content is not None:
            return Converted(0, len(messages), self._content, decode_texts(self._content, messages))
        prefix, schema = self._envelopes.of(messages[0].as_py())
        if schema is None or not pc.all(pc.starts_with(messages, prefix)).as_py():
            raise DoubtError
        column = decode_texts(schema, pc.binary_slice(messages, len(prefix), _TO_THE_END), closing=b"}")
        return Converted(0, len(messages), schema, column)
