"""Predicates, and transformations that have one, against Kafka Connect's own."""

from collections.abc import Iterable
from itertools import product

import pytest

from headrace.connect.api import ConfigError, Header, Record
from headrace.connect.runtime.host.plugins import predicate_class
from tests.oracle.agreement import Case, Failure, Plugin, batch_of, compare, disagreement, failure_of, refused, report
from tests.oracle.forms import record_form
from tests.oracle.generated import Maker
from tests.oracle.java import ask

pytestmark = pytest.mark.kafka

TRANSFORMS = "org.apache.kafka.connect.transforms."
PREDICATES = f"{TRANSFORMS}predicates."
TOMBSTONE = Plugin(f"{PREDICATES}RecordIsTombstone")


def has_header(name: str) -> Plugin:
    return Plugin(f"{PREDICATES}HasHeaderKey", {"name": name})


def topic_matches(pattern: str) -> Plugin:
    return Plugin(f"{PREDICATES}TopicNameMatches", {"pattern": pattern})


TOPICS = ["topic", "a.b", "a-b", "Topic", "t1", "", "_x", "orders\n"]
PATTERNS = [
    "topic", "t.*", "[a-t]+", "(?i)TOPIC", "a\\.b", "a.b", "\\p{Alpha}+", "\\w+\\d", "t|topic", "(?<n>t)opic", "[^.]*",
    "\\Qa.b\\E", "t++opic", ".*+", "(", "[", "*", "", "orders.*", "(?s)orders.*", "orders$",
]  # fmt: skip
HEADERS = ["h1", "h2", "other", "none", "", " "]


def compare_predicates(cases: Iterable[tuple[Plugin, Record]]) -> None:
    """Ours says of each record what Java's says, by `test` and by `test_batch`."""
    cases = list(cases)
    questions = ({"op": "predicate", "plugin": one.form(), "record": record_form(record)} for one, record in cases)
    differing = []
    for (plugin, record), answer in zip(cases, ask(questions), strict=True):
        java = failure_of(answer) or {"true": answer["ok"]}
        case = Case(plugin.name, plugin.config, record)
        for mine in _said(plugin, case):
            differing += disagreement("test", case, java, mine)
    report(differing, len(cases))


def _said(plugin: Plugin, case: Case) -> list[dict[str, bool] | Failure]:
    predicate = predicate_class(plugin.name, "predicates.p.type")()
    try:
        predicate.configure(dict(plugin.config))
    except ConfigError as error:
        return [refused(error)]
    (of_batch,) = predicate.test_batch(batch_of([case])).to_pylist()
    _, of_slice = predicate.test_batch(batch_of([case] * 3).slice(1, 3)).to_pylist()
    return [{"true": predicate.test(case.record)}, {"true": of_batch}, {"true": of_slice}]


def test_predicates_say_what_javas_say() -> None:
    make = Maker(seed=1)
    records = [*make.records(60), make.tombstone(), make.record(make.struct(optional=True), None)]
    cases = [(TOMBSTONE, record) for record in records]
    cases += [(has_header(name), record) for name, record in product(HEADERS, records)]
    cases += [(topic_matches(pattern), Record(topic)) for pattern, topic in product(PATTERNS, TOPICS)]
    compare_predicates(cases)


@pytest.mark.parametrize("name", ["HasHeaderKey", "TopicNameMatches"])
def test_a_predicate_without_its_key_is_refused_with_its_name(name: str) -> None:
    compare_predicates([(Plugin(PREDICATES + name), Record("t"))])


def test_filter_leaves_the_records_that_java_leaves() -> None:
    records = Maker(seed=2).records(150)
    predicates = [None, TOMBSTONE, has_header("h1"), topic_matches("to.*")]
    compare(
        Case(f"{TRANSFORMS}Filter", {}, record, predicate=predicate, negate=negate)
        for record, predicate, negate in product(records, predicates, [False, True])
        if predicate is not None or not negate
    )


def test_a_transformation_with_a_predicate_changes_the_records_that_javas_changes_and_keeps_their_order() -> None:
    """Values get another schema, or records another topic, where the predicate says so: their neighbours do not."""
    make = Maker(seed=3)
    records = []
    for _ in range(12):
        kind = make.struct(depth=0)
        records += [make.record(kind, make.value(kind), key=None, key_schema=None) for _ in range(10)]
        records += [make.tombstone(key=None, key_schema=None), make.record(kind, make.value(kind), key=None)]
    transforms = [
        (f"{TRANSFORMS}HoistField$Value", {"field": "whole"}),
        (f"{TRANSFORMS}RegexRouter", {"regex": "topic", "replacement": "other"}),
        (f"{TRANSFORMS}InsertHeader", {"header": "h1", "value.literal": "5"}),
        (f"{TRANSFORMS}DropHeaders", {"headers": "h1"}),
    ]
    cases = [
        Case(name, config, record, predicate=has_header(header), negate=negate)
        for (name, config), record, header, negate in product(transforms, records, ["h1", "h2"], [False, True])
    ]
    compare(cases)


def test_a_refused_predicate_refuses_the_transformation() -> None:
    record = Record("t", headers=(Header("h", None, 1),))
    compare([Case(f"{TRANSFORMS}Filter", {}, record, predicate=topic_matches("("))])
