"""What Avro and JSON Schema cost: the tutorial's table in columns, against fastavro row by row and against JSON.

Prints rows/s on one core (CPU time) and bytes a message; fastavro writes and reads the same bytes in the same run, JSON
is JsonConverter with its schema in each message. No registry is asked. Run: python -m benchmarks.registry_formats
"""

import io
import json
import time
from collections.abc import Callable
from typing import Any

import fastavro
import pyarrow as pa

from benchmarks.subjects import ROWS, texts
from headrace.connect.api import Batch
from headrace.connect.converters.avro.converter import AvroReadForm, AvroWriteForm
from headrace.connect.converters.avro.naming import AvroOptions
from headrace.connect.converters.avro.row_encoder import Writing
from headrace.connect.converters.avro.schema_writer import to_avro
from headrace.connect.converters.json import JsonConverter
from headrace.connect.converters.json.form import Form
from headrace.connect.converters.json_schema.converter import JsonReadForm, JsonWriteForm
from headrace.connect.converters.registry.framing import HEAD_BYTES, head

HEAD = head(1)
ROUNDS = 15
Work = Callable[[], Any]


def rate(work: Work) -> float:
    """Rows a second of CPU time, the best of ROUNDS."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return ROWS / best


def avro(batch: Batch) -> tuple[AvroWriteForm, AvroReadForm]:
    assert batch.value_schema is not None
    options = AvroOptions()
    node = to_avro(batch.value_schema, options)
    return AvroWriteForm(batch.value_schema, Writing(node, options)), AvroReadForm(node, options)


def by_rows(text: str, value: pa.Array, payloads: list[bytes]) -> tuple[Work, Work]:
    """fastavro's write and read of the same rows."""
    schema, rows = fastavro.parse_schema(json.loads(text)), value.to_pylist()

    def write() -> None:
        for row in rows:
            fastavro.schemaless_writer(io.BytesIO(), schema, row)

    def read() -> pa.Array:
        found = [fastavro.schemaless_reader(io.BytesIO(payload[HEAD_BYTES:]), schema, None) for payload in payloads]
        return pa.array(found, value.type)

    return write, read


def measure(batch: Batch) -> dict[str, tuple[float, float, float]]:
    """Bytes a message, rows/s written and rows/s read, of each format."""
    value = batch.value
    assert isinstance(value, pa.Array) and batch.value_schema is not None
    write, read = avro(batch)
    messages = write.encode(value, HEAD)
    peer_write, peer_read = by_rows(write.text, value, messages.to_pylist())
    form = Form(with_registry=True)
    json_write = JsonWriteForm(batch.value_schema, "", form, None)
    json_read = JsonReadForm(batch.value_schema, form, None)
    texts = json_write.encode(value, HEAD)
    converter = JsonConverter()
    converter.configure({}, is_key=False)
    whole = converter.from_connect_column("t", batch.value_schema, value, None, ROWS)
    works: dict[str, tuple[pa.Array, Work, Work]] = {
        "Avro": (messages, lambda: write.encode(value, HEAD), lambda: read.decode(messages)),
        "fastavro, row by row": (messages, peer_write, peer_read),
        "JSON Schema": (texts, lambda: json_write.encode(value, HEAD), lambda: json_read.decode(texts)),
        "JSON": (
            whole,
            lambda: converter.from_connect_column("t", batch.value_schema, value, None, ROWS),
            lambda: converter.to_connect_column("t", whole),
        ),
    }
    return {
        name: (sum(map(len, column.to_pylist())) / ROWS, rate(encode), rate(decode))
        for name, (column, encode, decode) in works.items()
    }


def main() -> None:
    found = measure(texts())
    peer = found["fastavro, row by row"]
    for name, (size, written, read) in found.items():
        print(f"{name:22} {size:6.0f} bytes   written {written:12,.0f} rows/s   read {read:12,.0f} rows/s")
    ratios = {"written": found["Avro"][1] / peer[1], "read": found["Avro"][2] / peer[2]}
    print(json.dumps({f"Avro {name}, times fastavro": round(ratio, 1) for name, ratio in ratios.items()}))


if __name__ == "__main__":
    main()
