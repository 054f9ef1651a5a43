"""Connect's `Values` against ours: texts parsed, values written, one type as another."""

import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from headrace.connect.api import ConnectSchema, DataError, SchemaType, schema, struct, values
from headrace.connect.api.java.numbers import to_float32
from tests.oracle import counter
from tests.oracle.agreement import report
from tests.oracle.forms import Form, beyond_python, schema_form, value_form
from tests.oracle.generated import Maker, leaves
from tests.oracle.java import ask

pytestmark = pytest.mark.kafka

STRING = schema(SchemaType.STRING)
PIECES = [
    "null", "true", "false", "1", "-1", "+3", "300", "70000", "5000000000", "99999999999999999999", "1e19", "1.5",
    "-0.0", "0.1", "1e39", "1E400", "1e-50", "1e-400", ".5", "-.5", "1.", "2019-08-23", "2019-08-23T14:34:54.346Z", "a",
    "14:34:54.346Z", "14\\:34\\:54.346Z", '"2019-08-23"', '"14:34:54.346Z"', '"a"', '"a b"', '"x\\"y"', "abc", "\\",
    '"', ":", ",", "[", "]", "{", "}", " ", "\t", "Z", "-", "é", "😀", "1-2-3xxxxx", "٣", "NaN", "[1,2]",
    '{"a":1}', "[]", "{}", "[null]", "{1:2}", '{"k":[1,{"z":1.5}]}', "\\,", "\\\\", "9223372036854775807",
    "-9223372036854775808", "9223372036854775808", "3.4028236e38", "16777217.5", "0.30000001192092896",
    "1.00000005960464477540", "-5-01-01xx",
]  # fmt: skip
MEMBERS = [
    '"a"', '"b c"', "1", "2", "300", "1.5", "true", "null", '"2019-08-23"', "2019-08-23", "14:34:54.346Z", "1e39",
    "70000", "99999999999999999999", "0.1",
]  # fmt: skip
TYPES = {
    "convertToBoolean": "boolean", "convertToByte": "int8", "convertToShort": "int16", "convertToInteger": "int32",
    "convertToLong": "int64", "convertToFloat": "float32", "convertToDouble": "float64", "convertToString": "string",
    "convertToDate": "date", "convertToTime": "time", "convertToTimestamp": "timestamp", "convertToDecimal": "decimal",
    "convertToList": "list", "convertToMap": "map", "convertToStruct": "struct",
}  # fmt: skip


def texts(chance: random.Random) -> list[str]:
    """Pieces in any order, and arrays and maps that are mostly whole."""

    def member(depth: int) -> str:
        form = chance.randrange(10) if depth else 9
        if form < 2:
            return "[" + ",".join(member(depth - 1) for _ in range(chance.randrange(4))) + "]"
        if form < 4:
            return "{" + ",".join(f"{member(0)}:{member(depth - 1)}" for _ in range(chance.randrange(4))) + "}"
        return chance.choice(MEMBERS)

    found = {*PIECES}
    found |= {"".join(chance.choices(PIECES, k=chance.randint(1, 7))) for _ in range(1500)}
    for _ in range(1000):
        text = member(3)
        odd = chance.random() < 0.2
        found.add(text.replace(",", chance.choice([", ", " ,", "", ",,"]), 1) if odd else text)
    return sorted(found)


def test_texts_are_what_java_takes_them_for() -> None:
    given = texts(random.Random(11))
    answers = ask(
        {"op": "values", "method": "parseString", "schema": schema_form(STRING), "value": ["string", text]}
        for text in given
    )
    differing = []
    for text, answer in zip(given, answers, strict=True):
        found = values.parse_string(text)
        mine = [schema_form(found.schema), bare(value_form(found.schema, found.value), single)]
        java = [answer["ok"][0], bare(answer["ok"][1], single)]
        if mine != java and not is_beyond_python(answer["ok"]):
            differing.append(f"{text!r}\nJava: {answer['ok']}\nours: {mine}")
    report(differing, len(given))


def bare(form: Form, number: Callable[[str], float] = float) -> Form:
    """Numbers by value alone, whatever they are called: parts of what has no common schema have no type."""
    match form:
        case ["byte" | "short" | "int" | "long", whole]:
            return ["number", whole]
        case ["float" | "double", text]:
            return ["number", repr(number(text))]
        case list():
            return [bare(part, number) for part in form]
    return form


def single(text: str) -> float:
    """Ours keeps the digits of a float that loses its schema: 0.1 and not 0.10000000149011612."""
    return to_float32(float(text))


