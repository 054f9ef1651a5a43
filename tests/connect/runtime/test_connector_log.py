"""Which lines of a worker's log are a connector's, and how many are kept."""

import logging

import pytest

from headrace.connect.runtime import connector_log
from headrace.connect.runtime.connector_log import ConnectorLogs, LogSender, connector_of_thread, connectors_of
from headrace.connect.runtime.messages import LogLine


def line(text: str = "", connector: str = "", time: float = 0.0) -> LogLine:
    return LogLine(connector, time, "INFO", "t", "x", text)


@pytest.mark.parametrize(
    ("thread", "connector"),
    [
        ("task-postgres-source-connector-0", "postgres-source-connector"),
        ("task-c-12", "c"),
        ("calls-c-0_0", "c"),
        ("connector-my.c", "my.c"),
        ("herder", ""),
        ("task-", ""),
        ("producer-poll", ""),
    ],
)
def test_a_thread_of_a_connector_tells_whose_a_line_is(thread, connector):
    assert connector_of_thread(thread) == connector


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Connector c is RUNNING", ["c"]),
        ("Task c-0 is FAILED: no", ["c"]),
        ("Failed: c.", ["c"]),
        ("'c' and a-b", ["c", "a-b"]),
        ("Task a-b-3 is RUNNING", ["a-b"]),
        ("Connector c2 is RUNNING, my-c too, c-d and x.c and c.d", []),
        ("nothing of any", []),
    ],
)
def test_a_line_is_about_the_connectors_whose_names_are_words_of_it(text, names):
    assert connectors_of(line(text), ["c", "a-b"]) == names


def test_the_thread_goes_before_the_words():
    assert connectors_of(line("Connector other", connector="c"), ["other"]) == ["c"]


def test_only_the_last_lines_are_kept_in_order_of_time(monkeypatch):
    logs = ConnectorLogs()
    for number in range(connector_log.LINES + 5):
        logs.add(line(str(number), "c", float(number)))
    logs.add(line("late", "c", 10.5))
    texts = [each.text for each in logs.of("c")]
    assert len(texts) == connector_log.LINES
    assert texts[:6] == ["6", "7", "8", "9", "10", "late"]
    assert logs.of("other") == []


def test_the_connector_that_was_silent_longest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(connector_log, "CONNECTORS", 2)
    logs = ConnectorLogs()
    for connector in ("a", "b", "a", "c"):
        logs.add(line("x", connector))
    assert [len(logs.of(connector)) for connector in "abc"] == [2, 0, 1]


def test_a_record_becomes_a_line_with_its_trace_and_debug_lines_do_not():
    sent: list[LogLine] = []
    logger = logging.getLogger("headrace.test.sender")
    logger.setLevel(logging.DEBUG)
    handler = LogSender(sent.append)
    logger.addHandler(handler)
    try:
        logger.debug("not this")
        try:
            raise ValueError("deep")
        except ValueError:
            logger.exception("It %s", "failed")
        logger.info("long " + "x" * 100_000)
    finally:
        logger.removeHandler(handler)
    assert [each.level for each in sent] == ["ERROR", "INFO"]
    assert sent[0].text.startswith("It failed\nTraceback")
    assert sent[0].thread == "MainThread"
    assert len(sent[1].text) == connector_log.TEXT_CHARS
