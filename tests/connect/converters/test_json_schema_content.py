"""`schema.content`: one schema, told once, for messages that carry none (KIP-1054)."""

from typing import Any

import orjson
import pyarrow as pa
import pytest

from headrace.connect.api import ConfigError, DataError, SchemaType, schema, struct, to_values
from headrace.connect.converters.json import JsonConverter
from headrace.connect.converters.json.text_columns import FEW

ROW = struct([("id", schema(SchemaType.INT64)), ("name", schema(SchemaType.STRING, optional=True))])
CONTENT = orjson.dumps(
    {
        "type": "struct",
        "fields": [{"field": "id", "type": "int64"}, {"field": "name", "type": "string", "optional": True}],
    }
).decode()


def converter(**settings: str) -> JsonConverter:
    made = JsonConverter()
    given = {key.replace("_", "."): value for key, value in settings.items()}
    made.configure({"schema.content": CONTENT, **given}, is_key=False)
    return made


def test_plain_messages_get_the_schema() -> None:
    (run,) = converter().to_connect("t", [b'{"id":1,"name":"x"}', None, b' {"name":null,"id":2} '])
    assert run.schema is ROW
    assert to_values(run.schema, run.column, 3) == [{"id": 1, "name": "x"}, None, {"id": 2, "name": None}]
    assert to_values(None, run.tombstone, 3) == [False, True, False]


def test_many_messages_are_read_as_texts_of_one_column() -> None:
    payloads = [orjson.dumps({"id": number, "name": f"n{number}"}) for number in range(2 * FEW)]
    (run,) = converter().to_connect_column("t", pa.array(payloads))
    (rows,) = converter().to_connect("t", payloads)
    assert isinstance(run.column, pa.Array) and run.column.equals(rows.column) and run.schema is rows.schema is ROW


def test_a_schema_in_the_message_is_not_looked_for() -> None:
    with pytest.raises(DataError, match="id"):
        converter().to_connect("t", [b'{"schema":{"type":"int8"},"payload":5}'])


def test_null_is_the_schemas_null() -> None:
    optional = converter(schema_content='{"type":"int8","optional":true,"default":3}')
    (run,) = optional.to_connect("t", [b"null", b"4"])
    assert to_values(run.schema, run.column, 2) == [3, 4]
    with pytest.raises(DataError, match="null"):
        converter().to_connect("t", [b"null"])


def test_what_is_written_has_its_own_schema() -> None:
    (payload,) = converter().from_connect("t", schema(SchemaType.INT8), [5], None, 1)
    assert payload == b'{"schema":{"type":"int8","optional":false},"payload":5}'


def test_without_schemas_it_is_not_used() -> None:
    (run,) = converter(schemas_enable="false").to_connect("t", [b'{"id":1}'])
    assert run.schema is None and run.column == [{"id": 1}]


@pytest.mark.parametrize("nothing", ["", " ", "null"])
def test_an_empty_one_is_none(nothing: str) -> None:
    (run,) = converter(schema_content=nothing).to_connect("t", [b'{"schema":{"type":"int8"},"payload":5}'])
    assert run.schema is schema(SchemaType.INT8)


@pytest.mark.parametrize(("content", "words"), [("nope", "schema.content"), ("{}", "'type'"), ('{"type":"x"}', "'x'")])
def test_what_is_no_schema_is_refused_by_its_key(content: str, words: str) -> None:
    for settings in ({}, {"schemas_enable": "false"}):
        with pytest.raises(ConfigError, match=words) as refused:
            converter(schema_content=content, **settings)
        assert list(refused.value.errors) == ["schema.content"]


def test_bad_messages_are_refused() -> None:
    bad: Any
    for bad in (b"", b"nope", b"[]", b'{"id":"x"}'):
        with pytest.raises(DataError):
            converter().to_connect("t", [b'{"id":1}', bad])
