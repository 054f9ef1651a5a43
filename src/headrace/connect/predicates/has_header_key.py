"""HasHeaderKey: records with a header of a name. `org.apache.kafka.connect.transforms.predicates.HasHeaderKey`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from headrace.connect.api import NO_DEFAULT, Batch, ConfigDef, Header, Predicate, Record, Type, non_empty
from headrace.connect.api.shared_headers import shared_headers


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
        shared = shared_headers(batch.headers)
        if shared is None:
            return pa.array(self._answers(batch.headers), pa.bool_())
        found, index = shared
        bits = np.packbits(np.array(self._answers(found), np.bool_)[index], bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(batch), [None, pa.py_buffer(bits)])

    def _answers(self, rows: Sequence[tuple[Header, ...]]) -> list[bool]:
        name, found = self._name, [False] * len(rows)
        for row, headers in enumerate(rows):
            for header in headers:
                if header.name == name:
                    found[row] = True
                    break
        return found
