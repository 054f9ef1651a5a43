"""Converters and header converters against Java's own classes."""

import base64
import random
from typing import Any

import pytest

from headrace.connect.api import ConnectSchema, DataError, Header, SchemaType
from headrace.connect.runtime.host.plugins import header_converter_class
from tests.oracle.agreement import Failure, Plugin, disagreement, failure_of, report
from tests.oracle.conversion import Conversion, compare_from_connect, compare_to_connect, same_json
from tests.oracle.forms import canonical, canonical_schema, header_form, schema_form, value_form
from tests.oracle.generated import Maker, leaves
from tests.oracle.java import ask

pytestmark = pytest.mark.kafka

ROOM = "org.apache.kafka.connect.converters"
FIXED = [f"{ROOM}.{name}Converter" for name in ("Boolean", "Short", "Integer", "Long", "Float", "Double", "ByteArray")]
STRING, SIMPLE, JSON = (
    "org.apache.kafka.connect.storage.StringConverter",
    "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    "org.apache.kafka.connect.json.JsonConverter",
)


def schemaless() -> list[tuple[ConnectSchema | None, Any]]:
    maker = Maker(seed=21)
    return [(None, None)] + [(None, maker.schemaless()) for _ in range(60)]


def payloads(chance: random.Random) -> list[bytes | None]:
    """Bytes of every width up to nine."""
    found: list[bytes | None] = [None, b"", b"\0", b"\1", b"\2", b"\xff"]
    return found + [chance.randbytes(chance.choice([1, 2, 2, 3, 4, 4, 5, 7, 8, 8, 9])) for _ in range(150)]


@pytest.mark.parametrize("name", FIXED)
def test_values_of_fixed_width_have_javas_bytes(name: str) -> None:
    compare_from_connect(Plugin(name), leaves() + schemaless())


@pytest.mark.parametrize("name", FIXED)
def test_bytes_of_fixed_width_are_read_as_by_java(name: str) -> None:
    compare_to_connect(Plugin(name), payloads(random.Random(22)))


def text_pairs() -> list[tuple[ConnectSchema | None, Any]]:
    """Without bytes, whose text in Java is an address, and floats that older JDKs write with more digits."""
    return [
        (kind, value)
        for kind, value in leaves() + schemaless()
        if not holds_bytes(value) and not (kind is not None and kind.type is SchemaType.FLOAT32 and long_float(value))
    ]


def holds_bytes(value: Any) -> bool:
    if isinstance(value, list | dict):
        return any(map(holds_bytes, value.values() if isinstance(value, dict) else value))
    return isinstance(value, bytes)


def long_float(value: Any) -> bool:
    return value is not None and abs(value) > 1e9


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "UTF-16LE", "ISO-8859-1", "US-ASCII"])
def test_texts_have_javas_bytes(encoding: str) -> None:
    compare_from_connect(Plugin(STRING, {"converter.encoding": encoding}), text_pairs())


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-1", "US-ASCII"])
def test_any_bytes_are_text_as_in_java(encoding: str) -> None:
    chance = random.Random(23)
    odd = [
        0x41,
        0x80,
        0xBF,
        0xC0,
        0xC3,
        0xE0,
        0xE2,
        0xED,
        0xF0,
        0xF4,
        0xF5,
        0xFF,
        0x82,
        0xA0,
        0x9F,
        0x90,
        0xAC,
        0xFE,
        0,
    ]
    found: list[bytes | None] = [bytes(chance.choices(odd, k=2 * chance.randint(0, 4))) for _ in range(400)]
    marked = [b"\xfe\xff\0a", b"\xff\xfea\0", b"\0a", b"\xef\xbb\xbfa", "é漢🐍".encode(), None]
    compare_to_connect(Plugin(STRING, {"converter.encoding": encoding}), found + marked)


HEADERS = [*FIXED, STRING, SIMPLE, JSON]


def header_question(op: str, plugin: Plugin, **more: Any) -> dict[str, Any]:
    return {"op": op, "plugin": plugin.form(header=True)} | more


@pytest.mark.parametrize("name", HEADERS)
def test_headers_have_javas_bytes(name: str) -> None:
    maker = Maker(seed=24)
    given = [Header("h", kind, value) for kind, value in text_pairs() if not isinstance(value, float)]
    given += [header for _ in range(40) for header in maker.headers()]
    given = [header for header in given if header.schema is None or not holds_float(header_form(header))]
    plugin = Plugin(name, {"schemas.enable": "false"} if name == JSON else {})
    answers = ask(
        header_question("fromConnect", plugin, schema=schema_form(one.schema), value=value_form(one.schema, one.value))
        for one in given
    )
    converter = header_converter_class(name, "header.converter")()
    converter.configure_headers(plugin.config)
    differing = []
    for header, answer in zip(given, answers, strict=True):
        java = failure_of(answer) or (None if answer["ok"] is None else base64.b64decode(answer["ok"]))
        if name in (STRING, JSON) and has_form_of_its_own(header):
            continue
        try:
            mine: Any = converter.from_connect_header("t", "h", header.schema, header.value)
        except DataError as error:
            mine = Failure(str(error))
        if name == JSON and isinstance(java, bytes) and isinstance(mine, bytes):
            java, mine = same_json(java), same_json(mine)
        differing += disagreement("from_connect_header", Conversion(plugin, header_form(header)), java, mine)
    report(differing, len(given))


def has_form_of_its_own(header: Header) -> bool:
    """Java's HashMaps have an order of their own, texts of bytes an address, JSON's floats more digits."""
    return holds_bytes(header.value) or isinstance(header.value, dict) or holds_float(header_form(header))


def holds_float(form: Any) -> bool:
    return "'float'" in str(form) or "'double'" in str(form)


@pytest.mark.parametrize("name", HEADERS)
def test_headers_are_read_as_by_java(name: str) -> None:
    texts = ["", "null", "x", "5", "300", "1.5", "true", "[1,2]", '{"a":1}', "2019-08-23", '"q"', "é", "[1", "{}"]
    given = payloads(random.Random(25)) + [text.encode() for text in texts]
    plugin = Plugin(name, {"schemas.enable": "false"} if name == JSON else {})
    encoded = [None if payload is None else base64.b64encode(payload).decode() for payload in given]
    answers = ask(header_question("toConnect", plugin, payload=payload) for payload in encoded)
    converter = header_converter_class(name, "header.converter")()
    converter.configure_headers(plugin.config)
    differing = []
    for payload, answer in zip(given, answers, strict=True):
        java = failure_of(answer) or [canonical_schema(answer["ok"][0]), canonical(*answer["ok"])]
        try:
            kind, value = converter.to_connect_header("t", "h", payload)
            mine: Any = [canonical_schema(schema_form(kind)), canonical(schema_form(kind), value_form(kind, value))]
        except DataError as error:
            mine = Failure(str(error))
        differing += disagreement("to_connect_header", Conversion(plugin, payload), java, mine)
    report(differing, len(given))
