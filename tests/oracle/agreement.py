"""Our transformations, predicates and converters against Java's own, case by case, row by row and in columns.

How to write the cases of a transformation::

    from tests.oracle.agreement import Case, compare

    def test_hoisted_values_are_javas() -> None:
        make = Maker(seed=7)                                # generated.py: schemas, values and records of any kind
        compare(
            Case("org.apache.kafka.connect.transforms.HoistField$Value", {"field": "magic"}, record)
            for record in make.records(200)
        )

`compare` finds our class by its Java name among the entry points, and holds for each case that ours gives Java's
record (topic, partition, timestamp, schemas, key, value, headers), drops what Java drops, and fails where Java fails:

- by `apply`, where the class has it;
- by `apply_batch`, where the class has it: a batch of one record; all records of one configuration that have one
  schema together, as a slice of a longer batch, and once more with columns as lists; and with a record among them that
  Java refuses, the batch must be refused.

Failures agree where ours is a DataError (a refused configuration: a ConfigError with Java's key in `errors`) whose text
names the same facts: every word of Java's message that is a word of the case (a name of a field, topic or header, a
value of the configuration) or a type (INT8, STRUCT, ... in any case of letters). Messages of Java's own exceptions
(NullPointerException, ...) state no facts. With `words=True` the texts must be equal.

`predicate=Plugin(...)` and `negate=True` put a predicate before the transformation, as the worker does. `offset` makes
the record a sink's; ours is asked by `apply_batch` alone then, with a SinkOrigin. Converters are in `conversion.py`.
Whatever else is put to Java by `java.ask` adds its number of cases to `counter`.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import pyarrow as pa

from headrace.connect.api import (
    Batch,
    ConfigError,
    DataError,
    Record,
    SinkOrigin,
    Transformation,
    from_records,
    to_values,
)
from headrace.connect.runtime.host.conditional import Conditional
from headrace.connect.runtime.host.plugins import predicate_class, transform_class
from tests.oracle import counter
from tests.oracle.forms import beyond_python, canonical_record, record_form
from tests.oracle.java import ask

Form = Any


@dataclass(frozen=True)
class Plugin:
    """A class by its Java name, and its configuration."""

    name: str
    config: Mapping[str, str] = field(default_factory=dict)

    def form(self, **more: Any) -> Form:
        return {"class": self.name, "config": dict(self.config)} | more

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.config.items()))))


@dataclass(frozen=True)
class Case:
    """One record through one transformation."""

    name: str
    config: Mapping[str, str]
    record: Record
    offset: int | None = None
    predicate: Plugin | None = None
    negate: bool = False

    @property
    def stage(self) -> "Stage":
        return Stage(Plugin(self.name, self.config), self.predicate, self.negate)

    def question(self) -> Form:
        stage = self.stage
        question = {"op": "transform", "plugin": stage.plugin.form(), "record": record_form(self.record, self.offset)}
        if stage.predicate is not None:
            question |= {"predicate": stage.predicate.form(), "negate": stage.negate}
        return question

    def __str__(self) -> str:
        return json.dumps(self.question(), ensure_ascii=False)


@dataclass(frozen=True)
class Stage:
    """A transformation with its predicate, as the worker puts them together."""

    plugin: Plugin
    predicate: Plugin | None = None
    negate: bool = False

    def made(self) -> Transformation:
        """Configured. Raises ConfigError."""
        transformation = transform_class(self.plugin.name, "transforms.oracle.type")()
        transformation.configure(dict(self.plugin.config))
        if self.predicate is None:
            return transformation
        predicate = predicate_class(self.predicate.name, "predicates.oracle.type")()
        predicate.configure(dict(self.predicate.config))
        return Conditional(transformation, predicate, negate=self.negate)


@dataclass(frozen=True)
class Failure:
    """Why there is no answer; `java` is the exception's class."""

    text: str
    java: str = ""
    configuration: bool = False
    keys: tuple[str, ...] = ()


Outcome = Form | Failure
"""A canonical record, None where it was dropped, or a Failure."""


def failure_of(answer: Mapping[str, Any]) -> Failure | None:
    """The failure that Java's answer tells of. A question that Connect cannot hold is a fault of the test."""
    if "error" not in answer:
        return None
    assert not answer.get("invalid"), f"Connect cannot hold this case: {answer['error']}"
    key = answer.get("key")
    return Failure(answer["error"], answer["class"], bool(answer.get("configuration")), (key,) if key else ())


