"""InsertHeader: a header with a constant value on each record (`org.apache.kafka.connect.transforms.InsertHeader`)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headrace.connect.api import (
    NO_DEFAULT,
    Batch,
    ConfigDef,
    Header,
    Importance,
    Record,
    Transformation,
    Type,
)
from headrace.connect.api.shared_headers import changed
from headrace.connect.api.values import parse_string


class InsertHeader(Transformation):
    @classmethod
    def config_def(cls) -> ConfigDef:
        high = Importance.HIGH
        return (
            ConfigDef()
            .define("header", Type.STRING, NO_DEFAULT, "The name of the header.", importance=high)
            .define(
                "value.literal",
                Type.STRING,
                NO_DEFAULT,
                "The value; its type is inferred from the text, as header converters infer it.",
                importance=high,
            )
        )

    def configure(self, properties: Mapping[str, Any]) -> None:
        settings = self.config_def().parse(properties)
        schema, value = parse_string(settings["value.literal"])
        self._header = Header(settings["header"], schema, value)

    def apply(self, record: Record) -> Record:
        return replace(record, headers=(*record.headers, self._header))

    def apply_batch(self, batch: Batch) -> list[Batch]:
        """Rows without other headers share one tuple, and so do those that shared theirs."""
        alone = (self._header,)
        if batch.headers is None:
            return [replace(batch, headers=(alone,) * len(batch))]
        return [replace(batch, headers=changed(batch.headers, lambda row: row + alone if row else alone))]
