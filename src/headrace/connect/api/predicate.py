"""Predicate: which records a transformation is for (`transforms.<alias>.predicate`, and `.negate` for all others)."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from headrace.config import ConfigDef
from headrace.connect.api.batch import Batch, Record


class Predicate(ABC):
    """A question to a record. Implement `test` (rows) or `test_batch` (batches), or both."""

    @classmethod
    @abstractmethod
    def config_def(cls) -> ConfigDef: ...

    @abstractmethod
    def configure(self, properties: Mapping[str, Any]) -> None:
        """`properties`: the keys below `predicates.<alias>.`, prefix removed. Raises ConfigError."""

    def test(self, record: Record) -> bool:
        """Whether the transformation is for this record. Raises DataError."""
        raise NotImplementedError(f"{type(self).__name__} implements neither test nor test_batch")

    def test_batch(self, batch: Batch) -> pa.BooleanArray:
        """One truth value a row, without nulls."""
        return pa.array([self.test(record) for record in batch.records()], pa.bool_())

    def close(self) -> None:
        """Release what was taken."""
        return