def refused(error: ConfigError) -> Failure:
    return Failure(str(error), configuration=True, keys=tuple(error.errors))


def compare(cases: Iterable[Case], *, words: bool = False) -> None:
    """Every case has Java's outcome, by every way that our class offers."""
    cases = list(cases)
    answers = ask(case.question() for case in cases)
    wanted = [failure_of(answer) or canonical_record(answer["ok"]) for answer in answers]
    by_stage: dict[Stage, list[int]] = {}
    for index, case in enumerate(cases):
        by_stage.setdefault(case.stage, []).append(index)
    differing: list[str] = []
    for stage, indexes in by_stage.items():
        group = [(cases[index], wanted[index]) for index in indexes]
        differing += _compare_stage(stage, group, words)
    report(differing, len(cases))


def report(differing: Sequence[str], asked: int) -> None:
    """Fails with the first differences; counts what agreed."""
    shown = "\n\n".join(differing[:5])
    assert not differing, f"{len(differing)} differences in {asked} cases, the first:\n{shown}"
    counter.add(asked)


def _compare_stage(described: Stage, group: list[tuple[Case, Outcome]], words: bool) -> list[str]:
    try:
        stage = described.made()
    except ConfigError as error:
        mine = refused(error)
        return [text for case, outcome in group for text in disagreement("configure", case, outcome, mine, words)]
    differing = []
    for way, run in _ways(stage):
        for case, outcome in group:
            if way == "apply" and case.offset is not None:
                continue
            differing += disagreement(way, case, outcome, run(case), words)
    if not differing and overrides(stage, Transformation, "apply_batch"):
        differing += _compare_batches(stage, group)
    return differing


def overrides(stage: object, base: type, name: str) -> bool:
    return getattr(type(stage), name) is not getattr(base, name)


def _ways(stage: Transformation) -> list[tuple[str, Callable[[Case], Outcome]]]:
    ways: list[tuple[str, Callable[[Case], Outcome]]] = []
    if overrides(stage, Transformation, "apply"):
        ways.append(("apply", lambda case: by_row(stage, case)))
    if overrides(stage, Transformation, "apply_batch"):
        ways.append(("apply_batch", lambda case: by_batch(stage, case)))
    return ways


def by_row(stage: Transformation, case: Case) -> Outcome:
    try:
        made = stage.apply(case.record)
    except DataError as error:
        return Failure(str(error))
    return None if made is None else canonical_record(record_form(made))


def by_batch(stage: Transformation, case: Case) -> Outcome:
    try:
        made = [record for batch in stage.apply_batch(batch_of([case])) for record in batch.records()]
    except DataError as error:
        return Failure(str(error))
    assert len(made) <= 1, "one record became several"
    return canonical_record(record_form(made[0])) if made else None


def batch_of(cases: Sequence[Case]) -> Batch:
    """The records of cases, which make one run; a sink's where they have offsets."""
    records = [replace(case.record, origin_index=index) for index, case in enumerate(cases)]
    origin = None
    if cases[0].offset is not None:
        partition = pa.array([case.record.partition for case in cases], pa.int32())
        origin = SinkOrigin(cases[0].record.topic, partition, pa.array([case.offset for case in cases], pa.int64()))
    (batch,) = from_records(records, origin)
    return batch


def runs(group: Iterable[tuple[Case, Outcome]]) -> list[list[tuple[Case, Outcome]]]:
    """Cases in runs of one topic and one pair of schemas; tombstones stay where they are if that breaks no run."""
    known: dict[Any, int] = {}

    def place(pair: tuple[Case, Outcome]) -> int:
        record = pair[0].record
        head = (record.topic, id(record.key_schema), pair[0].offset is None)
        tombstone = record.value is None and record.value_schema is None
        if tombstone and head in known:
            return known[head]
        known[head] = known.setdefault((head, id(record.value_schema)), len(known))
        return known[head]

    placed = sorted(((place(pair), index, pair) for index, pair in enumerate(group)), key=lambda one: one[:2])
    return [[pair for _, _, pair in run] for _, run in groupby(placed, key=lambda one: one[0])]


