"""Chains that people write, from a connector's configuration to the bytes that go to Kafka."""

import json
from typing import Any

import pytest

from headrace.connect.api import Batch, Record, SchemaType, from_records, schema, struct
from headrace.connect.api.schema import timestamp
from headrace.connect.runtime.host.errors import StageError
from headrace.connect.runtime.host.stages import Stages, make_stages

JAVA = "org.apache.kafka.connect.transforms"
JSON = "org.apache.kafka.connect.json.JsonConverter"
WORKER = {
    "key.converter": JSON,
    "value.converter": JSON,
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
}
HOME = struct([("city", schema(SchemaType.STRING)), ("zip", schema(SchemaType.INT32, default=0))], optional=True)
USER = struct([("id", schema(SchemaType.INT64)), ("home", HOME), ("at", timestamp(optional=True))], name="user")
ADA = {"id": 1, "home": {"city": "Ulm", "zip": None}, "at": None}
BO = {"id": 2, "home": None, "at": None}


def chain(**settings: str) -> Stages:
    """Stages of `alias_key=value` settings; each alias is applied in its order, `type` without Java's package."""
    properties: dict[str, str] = {}
    for name, value in settings.items():
        alias, key = name.split("_", 1)
        prefix = "predicates" if alias.startswith("is") else "transforms"
        package = f"{JAVA}.predicates" if alias.startswith("is") else JAVA
        properties[f"{prefix}.{alias}.{key.replace('_', '.')}"] = f"{package}.{value}" if key == "type" else value
    for prefix in ("transforms", "predicates"):
        aliases = [name.split(".")[1] for name in properties if name.startswith(prefix)]
        if aliases:
            properties[prefix] = ",".join(dict.fromkeys(aliases))
    return make_stages(WORKER, properties)


def sent(stages: Stages, records: list[Record]) -> list[tuple[Any, Any]]:
    """Key and value of each message, parsed."""
    messages = []
    for batch in from_records(records):
        for made in stages.transform(batch):
            messages += zip(*payloads(stages, made), strict=True)
    return messages


def payloads(stages: Stages, batch: Batch) -> tuple[list[Any], list[Any]]:
    keys = stages.key.from_connect(batch.topic, batch.key_schema, batch.key, None, len(batch))
    values = stages.value.from_connect(batch.topic, batch.value_schema, batch.value, batch.tombstone, len(batch))
    return [key and json.loads(key) for key in keys], [value and json.loads(value) for value in values]


def users(*values: dict[str, Any] | None) -> list[Record]:
    return [Record("users", value_schema=value and USER, value=value) for value in values]


def test_the_key_of_a_row_is_taken_out_of_its_value() -> None:
    stages = chain(copy_type="ValueToKey", copy_fields="id", plain_type="ExtractField$Key", plain_field="id")
    assert sent(stages, users(ADA, BO)) == [
        (1, {"id": 1, "home": {"city": "Ulm", "zip": 0}, "at": None}),
        (2, {"id": 2, "home": None, "at": None}),
    ]


def test_a_nested_value_becomes_a_row_of_a_table() -> None:
    stages = chain(
        flat_type="Flatten$Value",
        flat_delimiter="_",
        narrow_type="ReplaceField$Value",
        narrow_exclude="at",
        narrow_renames="home_city:city",
        name_type="SetSchemaMetadata$Value",
        name_schema_name="flat",
    )
    (batch,) = stages.transform(from_records(users(ADA, None, BO))[0])
    assert batch.value_schema is not None and batch.value_schema.name == "flat"
    assert payloads(stages, batch)[1] == [
        {"id": 1, "city": "Ulm", "home_zip": 0},
        None,
        {"id": 2, "city": None, "home_zip": 0},
    ]


def test_a_value_is_wrapped_and_unwrapped_again() -> None:
    stages = chain(
        wrap_type="HoistField$Value",
        wrap_field="user",
        open_type="ExtractField$Value",
        open_field="user.home",
        open_field_syntax_version="V2",
    )
    assert sent(stages, users(ADA, None, BO)) == [(None, {"city": "Ulm", "zip": 0}), (None, None), (None, None)]


def test_deletes_stop_a_key_made_of_values_unless_a_predicate_lets_them_by() -> None:
    bare = chain(copy_type="ValueToKey", copy_fields="id")
    with pytest.raises(StageError, match="found: null"):
        sent(bare, users(ADA, None))
    guarded = chain(
        copy_type="ValueToKey",
        copy_fields="id",
        copy_predicate="isDelete",
        copy_negate="true",
        isDelete_type="RecordIsTombstone",
    )
    keys = [key for key, _ in sent(guarded, users(ADA, None, BO))]
    assert keys == [{"id": 1}, None, {"id": 2}]


def test_change_events_without_schema_are_unwrapped() -> None:
    stages = chain(
        after_type="ExtractField$Value",
        after_field="after",
        copy_type="ValueToKey",
        copy_fields="id",
        copy_predicate="isDelete",
        copy_negate="true",
        isDelete_type="RecordIsTombstone",
    )
    events = [{"after": {"id": 1}, "op": "u"}, {"after": None, "op": "d"}]
    assert sent(stages, [Record("t", value=event) for event in events]) == [({"id": 1}, {"id": 1}), (None, None)]
