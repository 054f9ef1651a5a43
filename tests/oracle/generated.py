"""Schemas, values and records for the oracle's cases: every type of Connect, odd values; the same for each seed."""

import datetime as dt
import math
import random
from decimal import Decimal
from typing import Any, Final

from headrace.connect.api import ConnectSchema, Header, Record, SchemaType, struct
from headrace.connect.api.schema import date, decimal, schema, time, timestamp

FLOAT32_MAX: Final = (2 - 2**-23) * 2.0**127
_FLOATS: Final = [0.0, -0.0, 1.0, -3.0, 0.5, math.nan, math.inf, -math.inf]
ODD: Final[dict[SchemaType, list[Any]]] = {
    SchemaType.INT8: [0, 1, -1, 127, -128],
    SchemaType.INT16: [0, 1, -1, 128, 2**15 - 1, -(2**15)],
    SchemaType.INT32: [0, 1, -1, 65536, 2**31 - 1, -(2**31)],
    SchemaType.INT64: [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 1_795_368_655_005],
    SchemaType.FLOAT32: [*_FLOATS, 0.25, FLOAT32_MAX, -FLOAT32_MAX, 2.0**-149, 16777216.0, 1e10],
    SchemaType.FLOAT64: [*_FLOATS, 0.1, 1e-3, 9999999.0, 1e7, 123456.789, 1.7976931348623157e308, 5e-324, 1e22, 2.5e9],
    SchemaType.BOOLEAN: [True, False],
    SchemaType.STRING: ["", "a", "42", "-7", "1.5", "true", "NaN", 'é"\\\n\t\r/\x01', "漢字 \U0001f40d", " x ", "null"],
    SchemaType.BYTES: [b"", b"\x00", b"\xff\x10abc", bytes(range(40))],
}
MOMENTS: Final = [
    dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 22, 17, 30, 55, 123000, dt.UTC),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999000, dt.UTC),
    dt.datetime(1, 1, 1, tzinfo=dt.UTC),
    dt.datetime(9999, 12, 31, 23, 59, 59, 999000, dt.UTC),
]
DECIMALS: Final = [0, 1, -1, 12345, -128, 10**28 + 7, -(10**29)]
PRIMITIVES: Final = tuple(ODD)
PLAIN: Final = [
    *(schema(kind) for kind in PRIMITIVES),
    decimal(2),
    decimal(0),
    decimal(5, 20),
    date(),
    time(),
    timestamp(),
]
"""Every schema without parts, required and without default."""
NAMES: Final = ["id", "name", "at", "x", "deep", "a.b", "odd name", "é"]


def odd_values(kind: ConnectSchema) -> list[Any]:
    """The odd values of a schema without parts; no null."""
    match kind.name:
        case "org.apache.kafka.connect.data.Decimal":
            scale, digits = int(kind.parameter("scale") or 0), int(kind.parameter("connect.decimal.precision") or 38)
            return [_shifted(unscaled, scale) for unscaled in DECIMALS if len(str(abs(unscaled))) <= digits]
        case "org.apache.kafka.connect.data.Date":
            return [moment.date() for moment in MOMENTS]
        case "org.apache.kafka.connect.data.Time":
            return [moment.time() for moment in MOMENTS]
        case "org.apache.kafka.connect.data.Timestamp":
            return list(MOMENTS)
    return list(ODD[kind.type])


def _shifted(unscaled: int, scale: int) -> Decimal:
    """Exact, whatever the context: Decimal.scaleb rounds to 28 digits."""
    digits = tuple(map(int, str(abs(unscaled))))
    return Decimal((int(unscaled < 0), digits, -scale))


def variants(kind: ConnectSchema) -> list[ConnectSchema]:
    """A schema as it is, optional, and with a default (both required and optional)."""
    default = odd_values(kind)[1]
    optional = kind.replace(optional=True)
    return [kind, optional, kind.replace(default=default), optional.replace(default=default)]


def leaves() -> list[tuple[ConnectSchema, Any]]:
    """Every schema without parts in every variant with every odd value; null where it is allowed, default or not."""
    cases = []
    for plain in PLAIN:
        for kind in variants(plain):
            values = odd_values(kind) + ([None] if kind.optional or kind.default is not None else [])
            cases += [(kind, value) for value in values]
    return cases