def _compare_batches(stage: Transformation, group: list[tuple[Case, Outcome]]) -> list[str]:
    differing = []
    for run in runs(group):
        good = [(case, outcome) for case, outcome in run if not failed(outcome)]
        if len(good) > 1:
            for way, batch in batch_forms([case for case, _ in good]):
                differing += _compare_batch(way, stage, batch, good)
        if len(run) > len(good) > 0:
            differing += _must_refuse(stage, run)
    return differing


def failed(outcome: Outcome) -> bool:
    """Whether there is no answer, or none that Python's dates can hold."""
    return isinstance(outcome, Failure) or beyond_python(outcome)


def batch_forms(cases: list[Case]) -> list[tuple[str, Batch]]:
    """The same rows as a slice of a longer batch, and with lists for columns."""
    sliced = batch_of([cases[0], *cases]).slice(1, len(cases) + 1)
    whole = batch_of(cases)
    lists = replace(
        whole,
        key=None if whole.key is None else to_values(whole.key_schema, whole.key, len(whole)),
        value=None if whole.value is None else to_values(whole.value_schema, whole.value, len(whole)),
    )
    return [("apply_batch of a slice", sliced), ("apply_batch of lists", lists)]


def _compare_batch(way: str, stage: Transformation, batch: Batch, good: list[tuple[Case, Outcome]]) -> list[str]:
    first = batch.origin_row(0)
    wanted = [(index + first, outcome) for index, (_, outcome) in enumerate(good) if outcome is not None]
    try:
        made = [record for one in stage.apply_batch(batch) for record in one.records()]
    except DataError as error:
        return [f"{way}, {good[0][0].stage}: {len(good)} records that Java takes are refused: {error}"]
    mine = [(record.origin_index, canonical_record(record_form(record))) for record in made]
    if sorted(mine, key=lambda pair: pair[0]) == wanted:
        return []
    at = next((n for n, pair in enumerate(zip(mine, wanted, strict=False)) if pair[0] != pair[1]), -1)
    return [f"{way}, {good[0][0].stage}, {len(mine)} rows for {len(wanted)}; row {at}:\n{mine[at]}\n{wanted[at]}"]


def _must_refuse(stage: Transformation, run: list[tuple[Case, Outcome]]) -> list[str]:
    try:
        for batch in stage.apply_batch(batch_of([case for case, _ in run])):
            list(batch.records())
    except DataError:
        return []
    return [f"apply_batch, {run[0][0].stage}: a batch with a record that Java refuses passes"]


def disagreement(way: str, case: Any, java: Outcome, mine: Outcome, words: bool = False) -> list[str]:
    """What differs between Java's outcome and ours, as a list of one text or none."""
    if isinstance(java, Failure):
        if isinstance(mine, Failure) and failures_agree(java, mine, words_of(case), words):
            return []
    elif java == mine or (beyond_python(java) and isinstance(mine, Failure) and "9999" in mine.text):
        return []
    return [f"{way}: {case}\nJava: {java}\nours: {mine}"]


TYPES = re.compile(r"\b(?:U?INT(?:8|16|32|64)|FLOAT(?:32|64)|BOOLEAN|STRING|BYTES|ARRAY|MAP|STRUCT)\b")
STATED = {"DataException", "ConnectException", "ConfigException", "SchemaBuilderException", "NumberFormatException"}
"""Exceptions whose messages state facts; those of others are Java's inner life."""


def failures_agree(java: Failure, mine: Failure, case_words: set[str], words: bool = False) -> bool:
    if words or java.text == mine.text:
        same_text = java.text == mine.text
        counter.add_equal_text(same_text)
        return same_text
    if java.configuration != mine.configuration or not set(java.keys) <= set(mine.keys):
        return False
    return java.java not in STATED or all(fact.lower() in mine.text.lower() for fact in facts(java.text, case_words))


def facts(text: str, case_words: set[str]) -> set[str]:
    """The words of Java's message that are words of the case, and types."""
    said = {word for word in case_words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)}
    return said | set(TYPES.findall(text))


def words_of(case: Any) -> set[str]:
    """The names and settings of a case that a message may speak of."""
    found = set()
    for value in getattr(case, "config", {}).values():
        found |= {str(value), *re.split(r"[,:\s]+", str(value))}
    record = getattr(case, "record", None)
    if record is not None:
        found |= {record.topic, *(header.name for header in record.headers)}
        for kind in (record.key_schema, record.value_schema):
            found |= {field.name for field in kind.fields} if kind is not None else set()
    return {word for word in found if len(word) > 1}
