"""HasHeaderKey: records with a header of a name. `org.apache.kafka.connect.transforms.predicates.HasHeaderKey`."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from headrace.connect.api import NO_DEFAULT, Batch, ConfigDef, Predicate, Record, Type, non_empty


class HasHeaderKey(Predicate):
    """True where one header at least has the name."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef().define("name", Type.STRING, NO_DEFAULT, "The header's name.", validator=non_empty)

    def configure(self, properties: Mapping[str, Any]) -> None:
        self._name: str = self.config_def().parse(properties)["name"]

    def test(self, record: Record) -> bool:
        return any(header.name == self._name for header in record.headers)

    def test_batch(self, batch: Batch) -> pa.BooleanArray:
        if batch.headers is None:
            return pa.repeat(False, len(batch))
        name, found = self._name, [False] * len(batch)
        for row, headers in enumerate(batch.headers):
            for header in headers:
                if header.name == name:
                    found[row] = True
                    break
        return pa.array(found, pa.bool_())
