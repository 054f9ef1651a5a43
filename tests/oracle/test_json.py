"""JsonConverter against Java's own, under every option, both ways."""

import base64
import math
import re
from itertools import product
from typing import Any

import orjson
import pytest

from headrace.connect.api import ConnectSchema
from headrace.connect.converters.json.form import Form
from headrace.connect.converters.json.schema_form import schema_to_json
from tests.oracle.agreement import Plugin
from tests.oracle.conversion import compare_from_connect, compare_to_connect, same_json
from tests.oracle.forms import schema_form, value_form
from tests.oracle.generated import Maker, leaves
from tests.oracle.java import ask

pytestmark = pytest.mark.kafka

NAME = "org.apache.kafka.connect.json.JsonConverter"
OPTIONS = [
    {"schemas.enable": schemas, "decimal.format": decimals, "replace.null.with.default": replace}
    for schemas, decimals, replace in product(["true", "false"], ["BASE64", "numeric"], ["true", "false"])
]


def pairs(seed: int, count: int) -> list[tuple[ConnectSchema | None, Any]]:
    maker = Maker(seed)
    found: list[tuple[ConnectSchema | None, Any]] = []
    for _ in range(count):
        kind = maker.schema(2)
        found += [(kind, maker.value(kind, null=kind.optional)) for _ in range(3)]
    return found + [(None, maker.schemaless()) for _ in range(count)] + [(None, None)]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options.values()))
def test_values_are_javas_json(options: dict[str, str]) -> None:
    given = [pair for pair in leaves() + pairs(31, 60) if not any(number in MANY_DIGITS for number in floats(pair[1]))]
    compare_from_connect(Plugin(NAME, options), given, same=same_json)


LONG_INTEGER = re.compile(rb"(?<![\d.])\d{20,}(?![\d.])")
"""Without a schema Java cuts such numbers to 64 bits."""
MANY_DIGITS = (2.0**-149, 15000000512.0)
"""Floats that Java before JDK 19 writes with more digits than they need."""


def floats(value: Any) -> list[float]:
    if isinstance(value, dict | list):
        return [number for part in (value.values() if isinstance(value, dict) else value) for number in floats(part)]
    return [value] if isinstance(value, float) else []


def messages(options: dict[str, str]) -> list[bytes | None]:
    """What Java writes of generated values."""
    given = [pair for pair in leaves() + pairs(32, 60) if readable(pair[1])]
    answers = ask(
        {
            "op": "fromConnect",
            "plugin": Plugin(NAME, options).form(),
            "schema": schema_form(kind),
            "value": value_form(kind, value),
        }
        for kind, value in given
    )
    found = [base64.b64decode(answer["ok"]) for answer in answers if answer.get("ok") is not None]
    return [message for message in found if b"-0.0" not in message and not LONG_INTEGER.search(message)]


def readable(value: Any) -> bool:
    """Not NaN and the infinities, which Java writes as texts and reads as 0, nor negative zero, which it reads as 0."""
    return all(math.isfinite(number) and str(number) != "-0.0" for number in floats(value))


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options.values()))
def test_javas_json_is_read_as_by_java(options: dict[str, str]) -> None:
    compare_to_connect(Plugin(NAME, options), [None, *messages(options)])


PLAIN = [
    b"5", b"-9223372036854775808", b"1e2", b"1.5", b'[1,null,{"a":{}}]', b"", b"null", b"nope", b'{"a":1,"a":2}',
    b" 5 ", b"[1,]", b"NaN", b"'x'", b'"a\nb"', b'"\xff"', b'{"a":[{"b":[[],{}]}],"c":1.25,"d":"\\u00e9\\n"}', b"true",
    b"{", None,
]  # fmt: skip


def test_messages_without_schema_are_read_as_by_java() -> None:
    compare_to_connect(Plugin(NAME, {"schemas.enable": "false"}), PLAIN)


ENVELOPES = [
    b'{"payload":5,"schema":{"type":"int8"}}', b'{"schema":null,"payload":null}', b'{"schema":null,"payload":{"a":1}}',
    b'{"schema":{"type":"int8","optional":true},"payload":null}', b'{"schema":{"type":"int8"},"payload":null}',
    b'{"schema":{"type":"int8"},"payload":5,"more":1}', b'{"schema":{"type":"int8"}}', b"[]", b"5", b"", b"null",
    b'{"schema":{},"payload":5}', b'{"schema":{"type":"what"},"payload":5}',
    b'{"schema":{"type":"array"},"payload":[]}',
    b'{"schema":{"type":"map","keys":{"type":"string"}},"payload":{}}', b'{"schema":{"type":"struct"},"payload":{}}',
    b'{"schema":{"type":"struct","fields":[{"type":"int8"}]},"payload":{}}',
    b'{"schema":{"type":"struct","fields":[{"field":"a","type":"int8"}]},"payload":5}',
    b'{"schema":{"type":"struct","fields":[{"field":"a","type":"int8"}]},"payload":{"a":1,"b":2}}',
    b'{"schema":{"type":"int32","parameters":{"a":1}},"payload":5}',
    b'{"schema":{"type":"int32","name":5,"version":"x","doc":7,"optional":"true"},"payload":5}',
    b'{"schema":{"type":"int32","default":7,"optional":true},"payload":null}',
]  # fmt: skip


def test_odd_messages_with_schema_are_read_as_by_java() -> None:
    compare_to_connect(Plugin(NAME), ENVELOPES)


CONTENTS = [
    '{"type":"struct","fields":[{"field":"a","type":"int32","default":7},{"field":"b","type":"string","optional":true}]}',
    '{"type":"int32","optional":true,"default":3}', '{"type":"array","items":{"type":"string"}}', "null", "", " ",
    "nope", "{}", '{"type":"what"}',
]  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("enabled", ["true", "false"])
def test_messages_are_read_with_a_schema_that_is_told_once_as_by_java(content: str, enabled: str) -> None:
    given = [b'{"a":1,"b":"x"}', b'{"b":null,"more":[]}', b'["a","b"]', b"null", b"5", b"nope", None]
    fitting = [payload for payload in given if fits(content, payload)]
    compare_to_connect(Plugin(NAME, {"schema.content": content, "schemas.enable": enabled}), fitting)


def fits(content: str, payload: bytes | None) -> bool:
    """Java reads a value of another type than its schema's as 0, false or null; ours is refused."""
    return payload not in (b"5", b'["a","b"]', b'{"a":1,"b":"x"}', b'{"b":null,"more":[]}') or (
        ("struct" in content and payload[:1] == b"{") or ("array" in content and payload[:1] == b"[")
        or ("int32" in content and payload == b"5") or "type" not in content
    )  # fmt: skip


def test_any_schema_told_once_is_the_one_that_messages_carry() -> None:
    maker = Maker(seed=33)
    for _ in range(60):
        kind = maker.schema(2)
        text = orjson.dumps(schema_to_json(kind, Form()), option=orjson.OPT_SERIALIZE_NUMPY).decode()
        values = [value for value in (maker.value(kind, null=kind.optional) for _ in range(4)) if readable(value)]
        answers = ask(
            {
                "op": "fromConnect",
                "plugin": Plugin(NAME, {"schemas.enable": "false"}).form(),
                "schema": schema_form(kind),
                "value": value_form(kind, value),
            }
            for value in values
        )
        payloads = [base64.b64decode(answer["ok"]) for answer in answers]
        if "-0.0" not in text:
            compare_to_connect(Plugin(NAME, {"schema.content": text}), payloads)
