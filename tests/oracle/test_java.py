"""Ours against Apache Kafka's Connect classes and Java's SimpleDateFormat, on generated cases, errors included."""

import datetime as dt
import random
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from headrace.connect.api import ConnectSchema, Record, SchemaType, struct
from headrace.connect.api.java.date_format import DateFormat, UnparseableError
from headrace.connect.api.schema import date, decimal, schema, time, timestamp
from tests.oracle.agreement import Case, Plugin
from tests.oracle.agreement import compare as compare_transforms
from tests.oracle.conversion import compare_from_connect
from tests.oracle.java import ask

pytestmark = pytest.mark.kafka

PATTERNS = [
    "yyyy-MM-dd HH:mm:ss.S", "yyyy-MM-dd HH:mm:ss.SSS", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyyMMddHHmmssSSS", "dd/MM/yy",
    "d MMM yyyy", "EEE, d MMM yyyy HH:mm:ss Z", "EEEE MMMM d yyyy G", "yyyy-DDD", "YYYY-'W'ww-u", "y W E",
    "yyyy MM F E", "hh:mm a", "KK:mm a", "kk:mm", "yyyy-MM-dd'T'HH:mm:ssX", "yyyy-MM-dd'T'HH:mm:ssXX",
    "yyyy-MM-dd HH:mmXXX", "yy-M-d H:m:s", "GGGG y", "LLL yy", "LLLL yyyyy", "z", "zzzz", "'a''b' yyyy", "''yyyy''",
    "yyyy''MM", "H'h'm", "w yyyy E", "yyyy w", "HHmm", "ssSS", "S", "SSSSS", "D", "u", "F", "M yyyy a h", "MMMMM",
    "EEEEE d", "yyyyMM", "yyy", "y", "hh HH a", "HH hh a", "d D yyyy", "D d MM yyyy", "W MM yyyy", "E", "E yyyy",
    "MMM d", "dMMMyyyy", "HH:mm:ss z yyyy-MM-dd", "Q", "yyyy-mm'", "b", "XXXX", "yyyy-MM-dd é HH",
]  # fmt: skip
EDGES = [
    0, -1, 1, 999, 86_399_999, -86_400_000, 253_402_300_799_999, 253_402_300_800_000, -62_135_596_800_001,
    -12_219_292_800_000, -12_219_292_800_001, -12_212_553_600_000, 951_782_400_000, 1_704_067_200_000,
]  # fmt: skip
YEAR_1_MS = -62_135_596_800_000
TEXTS = [
    "2026-11-22 17:30:55.5", "2026-13-45 25:61:61.1500", "2026-1-2 3:4:5.6", " 2026- 1- 2  3:4:5.6 trailing",
    "-5-01-01 00:00:00.0", "2026-11-22", "", "1", "12", "123", "1234567", "99", "00", "-1", "- 1", "+1", "1E3", "1E-1",
    "nov", "NOVEMBER", "Sunday", "sun", "am", "PM", "pm 5", "5 PM", "12 AM", "12:00 am", "24:00", "2026-W05-8",
    "2026-W05-0", "2026-W53-7", "+01", "+0130", "+01:30", "-2330", "+2400", "Z", "z", "UTC", "GMT", "GMT+1:00",
    "GMT-5", "utc", "Coordinated Universal Time", "2026-366", "2024-366", "5 BC", "AD 5", "2 5 Sun", "3 Mon 2026",
    "29 feb 2025", "1582-10-10 00:00:00.0", "1582-10-04 723:59:59.9", "1500-02-29 00:00:00.0", "0000-00-00 00:00:00.0",
    "20261122173055123", "20080805081113274", "١٢", "a'b 5", "'5'", "1h2m", "22/11/1946", "31/12/45", "1/1/6",
    "99999999999",
]  # fmt: skip


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_every_pattern_is_written_as_java_writes_it() -> None:
    chance = random.Random(4)
    moments = [*EDGES, *(chance.randrange(-(10**14), 3 * 10**14) for _ in range(60))]
    # In the years before 1, Java's week years end where no calendar's year does.
    wanted = [(pattern, ms) for pattern in PATTERNS for ms in moments if "Y" not in pattern or ms > YEAR_1_MS]
    questions = [{"op": "format", "pattern": pattern, "ms": ms} for pattern, ms in wanted]
    compare(questions, lambda case: DateFormat(case["pattern"], now()).format(case["ms"]))


