"""The offset topic: the source offsets that tasks have committed.

The key is the JSON array [connector, source partition] in the order of the connector's own map, compared as bytes; the
value is the offset's JSON object; a tombstone resets it. The task hosts write these records, the worker reads them.
`OffsetState` is a pure fold. Sans-IO.
"""

import logging
from collections.abc import Mapping
from typing import Any

from headrace.connect.stores.codec import Record, decode, decode_map, encode

log = logging.getLogger(__name__)


def offset_key(connector: str, partition: Mapping[str, Any]) -> bytes:
    """The key of a source partition.

    >>> offset_key("g", {"protocol": "1", "table": "s.t"})
    b'["g",{"protocol":"1","table":"s.t"}]'
    """
    return encode([connector, dict(partition)])


def offset_record(connector: str, partition: Mapping[str, Any], offset: Mapping[str, Any] | None) -> Record:
    """The offset of a source partition; None resets it."""
    return offset_key(connector, partition), None if offset is None else encode(dict(offset))


class OffsetState:
    """What the offset topic says."""

    def __init__(self) -> None:
        self._offsets: dict[bytes, dict[str, Any]] = {}

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Fold one record. One that makes no sense is logged and skipped."""
        if key is None:
            return
        try:
            offset = decode_map(value)
        except ValueError as error:
            log.error("Ignoring the source offset of %s: %s", key.decode("utf-8", "replace"), error)
            return
        if offset is None:
            self._offsets.pop(key, None)
        else:
            self._offsets[key] = offset

    def get(self, connector: str, partition: Mapping[str, Any]) -> dict[str, Any] | None:
        return self._offsets.get(offset_key(connector, partition))

    def of_connector(self, connector: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """All partitions of a connector with their offsets."""
        found = []
        for key, offset in self._offsets.items():
            match _decoded_key(key):
                case [str(name), dict(partition)] if name == connector:
                    found.append((partition, offset))
        return found


def _decoded_key(key: bytes) -> Any:
    try:
        return decode(key)
    except ValueError:
        return None
