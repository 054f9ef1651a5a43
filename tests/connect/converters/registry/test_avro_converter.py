"""AvroConverter with our registry: what Confluent's client reads of it, and what it reads of Confluent's."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka.schema_registry import Schema as ConfluentSchema
from confluent_kafka.schema_registry import SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from headrace.connect.api import ConnectSchema, DataError, SchemaType, struct, to_column, to_values
from headrace.connect.api.schema import date, decimal, schema, time, timestamp
from headrace.connect.converters.avro import AvroConverter
from headrace.connect.runtime.host.plugins import converter_class
from tests.registry.serving import Served

Make = Callable[..., AvroConverter]
ROW = struct(
    [
        ("id", schema(SchemaType.INT32)),
        ("small", schema(SchemaType.INT16, optional=True)),
        ("name", schema(SchemaType.STRING, optional=True)),
        ("price", decimal(2, 10, optional=True)),
        ("day", date(optional=True)),
        ("at", time(optional=True)),
        ("seen", timestamp()),
        ("data", schema(SchemaType.BYTES, optional=True)),
        ("tags", schema(SchemaType.ARRAY, value_schema=schema(SchemaType.STRING))),
        ("counts", schema(SchemaType.MAP, key_schema=schema(SchemaType.STRING), value_schema=schema(SchemaType.INT64))),
    ],
    name="shop.Row",
)
SEEN = dt.datetime(2026, 11, 22, 12, 30, 1, 250_000, tzinfo=dt.UTC)
VALUES: list[dict[str, Any]] = [
    {
        "id": 1,
        "small": -3,
        "name": "붓꽃",
        "price": Decimal("-12.50"),
        "day": dt.date(1960, 2, 29),
        "at": dt.time(23, 59, 59, 999_000),
        "seen": SEEN,
        "data": b"\x00\xff",
        "tags": ["a", ""],
        "counts": {"x": 2**40},
    },
    {"id": 2, "seen": SEEN, "tags": [], "counts": {}, **dict.fromkeys(("small", "name", "price", "day", "at", "data"))},
]


@pytest.fixture
def make(registry: Served) -> Make:
    def made(*, is_key: bool = False, **properties: Any) -> AvroConverter:
        converter = converter_class("io.confluent.connect.avro.AvroConverter", "value.converter")()
        assert isinstance(converter, AvroConverter)
        given = {key.replace("_", "."): value for key, value in properties.items()}
        converter.configure({"schema.registry.url": registry.url, **given}, is_key=is_key)
        return converter

    return made


@pytest.fixture
def confluent(registry: Served) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": registry.url}) as client:
        yield client


def send(converter: AvroConverter, topic: str, kind: ConnectSchema | None, values: list[Any]) -> list[bytes | None]:
    column = to_column(kind, values)
    return list(converter.from_connect(topic, kind, column, None, len(values)))


def context(topic: str, field: str = MessageField.VALUE) -> SerializationContext:
    return SerializationContext(topic, field)


def test_confluents_deserializer_reads_every_type(make: Make, confluent: SchemaRegistryClient, topic: str) -> None:
    read = AvroDeserializer(confluent)
    payloads = send(make(), topic, ROW, VALUES)
    assert [read(payload, context(topic)) for payload in payloads] == VALUES


def test_what_confluents_serializer_writes_is_read(make: Make, confluent: SchemaRegistryClient, topic: str) -> None:
    send(make(), topic, ROW, VALUES)
    text = confluent.get_latest_version(f"{topic}-value").schema.schema_str
    write = AvroSerializer(confluent, text, conf={"auto.register.schemas": False})
    (run,) = make().to_connect(topic, [write(value, context(topic)) for value in VALUES])
    assert run.schema is ROW
    assert to_values(ROW, run.column, run.length) == VALUES


def test_the_registered_schema_is_the_one_that_javas_converter_registers(
    make: Make, registry: Served, topic: str
) -> None:
    kind = struct(
        [("id", schema(SchemaType.INT32)), ("t", timestamp(optional=True)), ("p", decimal(2, optional=True))],
        name="iris_data",
    )
    send(make(), topic, kind, [{"id": 1, "t": None, "p": None}])
    answer = registry.client.get(f"/subjects/{topic}-value/versions/latest").json()
    assert answer["schema"] == (
        '{"type":"record","name":"iris_data","fields":[{"name":"id","type":"int"},{"name":"t","type":["null",'
        '{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp",'
        '"logicalType":"timestamp-millis"}],"default":null},{"name":"p","type":["null",{"type":"bytes","scale":2,'
        '"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},'
        '"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}],"default":null}],'
        '"connect.name":"iris_data"}'
    )


def test_nulls_are_null_payloads_and_end_no_run(make: Make, topic: str) -> None:
    kind = ROW.replace(optional=True)
    converter = make()
    payloads = send(converter, topic, kind, [None, VALUES[0], None, VALUES[1]])
    assert [payload is None for payload in payloads] == [True, False, True, False]
    (run,) = converter.to_connect(topic, payloads)
    assert (run.start, run.length, run.schema) == (0, 4, kind)
    assert run.tombstone is not None and run.tombstone.to_pylist() == [True, False, True, False]
    assert to_values(kind, run.column, 4) == [None, VALUES[0], None, VALUES[1]]


def test_deletes_are_null_payloads_of_a_required_schema_too(make: Make, topic: str) -> None:
    column = to_column(ROW, [VALUES[0], None])
    converter = make()
    payloads = converter.from_connect(topic, ROW, column, pa.array([False, True]), 2)
    assert payloads[0] and payloads[1] is None
    with pytest.raises(DataError, match="null, but this struct is required"):
        converter.from_connect(topic, ROW, column, None, 2)


def test_payloads_of_nulls_alone_have_no_schema(make: Make, topic: str) -> None:
    (run,) = make().to_connect(topic, [None, None])
    assert (run.schema, run.column, run.length) == (None, None, 2)
    assert make().to_connect(topic, []) == []
    assert list(make().from_connect(topic, None, None, None, 2)) == [None, None]


def test_each_version_of_a_schema_is_a_run_of_its_own(make: Make, topic: str) -> None:
    old = struct([("a", schema(SchemaType.INT32))], name="r")
    new = struct([("a", schema(SchemaType.INT32)), ("b", schema(SchemaType.STRING, optional=True))], name="r")
    converter = make()
    payloads = [
        *send(converter, topic, old, [{"a": 1}, {"a": 2}]),
        None,
        *send(converter, topic, new, [{"a": 3, "b": "x"}]),
        *send(converter, topic, old, [{"a": 4}]),
    ]
    runs = converter.to_connect(topic, payloads)
    assert [(run.start, run.length, run.schema) for run in runs] == [(0, 3, old), (3, 1, new), (4, 1, old)]
    assert to_values(new, runs[1].column, 1) == [{"a": 3, "b": "x"}]


def test_writers_that_take_turns_are_told_apart_row_by_row(make: Make, topic: str) -> None:
    old = struct([("a", schema(SchemaType.INT32))], name="r")
    new = struct([("a", schema(SchemaType.INT32)), ("b", schema(SchemaType.STRING, optional=True))], name="r")
    converter = make()
    olds = send(converter, topic, old, [{"a": number} for number in range(9)])
    news = send(converter, topic, new, [{"a": number, "b": str(number)} for number in range(9)])
    turns = [payload for pair in zip(olds, news, strict=True) for payload in pair]
    turns[3:3] = [None]
    runs = converter.to_connect(topic, turns)
    assert [run.start for run in runs] == [0, 1, 2, *range(4, 19)]
    assert [run.schema for run in runs] == [old, new] * 9
    assert runs[2].tombstone is not None and runs[2].tombstone.to_pylist() == [False, True]
    assert [run.tombstone for run in runs if run is not runs[2]] == [None] * 17
    values = [value for run in runs for value in to_values(run.schema, run.column, run.length) if value]
    assert values == [value for number in range(9) for value in ({"a": number}, {"a": number, "b": str(number)})]


def test_an_incompatible_change_is_refused_with_subject_and_fix(make: Make, topic: str) -> None:
    send(make(), topic, struct([("a", schema(SchemaType.INT32))], name="r"), [{"a": 1}])
    with pytest.raises(DataError, match=rf"subject {topic}-value.*PUT /config/{topic}-value"):
        send(make(), topic, struct([("a", schema(SchemaType.STRING))], name="r"), [{"a": "x"}])


def test_keys_have_a_subject_of_their_own(make: Make, registry: Served, topic: str) -> None:
    payloads = send(make(is_key=True), topic, schema(SchemaType.STRING), ["k"])
    assert registry.client.get(f"/subjects/{topic}-key/versions/latest").json()["schema"] == '"string"'
    (run,) = make(is_key=True).to_connect(topic, payloads)
    assert (run.schema, to_values(run.schema, run.column, 1)) == (schema(SchemaType.STRING), ["k"])


def test_bytes_that_are_the_whole_message_stand_without_their_length(make: Make, topic: str) -> None:
    (payload,) = send(make(), topic, schema(SchemaType.BYTES), [b"\x01\x02"])
    assert payload is not None and payload[5:] == b"\x01\x02"
    (run,) = make().to_connect(topic, [payload])
    assert to_values(run.schema, run.column, 1) == [b"\x01\x02"]


@pytest.mark.parametrize(
    ("strategy", "subject"), [("RecordNameStrategy", "shop.Row"), ("TopicRecordNameStrategy", "{topic}-shop.Row")]
)
def test_subjects_may_be_named_by_the_record(
    make: Make, registry: Served, topic: str, strategy: str, subject: str
) -> None:
    name = f"io.confluent.kafka.serializers.subject.{strategy}"
    send(make(value_subject_name_strategy=name), topic, ROW, VALUES)
    assert registry.client.get(f"/subjects/{subject.format(topic=topic)}/versions/latest").status_code == 200


NEWEST = {
    "type": "record",
    "name": "r",
    "fields": [{"name": "b", "type": ["null", "string"], "default": None}, {"name": "a", "type": "long"}],
}


def test_the_newest_version_is_written_by_where_that_is_asked_for(make: Make, registry: Served, topic: str) -> None:
    registered = registry.register(f"{topic}-value", json.dumps(NEWEST)).json()["id"]
    converter = make(auto_register_schemas=False, use_latest_version=True)
    kind = struct([("a", schema(SchemaType.INT32))], name="r")
    payloads = send(converter, topic, kind, [{"a": 5}, {"a": -1}])
    assert [payload[:5] for payload in payloads if payload] == [b"\0" + registered.to_bytes(4, "big")] * 2
    (run,) = make().to_connect(topic, payloads)
    assert to_values(run.schema, run.column, 2) == [{"b": None, "a": 5}, {"b": None, "a": -1}]


def test_what_the_newest_version_has_no_field_for_is_refused_or_left_out(
    make: Make, registry: Served, topic: str
) -> None:
    registry.register(f"{topic}-value", json.dumps(NEWEST))
    kind = struct([("a", schema(SchemaType.INT32)), ("c", schema(SchemaType.STRING))], name="r")
    latest = {"auto_register_schemas": False, "use_latest_version": True}
    with pytest.raises(DataError, match=r"r has no field c: .*latest\.compatibility\.strict=false"):
        send(make(**latest), topic, kind, [{"a": 5, "c": "x"}])
    (payload,) = send(make(**latest, latest_compatibility_strict=False), topic, kind, [{"a": 5, "c": "x"}])
    assert payload and payload[5:] == b"\x00\x0a"


def test_schemas_with_references_are_read(make: Make, confluent: SchemaRegistryClient, topic: str) -> None:
    inner = '{"type":"record","name":"n.Inner","fields":[{"name":"x","type":"int"}]}'
    confluent.register_schema(f"{topic}-inner", ConfluentSchema(inner, "AVRO"))
    outer = '{"type":"record","name":"n.Outer","fields":[{"name":"i","type":"n.Inner"}]}'
    reference = ConfluentSchema(outer, "AVRO", [SchemaReference("n.Inner", f"{topic}-inner", 1)])
    payload = AvroSerializer(confluent, reference)({"i": {"x": 3}}, context(topic))
    (run,) = make().to_connect(topic, [payload])
    assert to_values(run.schema, run.column, 1) == [{"i": {"x": 3}}]
    assert run.schema is not None and run.schema.fields[0].schema.name == "n.Inner"


def test_values_without_a_schema_are_refused_with_a_way_out(make: Make, topic: str) -> None:
    with pytest.raises(DataError, match=r"AvroConverter writes values that have a schema.*JsonConverter"):
        send(make(), topic, None, [{"a": 1}])


def test_messages_of_other_converters_are_named(make: Make, topic: str) -> None:
    with pytest.raises(DataError, match=rf"topic {topic}: .*looks like JSON"):
        make().to_connect(topic, [b'{"schema": null, "payload": 1}'])
    with pytest.raises(DataError, match="not written with a schema registry"):
        make().to_connect(topic, [b"\x00\x00"])


def test_a_schema_of_another_kind_is_named(make: Make, registry: Served, topic: str) -> None:
    registered = registry.register(f"{topic}-value", '{"type": "string"}', schemaType="JSON").json()["id"]
    with pytest.raises(DataError, match=r"is of type JSON, and AvroConverter is for AVRO"):
        make().to_connect(topic, [b"\0" + registered.to_bytes(4, "big") + b'"x"'])


def test_a_value_that_does_not_fit_names_field_and_topic(make: Make, topic: str) -> None:
    values = [VALUES[0] | {"price": Decimal("1e80")}]
    with pytest.raises(DataError, match=rf"AvroConverter, topic {topic}: field id of shop\.Row"):
        make().from_connect(topic, ROW, [values[0] | {"id": "x"}], None, 1)
    (payload,) = send(make(), topic, ROW, values)  # beyond Arrow's decimals, and so row by row
    (run,) = make().to_connect(topic, [payload])
    assert to_values(ROW, run.column, 1)[0]["price"] == Decimal("1e80")
