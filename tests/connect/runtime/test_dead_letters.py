"""The dead letter queue and the error log without a broker: what is held back, what is written, what is hidden."""

import logging
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest

from headrace.connect.api import (
    Batch,
    ConnectError,
    DataError,
    Header,
    Record,
    SchemaType,
    SinkOrigin,
    SourceOrigin,
    TopicPartition,
    from_records,
    schema,
    struct,
)
from headrace.connect.converters.string import StringConverter
from headrace.connect.runtime.host.consumed import Consumed, ConsumedRow
from headrace.connect.runtime.host.dead_letters import Done, Letter
from headrace.connect.runtime.host.error_log import policy_of
from headrace.connect.runtime.host.errors import Stage, StageError
from headrace.connect.runtime.host.java_names import exception_class, executing_class
from headrace.connect.runtime.host.sink_errors import SinkErrors
from headrace.connect.runtime.host.source_records import SourceRow
from headrace.connect.runtime.host.stages import Stages, make_stages
from headrace.connect.runtime.messages import TaskId
from headrace.connect.transforms.timestamp_converter import TimestampConverterValue

TASK = TaskId("k", 3)
STRING = schema(SchemaType.STRING)
TP = TopicPartition("t", 0)
QUEUE = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq"}
WITH_HEADERS = {**QUEUE, "errors.deadletterqueue.context.headers.enable": "true"}