class Maker:
    """Makes schemas, values and records by chance; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def leaf_schema(self) -> ConnectSchema:
        kind = self.chance.choice(variants(self.chance.choice(PLAIN)))
        if self.chance.random() < 0.1:
            kind = kind.replace(doc="words")
        if kind.name is None and self.chance.random() < 0.1:
            kind = kind.replace(name="com.example.Kind", version=2, parameters=(("a", "1"), ("b", "2")))
        return kind

    def schema(self, depth: int = 2) -> ConnectSchema:
        """Any schema, with parts `depth` levels deep at most."""
        form = self.chance.choice(["leaf", "leaf", "struct", "array", "map"]) if depth else "leaf"
        optional = self.chance.random() < 0.5
        match form:
            case "struct":
                return self.struct(depth - 1, optional=optional)
            case "array":
                return schema(SchemaType.ARRAY, value_schema=self.schema(depth - 1), optional=optional)
            case "map":
                keys = [SchemaType.STRING, SchemaType.STRING, SchemaType.INT32, SchemaType.INT64, SchemaType.BOOLEAN]
                key = schema(self.chance.choice(keys))
                return schema(SchemaType.MAP, key_schema=key, value_schema=self.schema(depth - 1), optional=optional)
        return self.leaf_schema()

    def struct(self, depth: int = 1, *, optional: bool = False, **more: Any) -> ConnectSchema:
        """A struct of some of NAMES, fields `depth` levels deep; sometimes with name, version and doc."""
        names = self.chance.sample(NAMES, self.chance.randint(1, 5))
        if self.chance.random() < 0.4 and not more:
            more = {"name": "com.example.Row", "version": self.chance.choice([None, 3]), "doc": "a row"}
        return struct([(name, self.schema(depth)) for name in names], optional=optional, **more)

    def value(self, kind: ConnectSchema | None, *, null: bool = True) -> Any:
        """A value of a schema (schemaless for None); None too where it is allowed and `null`."""
        if kind is None:
            return self.schemaless()
        allowed = kind.optional or kind.default is not None
        if null and allowed and self.chance.random() < 0.2:
            return None
        match kind.type:
            case SchemaType.STRUCT:
                return {field.name: self.value(field.schema) for field in kind.fields}
            case SchemaType.ARRAY:
                return [self._item(kind.value_schema) for _ in range(self.chance.randint(0, 3))]
            case SchemaType.MAP:
                keys = [self._item(kind.key_schema) for _ in range(self.chance.randint(0, 3))]
                return {key: self._item(kind.value_schema) for key in keys}
        return self.chance.choice(odd_values(kind))

    def _item(self, kind: ConnectSchema | None) -> Any:
        """A part of an array or map: Connect takes a null there only where the schema is optional."""
        assert kind is not None
        return self.value(kind, null=kind.optional)

    def schemaless(self, depth: int = 2) -> Any:
        """A value without schema: what JsonConverter gives, and bytes, decimals and dates as transformations make."""
        match self.chance.choice(["leaf", "leaf", "map", "map", "list"]) if depth else "leaf":
            case "map":
                names = self.chance.sample(NAMES, self.chance.randint(0, 4))
                return {name: self.schemaless(depth - 1) for name in names}
            case "list":
                return [self.schemaless(depth - 1) for _ in range(self.chance.randint(0, 3))]
        kinds = [SchemaType.INT64, SchemaType.FLOAT64, SchemaType.STRING, SchemaType.BOOLEAN]
        odd = [None, self.chance.choice(MOMENTS), b"\x01", Decimal("12.50")]
        kind = self.chance.choice(kinds)
        return self.chance.choice(odd) if self.chance.random() < 0.15 else self.chance.choice(ODD[kind])

    def schemaless_map(self) -> dict[str, Any]:
        return {name: self.schemaless(1) for name in self.chance.sample(NAMES, self.chance.randint(1, 5))}

    def headers(self) -> tuple[Header, ...]:
        """No headers half the time; else a few, some of one name, with and without schemas."""
        if self.chance.random() < 0.5:
            return ()
        return tuple(self._header() for _ in range(self.chance.randint(1, 4)))

    def _header(self) -> Header:
        kind = None if self.chance.random() < 0.2 else self.schema(1)
        value = (
            None
            if kind is None and self.chance.random() < 0.2
            else self.value(kind, null=kind is None or kind.optional)
        )
        return Header(self.chance.choice(["h1", "h2", "other"]), kind, value)

    def record(self, value_schema: ConnectSchema | None, value: Any, **more: Any) -> Record:
        """A record with that value; key, headers, timestamp and partition by chance where `more` does not say."""
        if "key" not in more:
            more["key_schema"] = self.chance.choice([None, schema(SchemaType.STRING), self.struct(0)])
            more["key"] = self.value(more["key_schema"]) if more["key_schema"] is not None else None
        more.setdefault("headers", self.headers())
        more.setdefault("timestamp", self.chance.choice([None, 0, 1_795_368_655_005, -1]))
        more.setdefault("partition", self.chance.choice([None, 0, 7]))
        return Record(topic=more.pop("topic", "topic"), value_schema=value_schema, value=value, **more)

    def tombstone(self, **more: Any) -> Record:
        return self.record(None, None, **more)

    def records(self, count: int) -> list[Record]:
        """Records of any kind: structs mostly, other values with schema, schemaless maps and values, tombstones."""
        made: list[Record] = []
        while len(made) < count:
            made += self.run(self.chance.randint(1, 5))
        return made[:count]

    def run(self, count: int) -> list[Record]:
        """Records that share schemas, as a topic's do, and so make batches."""
        form = self.chance.choice(["struct", "struct", "struct", "other", "schemaless map", "schemaless"])
        kind = {"struct": self.struct, "other": self.schema}.get(form, lambda: None)()
        key_schema = self.chance.choice([None, schema(SchemaType.INT64), self.struct(0)])
        records = []
        for _ in range(count):
            value = self.schemaless_map() if form == "schemaless map" else self.value(kind)
            key = None if key_schema is None else self.value(key_schema)
            lost = self.chance.random() < 0.1
            records.append(self.record(None if lost else kind, None if lost else value, key_schema=key_schema, key=key))
        return records
