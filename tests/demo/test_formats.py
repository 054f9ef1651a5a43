"""The demo's formats: what is changed in the connectors, and what is said of a format's price."""

import pyarrow as pa

from headrace.connect.api import Converter, SchemaType, struct, to_column
from headrace.connect.api.schema import schema
from headrace.connect.converters.json import JsonConverter
from headrace.demo.connectors import source_connector
from headrace.demo.formats import Format, in_format
from headrace.demo.savings import SAMPLE, compare

KIND = struct([("id", schema(SchemaType.INT32)), ("name", schema(SchemaType.STRING, optional=True))], name="iris")


def json(**properties: str) -> Converter:
    made = JsonConverter()
    made.configure({key.replace("_", "."): value for key, value in properties.items()}, is_key=False)
    return made


def test_json_changes_nothing_and_the_others_name_converter_and_registry() -> None:
    assert in_format(source_connector(), Format.JSON) == source_connector()
    changed = in_format(source_connector(), Format.AVRO)["config"]
    assert {key: changed[key] for key in changed.keys() - source_connector()["config"].keys()} == {
        "value.converter": "io.confluent.connect.avro.AvroConverter",
        "value.converter.schema.registry.url": "http://schema-registry:8081",
    }


def test_each_format_is_priced_on_the_same_rows() -> None:
    column = to_column(KIND, [{"id": number, "name": None} for number in range(3)])
    messages = [payload for payload in json().from_connect("t", KIND, column, None, 3) if payload]
    found = compare(Format.AVRO, json(), json(), messages)
    assert found.rows == 3
    assert found.own.bytes_each == found.json.bytes_each == len(messages[0])
    assert min(found.own.written, found.own.read) > 0
    size, speed = found.lines()
    each = len(messages[0])
    assert size.startswith(
        f"avro: {each} bytes a message, in JSON with its schema {each} (0 % saved; 3 messages of the topic); compressed"
    )
    assert 0 < found.own.compressed_each == found.json.compressed_each < each / 10
    assert speed.startswith("avro: one core writes ")


def test_more_messages_than_a_sample_are_not_taken() -> None:
    column = pa.array([{"id": 1, "name": "x"}] * (SAMPLE + 1), pa.struct([("id", pa.int32()), ("name", pa.string())]))
    messages = [payload for payload in json().from_connect("t", KIND, column, None, SAMPLE + 1) if payload]
    assert compare(Format.AVRO, json(), json(), messages).rows == SAMPLE
