"""Records as the JSON converter reads them, in the tutorial's form, through to the table."""

from collections.abc import Callable
from typing import Any

import orjson
import pyarrow as pa

from headrace.connect.api import Batch, SinkOrigin
from headrace.connect.converters.json import JsonConverter
from tests.jdbc.sink.harness import UPSERT, Sink

Make = Callable[..., Sink]
SCHEMA: dict[str, Any] = {
    "type": "struct",
    "fields": [
        {"type": "int32", "optional": False, "field": "id"},
        {"type": "string", "optional": True, "field": "timestamp"},
        {"type": "double", "optional": True, "field": "sepal_length"},
        {"type": "bytes", "optional": True, "field": "raw"},
        {"type": "int64", "optional": True, "name": "org.apache.kafka.connect.data.Timestamp", "field": "at"},
    ],
    "optional": False,
    "name": "iris_data",
}
TABLE = "CREATE TABLE t (id int PRIMARY KEY, timestamp timestamp, sepal_length float8, raw bytea, at timestamptz)"


def batches(rows: list[dict[str, Any] | None]) -> list[Batch]:
    converter = JsonConverter()
    converter.configure({"schemas.enable": "true"}, is_key=False)
    payloads = [None if row is None else orjson.dumps({"schema": SCHEMA, "payload": row}) for row in rows]
    found = []
    for run in converter.to_connect("topic", payloads):
        numbers = range(run.start, run.start + run.length)
        origin = SinkOrigin("topic", pa.array([0] * run.length, pa.int32()), pa.array(numbers, pa.int64()))
        value = Batch("topic", run.length, value_schema=run.schema, value=run.column, tombstone=run.tombstone)
        found.append(Batch(**{name: getattr(value, name) for name in Batch.__slots__} | {"origin": origin}))
    return found


def row(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "timestamp": None if number % 3 == 0 else "2024-01-02 03:04:05.6",
        "sepal_length": number / 10,
        "raw": "AAH/",
        "at": 1_700_000_000_000 + number,
    }


def test_rows_of_the_json_converter_arrive(sink: Make) -> None:
    for mode in ("insert", "upsert"):
        one = sink(TABLE.replace("TABLE t", f"TABLE {mode}"), table_name_format=mode, insert_mode=mode, **_keys())
        one.task.put(batches([row(number) for number in range(1000)]))
        assert one.rows(
            f"SELECT id, timestamp::text, sepal_length, raw, at::text FROM {mode} WHERE id < 2 ORDER BY 1"
        ) == [
            (0, None, 0.0, b"\0\1\xff", "2023-11-14 22:13:20+00"),
            (1, "2024-01-02 03:04:05.6", 0.1, b"\0\1\xff", "2023-11-14 22:13:20.001+00"),
        ]
        assert one.rows(f"SELECT count(*) FROM {mode}") == [(1000,)]


def _keys() -> dict[str, str]:
    return {name.replace(".", "_"): value for name, value in UPSERT.items() if name != "insert.mode"}
