"""What a failure looks like, what it must not show, and what becomes of bad records."""

import logging

import numpy as np
import pyarrow as pa
import pytest

from headrace.connect.api import Batch, ConnectError, DataError, SchemaType, schema
from headrace.connect.runtime.host.consumed import Consumed, consumed_row
from headrace.connect.runtime.host.error_settings import ErrorSettings
from headrace.connect.runtime.host.errors import ErrorPolicy, Stage, StageError, hide, secrets_of, sentence, trace
from headrace.connect.runtime.host.java_names import SINK_TASK

STRING = schema(SchemaType.STRING)


def _batch(values: list[str]) -> Batch:
    rows = len(values)
    empty = pa.array([None] * rows, pa.binary())
    offsets = np.arange(50, 50 + rows)
    consumed = Consumed("t", "CREATE_TIME", np.zeros(rows, np.int32), offsets, offsets, empty, empty)
    origin = consumed.origin(with_payloads=False)
    return Batch("t", rows, None, None, STRING, pa.array(values), origin=origin)


def _refuse_bad(batch: Batch) -> list[str]:
    values: list[str] = batch.value.to_pylist()  # type: ignore[union-attr]
    if any(value == "bad" for value in values):
        raise StageError(Stage.TASK_PUT, SINK_TASK, DataError("a bad value"))
    return values


def test_a_trace_begins_with_the_sentence_and_names_the_cause_without_source_lines() -> None:
    try:
        try:
            raise ValueError("no such column: target")
        except ValueError as error:
            raise ConnectError("Table iris has no column target") from error
    except ConnectError as error:
        lines = trace(error).splitlines()
    assert lines[0] == "Table iris has no column target"
    assert "Caused by: ValueError: no such column: target" in lines
    assert not any("raise " in line for line in lines)


def test_an_error_without_words_is_named_by_its_type() -> None:
    assert sentence(KeyError()) == "KeyError"


def test_secrets_never_show_in_a_trace() -> None:
    config = {"connection.password": "s3cret", "sasl.jaas.config": 'x password="jaas1";', "table": "iris"}
    text = hide("login of bob with s3cret failed at s3cretary", secrets_of(config))
    assert text == "login of bob with [hidden] failed at s3cretary"
    assert "iris" not in secrets_of(config)


def test_the_first_bad_record_is_named_by_where_it_was_consumed() -> None:
    policy = ErrorPolicy("k-0")
    with pytest.raises(ConnectError, match="topic t, partition 0, offset 53 failed in TASK_PUT: a bad value"):
        policy.guard(_batch(["a", "b", "c", "bad", "d", "bad"]), _refuse_bad, consumed_row)


def test_under_tolerance_the_rest_keeps_its_order_and_the_skipped_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    policy = ErrorPolicy("k-0", ErrorSettings(tolerant=True))
    with caplog.at_level(logging.ERROR):
        parts = policy.guard(_batch(["bad", "a", "bad", "b", "c", "bad"]), _refuse_bad, consumed_row)
    assert [value for part in parts for value in part] == ["a", "b", "c"]
    assert policy.counts.skipped == 3 and "skipped, 2 so far" in caplog.text
