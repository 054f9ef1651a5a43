"""Messages of schema and payload, split without parsing the schema again.

A message repeats its schema. Where its bytes are exactly a known prefix (all up to the payload) and end in `}`, what
lies between is the payload: JSON's grammar is decided by the bytes so far, so whatever follows one prefix is read
alike. Anything else (the payload first, a third member, blanks at the end) is parsed in full. The cache is bounded and
keyed by the whole prefix.
"""

import json
import re
from collections import OrderedDict
from contextlib import suppress
from decimal import Decimal
from itertools import islice
from typing import Any, Final, Generic, TypeVar

import orjson

from headrace.connect.api import ConnectSchema, DataError
from headrace.connect.converters.json.form import Form, MisfitError
from headrace.connect.converters.json.schema_form import schema_from_json

V = TypeVar("V")

_PAYLOAD: Final = re.compile(rb'"payload"[ \t\n\r]*:[ \t\n\r]*')
_CANDIDATES: Final = 4
"""A schema may itself hold a member `payload` (a default, a parameter): that many places are tried."""
_CLOSING: Final = ord("}")


class Bounded(Generic[V]):
    """A map that forgets what was not used for longest."""

    def __init__(self, size: int) -> None:
        self._size = max(1, size)
        self._entries: OrderedDict[bytes, V] = OrderedDict()

    def get(self, key: bytes) -> V | None:
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: bytes, value: V) -> None:
        self._entries[key] = value
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)


class Envelopes:
    """The prefixes and schemas that this converter has met."""

    def __init__(self, size: int, form: Form) -> None:
        self._form = form
        self._prefixes: Bounded[tuple[ConnectSchema | None]] = Bounded(size)
        self._schemas: Bounded[tuple[ConnectSchema | None]] = Bounded(size)

    def known_prefix(self, message: bytes) -> tuple[bytes, ConnectSchema | None] | None:
        """The known prefix that `message` starts with, and the schema in it."""
        for match in islice(_PAYLOAD.finditer(message), _CANDIDATES):
            known = self._prefixes.get(message[: match.end()])
            if known is not None:
                return message[: match.end()], known[0]
        return None

    def of(self, message: bytes) -> tuple[bytes, ConnectSchema | None]:
        """The prefix of a message, learnt where it is new, and the schema in it; no schema where there is no prefix."""
        known = self.known_prefix(message)
        if known is None:
            with suppress(DataError, MisfitError):
                self.parse(message)
            known = self.known_prefix(message)
        return known or (b"", None)

    def parse(self, message: bytes) -> tuple[ConnectSchema | None, Any]:
        """Schema and parsed payload of a message, by the full parser. Raises DataError."""
        envelope = parse_json(message)
        if not isinstance(envelope, dict) or envelope.keys() != {"schema", "payload"}:
            raise DataError(
                'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain '
                "additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your "
                "converter configuration."
            )
        text = orjson.dumps(envelope["schema"])
        known = self._schemas.get(text)
        if known is None:
            known = (schema_from_json(envelope["schema"], self._form),)
            self._schemas.put(text, known)
        self._learn(message, text, known[0])
        return known[0], envelope["payload"]

    def _learn(self, message: bytes, schema_text: bytes, schema: ConnectSchema | None) -> None:
        for match in islice(_PAYLOAD.finditer(message), _CANDIDATES):
            prefix = message[: match.end()]
            try:
                probe = orjson.loads(prefix + b"null}")
            except orjson.JSONDecodeError:
                continue
            if probe.keys() == {"schema", "payload"} and orjson.dumps(probe["schema"]) == schema_text:
                self._prefixes.put(prefix, (schema,))
                return


def cut_payloads(messages: list[bytes | None], start: int, prefix: bytes) -> list[bytes]:
    """The payload texts of the messages from `start` on, as far as each is `prefix`, payload, `}`."""
    size = len(prefix)
    texts = []
    for message in islice(messages, start, None):
        if message is None or not message.startswith(prefix) or message[-1] != _CLOSING:
            break
        texts.append(message[size:-1])
    return texts


_JAVA_WORDS: Final = "Converting byte[] to Kafka Connect data failed due to serialization error"
"""People look for these in dead letters; what follows is ours."""


def parse_json(text: bytes) -> Any:
    """The parsed JSON. Raises DataError that shows where the text is no JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        hint = ""
        if text[:1] == b"\x00":
            hint = "; it begins with a zero byte, as messages written with a schema registry do: use their converter"
        raise DataError(f"{_JAVA_WORDS}: the message is no JSON: {error}{hint}: {_start(text)}") from error


def parse_exactly(text: bytes) -> Any:
    """The parsed JSON with every digit of every number; for texts that `parse_json` has accepted."""
    return json.loads(text, parse_float=Decimal)


def _start(text: bytes) -> str:
    return repr(text if len(text) <= 60 else text[:57] + b"...")
