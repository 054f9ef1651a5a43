"""RecordIsTombstone: records without a value. `org.apache.kafka.connect.transforms.predicates.RecordIsTombstone`."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from headrace.connect.api import Batch, ConfigDef, Predicate, Record


class RecordIsTombstone(Predicate):
    """True where the value is null, with a schema too."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef()

    def configure(self, properties: Mapping[str, Any]) -> None:
        """There is nothing to configure."""

    def test(self, record: Record) -> bool:
        return record.value is None

    def test_batch(self, batch: Batch) -> pa.BooleanArray:
        if isinstance(batch.value, pa.Array):
            return batch.value.is_null()
        if batch.value is None:
            return pa.repeat(True, len(batch))
        return pa.array([value is None for value in batch.value], pa.bool_())
