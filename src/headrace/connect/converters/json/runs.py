"""Payloads to runs of values with one schema. A null payload ends no run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from headrace.connect.api import Column, ConnectSchema, Converted
from headrace.connect.converters.json.column_decoder import InexactError, decode_column, decode_exact
from headrace.connect.converters.json.envelope import Envelopes, cut_payloads, parse_exactly, parse_json
from headrace.connect.converters.json.form import Form, MisfitError


class _Run:
    """Messages of one schema, which the first that is no tombstone decides."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.decided = False
        self.schema: ConnectSchema | None = None
        self.values: list[Any] = []
        self.texts: list[bytes | None] = []
        """Where each value was parsed from: a payload's text, a whole message (`whole`), or None for a tombstone."""
        self.whole: set[int] = set()
        self.tombstones: list[int] = []

    def takes(self, schema: ConnectSchema | None) -> bool:
        return not self.decided or schema is self.schema

    def add(self, schema: ConnectSchema | None, values: list[Any], texts: list[bytes]) -> None:
        self.decided, self.schema = True, schema
        self.values += values
        self.texts += texts

    def add_whole(self, schema: ConnectSchema | None, value: Any, message: bytes) -> None:
        self.whole.add(len(self.values))
        self.add(schema, [value], [message])

    def add_tombstone(self) -> None:
        self.tombstones.append(len(self.values))
        self.values.append(None)
        self.texts.append(None)

    def converted(self, form: Form) -> Converted:
        mask = np.zeros(len(self.values), bool)
        mask[self.tombstones] = True
        tombstone = pa.array(mask) if self.tombstones else None
        return Converted(self.start, len(self.values), self.schema, self._column(mask, form), tombstone)

    def _column(self, mask: Any, form: Form) -> Column | None:
        if len(self.tombstones) == len(self.values):
            return None
        if self.schema is None:
            return self.values
        if not self.tombstones:
            return self._decoded(self.schema, range(len(self.values)), form)
        present = np.flatnonzero(~mask).tolist()
        column = self._decoded(self.schema, present, form)
        rows = pa.array(np.cumsum(~mask) - 1, mask=mask)
        return (
            [None if row is None else column[row] for row in rows.to_pylist()]
            if isinstance(column, list)
            else (column.take(rows))
        )

    def _decoded(self, schema: ConnectSchema, rows: Sequence[int], form: Form) -> Column:
        values = self.values if len(rows) == len(self.values) else [self.values[row] for row in rows]
        try:
            return decode_column(schema, values, form)
        except InexactError:
            return decode_exact(schema, [self._exact(row) for row in rows], form)

    def _exact(self, row: int) -> Any:
        text = self.texts[row]
        assert text is not None
        value = parse_exactly(text)
        return value["payload"] if row in self.whole else value


class Runs:
    """Splits messages into runs and decodes each."""

    def __init__(self, topic: str, envelopes: Envelopes, form: Form) -> None:
        self._topic = topic
        self._envelopes = envelopes
        self._form = form
        self._runs: list[_Run] = []

    def decode(self, messages: list[bytes | None]) -> list[Converted]:
        """The runs that cover all of `messages`. Raises DataError."""
        row = 0
        while row < len(messages):
            message = messages[row]
            if message is None:
                self._any_run(row).add_tombstone()
                row += 1
            else:
                row += self._stretch(messages, row, message)
        return [converted(self._topic, run, self._form) for run in self._runs]

    def _stretch(self, messages: list[bytes | None], row: int, message: bytes) -> int:
        """Take messages from `row` on that begin with one known prefix, or the one message there; gives how many."""
        known = self._envelopes.known_prefix(message)
        texts = cut_payloads(messages, row, known[0]) if known else []
        if known and texts:
            try:
                values = list(map(orjson.loads, texts))
            except orjson.JSONDecodeError:
                return self._one(row, message)
            if known[1] is None:
                self._add_schemaless(row, values, texts)
            else:
                self._run(row, known[1]).add(known[1], values, texts)
            return len(texts)
        return self._one(row, message)

    def _add_schemaless(self, row: int, values: list[Any], texts: list[bytes]) -> None:
        for offset, (value, text) in enumerate(zip(values, texts, strict=True)):
            if value is None:
                self._any_run(row + offset).add_tombstone()
            else:
                self._run(row + offset, None).add(None, [value], [text])

    def _one(self, row: int, message: bytes) -> int:
        schema, value = self._envelopes.parse(message)
        if schema is None and value is None:
            self._any_run(row).add_tombstone()
        else:
            self._run(row, schema).add_whole(schema, value, message)
        return 1

    def _any_run(self, row: int) -> _Run:
        if not self._runs:
            self._runs.append(_Run(row))
        return self._runs[-1]

    def _run(self, row: int, schema: ConnectSchema | None) -> _Run:
        if not self._runs or not self._runs[-1].takes(schema):
            self._runs.append(_Run(row))
        return self._runs[-1]


def converted(topic: str, run: _Run, form: Form) -> Converted:
    """The run's column. Raises DataError."""
    try:
        return run.converted(form)
    except MisfitError as error:
        raise error.data_error(topic, run.schema) from None


def decode_fixed(schema: ConnectSchema, topic: str, payloads: Sequence[bytes | None], form: Form) -> list[Converted]:
    """Payloads that all have one schema, which the configuration gives. Raises DataError."""
    if not payloads:
        return []
    run = _Run(0)
    for payload in payloads:
        if payload is None:
            run.add_tombstone()
        else:
            run.add(schema, [parse_json(payload)], [payload])
    return [converted(topic, run, form)]


def decode_plain(payloads: Sequence[bytes | None]) -> list[Converted]:
    """Payloads without schemas: one run, a list of parsed values. As in Java, an empty payload is null too."""
    if not payloads:
        return []
    values = [parse_json(payload) if payload else None for payload in payloads]
    deleted = [value is None for value in values]
    tombstone = pa.array(deleted, pa.bool_()) if any(deleted) else None
    return [Converted(0, len(values), None, None if all(deleted) else values, tombstone)]
