"""The schema that the members of an array or map have in common, as far as they have one."""

from typing import Final

from headrace.connect.api.schema import ConnectSchema, SchemaType

_RANK: Final = {
    SchemaType.INT8: 1,
    SchemaType.INT16: 2,
    SchemaType.INT32: 3,
    SchemaType.INT64: 4,
    SchemaType.FLOAT32: 5,
    SchemaType.FLOAT64: 6,
}
"""Of two numbers' types the one of the higher rank holds both, more or less."""


class CommonSchema:
    """Merges the schemas of members one by one; nulls have none. `schema`: None before the first and after a misfit."""

    def __init__(self) -> None:
        self.schema: ConnectSchema | None = None
        self._fits = True

    def add(self, latest: ConnectSchema | None) -> None:
        if latest is None or not self._fits:
            return
        self.schema = latest if self.schema is None else _merged(self.schema, latest)
        self._fits = self.schema is not None


def _merged(first: ConnectSchema, second: ConnectSchema) -> ConnectSchema | None:
    """As in Java, of one type the later schema wins (a Time of a Date), and a logical type of its plain one."""
    if first.type is second.type:
        return second
    if first.type not in _RANK or second.type not in _RANK:
        return None
    return max(first, second, key=lambda kind: _RANK[kind.type])
