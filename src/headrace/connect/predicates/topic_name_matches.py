"""TopicNameMatches: records of topics that a pattern names.

`org.apache.kafka.connect.transforms.predicates.TopicNameMatches`; the pattern is one of `java.util.regex`, and has to
match the whole name.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from headrace.connect.api import NO_DEFAULT, Batch, ConfigDef, ConfigError, Predicate, Record, Type, non_empty
from headrace.connect.api.java.regex import JavaPattern, RegexError


def _pattern(name: str, value: Any) -> None:
    """A validator: the text must be a pattern."""
    non_empty(name, value)
    try:
        JavaPattern(value or "")
    except RegexError as error:
        raise ConfigError(f"Invalid value {value} for configuration {name}: Invalid regex: {error}") from error


class TopicNameMatches(Predicate):
    """A batch has one topic, so that its records are all meant or none."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        text = "A Java regular expression that matches the whole name of the topic."
        return ConfigDef().define("pattern", Type.STRING, NO_DEFAULT, text, validator=_pattern)

    def configure(self, properties: Mapping[str, Any]) -> None:
        self._pattern = JavaPattern(self.config_def().parse(properties)["pattern"])

    def test(self, record: Record) -> bool:
        return self._pattern.matches(record.topic)

    def test_batch(self, batch: Batch) -> pa.BooleanArray:
        return pa.repeat(self._pattern.matches(batch.topic), len(batch))
