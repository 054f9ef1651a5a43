"""Filter: drops every record it is given, which its predicate chooses. `org.apache.kafka.connect.transforms.Filter`."""

from collections.abc import Mapping
from typing import Any

from headrace.connect.api import Batch, ConfigDef, Record, Transformation


class Filter(Transformation):
    """Without a predicate it leaves nothing."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef()

    def configure(self, properties: Mapping[str, Any]) -> None:
        """There is nothing to configure."""

    def apply(self, record: Record) -> None:
        return None

    def apply_batch(self, batch: Batch) -> list[Batch]:
        return []
