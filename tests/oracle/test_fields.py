"""Transformations of fields, headers and topics against Java's own classes."""

import random
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from headrace.connect.api import ConnectSchema, Header, Record, SchemaType, struct
from headrace.connect.api.schema import schema
from tests.oracle.agreement import Case, compare
from tests.oracle.generated import MOMENTS, NAMES, Maker, leaves, variants

pytestmark = pytest.mark.kafka

JAVA = "org.apache.kafka.connect.transforms."
STRING, INT = schema(SchemaType.STRING), schema(SchemaType.INT32)
BOOLEANS = ("true", "false")


def keyed(record: Record) -> Record:
    """The record with key and value changed places, so that a Key form meets what a Value form does."""
    return replace(
        record, key_schema=record.value_schema, key=record.value, value_schema=record.key_schema, value=record.key
    )


class EvenMaker(Maker):
    """Structs and maps of one set of names, where a configuration finds its fields; no decimals, whose masks differ."""

    def struct(self, depth: int = 1, *, optional: bool = False, **more: Any) -> ConnectSchema:
        names = self.chance.sample(NAMES[:6], 6 - (self.chance.random() < 0.2))
        return struct([(name, self.schema(depth)) for name in names], optional=optional, **more)

    def leaf_schema(self) -> ConnectSchema:
        while (kind := super().leaf_schema()).parameter("scale"):
            pass
        return kind

    def schemaless_map(self) -> dict[str, Any]:
        return super().schemaless_map() | {"id": self.schemaless(0), "name": self.schemaless(1)}


