"""Keys and values of the internal topics: schemaless JSON as Java's JsonConverter writes it, compact and in map order.

Sans-IO.
"""

from collections.abc import Mapping
from typing import Any

import orjson

Record = tuple[bytes, bytes | None]
"""A key and a value to be written; no value is a tombstone."""


def encode(value: Any) -> bytes:
    """The bytes of a JSON value.

    >>> encode({"state": "RUNNING", "trace": None})
    b'{"state":"RUNNING","trace":null}'
    """
    return orjson.dumps(value)


def decode(data: bytes | None) -> Any:
    """The JSON value of some bytes; None for a tombstone. Raises ValueError where it is no JSON."""
    return None if data is None else orjson.loads(data)


def decode_map(data: bytes | None) -> dict[str, Any] | None:
    """The JSON object of some bytes; None for a tombstone. Raises ValueError where it is something else.

    Java can write the internal topics with schemas; their envelope is taken off.
    """
    value = decode(data)
    if value is not None and not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {type(value).__name__}")
    if value is not None and value.keys() == {"schema", "payload"}:
        return decode_map(encode(value["payload"]))
    return value


def text_map(value: Any, what: str) -> dict[str, str]:
    """A map of texts, as configs are. Raises ValueError that names `what` it should have been."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} should be a map but is {type(value).__name__}")
    return dict(value)