def test_every_text_is_read_as_java_reads_it_or_refused() -> None:
    chance = random.Random(5)
    questions = []
    for pattern in PATTERNS:
        questions += [{"op": "parse", "pattern": pattern, "text": text} for text in TEXTS]
        for text in _written(pattern, chance):
            at = chance.randrange(len(text))
            changed = text[:at] + chance.choice("0123456789 -:x") + text[at + chance.randrange(2) :]
            questions += [{"op": "parse", "pattern": pattern, "text": each} for each in (text, changed)]
    # Java's int arithmetic overflows on weekdays in months and week years that are billions away.
    questions = [case for case in questions if len(case["text"]) < 15 or case["pattern"] not in ("F", "Y", "u")]
    compare(questions, lambda case: DateFormat(case["pattern"], now()).parse(case["text"]))


def _written(pattern: str, chance: random.Random) -> list[str]:
    try:
        date_format = DateFormat(pattern, now())
    except ValueError:
        return []
    return [date_format.format(chance.randrange(-(10**14), 3 * 10**14)) for _ in range(40)]


def compare(questions: list[dict[str, Any]], ours: Callable[[dict[str, Any]], Any]) -> None:
    """Every answer is Java's; where Java refuses, we do, in the same words."""
    differing = []
    for case, answer in zip(questions, ask(questions), strict=True):
        try:
            mine = {"ok": ours(case)}
        except UnparseableError as error:
            mine = {"error": f'Unparseable date: "{error}"'}
        except ValueError as error:
            mine = {"error": str(error)}
        answer.pop("class", None)
        if mine != answer:
            differing.append((case, answer, mine))
    assert differing == []


def optional(kind: SchemaType) -> ConnectSchema:
    return schema(kind, optional=True)


INT, STRING = schema(SchemaType.INT32), schema(SchemaType.STRING)
LEAVES = [
    (schema(SchemaType.INT8), [-128, 127]),
    (schema(SchemaType.INT16), [-(2**15), 5]),
    (schema(SchemaType.INT32), [2**31 - 1, 0]),
    (schema(SchemaType.INT64), [-(2**63), 2**63 - 1]),
    (schema(SchemaType.BOOLEAN), [True, False]),
    (schema(SchemaType.STRING), ["", 'é"\\\n\t\b\f\r/\x01']),
    (schema(SchemaType.BYTES), [b"", b"\x00\xff\x10"]),
    (schema(SchemaType.FLOAT64), [0.5, -3.0, 1234.5678]),
    (schema(SchemaType.FLOAT32), [0.5, -3.0]),
    (decimal(2), [5, -128, 10**30]),
    (decimal(0), [0, 127, 128, -129]),
    (date(), [dt.date(2026, 11, 22), dt.date(1969, 12, 31)]),
    (time(), [dt.time(0, 0), dt.time(23, 59, 59, 999000)]),
    (timestamp(), [dt.datetime(2026, 11, 22, 17, 30, 55, 123000, dt.UTC), dt.datetime(1, 1, 1, tzinfo=dt.UTC)]),
    (optional(SchemaType.STRING), [None, "x"]),
    (optional(SchemaType.STRING).replace(default="d"), [None, "x"]),
    (schema(SchemaType.INT32, name="n", version=3, doc="words", parameters={"b": "1", "a": "2"}, default=7), [1]),
    (schema(SchemaType.ARRAY, value_schema=optional(SchemaType.INT32)), [[], [1, None, 3]]),
    (schema(SchemaType.MAP, key_schema=STRING, value_schema=date()), [{}, {"a": dt.date(2026, 1, 1)}]),
    (schema(SchemaType.MAP, key_schema=INT, value_schema=optional(SchemaType.STRING)), [{}, {5: "a"}]),
]  # fmt: skip


