"""Header converters: any class that is one in Java."""

import datetime as dt
from typing import Any

import pytest

from headrace.connect.api import ConfigError, Header, SchemaType, schema
from headrace.connect.api.schema import timestamp
from headrace.connect.converters.simple_header import SimpleHeaderConverter
from headrace.connect.runtime.host.stages import make_stages

STRING = schema(SchemaType.STRING)
JSON = "org.apache.kafka.connect.json.JsonConverter"
WORKER = {"key.converter": "string", "value.converter": "string"}
AT = dt.datetime(2026, 11, 22, 17, 30, 55, 123_000, dt.UTC)


def headers(**settings: str) -> Any:
    settings = {key.replace("__", "."): value for key, value in settings.items()}
    return make_stages({**WORKER}, settings).headers


def test_header_values_are_text_and_read_as_what_the_text_looks_like() -> None:
    given = [
        Header("a", STRING, "x"),
        Header("b", timestamp(), AT),
        Header("c", None, [1, "y"]),
        Header("d", None, None),
    ]
    payloads = headers().from_connect("t", given)
    assert payloads == [("a", b"x"), ("b", b"2026-11-22T17:30:55.123Z"), ("c", b'[1,"y"]'), ("d", None)]
    back = headers().to_connect("t", payloads)
    assert back[:2] == (Header("a", STRING, "x"), Header("b", timestamp(), AT))
    assert back[2].value == [1, "y"] and back[3] == Header("d", None, None)
    assert headers().to_connect("t", None) == ()


def test_bytes_that_are_no_text_are_read_with_marks_where_they_are_none() -> None:
    assert SimpleHeaderConverter().to_connect_header("t", "h", b"\xffa") == (STRING, "\ufffda")
    assert SimpleHeaderConverter().from_connect_header("t", "h", STRING, "\ud800") == b"?"


@pytest.mark.parametrize(
    ("name", "kind", "value", "payload"),
    [
        ("org.apache.kafka.connect.storage.StringConverter", SchemaType.STRING, "x", b"x"),
        ("org.apache.kafka.connect.converters.ByteArrayConverter", SchemaType.BYTES, b"\xff", b"\xff"),
        ("org.apache.kafka.connect.converters.BooleanConverter", SchemaType.BOOLEAN, True, b"\x01"),
        ("org.apache.kafka.connect.converters.ShortConverter", SchemaType.INT16, 1, b"\0\x01"),
        ("org.apache.kafka.connect.converters.IntegerConverter", SchemaType.INT32, 1, b"\0\0\0\x01"),
        ("org.apache.kafka.connect.converters.LongConverter", SchemaType.INT64, 1, b"\0" * 7 + b"\x01"),
        ("org.apache.kafka.connect.converters.FloatConverter", SchemaType.FLOAT32, 0.5, b"\x3f\0\0\0"),
        ("org.apache.kafka.connect.converters.DoubleConverter", SchemaType.FLOAT64, 0.5, b"\x3f\xe0" + b"\0" * 6),
        (JSON, SchemaType.INT8, 5, b'{"schema":{"type":"int8","optional":true},"payload":5}'),
        ("string", SchemaType.STRING, None, None),
        ("long", SchemaType.INT64, None, None),
    ],
)
def test_each_converter_of_headers_writes_and_reads_them(
    name: str, kind: SchemaType, value: Any, payload: bytes | None
) -> None:
    header = Header("h", schema(kind, optional=True), value)
    stage = headers(header__converter=name)
    assert stage.from_connect("t", [header]) == [("h", payload)]
    assert stage.to_connect("t", [("h", payload)]) == (header,)


def test_a_header_converter_has_settings_of_its_own() -> None:
    given = {"header.converter": JSON, "header.converter.schemas.enable": "false"}
    stage = make_stages(WORKER, given).headers
    assert stage.from_connect("t", [Header("h", STRING, "x")]) == [("h", b'"x"')]
    assert make_stages(WORKER | given, {}).headers.from_connect("t", [Header("h", STRING, "x")]) == [("h", b'"x"')]


def test_the_connectors_header_converter_does_not_inherit_the_workers_settings() -> None:
    worker = WORKER | {"header.converter": JSON, "header.converter.schemas.enable": "false"}
    stage = make_stages(worker, {"header.converter": JSON}).headers
    ((_, payload),) = stage.from_connect("t", [Header("h", STRING, "x")])
    assert payload is not None and payload.startswith(b'{"schema":')


def test_a_class_that_converts_no_headers_is_refused_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"HeaderConverter and which name matches nope \(header.converter\).*Simple"):
        headers(header__converter="nope")
