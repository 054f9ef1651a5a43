"""Names of subjects: by topic, by record, or by both."""

from collections.abc import Callable
from typing import Final

from headrace.connect.api import ConfigError, DataError

Strategy = Callable[[str, bool, str | None], str]
"""Called with the topic, whether it is a key, and the record's full name where it is a record."""


def _topic_name(topic: str, is_key: bool, record: str | None) -> str:
    return f"{topic}-key" if is_key else f"{topic}-value"


def _record_name(topic: str, is_key: bool, record: str | None) -> str:
    return _required(record, "RecordNameStrategy", topic)


def _topic_record_name(topic: str, is_key: bool, record: str | None) -> str:
    return f"{topic}-{_required(record, 'TopicRecordNameStrategy', topic)}"


def _required(record: str | None, name: str, topic: str) -> str:
    if record is None:
        raise DataError(
            f"topic {topic}: {name} names subjects by their record, and this schema is no record with a name; "
            "TopicNameStrategy takes any schema"
        )
    return record


_STRATEGIES: Final[dict[str, Strategy]] = {
    "TopicNameStrategy": _topic_name,
    "RecordNameStrategy": _record_name,
    "TopicRecordNameStrategy": _topic_record_name,
}


def strategy(key: str, name: str) -> Strategy:
    """The strategy of a Java class name or its last part. Raises ConfigError with what there is."""
    found = _STRATEGIES.get(str(name).rpartition(".")[2])
    if found is None:
        raise ConfigError(f"Invalid value {name} for configuration {key}: it is one of {', '.join(_STRATEGIES)}")
    return found