def is_beyond_python(form: Form) -> bool:
    """Dates that Python has not, a time in a Date or the other way round, keys that Python cannot tell apart."""
    tags = re.findall(r"connect\.data\.(Date|Time)\b", str(form))
    text = str(form)
    return (
        beyond_python(form)
        or bool(tags and _has_foreign_time(form))
        or "['boolean', True]" in text
        or "[['map', " in text
    )


def _has_foreign_time(form: Form) -> bool:
    """Whether dates with and without a time of day stand together."""
    millis = [int(number) for number in re.findall(r"\['date', (-?\d+)\]", str(form))]
    return len({number % 86_400_000 == 0 for number in millis}) > 1


def values_to_convert() -> list[tuple[ConnectSchema | None, Any]]:
    maker = Maker(seed=12)
    found: list[tuple[ConnectSchema | None, Any]] = [(kind, value) for kind, value in leaves() if kind.default is None]
    found += [(STRING, text) for text in ("5", "-7.9", "1e400", "1e999999999", "[1,2]", '{"a":1}', "2019-08-23", "x y")]
    found += [(None, value) for kind, value in found if kind is not None and is_plain(kind)]
    kinds = [struct([("a", STRING), ("b", maker.struct(0))])] + [maker.schema(2) for _ in range(60)]
    found += [(kind, maker.value(kind, null=False)) for kind in kinds]
    return found + [(None, maker.schemaless_map()) for _ in range(40)]


def is_plain(kind: ConnectSchema) -> bool:
    """Of a type that a value without a schema shows: one that JSON has."""
    return kind.name is None and kind.type in (
        SchemaType.INT64, SchemaType.FLOAT64, SchemaType.BOOLEAN, SchemaType.STRING,
    )  # fmt: skip


@pytest.mark.parametrize("method", TYPES)
def test_values_become_what_java_makes_of_them(method: str) -> None:
    given = values_to_convert()
    asked = {"op": "values", "method": method} | ({"scale": 2} if method == "convertToDecimal" else {})
    answers = ask(asked | {"schema": schema_form(kind), "value": value_form(kind, value)} for kind, value in given)
    differing = []
    for (kind, value), answer in zip(given, answers, strict=True):
        if (java := outcome(answer)) is None or ("decimal" in str(java) and method == "convertToString"):
            continue
        mine = converted(method, kind, value)
        if bare(java) != bare(mine) and not unlike(java, mine) and not (kind is None and method == "convertToTime"):
            differing.append(f"{method} {kind} {value!r}\nJava: {java}\nours: {mine}")
    report(differing, len(given))


def outcome(answer: dict[str, Any]) -> Form:
    """The form of what Java made, or its message; None where it is one of Java's inner life."""
    if "ok" in answer:
        return ["ok", answer["ok"]]
    return ["error", answer["error"]] if answer["class"] == "DataException" else None


def converted(method: str, kind: ConnectSchema | None, value: Any) -> Form:
    arguments = (kind, value, 2) if method == "convertToDecimal" else (kind, value)
    try:
        made = getattr(values, f"to_{TYPES[method]}")(*arguments)
    except DataError as error:
        return ["error", str(error)]
    return ["ok", made_form(TYPES[method], kind, value, made)]


def made_form(to: str, kind: ConnectSchema | None, value: Any, made: Any) -> Form:
    match to:
        case "list" | "map" if isinstance(value, str):
            return value_form(values.parse_string(value).schema, made)
        case "list" | "map" | "struct":
            return value_form(kind, made)
        case "date" | "time" | "timestamp":
            return value_form(getattr(values.dates, f"{to.upper()}_SCHEMA"), made)
    return value_form(None, made)


def unlike(java: Form, mine: Form) -> bool:
    """Where ours may differ: beyond Python's dates; texts of bytes, of structs within, of older JDKs' floats."""
    if java[0] != mine[0]:
        return beyond_python(java) or "9999" in str(mine)
    if java[0] == "error":
        counter.add_equal_text(False)
        return "[B@" in java[1] or "HashMap" in java[1] or re.search(r"E\d", java[1]) is not None
    return isinstance(java[1], list) and java[1][0] == "string" and same_floats(java[1][1], mine[1][1])


NUMBER = re.compile(r"-?\d+\.\d+(?:E-?\d+)?")


def same_floats(java: str, mine: str) -> bool:
    """Texts that differ in how many digits of a float they give, as those of Java before JDK 19 do."""
    if NUMBER.sub("", java) != NUMBER.sub("", mine):
        return False
    pairs = zip(NUMBER.findall(java), NUMBER.findall(mine), strict=True)
    return all(np.float32(one) == np.float32(other) for one, other in pairs)
