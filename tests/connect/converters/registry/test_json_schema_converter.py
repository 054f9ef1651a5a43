"""JsonSchemaConverter with our registry: what Confluent's client reads of it, and what it reads of Confluent's."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from headrace.connect.api import DataError, SchemaType, struct, to_column, to_values
from headrace.connect.api.schema import schema, timestamp
from headrace.connect.converters.json_schema import JsonSchemaConverter
from headrace.connect.runtime.host.plugins import converter_class
from tests.registry.serving import Served

Make = Callable[..., JsonSchemaConverter]
ROW = struct(
    [
        ("id", schema(SchemaType.INT32)),
        ("name", schema(SchemaType.STRING, optional=True)),
        ("size", schema(SchemaType.FLOAT64, optional=True)),
        ("tags", schema(SchemaType.ARRAY, value_schema=schema(SchemaType.STRING))),
    ],
    name="shop.Row",
)
VALUES: list[dict[str, Any]] = [
    {"id": 1, "name": "붓꽃", "size": 1.5, "tags": ["a", ""]},
    {"id": 2, "name": None, "size": None, "tags": []},
]


@pytest.fixture
def make(registry: Served) -> Make:
    def made(*, is_key: bool = False, **properties: Any) -> JsonSchemaConverter:
        converter = converter_class("io.confluent.connect.json.JsonSchemaConverter", "value.converter")()
        assert isinstance(converter, JsonSchemaConverter)
        given = {key.replace("_", "."): value for key, value in properties.items()}
        converter.configure({"schema.registry.url": registry.url, **given}, is_key=is_key)
        return converter

    return made


def send(converter: JsonSchemaConverter, topic: str, values: list[Any]) -> list[bytes | None]:
    return list(converter.from_connect(topic, ROW, to_column(ROW, values), None, len(values)))


def context(topic: str) -> SerializationContext:
    return SerializationContext(topic, MessageField.VALUE)


def test_confluents_deserializer_reads_and_validates_what_is_written(make: Make, registry: Served, topic: str) -> None:
    payloads = send(make(), topic, VALUES)
    answer = registry.client.get(f"/subjects/{topic}-value/versions/latest").json()
    assert answer["schemaType"] == "JSON"
    read = JSONDeserializer(answer["schema"])
    assert [read(payload, context(topic)) for payload in payloads] == VALUES


def test_what_confluents_serializer_writes_is_read(make: Make, registry: Served, topic: str) -> None:
    foreign = {
        "title": "Flower",
        "type": "object",
        "properties": {"x": {"type": "number"}, "who": {"type": ["string", "null"]}},
        "required": ["x"],
    }
    with SchemaRegistryClient({"url": registry.url}) as client:
        payload = JSONSerializer(json.dumps(foreign), client)({"x": 1.5, "who": None}, context(topic))
    (run,) = make().to_connect(topic, [payload, None])
    assert run.schema is not None and run.schema.name == "Flower"
    assert to_values(run.schema, run.column, 2) == [{"x": 1.5, "who": None}, None]
    assert run.tombstone is not None and run.tombstone.to_pylist() == [False, True]


def test_many_rows_go_through_and_back(make: Make, topic: str) -> None:
    payloads = send(make(), topic, VALUES * 300)
    (run,) = make().to_connect(topic, payloads)
    assert run.schema is ROW
    assert to_values(ROW, run.column, 600) == VALUES * 300


def test_messages_may_be_checked_against_their_schema(make: Make, registry: Served, topic: str) -> None:
    limited = {"type": "object", "properties": {"id": {"type": "integer", "maximum": 1}}}
    registered = registry.register(f"{topic}-value", json.dumps(limited), schemaType="JSON").json()["id"]
    message = b"\0" + registered.to_bytes(4, "big") + b'{"id": 2}'
    (run,) = make().to_connect(topic, [message])
    assert to_values(run.schema, run.column, 1) == [{"id": 2}]
    with pytest.raises(DataError, match=r"field id: the JSON schema does not allow it: 2 is greater"):
        make(json_fail_invalid_schema=True).to_connect(topic, [message])
    latest = {"auto_register_schemas": False, "use_latest_version": True, "latest_compatibility_strict": False}
    with pytest.raises(DataError, match="does not allow it"):
        send(make(json_fail_invalid_schema=True, **latest), topic, VALUES)


def test_a_property_that_the_newest_version_has_not_is_refused(make: Make, registry: Served, topic: str) -> None:
    known = {"type": "object", "properties": {"id": {"type": "integer"}}}
    registered = registry.register(f"{topic}-value", json.dumps(known), schemaType="JSON").json()["id"]
    latest = {"auto_register_schemas": False, "use_latest_version": True}
    with pytest.raises(DataError, match=r"has no property name: .*latest\.compatibility\.strict=false"):
        send(make(**latest), topic, VALUES)
    (payload, _) = send(make(**latest, latest_compatibility_strict=False), topic, VALUES)
    assert payload is not None and payload[1:5] == registered.to_bytes(4, "big")


def test_a_timestamp_keeps_its_type(make: Make, topic: str) -> None:
    kind = struct([("t", timestamp(optional=True))], name="r")
    converter = make()
    payloads = converter.from_connect(topic, kind, to_column(kind, [{"t": None}]), None, 1)
    (run,) = converter.to_connect(topic, list(payloads))
    assert run.schema is kind
    assert payloads[0] is not None and payloads[0][5:] == b'{"t":null}'


def test_broken_json_is_refused_with_the_topic(make: Make, topic: str) -> None:
    (payload,) = send(make(), topic, VALUES[:1])
    assert payload is not None
    with pytest.raises(DataError, match="no JSON"):
        make().to_connect(topic, [payload[:-2]])
    with pytest.raises(DataError, match=rf"JsonSchemaConverter, topic {topic}: field id of shop\.Row"):
        make().to_connect(topic, [payload[:5] + b'{"id": "x", "tags": []}'])
