"""The transformations that reshape records, against Java's own: generated records through every option."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from headrace.connect.api import ConnectSchema, Record, SchemaType, schema, struct
from tests.oracle.agreement import Case, compare
from tests.oracle.generated import NAMES, Maker, leaves

PACKAGE = "org.apache.kafka.connect.transforms"
BOTH_DEFAULTS = [{}, {"replace.null.with.default": "false"}]
TEXT = schema(SchemaType.STRING)
Config = Mapping[str, str]


class NestMaker(Maker):
    """Structs in structs, some with defaults; few maps, which Flatten refuses."""

    def schema(self, depth: int = 3) -> ConnectSchema:
        form = self.chance.choice(["leaf", "leaf", "struct", "struct", "array"]) if depth else "leaf"
        optional = self.chance.random() < 0.4
        match form:
            case "struct" if self.chance.random() < 0.3:
                kind = self.struct(depth - 1, optional=optional)
                return kind.replace(default=self.value(kind, null=False))
            case "struct":
                return self.struct(depth - 1, optional=optional)
            case "array":
                return schema(SchemaType.ARRAY, value_schema=self.leaf_schema(), optional=optional)
        return super().schema(0)

    def schemaless_map(self) -> dict[str, Any]:
        return {name: self.schemaless(3) for name in self.chance.sample(NAMES, self.chance.randint(0, 5))}


class EvenMaker(Maker):
    """Structs with one set of names, so that the same configuration finds its fields."""

    def struct(self, depth: int = 1, *, optional: bool = False, **more: Any) -> ConnectSchema:
        if self.chance.random() < 0.4 and not more:
            more = {"name": "com.example.Row", "version": self.chance.choice([None, 3]), "doc": "a row"}
        return struct([(name, self.schema(depth)) for name in NAMES[:5]], optional=optional, **more)

    def schemaless_map(self) -> dict[str, Any]:
        return super().schemaless_map() | {"id": self.schemaless(0)}


def swapped(record: Record) -> Record:
    """A record whose key is what was its value, and the other way round."""
    return replace(
        record, key_schema=record.value_schema, key=record.value, value_schema=record.key_schema, value=record.key
    )


def on_both_halves(name: str, configs: Iterable[Config], records: Iterable[Record]) -> Iterator[Case]:
    records = list(records)
    for config in configs:
        yield from (Case(f"{PACKAGE}.{name}$Value", config, record) for record in records)
        yield from (Case(f"{PACKAGE}.{name}$Key", config, swapped(record)) for record in records)


def with_options(*configs: Config) -> list[Config]:
    """These configurations with and without replacing nulls by defaults."""
    return [{**config, **more} for config, more in product(configs, BOTH_DEFAULTS)]


def nulls(records: Iterable[Record]) -> list[Record]:
    """The same schemas, optional, each with its value and with null."""
    made = []
    for record in records:
        if record.value_schema is not None:
            kind = record.value_schema.replace(optional=True)
            made += [replace(record, value_schema=kind), replace(record, value_schema=kind, value=None)]
    return made


def rows_of_leaves() -> list[Record]:
    """A row of two fields for every type with every odd value, null and default."""
    return [
        Record("topic", value_schema=struct([("id", kind), ("name", TEXT)]), value={"id": value, "name": "n"})
        for kind, value in leaves()
    ]


def odd_halves(maker: Maker) -> list[Record]:
    """Whole values of every type, without struct or map."""
    made = [maker.record(kind, value) for kind, value in leaves()[::7]]
    return made + [maker.record(None, value) for value in ("text", 5, 1.5, True, b"x", [1], [], {}, None)]


def test_extracted_fields_are_javas() -> None:
    maker = EvenMaker(seed=11)
    records = [*maker.records(90), *nulls(maker.records(20)), *rows_of_leaves()[::3], *odd_halves(maker)[::4]]
    compare(on_both_halves("ExtractField", with_options({"field": "id"}, {"field": "deep"}), records))


def test_fields_are_extracted_by_paths_as_java_does() -> None:
    maker = NestMaker(seed=12)
    records = maker.records(150)
    paths = ["id", "deep.id", "`a.b`", "deep.`a.b`", "at.name", "`a.b`.x", "x.", "odd name.id", "id.id.id"]
    configs = [{"field": path, "field.syntax.version": "v2"} for path in paths]
    cases = list(on_both_halves("ExtractField", configs, records))
    nested = struct([("a.b", struct([("x", TEXT), ("d", schema(SchemaType.STRING, default="D"))], optional=True))])
    rows = [{"a.b": {"x": "y", "d": None}}, {"a.b": None}, {"a.b": {"x": "z", "d": "e"}}]
    plain: list[Any] = [{"a.b": {"x": 1}}, {"a.b": None}, {"a.b": 5}, {"a.b": []}, {}, None, "text"]
    records = [Record("t", value_schema=nested, value=row) for row in rows] + [Record("t", value=row) for row in plain]
    paths = ["`a.b`.x", "`a.b`.d", "`a.b`", "a.b.x", "`a.b`.x.y"]
    configs = with_options(*({"field": path, "field.syntax.version": "V2"} for path in paths))
    compare([*cases, *on_both_halves("ExtractField", configs, records)])


def test_defaults_on_the_way_of_a_path_stand_for_nulls_as_in_java() -> None:
    inner = struct([("x", schema(SchemaType.STRING, default="X")), ("y", schema(SchemaType.INT32, optional=True))])
    middle = inner.replace(default={"x": None, "y": 5})
    array = schema(SchemaType.ARRAY, value_schema=TEXT, default=["d"])
    outer = struct([("in", middle), ("array", array)], optional=True)
    rows: list[Any] = [{"in": None, "array": None}, {"in": {"x": "a", "y": None}, "array": []}, None]
    records = [Record("t", value_schema=outer, value=row) for row in rows]
    paths = ["in.x", "in.y", "in", "array", "array.x"]
    configs = with_options(*({"field": path, "field.syntax.version": "V2"} for path in paths))
    compare(on_both_halves("ExtractField", configs, records))


@pytest.mark.parametrize("field", ["magic", "", "a.b"])
def test_hoisted_halves_are_javas(field: str) -> None:
    maker = Maker(seed=21)
    records = [*maker.records(100), *nulls(maker.records(30)), *odd_halves(maker), maker.tombstone()]
    records += [maker.record(kind, value) for kind, value in leaves()[::5]]
    compare(on_both_halves("HoistField", [{"field": field}], records))


REPLACEMENTS: list[Config] = [
    {},
    {"exclude": "id"},
    {"exclude": "id,name,at,x,deep"},
    {"include": "id, name"},
    {"include": "nothing"},
    {"include": "id,name,deep", "exclude": "name"},
    {"renames": "id:key"},
    {"renames": "id:name,name:id"},
    {"renames": "id:name"},
    {"renames": "nothing:id"},
    {"renames": "id:n,name:n"},
    {"renames": "name:n,nothing:n", "exclude": "id"},
    {"renames": "nothing:n,name:n", "exclude": "id"},
    {"renames": "x:y,a.b:c", "include": "x,a.b,deep", "whitelist": "ignored"},
]


def test_replaced_fields_are_javas() -> None:
    maker = EvenMaker(seed=31)
    records = [*maker.records(45), *nulls(maker.records(8)), *odd_halves(maker)[::9]]
    compare(on_both_halves("ReplaceField", REPLACEMENTS, records))


def test_nulls_of_replaced_fields_become_defaults_as_in_java() -> None:
    records = rows_of_leaves()
    compare(on_both_halves("ReplaceField", with_options({"renames": "name:n"}), records))


def test_of_names_given_twice_the_same_one_wins_as_in_java() -> None:
    names = ["alpha", "beta", "gamma", "delta", "é", "漢字", "\U0001f40d", "a-much-longer-name", "b"]
    cases = []
    for first, second in product(names, names):
        if first != second:
            kind = struct([(second, TEXT), ("other", TEXT)])
            record = Record("t", value_schema=kind, value={second: "2", "other": "o"})
            cases.append(Case(f"{PACKAGE}.ReplaceField$Value", {"renames": f"{first}:new,{second}:new"}, record))
    many = ",".join(f"{name}{number}:new" for number, name in product(range(3), names))
    for number, name in product(range(3), names):
        record = Record("t", value_schema=struct([(f"{name}{number}", TEXT)]), value={f"{name}{number}": "1"})
        cases.append(Case(f"{PACKAGE}.ReplaceField$Value", {"renames": many}, record))
    compare(cases)


@pytest.mark.parametrize("seed", [41, 42, 43])
def test_flattened_halves_are_javas(seed: int) -> None:
    maker = NestMaker(seed=seed)
    records = [*maker.records(140), *nulls(maker.records(20)), *odd_halves(maker)[::9]]
    compare(on_both_halves("Flatten", [{}, {"delimiter": "_"}, {"delimiter": ""}], records))


def test_maps_are_refused_by_flatten_as_by_java() -> None:
    records = Maker(seed=44).records(120)
    compare(on_both_halves("Flatten", [{}], records))


def test_optional_parents_and_their_defaults_reach_the_leaves_as_in_java() -> None:
    """Struct by struct: required, optional, with default; its leaf required, optional, with default."""
    cases = []
    for leaf, optional, with_default in product(
        [TEXT, TEXT.replace(optional=True), TEXT.replace(default="own")], [False, True], [False, True]
    ):
        inner = struct([("leaf", leaf), ("deeper", struct([("leaf", leaf)], optional=optional))], optional=optional)
        full = {"leaf": "given", "deeper": {"leaf": "deep"}}
        if with_default:
            inner = inner.replace(default=full)
        outer = struct([("in", inner)], name="outer", version=2)
        values: list[Any] = [full, {"leaf": "x", "deeper": None if optional else {"leaf": "y"}}]
        values += [None] if optional or with_default else []
        values += [{"leaf": None, "deeper": {"leaf": None}}] if leaf is not TEXT else []
        cases += [Record("t", value_schema=outer, value={"in": value}) for value in values]
        whole = outer.replace(optional=True, default={"in": full})
        cases += [Record("t", value_schema=whole, value={"in": full}), Record("t", value_schema=whole)]
    compare(on_both_halves("Flatten", [{}], cases))


KEYS: list[Config] = [{"fields": "id"}, {"fields": "name, id,id"}, {"fields": "deep,at"}, {"fields": "id,nothing"}]


def test_keys_made_of_values_are_javas() -> None:
    maker = EvenMaker(seed=51)
    records = [*maker.records(120), *nulls(maker.records(10)), *odd_halves(maker)[::5], maker.tombstone()]
    records += rows_of_leaves()[::2]
    compare(Case(f"{PACKAGE}.ValueToKey", config, record) for config in with_options(*KEYS) for record in records)


METADATA: list[Config] = [
    {"schema.name": "com.example.Other"},
    {"schema.version": "7"},
    {"schema.name": "", "schema.version": "-1"},
]


def test_metadata_of_schemas_are_javas() -> None:
    maker = Maker(seed=61)
    records = [*maker.records(90), *nulls(maker.records(10)), *odd_halves(maker)[::5], *rows_of_leaves()[::4]]
    compare(on_both_halves("SetSchemaMetadata", with_options(*METADATA), records))


REFUSED: dict[str, list[Config]] = {
    "ExtractField$Key": [
        {},
        {"field": "a", "field.syntax.version": "V3"},
        {"field": "`a", "field.syntax.version": "V2"},
        {"field": "a", "replace.null.with.default": "maybe"},
    ],
    "HoistField$Value": [{}],
    "ReplaceField$Value": [
        {"exclude": "a,,b"},
        {"include": ","},
        {"renames": "a"},
        {"renames": "a:b:c"},
        {"renames": "a:b,"},
        {"renames": "a:"},
        {"renames": ":"},
        {"renames": ":b"},
        {"renames": "a:b::"},
        {"renames": ""},
        {"replace.null.with.default": ""},
    ],
    "Flatten$Key": [{"delimiter": " "}],
    "ValueToKey": [{}, {"fields": ""}, {"fields": "a,,b"}, {"fields": ",", "replace.null.with.default": "1"}],
    "SetSchemaMetadata$Key": [{}, {"schema.version": "1.5"}, {"schema.version": ""}, {"schema.version": "99999999999"}],
}


@pytest.mark.parametrize("name", REFUSED)
def test_configurations_are_refused_as_java_refuses_them(name: str) -> None:
    half = {"a": 1, "n": "x"}
    record = Record("t", value=half) if name.endswith("Value") or name == "ValueToKey" else Record("t", key=half)
    compare(Case(f"{PACKAGE}.{name}", config, record) for config in REFUSED[name])