def row_cases() -> list[tuple[ConnectSchema, Any]]:
    """Each leaf by itself, and all of them in structs, one within the other."""
    cases = [(kind, value) for kind, found in LEAVES for value in found]
    inner = struct([(f"f{number}", kind) for number, (kind, _) in enumerate(LEAVES)], name="inner", optional=True)
    outer = struct([("id", schema(SchemaType.INT64)), ("inner", inner), ('odd "name"', inner)], name="outer", version=2)
    first = {f"f{number}": found[0] for number, (_, found) in enumerate(LEAVES)}
    last = {f"f{number}": found[-1] for number, (_, found) in enumerate(LEAVES)}
    return [
        *cases,
        (outer, {"id": 1, "inner": first, 'odd "name"': None}),
        (outer, {"id": 2, "inner": None, 'odd "name"': last}),
    ]


JSON = "org.apache.kafka.connect.json.JsonConverter"


@pytest.mark.parametrize(
    "settings", [{}, {"schemas.enable": "false"}, {"replace.null.with.default": "false"}, {"decimal.format": "numeric"}]
)
def test_json_has_javas_bytes(settings: dict[str, str]) -> None:
    """The floats of the cases have the same digits in both."""
    compare_from_connect(Plugin(JSON, settings), row_cases())


def test_strings_are_what_javas_to_string_gives() -> None:
    cases = [(kind, value) for kind, value in row_cases() if kind.type not in (SchemaType.BYTES, SchemaType.STRUCT)]
    cases += [(schema(SchemaType.FLOAT64), number) for number in (1e7, 1.25e-7, 123456.789, 1e-3, 9999999.0, 1e22)]
    cases += [(schema(SchemaType.FLOAT32), number) for number in (0.1, 1e10, 1.5e-5)]
    row = struct([("a", schema(SchemaType.INT32)), ("b", optional(SchemaType.STRING)), ("at", timestamp())])
    cases += [(row, {"a": 1, "b": None, "at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC)})]
    cases = [case for case in cases if case[1] is not None and case[1] != dt.datetime(1, 1, 1, tzinfo=dt.UTC)]
    compare_from_connect(Plugin("org.apache.kafka.connect.storage.StringConverter"), cases)


FORMAT = "yyyy-MM-dd HH:mm:ss.S"
TARGETS = ["string", "unix", "Date", "Time", "Timestamp"]


TIMESTAMP_CONVERTER = "org.apache.kafka.connect.transforms.TimestampConverter$Value"


def transform_cases() -> list[Case]:
    moments = [
        dt.datetime(2026, 11, 22, 17, 30, 55, 5000, dt.UTC),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999000, dt.UTC),
    ]
    texts = ("2026-11-22 17:30:55.5", "yesterday", "2026-13-01 0:0:0.1500")
    leaves = [(timestamp(optional=True), moment) for moment in (*moments, None)]
    leaves += [(timestamp(default=moments[0]), None), (date(), moments[0].date()), (time(), dt.time(17, 30)), (INT, 5)]
    leaves += [(schema(SchemaType.INT64), number) for number in (0, -1, 1_795_368_655_005, -1_999_999)]
    leaves += [(STRING, text) for text in texts]
    cases = []
    for kind, value in leaves:
        row = struct([("id", INT), ("at", kind)], name="row", version=1)
        for form, content, field in [(row, {"id": 1, "at": value}, name) for name in ("at", "other")] + [
            (kind, value, "")
        ]:
            record = Record("t", value_schema=form, value=content)
            for target, precision in product(TARGETS, ["milliseconds", "microseconds", "seconds"]):
                settings = {"field": field, "target.type": target, "format": FORMAT, "unix.precision": precision}
                cases.append(Case(TIMESTAMP_CONVERTER, settings, record))
    return cases


def test_timestamps_are_converted_as_the_java_class_converts_them() -> None:
    compare_transforms(transform_cases())