class Box:
    """A Letterbox whose letters are written when the test says so."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.done: list[Done] = []

    def send(self, letter: Letter, done: Done) -> None:
        self.letters.append(letter)
        self.done.append(done)


def _stages() -> Stages:
    name = "org.apache.kafka.connect.storage.StringConverter"
    return make_stages({"key.converter": name, "value.converter": name}, {})


def _errors(box: Box, properties: Mapping[str, str] = WITH_HEADERS) -> SinkErrors:
    return SinkErrors(TASK, properties, _stages(), box)


def _consumed(rows: int = 10) -> Consumed:
    numbers = np.arange(rows)
    keys = pa.array([b"k%d" % row for row in range(rows)], pa.binary())
    values = pa.array([b"v%d" % row for row in range(rows)], pa.binary())
    headers = [[("h", b"%d" % row)] if row % 2 else None for row in range(rows)]
    return Consumed("t", "CREATE_TIME", np.zeros(rows, np.int32), numbers + 50, numbers + 1000, keys, values, headers)


def _batch(rows: int = 10) -> Batch:
    texts = pa.array([f"text {row}" for row in range(rows)])
    return Batch("routed", rows, None, None, STRING, texts, origin=_consumed(rows).origin(with_payloads=True))


def _failed(text: str = "no good") -> StageError:
    return StageError(Stage.VALUE_CONVERTER, StringConverter, DataError(text))


def test_no_offset_from_a_letter_on_is_committed_before_it_is_written() -> None:
    """Fails where `committable` gives the positions as they are."""
    box = Box()
    errors = _errors(box)
    for row in (3, 7):
        errors.policy.reject(ConsumedRow(_consumed(), row), _failed())
    other = TopicPartition("t", 1)
    assert errors.committable({TP: 60, other: 5}) == {TP: 53, other: 5}
    box.done[1]("")
    assert errors.committable({TP: 60}) == {TP: 53}
    box.done[0]("")
    assert errors.committable({TP: 60}) == {TP: 60}
    errors.wait_for_letters(0)


def test_a_letter_that_was_not_written_fails_the_task_and_is_held_back_for_ever() -> None:
    box = Box()
    errors = _errors(box)
    errors.policy.reject(ConsumedRow(_consumed(), 3), _failed())
    errors.check()
    box.done[0]("too large")
    with pytest.raises(ConnectError, match="A record for the dead letter queue dlq was not written: too large"):
        errors.check()
    assert errors.committable({TP: 60}) == {TP: 53} and errors.policy.counts.letters_failed == 1


def test_a_letter_is_the_record_as_it_was_consumed_whatever_was_made_of_it() -> None:
    box = Box()
    reporter = _errors(box, QUEUE).reporter
    assert reporter is not None
    # Rows 2, 3, 5, 7 of what was consumed, by way of a filter; the third of them.
    batch = _batch().take(pa.array([2, 3, 5, 7]))
    future = reporter.report(batch, 2, ValueError("too long"))
    assert box.letters == [Letter(b"k5", b"v5", [("h", b"5")], 1005)]
    assert not future.done()
    box.done[0]("")
    assert future.result(0) is None


def test_a_put_that_is_made_again_reports_a_record_once() -> None:
    box = Box()
    errors = _errors(box)
    assert errors.reporter is not None
    first = errors.reporter.report(_batch(), 4, ValueError("x"))
    assert errors.reporter.report(_batch(), 4, ValueError("x")) is first and len(box.letters) == 1
    errors.landed()
    errors.reporter.report(_batch(), 4, ValueError("x"))
    assert len(box.letters) == 2


def test_a_record_that_the_task_made_itself_is_written_through_the_converters() -> None:
    box = Box()
    reporter = _errors(box, QUEUE).reporter
    assert reporter is not None
    origin = SinkOrigin("t", pa.array([4], pa.int32()), pa.array([99], pa.int64()))
    own = Batch("t", 1, STRING, pa.array(["key"]), STRING, pa.array(["value"]), origin=origin)
    reporter.report(own, 0, ValueError("x"))
    assert box.letters == [Letter(b"key", b"value", [], -1)]


def test_a_report_beyond_what_is_tolerated_raises_and_cannot_be_passed_over() -> None:
    box = Box()
    errors = _errors(box, {**WITH_HEADERS, "errors.tolerance": "none"})
    assert errors.reporter is not None
    with pytest.raises(ConnectError, match="offset 54 failed in TASK_PUT"):
        errors.reporter.report(_batch(), 4, ValueError("x"))
    with pytest.raises(ConnectError, match="offset 54 failed in TASK_PUT"):
        errors.check()
    assert len(box.letters) == 1


@pytest.mark.parametrize(
    ("properties", "given"),
    [({}, False), ({"errors.log.enable": "true"}, True), ({"errors.tolerance": "all"}, True), (QUEUE, True)],
)
def test_there_is_a_reporter_where_something_becomes_of_reports(properties: dict[str, str], given: bool) -> None:
    box = Box() if "errors.deadletterqueue.topic.name" in properties else None
    assert (SinkErrors(TASK, properties, _stages(), box).reporter is not None) == given


def test_headers_and_log_hide_the_secrets_of_the_connector(caplog: pytest.LogCaptureFixture) -> None:
    box = Box()
    more = {"connection.password": "s3cret", "errors.log.enable": "true", "errors.log.include.messages": "true"}
    errors = _errors(box, {**WITH_HEADERS, **more})
    errors.policy.reject(ConsumedRow(_consumed(), 1), _failed("login with s3cret failed"))
    shown = str(box.letters[0].headers) + caplog.text
    assert "s3cret" not in shown and shown.count("login with [hidden] failed") == 3


def test_an_error_without_words_has_a_null_for_its_message() -> None:
    box = Box()
    _errors(box).policy.reject(ConsumedRow(_consumed(), 0), StageError(Stage.TASK_PUT, "X", ValueError()))
    headers = dict(box.letters[0].headers)
    assert headers["__connect.errors.exception.message"] is None
    assert headers["__connect.errors.exception.class.name"] == b"java.lang.IllegalArgumentException"
    assert headers["__connect.errors.class.name"] == b"X" and headers["__connect.errors.task.id"] == b"3"


def test_the_error_log_shows_the_record_only_where_that_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    policy = policy_of(TASK, {"errors.tolerance": "all", "errors.log.enable": "true"})
    with caplog.at_level(logging.ERROR):
        policy.reject(ConsumedRow(_consumed(), 1), _failed())
    (line, error) = caplog.messages[0].splitlines()
    assert line == (
        "Error encountered in task k-3. Executing stage 'VALUE_CONVERTER' with class "
        "'org.apache.kafka.connect.storage.StringConverter'."
    )
    assert error == "org.apache.kafka.connect.errors.DataException: no good"
    assert policy.counts.logged == policy.counts.skipped == 1


def test_the_error_log_of_a_source_shows_its_record_as_java_does() -> None:
    value = struct([("id", schema(SchemaType.INT32)), ("name", schema(SchemaType.STRING, optional=True))])
    record = Record("t", None, None, value, {"id": 7, "name": None}, headers=(Header("h", STRING, "x"),))
    (batch,) = from_records([record], SourceOrigin({"table": "iris"}, [{"incrementing": 7}]))
    assert SourceRow(batch, 0).details() == (
        "source record is = SourceRecord{sourcePartition={table=iris}, sourceOffset={incrementing=7}} "
        "ConnectRecord{topic='t', kafkaPartition=null, key=null, keySchema=null, value=Struct{id=7}, "
        "valueSchema=Schema{STRUCT}, timestamp=null, headers=ConnectHeaders(headers=[ConnectHeader(key=h, value=x, "
        "schema=Schema{STRING})])}"
    )


def test_classes_and_errors_have_javas_names_where_java_has_them() -> None:
    assert executing_class(TimestampConverterValue) == "org.apache.kafka.connect.transforms.TimestampConverter$Value"
    assert executing_class(Box) == f"{__name__}.Box"
    assert exception_class(DataError("x")) == "org.apache.kafka.connect.errors.DataException"
    assert exception_class(UnicodeError("x")) == "builtins.UnicodeError"
