"""What `benchmarks.transforms` measures: settings for each transformation, predicate and converter, and records for it.

Every plug-in with a Java name is measured; one that is not named here, with no settings, on the tutorial's rows.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headrace.connect.api import Batch, ConnectSchema, Header, SchemaType, arrow_type, schema, struct, to_column
from headrace.connect.api.schema import timestamp

ROWS: Final = 10_000
FORMAT: Final = "yyyy-MM-dd HH:mm:ss.S"
MEASURES: Final = ("sepal_length", "sepal_width", "petal_length", "petal_width")
NOW_MS: Final = 1_795_368_655_000


@dataclass(frozen=True)
class Subject:
    """One line of the table: settings, and the records they are for."""

    settings: dict[str, str] = field(default_factory=dict)
    records: str = "iris"
    label: str = ""
    predicate: str = ""
    """A predicate's simple name; its settings are those below."""


ODD_HEADER: Final = {"name": "odd"}
TRANSFORMS: Final[dict[str, Sequence[Subject]]] = {
    "Cast": [
        Subject({"spec": "id:int64,sepal_length:float32,target:string"}),
        Subject({"spec": "id:int32,sepal_length:float32,target:string"}, "schemaless"),
    ],
    "DropHeaders": [Subject({"headers": "odd"}, "headers")],
    "ExtractField": [Subject({"field": "sepal_length"}), Subject({"field": "sepal_length"}, "schemaless")],
    "Filter": [Subject(), Subject({}, "headers", "with HasHeaderKey", "HasHeaderKey")],
    "Flatten": [Subject({"delimiter": "_"}, "nested"), Subject({"delimiter": "_"}, "schemaless")],
    "HeaderFrom": [
        Subject({"fields": "target", "headers": "target", "operation": "copy"}),
        Subject({"fields": "target", "headers": "target", "operation": "move"}, label="move"),
    ],
    "HoistField": [Subject({"field": "row"}), Subject({"field": "row"}, "schemaless")],
    "InsertField": [
        Subject({"static.field": "origin", "static.value": "lab", "timestamp.field": "at"}),
        Subject({"static.field": "origin", "static.value": "lab"}, "schemaless"),
    ],
    "InsertHeader": [Subject({"header": "origin", "value.literal": "5"})],
    "MaskField": [
        Subject({"fields": "target,sepal_length"}),
        Subject({"fields": "sepal_length", "replacement": "0.5"}, label="replacement"),
        Subject({"fields": "sepal_length"}, "schemaless"),
        Subject({"fields": "sepal_length"}, "headers", "with HasHeaderKey", "HasHeaderKey"),
    ],
    "RegexRouter": [Subject({"regex": "(.*)", "replacement": "copy-$1"})],
    "ReplaceField": [
        Subject({"exclude": "target", "renames": "id:number"}),
        Subject({"exclude": "target", "renames": "id:number"}, "schemaless"),
    ],
    "SetSchemaMetadata": [Subject({"schema.name": "iris.v2", "schema.version": "2"})],
    "TimestampConverter": [
        Subject({"field": "timestamp", "target.type": "string", "format": FORMAT}, label="to text"),
        Subject({"field": "timestamp", "target.type": "Timestamp", "format": FORMAT}, "texts", "from text"),
        Subject({"field": "timestamp", "target.type": "unix"}, label="to unix"),
        Subject({"field": "timestamp", "target.type": "string", "format": FORMAT}, "schemaless", "to text"),
    ],
    "TimestampRouter": [Subject()],
    "ValueToKey": [Subject({"fields": "id"}), Subject({"fields": "id"}, "schemaless")],
}
PREDICATES: Final[dict[str, Sequence[Subject]]] = {
    "HasHeaderKey": [Subject(ODD_HEADER, "headers")],
    "RecordIsTombstone": [Subject()],
    "TopicNameMatches": [Subject({"pattern": "iri.*"})],
}
CONVERTERS: Final[dict[str, Sequence[Subject]]] = {
    "JsonConverter": [
        Subject(label="with schema"),
        Subject({"schemas.enable": "false"}, "schemaless", "without schema"),
    ],
    "StringConverter": [Subject(records="strings")],
    "ByteArrayConverter": [Subject(records="bytes")],
    "BooleanConverter": [Subject(records="booleans")],
    "ShortConverter": [Subject(records="shorts")],
    "IntegerConverter": [Subject(records="ints")],
    "LongConverter": [Subject(records="longs")],
    "FloatConverter": [Subject(records="floats")],
    "DoubleConverter": [Subject(records="doubles")],
    "SimpleHeaderConverter": [Subject(records="doubles"), Subject(records="strings")],
}


