"""The keys `errors.*`: what they are read as, and what a sink's are refused for."""

import pytest

from headrace.config import ConfigError
from headrace.connect.runtime.host.error_settings import ErrorSettings
from headrace.connect.runtime.host.framework_config import validate
from headrace.jdbc.sink.connector import JdbcSinkConnector

LETTERS = "errors.deadletterqueue.topic.name"


def _errors(**properties: str) -> dict[str, list[str]]:
    given = {
        "name": "k",
        "connector.class": "jdbc-sink",
        "connection.url": "jdbc:postgresql://localhost/x",
        **properties,
    }
    pairs = validate(JdbcSinkConnector, given, connect=False)
    return {value.name: list(value.errors) for _, value in pairs if value.errors}


def test_left_out_they_are_kafka_connects_defaults() -> None:
    assert ErrorSettings.of({"name": "x"}) == ErrorSettings(False, 0, 60_000, False, False, "", 3, False)


def test_all_of_them_are_read() -> None:
    properties = {
        "errors.tolerance": "all",
        "errors.retry.timeout": "-1",
        "errors.retry.delay.max.ms": "100",
        "errors.log.enable": "TRUE",
        "errors.log.include.messages": "true",
        LETTERS: " dlq ",
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
    }
    assert ErrorSettings.of(properties) == ErrorSettings(True, -1, 100, True, True, "dlq", 1, True)


def test_a_value_that_will_not_do_is_named() -> None:
    with pytest.raises(ConfigError, match=r"errors\.tolerance"):
        ErrorSettings.of({"errors.tolerance": "some"})


def test_a_queue_that_the_connector_would_read_itself_is_refused_in_javas_words() -> None:
    errors = _errors(topics="a,d", **{LETTERS: "d"})
    words = "The DLQ topic 'd' may not be included in the list of topics ('topics=[a, d]') consumed by the connector"
    assert errors == {"topics": [words]}
    errors = _errors(**{"topics.regex": "a.*", LETTERS: "ad"})
    words = "The DLQ topic 'ad' may not be matched by the regex for the topics ('topics.regex=a.*')"
    assert errors == {"topics.regex": [f"{words} consumed by the connector"]}


def test_a_regex_that_matches_a_part_of_the_queues_name_is_no_fault() -> None:
    assert _errors(**{"topics.regex": "iris", LETTERS: "iris-dlq"}) == {}


def test_topics_or_a_regex_are_needed_and_not_both() -> None:
    assert set(_errors()) == {"topics", "topics.regex"}
    assert set(_errors(topics="a", **{"topics.regex": "b"})) == {"topics", "topics.regex"}
