"""The headers of records through the header converter."""

from collections.abc import Sequence

from headrace.connect.api import Header, HeaderConverter


class Headers:
    """All headers of a record at once. Raises DataError where the converter refuses one."""

    def __init__(self, converter: HeaderConverter) -> None:
        self.converter = converter

    def from_connect(self, topic: str, headers: Sequence[Header]) -> list[tuple[str, bytes | None]]:
        write = self.converter.from_connect_header
        return [(header.name, write(topic, header.name, header.schema, header.value)) for header in headers]

    def to_connect(self, topic: str, headers: Sequence[tuple[str, bytes | None]] | None) -> tuple[Header, ...]:
        read = self.converter.to_connect_header
        return tuple(Header(name, *read(topic, name, payload)) for name, payload in headers or ())
