"""Confluent's own client: registration, serializers and deserializers through our registry."""

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.registry.desk import record_of


@pytest.fixture
def confluent(registry):
    with SchemaRegistryClient({"url": registry.url}) as client:
        yield client


def test_confluents_client_registers_looks_up_and_deletes(confluent, subject):
    schema = Schema(record_of("x int"), "AVRO")
    id_ = confluent.register_schema(subject, schema)
    assert confluent.get_schema(id_).schema_str == record_of("x int")
    assert confluent.lookup_schema(subject, schema).version == 1
    assert confluent.get_latest_version(subject).schema_id == id_
    assert confluent.get_versions(subject) == [1]
    assert subject in confluent.get_subjects()
    assert confluent.test_compatibility(subject, Schema(record_of("x long"), "AVRO"))
    assert not confluent.test_compatibility(subject, Schema(record_of("x string"), "AVRO"))
    assert confluent.set_compatibility(subject, "NONE")
    assert confluent.get_compatibility(subject) == "NONE"
    assert confluent.delete_subject(subject) == [1]
    assert confluent.delete_subject(subject, permanent=True) == [1]
    with pytest.raises(SchemaRegistryError) as refused:
        confluent.get_versions(subject)
    assert refused.value.error_code == 40401


@pytest.mark.parametrize("normalize", [False, True])
def test_avro_goes_through_and_back(confluent, subject, normalize):
    topic = subject.removesuffix("-value")
    context = SerializationContext(topic, MessageField.VALUE)
    options = {"normalize.schemas": normalize}
    serialize = AvroSerializer(confluent, record_of("x int", "name string"), conf=options)
    data = serialize({"x": 5, "name": "붓꽃"}, context)
    assert data[0] == 0
    assert AvroDeserializer(confluent)(data, context) == {"x": 5, "name": "붓꽃"}
    # A reader with a field more.
    reader = AvroDeserializer(confluent, record_of("x int", "name string", "y int=7"))
    assert reader(data, context) == {"x": 5, "name": "붓꽃", "y": 7}
    newer = AvroSerializer(confluent, record_of("x int", "name string", "y int=7"))
    newer({"x": 1, "name": "a", "y": 2}, context)
    assert confluent.get_versions(subject) == [1, 2]


def test_avro_with_references_goes_through_and_back(confluent, subject):
    confluent.register_schema(f"{subject}-inner", Schema(record_of("x int", name="n.Inner"), "AVRO"))
    outer = '{"type":"record","name":"n.Outer","fields":[{"name":"i","type":"n.Inner"}]}'
    schema = Schema(outer, "AVRO", [SchemaReference("n.Inner", f"{subject}-inner", 1)])
    context = SerializationContext(subject.removesuffix("-value"), MessageField.VALUE)
    data = AvroSerializer(confluent, schema)({"i": {"x": 3}}, context)
    assert AvroDeserializer(confluent)(data, context) == {"i": {"x": 3}}


def test_json_goes_through_and_back(confluent, subject):
    schema = '{"title":"Flower","type":"object","properties":{"x":{"type":"number"}},"required":["x"]}'
    context = SerializationContext(subject.removesuffix("-value"), MessageField.VALUE)
    data = JSONSerializer(schema, confluent)({"x": 1.5}, context)
    assert JSONDeserializer(schema)(data, context) == {"x": 1.5}
    assert confluent.get_latest_version(subject).schema.schema_type == "JSON"


def test_a_serializer_may_only_look_up(confluent, subject):
    context = SerializationContext(subject.removesuffix("-value"), MessageField.VALUE)
    options = {"auto.register.schemas": False, "use.latest.version": True}
    confluent.register_schema(subject, Schema('"string"', "AVRO"))
    assert AvroSerializer(confluent, '"string"', conf=options)("x", context)[0] == 0


def test_an_incompatible_schema_is_told_to_the_serializer(confluent, subject):
    context = SerializationContext(subject.removesuffix("-value"), MessageField.VALUE)
    AvroSerializer(confluent, record_of("x int"))({"x": 1}, context)
    with pytest.raises(SchemaRegistryError) as refused:
        AvroSerializer(confluent, record_of("x string"))({"x": "1"}, context)
    assert (refused.value.http_status_code, refused.value.error_code) == (409, 40901)
