"""RegexRouter: a topic renamed by a regular expression (`org.apache.kafka.connect.transforms.RegexRouter`).

The expression has to match the whole topic; what is replaced is then the first place that it finds, as in Java, where
these are two searches.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from headrace.connect.api import (
    NO_DEFAULT,
    Batch,
    ConfigDef,
    ConfigError,
    DataError,
    Importance,
    Record,
    Transformation,
    Type,
)
from headrace.connect.api.java.regex import JavaPattern, RegexError, parse_replacement


def _pattern(name: str, value: Any) -> None:
    try:
        JavaPattern(value)
    except RegexError as error:
        raise ConfigError(f"Invalid value {value} for configuration {name}: Invalid regex: {error}") from None


class RegexRouter(Transformation):
    @classmethod
    def config_def(cls) -> ConfigDef:
        high = Importance.HIGH
        return (
            ConfigDef()
            .define(
                "regex",
                Type.STRING,
                NO_DEFAULT,
                "A regular expression of java.util.regex that topics to rename match as a whole.",
                importance=high,
                validator=_pattern,
            )
            .define(
                "replacement",
                Type.STRING,
                NO_DEFAULT,
                "The new name; $1 and ${name} stand for what the groups matched.",
                importance=high,
            )
        )

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        self._regex = JavaPattern(settings["regex"])
        self._replacement: str = settings["replacement"]
        self._routed = lru_cache(maxsize=1024)(self._route)

    def apply(self, record: Record) -> Record:
        return replace(record, topic=self._routed(record.topic))

    def apply_batch(self, batch: Batch) -> list[Batch]:
        return [replace(batch, topic=self._routed(batch.topic))]

    def _route(self, topic: str) -> str:
        if not self._regex.matches(topic):
            return topic
        try:
            # Java, too, reads the replacement only once a topic matches.
            return self._regex.replace_first(topic, parse_replacement(self._replacement, self._regex))
        except RegexError as error:
            raise DataError(f"RegexRouter: replacement={self._replacement} cannot be used: {error}") from None
