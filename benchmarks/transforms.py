"""What the stages between a task and Kafka cost: the tutorial's table through TimestampConverter and JsonConverter.

Prints rows/s on one core (CPU time), and the ratio to a named peer that does the same work in the same run: for JSON
orjson row by row, for dates Python's strftime and strptime. Run: python -m benchmarks.transforms
"""

import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from headrace.connect.api import Batch, SchemaType, arrow_type, schema, struct
from headrace.connect.api.schema import timestamp
from headrace.connect.converters.json import JsonConverter
from headrace.connect.transforms.timestamp_converter import TimestampConverterValue

ROWS = 10_000
ROUNDS = 15
FORMAT = "yyyy-MM-dd HH:mm:ss.S"
MEASURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def iris() -> Batch:
    """One batch of the tutorial's table, as the source connector makes it."""
    chance = np.random.default_rng(1)
    optional_double = schema(SchemaType.FLOAT64, optional=True)
    kind = struct(
        [
            ("id", schema(SchemaType.INT32)),
            ("timestamp", timestamp(optional=True)),
            *((name, optional_double) for name in MEASURES),
            ("target", schema(SchemaType.INT32, optional=True)),
        ],
        name="iris_data",
    )
    millis = 1_795_368_655_000 + np.sort(chance.integers(0, 10**7, ROWS))
    columns = [
        pa.array(np.arange(ROWS), pa.int32()),
        pa.array(millis).cast(pa.timestamp("ms", tz="UTC")),
        *(pa.array(np.round(chance.random(ROWS) * 8, 1)) for _ in MEASURES),
        pa.array(chance.integers(0, 3, ROWS), pa.int32()),
    ]
    arrow = arrow_type(kind)
    assert arrow is not None
    return Batch("iris", ROWS, value_schema=kind, value=pa.StructArray.from_arrays(columns, fields=list(arrow)))


def rate(work: Callable[[], Any]) -> float:
    """Rows a second of CPU time, the best of ROUNDS."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return ROWS / best


def transform(target: str) -> TimestampConverterValue:
    made = TimestampConverterValue()
    made.configure({"field": "timestamp", "target.type": target, "format": FORMAT})
    return made


def main() -> None:
    source = iris()
    to_text, to_timestamp = transform("string"), transform("Timestamp")
    (batch,) = to_text.apply_batch(source)
    converter = JsonConverter()
    converter.configure({}, is_key=False)
    payloads = list(converter.from_connect("t", batch.value_schema, batch.value, None, ROWS))
    prefix = (payloads[0] or b"").partition(b',"payload":')[0] + b',"payload":'
    value, arrow = batch.value, arrow_type(batch.value_schema)
    assert isinstance(value, pa.Array)
    moments = [record.value["timestamp"] for record in source.records()]
    texts = [f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in moments]
    pairs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "timestamps to text": (
            lambda: to_text.apply_batch(source),
            lambda: [moment.strftime("%Y-%m-%d %H:%M:%S.%f") for moment in moments],
        ),
        "text to timestamps": (
            lambda: to_timestamp.apply_batch(batch),
            lambda: [dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f") for text in texts],
        ),
        "JSON with schema, encoded": (
            lambda: converter.from_connect("t", batch.value_schema, batch.value, None, ROWS),
            lambda: [prefix + orjson.dumps(row) + b"}" for row in value.to_pylist()],
        ),
        "JSON with schema, decoded": (
            lambda: converter.to_connect("t", payloads),
            lambda: pa.array([orjson.loads(payload)["payload"] for payload in payloads if payload], arrow),
        ),
    }
    result = {}
    for name, (ours, peer) in pairs.items():
        mine, theirs = rate(ours), rate(peer)
        result[name] = round(mine / theirs, 2)
        print(f"{name:28} {mine:12,.0f} rows/s   {mine / theirs:6.2f} times row by row ({theirs:,.0f} rows/s)")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