def batch_of(kind: ConnectSchema | None, values: Any) -> Batch:
    return Batch("iris", ROWS, value_schema=kind, value=values, timestamp=pa.array(_millis(), pa.int64()))


@cache
def _millis() -> Any:
    return NOW_MS + np.sort(np.random.default_rng(1).integers(0, 10**7, ROWS))


@cache
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
    columns = [
        pa.array(np.arange(ROWS), pa.int32()),
        pa.array(_millis()).cast(pa.timestamp("ms", tz="UTC")),
        *(pa.array(np.round(chance.random(ROWS) * 8, 1)) for _ in MEASURES),
        pa.array(chance.integers(0, 3, ROWS), pa.int32()),
    ]
    arrow = arrow_type(kind)
    assert arrow is not None
    return batch_of(kind, pa.StructArray.from_arrays(columns, fields=list(arrow)))


def keys() -> Batch:
    """The rows as keys, and as values too."""
    return iris().with_key(iris().value_schema, iris().value)


def headers() -> Batch:
    """Every second row has a header `odd`; all have another. Equal headers are one tuple, as a sink task reads them."""
    other, odd = Header("other", schema(SchemaType.STRING), "x"), Header("odd", schema(SchemaType.INT32), 1)
    kinds = (other,), (other, odd)
    return replace(iris(), headers=tuple(kinds[row % 2] for row in range(ROWS)))


def texts() -> Batch:
    """The rows with their timestamp as text."""
    rows = iris()
    assert rows.value_schema is not None
    fields = [(one.name, one.schema) for one in rows.value_schema.fields]
    fields[1] = ("timestamp", schema(SchemaType.STRING, optional=True))
    kind = struct(fields, name="iris_data")
    values = [record.value | {"timestamp": _text(record.value["timestamp"])} for record in rows.records()]
    return batch_of(kind, to_column(kind, values))


def _text(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000}"


def nested() -> Batch:
    """The measures in two structs of a struct, for Flatten."""
    double = schema(SchemaType.FLOAT64, optional=True)
    leaf = struct([("length", double), ("width", double)])
    flower = struct([("sepal", leaf), ("petal", leaf)])
    kind = struct([("id", schema(SchemaType.INT32)), ("flower", flower)], name="iris_nested")
    rows = [record.value for record in iris().records()]
    values = [
        {
            "id": row["id"],
            "flower": {
                part: {"length": row[f"{part}_length"], "width": row[f"{part}_width"]} for part in ("sepal", "petal")
            },
        }
        for row in rows
    ]
    return batch_of(kind, to_column(kind, values))


def schemaless() -> Batch:
    """The rows as JsonConverter reads them without schemas: timestamps are milliseconds."""
    from headrace.connect.converters.json import JsonConverter

    converter = JsonConverter()
    converter.configure({"schemas.enable": "false"}, is_key=False)
    rows = [record.value for record in iris().records()]
    payloads = [json.dumps(row | {"timestamp": int(row["timestamp"].timestamp() * 1000)}).encode() for row in rows]
    (run,) = converter.to_connect("iris", payloads)
    return batch_of(None, run.column)


def _leaves(kind: SchemaType, values: Callable[[Any], list[Any]]) -> Callable[[], Batch]:
    def made() -> Batch:
        one = schema(kind, optional=True)
        return batch_of(one, to_column(one, values(np.random.default_rng(2))))

    return made


RECORDS: Final[dict[str, Callable[[], Batch]]] = {
    "iris": iris,
    "keys": keys,
    "headers": headers,
    "texts": texts,
    "nested": nested,
    "schemaless": schemaless,
    "strings": _leaves(SchemaType.STRING, lambda chance: [f"setosa-{n}" for n in chance.integers(0, 10**6, ROWS)]),
    "bytes": _leaves(SchemaType.BYTES, lambda chance: [chance.bytes(20) for _ in range(ROWS)]),
    "booleans": _leaves(SchemaType.BOOLEAN, lambda chance: (chance.random(ROWS) < 0.5).tolist()),
    "shorts": _leaves(SchemaType.INT16, lambda chance: chance.integers(-(2**15), 2**15, ROWS).tolist()),
    "ints": _leaves(SchemaType.INT32, lambda chance: chance.integers(-(2**31), 2**31, ROWS).tolist()),
    "longs": _leaves(SchemaType.INT64, lambda chance: chance.integers(-(2**62), 2**62, ROWS).tolist()),
    "floats": _leaves(SchemaType.FLOAT32, lambda chance: chance.random(ROWS).astype(np.float32).tolist()),
    "doubles": _leaves(SchemaType.FLOAT64, lambda chance: np.round(chance.random(ROWS) * 8, 1).tolist()),
}
