"""DropHeaders: headers taken off by name (`org.apache.kafka.connect.transforms.DropHeaders`)."""

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
    non_empty_values,
)
from headrace.connect.api.shared_headers import changed

Headers = tuple[Header, ...]


class DropHeaders(Transformation):
    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef().define(
            "headers",
            Type.LIST,
            NO_DEFAULT,
            "The names of the headers to be removed.",
            importance=Importance.HIGH,
            validator=non_empty_values,
        )

    def configure(self, properties: Mapping[str, Any]) -> None:
        self._names = frozenset(self.config_def().parse(properties)["headers"])

    def apply(self, record: Record) -> Record:
        return replace(record, headers=self._kept(record.headers))

    def apply_batch(self, batch: Batch) -> list[Batch]:
        if batch.headers is None:
            return [batch]
        rows = changed(batch.headers, self._kept)
        return [replace(batch, headers=rows if any(rows) else None)]

    def _kept(self, headers: Headers) -> Headers:
        if len(headers) == 1:
            return () if headers[0].name in self._names else headers
        kept = [header for header in headers if header.name not in self._names]
        return headers if len(kept) == len(headers) else tuple(kept)
