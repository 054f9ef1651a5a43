"""TimestampRouter: a topic named after itself and the record's timestamp, so that one topic becomes one a day.

`org.apache.kafka.connect.transforms.TimestampRouter`. A batch is split where the name changes; rows keep their order.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import Batch, ConfigDef, ConfigError, DataError, Importance, Record, Transformation, Type
from headrace.connect.api.java.date_format import DateFormat
from headrace.connect.transforms.date_columns import format_column


def _date_format(name: str, value: Any) -> None:
    """Java finds out only with the first record, and then refuses every one."""
    try:
        DateFormat(value, dt.datetime.now(dt.UTC))
    except ValueError as error:
        raise ConfigError(f"Invalid value {value} for configuration {name}: {error}") from None


class TimestampRouter(Transformation):
    @classmethod
    def config_def(cls) -> ConfigDef:
        high = Importance.HIGH
        return (
            ConfigDef()
            .define(
                "topic.format",
                Type.STRING,
                "${topic}-${timestamp}",
                "The new name; ${topic} and ${timestamp} stand for the topic and the record's timestamp.",
                importance=high,
            )
            .define(
                "timestamp.format",
                Type.STRING,
                "yyyyMMdd",
                "How the timestamp is written: a pattern of java.text.SimpleDateFormat, in UTC.",
                importance=high,
                validator=_date_format,
            )
        )

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        self._topic_format: str = settings["topic.format"]
        self._date_format = DateFormat(settings["timestamp.format"], dt.datetime.now(dt.UTC))

    def apply(self, record: Record) -> Record:
        if record.timestamp is None:
            raise _missing(record.topic)
        return replace(record, topic=self._topic(record.topic, self._date_format.format(record.timestamp)))

    def apply_batch(self, batch: Batch) -> list[Batch]:
        if not len(batch):
            return [batch]
        if batch.timestamp is None or batch.timestamp.null_count:
            raise _missing(batch.topic)
        texts = format_column(self._date_format, batch.timestamp)
        return [
            replace(batch.slice(start, stop), topic=self._topic(batch.topic, text))
            for text, start, stop in _runs(texts)
        ]

    def _topic(self, topic: str, timestamp: str) -> str:
        """As in Java, a `${timestamp}` in the topic's own name is filled in too."""
        return self._topic_format.replace("${topic}", topic).replace("${timestamp}", timestamp)


def _missing(topic: str) -> DataError:
    return DataError(f"Timestamp missing on record of topic {topic}: TimestampRouter needs one on each")


def _runs(texts: pa.StringArray) -> Iterator[tuple[str, int, int]]:
    """Each run of equal texts, with its start and stop."""
    runs = pc.run_end_encode(texts)
    start = 0
    for text, stop in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield text, start, stop
        start = stop