def cases_of(name: str, configs: list[dict[str, str]], records: list[Record], each: int = 1) -> list[Case]:
    """Each record with `each` of the configurations in turn, as Value, and every third of them as Key too."""
    made = []
    for index, record in enumerate(records):
        for step in range(each):
            config = configs[(index // 4 + step) % len(configs)]
            made.append(Case(f"{JAVA}{name}$Value", config, record))
            if index % 3 == 0:
                made.append(Case(f"{JAVA}{name}$Key", config, keyed(record)))
    return made


def refused(name: str, configs: list[dict[str, str]]) -> list[Case]:
    return [Case(JAVA + name, config, Record("topic")) for config in configs]


def test_headers_made_of_fields_are_javas() -> None:
    operations = product(("copy", "move"), BOOLEANS)
    fields = [("id", "h"), ("id,name", "h1,h2"), ("x,x,at", "h,h,other"), ("deep", "h1"), ("a.b", "a b")]
    configs = [
        {"fields": given, "headers": headers, "operation": operation, "replace.null.with.default": replaced}
        for (operation, replaced), (given, headers) in product(operations, fields)
    ]
    compare(cases_of("HeaderFrom", configs, Maker(21).records(240), each=2))


def test_headers_made_of_fields_with_defaults_are_javas() -> None:
    maker = Maker(22)
    optional = schema(SchemaType.STRING, optional=True, default="d")
    kind = struct([("id", INT.replace(default=7)), ("name", optional), ("x", schema(SchemaType.INT64, optional=True))])
    records = [
        maker.record(kind, {"id": number, "name": name, "x": x}, headers=headers)
        for number, name, x in product((None, 1), (None, "n"), (None, 5))
        for headers in ((), (Header("h", None, 1),))
    ]
    configs = [
        {"fields": fields, "headers": "h,h", "operation": operation, "replace.null.with.default": replaced}
        for fields, operation, replaced in product(("id,name", "name,x"), ("copy", "move"), BOOLEANS)
    ]
    compare(Case(f"{JAVA}HeaderFrom$Value", config, record) for config, record in product(configs, records))


def test_settings_of_headers_are_refused_as_java_refuses_them() -> None:
    good = {"fields": "a", "headers": "h", "operation": "copy"}
    bad = [
        *({key: text for key, text in good.items() if key != left} for left in good),
        *(good | change for change in ({"fields": "a,b"}, {"fields": ""}, {"headers": ""}, {"operation": "Copy"})),
        good | {"replace.null.with.default": "maybe"},
    ]
    compare(refused("HeaderFrom$Value", bad))
    compare(refused("DropHeaders", [{}, {"headers": ""}, {"headers": "a,,b"}, {"headers": " , "}]))


def test_headers_are_dropped_as_java_drops_them() -> None:
    configs = [{"headers": names} for names in ("h1", "h1,h2", "other,h1,h1", "none", " h2 , other ")]
    records = Maker(23).records(120)
    compare(Case(JAVA + "DropHeaders", configs[index // 3 % 5], record) for index, record in enumerate(records))


REGEXES = [
    ("(.*)", "$1"), ("topic", "other"), ("(.*)-(.*)", "$2_$1"), ("a|ab", "X"), ("(?<n>[a-z]+)[-.](\\d+)", "${n}$2"),
    ("(a)|b", "<$1>"), ("[a-z&&[^aeiou]]+", "consonants"), ("\\Qa.b\\E.*", "q"), ("(?i)TOPIC(.*)", "t$1"),
    ("(.)(.)?(.)?", "$3$2$1$0"), ("(a)", "$12"), ("topic", "$1"), ("topic", "$"), ("topic", "\\"), ("topic", "${n}"),
    ("topic", "a\\$1"), ("(?<n>topic)", "${n"), ("(?<n>topic)", "${}"), ("topic", "$x"), ("never", "$9"), ("", "empty"),
    ("topic", ""), ("(\\w+)-(\\w+)(-\\w+)*", "$1$3"), ("(?x) to pic # words", "x"), ("\\p{Lower}+", "low"),
    ("\\P{Punct}*", "p"), ("\\x74opic", "hex"), ("\\0164opic", "octal"), ("(t)(o)(p)(i)(c)(-)(1)(2)(3)(4)?", "$10$9$1"),
    ("(.+?)(-\\d+)?", "$1"), ("(?:a|ab)(?:c|bcd)*", "m"), ("(?>a|ab)c", "atomic"), ("a{2}", "2"), ("a{1,2}b*", "n"),
    ("(ab)+", "$1"), ("(a|b)*", "$1"), ("^topic$", "anchored"), ("(?<=t)opic|topic", "b"), ("(a)\\1", "twice"),
    ("\\bab\\b.*", "w"), (".*\\d\\d", "digits"), ("[^-]*-?.*", "dash"), ("[]a]+", "in"), ("[a-c[x-z]]+", "union"),
    ("(?s).*", "all"), ("prod\\.(.*)\\.(.*)", "$2"), ("(.*?)[-._]?v?[0-9]+", "$1"),
]  # fmt: skip
TOPICS = [
    "topic", "TOPIC-a", "a", "ab", "b", "aa", "aab", "abab", "abc", "a.b", "a.b.c", "topic-1", "orders-7", "x-y-z",
    "topic-1234", "topic-123", "prod.db.table", "bcd", "xyz", "t]a", "dash-", "UPPER", "under_score", "abcd", "abcbcd",
    "v1", "orders.v22", "été", "a\n", "", "12",
]  # fmt: skip


def test_topics_are_renamed_by_expressions_as_java_renames_them() -> None:
    maker, chance = Maker(24), random.Random(24)
    cases = []
    for regex, replacement in REGEXES:
        record = maker.record(STRING, "v")
        for topic in chance.sample(TOPICS, 12):
            config = {"regex": regex, "replacement": replacement}
            cases.append(Case(JAVA + "RegexRouter", config, replace(record, topic=topic)))
    compare(cases)


def test_expressions_are_refused_as_java_refuses_them() -> None:
    bad = [
        "(",
        "(a",
        "a)",
        "[a",
        "[b-a]",
        "*a",
        "a**",
        "a{",
        "{x",
        "\\q",
        "(?<1>a)",
        "\\k<m>",
        "(?#c)",
        "(?P<n>a)",
        "\\",
    ]
    compare(refused("RegexRouter", [{"regex": regex, "replacement": "x"} for regex in bad]))


def test_random_expressions_match_what_java_matches() -> None:
    chance, cases = random.Random(25), []
    record = Maker(25).record(STRING, "v")
    for _ in range(300):
        regex = random_regex(chance)
        for topic in chance.sample(TOPICS, 3):
            config = {"regex": regex, "replacement": "<$1|$0>"}
            cases.append(Case(JAVA + "RegexRouter", config, replace(record, topic=topic)))
    compare(cases)


def random_regex(chance: random.Random) -> str:
    """An expression of what topics are matched with: one group at least, all of it offered."""
    atoms = [
        "a",
        "b",
        "c",
        "[a-c]",
        "[^-.]",
        ".",
        "\\w",
        "\\d",
        "-",
        "\\.",
        "(a|ab)",
        "(.*)",
        "(?:b|c)",
        "topic",
        "(\\d+)",
    ]
    counts = ["", "", "", "*", "+", "?", "*?", "+?", "{1,2}", "{2}"]
    branches = [
        "".join(chance.choice(atoms) + chance.choice(counts) for _ in range(chance.randint(1, 4)))
        for _ in range(chance.randint(1, 2))
    ]
    return f"({chance.choice(['', '(?i)'])}{'|'.join(branches)})"


def test_topics_are_named_after_timestamps_as_java_names_them() -> None:
    maker = Maker(26)
    formats = [
        {},
        {"timestamp.format": "yyyy-MM"},
        {"topic.format": "${timestamp}", "timestamp.format": "yyyy.MM.dd-HH"},
        {"topic.format": "fixed"},
        {"topic.format": "$topic-${topic}-${topic}${timestamp}-${timestamp}"},
        {"topic.format": "", "timestamp.format": "YYYY'w'ww"},
        {"timestamp.format": "SSS"},
    ]
    moments = [None, 0, -1, 86_399_999, 86_400_000, 1_795_368_655_005, 1_795_368_655_006, -62_135_596_800_000]
    topics = ["topic", "a${timestamp}", "${topic}", "a$1\\"]
    cases = []
    for config, topic in product(formats, topics):
        for moment in moments:
            record = maker.record(None, "v", key=None, headers=(), timestamp=moment, topic=topic)
            cases.append(Case(JAVA + "TimestampRouter", config, record))
    compare(cases)


LITERALS = [
    "", "text", "null", "true", "FALSE", "0", "-128", "32768", "2147483648", "1.5", "1e400", "NaN", "2026-11-22",
    "2026-11-22T17:30:55.123Z", "17:30:55.123Z", "[1, 2]", "[1, a]", '{"a": 1}', "{a:1}", '"quoted"', " padded ", "[",
]  # fmt: skip


def test_headers_are_inserted_as_java_inserts_them() -> None:
    records = Maker(27).records(60)
    cases = []
    for name, (index, literal) in product(("h1", "", "new header"), enumerate(LITERALS)):
        config = {"header": name, "value.literal": literal}
        cases += [Case(JAVA + "InsertHeader", config, record) for record in records[index % 20 :: 20]]
    compare([*cases, *refused("InsertHeader", [{}, {"header": "a"}, {"value.literal": "a"}])])


INSERTED = ["topic.field", "partition.field", "offset.field", "timestamp.field", "static.field"]


def test_fields_of_the_record_are_inserted_as_java_inserts_them() -> None:
    chance, maker = random.Random(28), Maker(28)
    records = maker.records(300)
    configs = []
    for _ in range(60):
        keys = chance.sample(INSERTED, chance.randint(1, 4))
        config = {key: f"_{key[0]}{chance.choice(['', '', '?', '!'])}" for key in keys}
        if chance.random() < 0.3:
            config[keys[0]] = chance.choice(["id", "name!", "x?", "!", "?", "", "_p"])
        config["static.value"] = chance.choice(["v", "", "é"])
        configs.append(config | {"replace.null.with.default": chance.choice(BOOLEANS)})
    cases = []
    for index, record in enumerate(records):
        config = configs[index // 5 % len(configs)]
        cases.append(Case(JAVA + "InsertField$Value", config, record))
        sinks = replace(record, partition=record.partition or 0)
        cases.append(Case(JAVA + "InsertField$Value", config, sinks, offset=chance.choice([0, 2**40])))
        cases.append(Case(JAVA + "InsertField$Key", config, keyed(sinks), offset=7))
    compare(cases)


def test_settings_of_insertions_are_refused_as_java_refuses_them() -> None:
    compare(refused("InsertField$Value", [{}, {"static.field": "a"}, {"static.field": "a!"}, {"static.value": "a"}]))


def test_fields_are_masked_as_java_masks_them() -> None:
    fields = ["id", "name", "at,x", "deep", "a.b", "id,name,x,deep", "none", "x,x"]
    replacements = ["", "", "", "5", "text", "-1.5", "300", "1e3", "99999999999", "true", "NaN", "null", "[1]"]
    configs = []
    for (index, names), replaced in product(enumerate(fields * 3), BOOLEANS):
        replacement = replacements[(index * 2 + len(configs)) % len(replacements)]
        more = {} if not replacement else {"replacement": replacement}
        configs.append({"fields": names, "replace.null.with.default": replaced} | more)
    compare(cases_of("MaskField", configs, EvenMaker(29).records(400), each=2))


def test_every_type_is_masked_as_java_masks_it() -> None:
    cases = []
    for kind, value in leaves():
        if kind.parameter("scale") not in (None, "0"):
            continue
        row = struct([("x", kind), ("y", INT)])
        replacements = (None, "42", "odd") if kind.parameter("scale") else (None, "42", "1.5", "odd")
        for replacement, replaced in product(replacements, BOOLEANS):
            config = {"fields": "x", "replace.null.with.default": replaced}
            config |= {} if replacement is None else {"replacement": replacement}
            cases.append(Case(f"{JAVA}MaskField$Value", config, Record("topic", None, None, row, {"x": value, "y": 1})))
    compare(cases)


def test_settings_of_masks_are_refused_as_java_refuses_them() -> None:
    bad = [{}, {"fields": ""}, {"fields": "a,,b"}, {"fields": "a", "replacement": ""}]
    compare(refused("MaskField$Value", [*bad, {"fields": "a", "replace.null.with.default": "x"}]))


TYPES = ["int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string"]
TEXTS = [
    "", "0", "-0", "+7", "007", "127", "128", "-129", "32768", "2147483648", "-9223372036854775808",
    "9223372036854775808", "1.5", "-1.5e3", ".5", "5.", "1e400", "-1e-400", "1e5", "0x1F", "0x1.8p1", "NaN", "nan",
    "-Infinity", "inf", "Infinity", "1d", "2.5F", " 12 ", "12 ", "1_000", "\u0663", "true", "TRUE", "tRue ", "yes",
    "0.1", "16777217", "3.4028236e38", "1.1754943e-38", "9007199254740993", "1,5", "--1", "+", "e5", "1e", "١٢",
    "1e99999999999", "7f", "0x", "0xF",
]  # fmt: skip


def test_every_type_is_cast_to_every_other_as_java_casts_it() -> None:
    cases = []
    for kind, value in [*leaves(), *((STRING, text) for text in TEXTS)]:
        row = struct([("x", kind), ("y", INT)])
        for target, replaced in product(TYPES, BOOLEANS):
            config = {"spec": f"x:{target}", "replace.null.with.default": replaced}
            if value is None or replaced == "true":
                cases.append(
                    Case(f"{JAVA}Cast$Value", config, Record("t", value_schema=row, value={"x": value, "y": 1}))
                )
    compare(cases)


def test_whole_values_are_cast_as_java_casts_them() -> None:
    chance = random.Random(30)
    # A logical type keeps its name over a type that it does not go with, so that converters refuse it.
    found = [case for case in leaves() if case[0].name is None]
    cases = [
        Case(f"{JAVA}Cast${half}", {"spec": target}, Record("t", kind, value, kind, value))
        for kind, value in chance.sample(found, 200)
        for target, half in product(TYPES, ("Key", "Value"))
    ]
    compare(cases)


def test_schemaless_values_are_cast_as_java_casts_them() -> None:
    maker = Maker(31)
    values = [maker.schemaless(1) for _ in range(80)] + TEXTS
    cases = []
    for value, target in product(values, TYPES):
        cases.append(Case(f"{JAVA}Cast$Value", {"spec": target}, Record("t", value=value)))
        cases.append(Case(f"{JAVA}Cast$Value", {"spec": f"a:{target}"}, Record("t", value={"a": value, "b": 1})))
    compare(cases)


def test_fields_of_all_kinds_of_records_are_cast_as_java_casts_them() -> None:
    specs = [
        "id:int8",
        "id:string,name:int64",
        "x:boolean, at : FLOAT32",
        "deep:string",
        "none:int8",
        "id:int8,id:string",
    ]
    configs = [{"spec": spec, "replace.null.with.default": replaced} for spec, replaced in product(specs, BOOLEANS)]
    compare(cases_of("Cast", configs, EvenMaker(32).records(300), each=2))


def test_specs_are_refused_as_java_refuses_them() -> None:
    # Where a type has no such name, Java takes its sentence for the key.
    bad = ["", "int8,int8", "a:bytes", "struct", "int8,a:int8", "a:array", "a:MAP"]
    compare(refused("Cast$Value", [{}, *({"spec": spec} for spec in bad)]))


TIMES = ["string", "unix", "Date", "Time", "Timestamp"]
PRECISIONS = ["nanoseconds", "microseconds", "milliseconds", "seconds"]
FORMATS = ["", "yyyy-MM-dd HH:mm:ss.S", "yyyyMMdd", "EEE, d MMM yyyy HH:mm:ss Z"]


def times() -> list[tuple[ConnectSchema, Any]]:
    """Timestamps of every form, in every variant; texts that are some and texts that are none."""
    texts = ["2026-11-22 17:30:55.5", "20261122", "Sun, 22 Nov 2026 17:30:55 +0100", "yesterday", "", "19691231x"]
    found = [case for case in leaves() if case[0].name is not None or case[0].type is SchemaType.INT64]
    found += [(kind, text) for kind in variants(STRING) for text in texts]
    return [*found, (INT, 5), (schema(SchemaType.FLOAT64), 1.5), (STRING.replace(optional=True), None)]


def test_timestamps_of_fields_are_converted_as_java_converts_them() -> None:
    chance, cases = random.Random(33), []
    for kind, value in times():
        row = struct([("id", INT.replace(default=3)), ("at", kind)], name="row", version=2)
        row = row.replace(optional=chance.random() < 0.5)
        for target, replaced in product(TIMES, BOOLEANS):
            config = {"field": "at", "target.type": target, "unix.precision": chance.choice(PRECISIONS)}
            config |= {"format": chance.choice(FORMATS[target == "string" :]), "replace.null.with.default": replaced}
            if chance.random() < 0.5 or value is None:
                record = Record("t", value_schema=row, value={"id": chance.choice([1, 1, None]), "at": value})
                cases.append(Case(f"{JAVA}TimestampConverter$Value", config, record))
    compare(cases)


def test_whole_timestamps_are_converted_as_java_converts_them() -> None:
    chance, cases = random.Random(34), []
    for kind, value in times():
        for target in TIMES:
            config = {"target.type": target, "unix.precision": chance.choice(PRECISIONS)}
            config["format"] = chance.choice(FORMATS[target == "string" :])
            if chance.random() < 0.5 or value is None:
                half = chance.choice(["Key", "Value"])
                cases.append(Case(f"{JAVA}TimestampConverter${half}", config, Record("t", kind, value, kind, value)))
    compare(cases)


def test_schemaless_timestamps_are_converted_as_java_converts_them() -> None:
    maker, cases = Maker(35), []
    values = [maker.schemaless(1) for _ in range(60)] + [*MOMENTS, "2026-11-22 17:30:55.5", "20261122", 2**62, -1]
    for (index, value), target in product(enumerate(values), TIMES):
        config = {"target.type": target, "format": FORMATS[1 + index % 2], "unix.precision": PRECISIONS[index % 4]}
        cases.append(Case(f"{JAVA}TimestampConverter$Value", config, Record("t", value=value)))
        config |= {"field": "a"}
        cases.append(Case(f"{JAVA}TimestampConverter$Value", config, Record("t", value={"a": value, "b": 1})))
        cases.append(Case(f"{JAVA}TimestampConverter$Value", config, Record("t", value={"b": value})))
    compare(cases)


def test_timestamps_of_all_kinds_of_records_are_converted_as_java_converts_them() -> None:
    configs = [
        {"field": field, "target.type": target, "format": "yyyyMMdd", "replace.null.with.default": replaced}
        for field, target, replaced in product(("at", "id", ""), TIMES, BOOLEANS)
    ]
    compare(cases_of("TimestampConverter", configs, EvenMaker(36).records(300), each=2))


def test_settings_of_timestamps_are_refused_as_java_refuses_them() -> None:
    bad = [{}, {"target.type": "x"}, {"target.type": "string"}, {"target.type": "string", "format": "  "}]
    bad += [{"target.type": "unix", "unix.precision": "hours"}]
    compare(refused("TimestampConverter$Value", bad))
