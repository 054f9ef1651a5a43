"""The ways of `benchmarks.transforms`: for each plug-in and its subjects, columns, rows, and the question to Java."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Final

import pyarrow as pa

from benchmarks.subjects import CONVERTERS, PREDICATES, RECORDS, ROWS, TRANSFORMS, Subject
from headrace.connect.api import Converter, HeaderConverter, Predicate, Transformation
from headrace.connect.runtime.host.conditional import Conditional

Work = Callable[[], object]
SAMPLE: Final = 1_000
"""Row by row, so many of the records will do."""


@dataclass(frozen=True)
class Line:
    """One line of the table: `columns` of ROWS records, `rows` of SAMPLE.

    `question` has the op and the plug-in for Java, `on` names the records.
    """

    name: str
    columns: Work | None
    rows: Work
    question: dict[str, Any]
    on: str


def all_lines(wanted: str) -> Iterator[Line]:
    """Every plug-in with a Java name of Apache Kafka that `wanted` is part of."""
    for name, found in java_names("headrace.transforms", wanted):
        for subject in TRANSFORMS.get(simple(name), [Subject()]):
            yield from transform_lines(name, found, subject)
    for name, found in java_names("headrace.predicates", wanted):
        for subject in PREDICATES.get(simple(name), [Subject()]):
            yield predicate_line(name, configured(found, subject.settings), subject)
    for name, found in java_names("headrace.converters", wanted):
        for subject in CONVERTERS.get(simple(name), [Subject()]):
            yield from converter_lines(name, configured(found, subject.settings), subject)
    for name, found in java_names("headrace.header_converters", wanted):
        if not issubclass(found, Converter):
            for subject in CONVERTERS.get(simple(name), [Subject()]):
                yield from header_lines(name, configured(found, subject.settings), subject)


def java_names(group: str, wanted: str) -> Iterator[tuple[str, Any]]:
    """The Java names of a group of plug-ins and their classes."""
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        if point.name.startswith("org.apache.kafka.") and wanted.lower() in point.name.lower():
            yield point.name, point.load()


def simple(name: str) -> str:
    return name.rpartition(".")[2].partition("$")[0]


def title(name: str, subject: Subject, way: str = "") -> str:
    about = [subject.label, subject.records if subject.records != "iris" else "", way]
    return name.rpartition(".")[2] + "".join(f", {part}" for part in about if part)


def configured(found: type[Any], settings: dict[str, str]) -> Any:
    plugin = found()
    if isinstance(plugin, Converter):
        plugin.configure(settings, is_key=False)
    elif isinstance(plugin, HeaderConverter):
        plugin.configure_headers(settings)
    else:
        plugin.configure(settings)
    return plugin


def has(plugin: object, base: type, name: str) -> bool:
    return getattr(type(plugin), name) is not getattr(base, name)


def transform_lines(name: str, found: type[Transformation], subject: Subject) -> Iterator[Line]:
    """One line; of a key's form only the one with the tutorial's rows, as keys."""
    is_key = name.endswith("$Key")
    if is_key and subject.records != "iris":
        return
    stage = configured(found, subject.settings)
    question: dict[str, Any] = {"op": "transform", "plugin": {"class": name, "config": subject.settings}}
    if subject.predicate:
        stage, question["predicate"] = conditional(stage, subject.predicate)
    on = "keys" if is_key else subject.records
    batch = RECORDS[on]()
    sample = list(batch.records())[:SAMPLE]
    in_columns: Work | None = None
    if has(stage, Transformation, "apply_batch"):
        in_columns = lambda: stage.apply_batch(batch)  # noqa: E731
    yield Line(title(name, subject), in_columns, lambda: [stage.apply(record) for record in sample], question, on)


def conditional(stage: Transformation, predicate: str) -> tuple[Transformation, dict[str, Any]]:
    (subject,) = PREDICATES[predicate]
    name, found = next(pair for pair in java_names("headrace.predicates", "") if simple(pair[0]) == predicate)
    made = Conditional(stage, configured(found, subject.settings), negate=False)
    return made, {"class": name, "config": subject.settings}


def predicate_line(name: str, predicate: Predicate, subject: Subject) -> Line:
    batch = RECORDS[subject.records]()
    sample = list(batch.records())[:SAMPLE]
    in_columns: Work | None = None
    if has(predicate, Predicate, "test_batch"):
        in_columns = lambda: predicate.test_batch(batch)  # noqa: E731
    question = {"op": "predicate", "plugin": {"class": name, "config": subject.settings}}
    rows: Work = lambda: [predicate.test(record) for record in sample]  # noqa: E731
    return Line(title(name, subject), in_columns, rows, question, subject.records)


def converter_lines(name: str, converter: Converter, subject: Subject) -> Iterator[Line]:
    """Written and read; row by row is one value a call."""
    batch = RECORDS[subject.records]()
    kind, column = batch.value_schema, batch.value
    values = [record.value for record in batch.records()][:SAMPLE]
    plugin = {"class": name, "config": subject.settings}
    yield Line(
        title(name, subject, "written"),
        lambda: converter.from_connect_column("t", kind, column, None, ROWS),
        lambda: [converter.from_connect("t", kind, [value], None, 1) for value in values],
        {"op": "fromConnect", "plugin": plugin},
        subject.records,
    )
    payloads = converter.from_connect_column("t", kind, column, None, ROWS).cast(pa.binary())
    listed = payloads[:SAMPLE].to_pylist()
    yield Line(
        title(name, subject, "read"),
        lambda: converter.to_connect_column("t", payloads),
        lambda: [converter.to_connect("t", [payload]) for payload in listed],
        {"op": "toConnect", "plugin": plugin},
        subject.records,
    )


def header_lines(name: str, converter: HeaderConverter, subject: Subject) -> Iterator[Line]:
    """Headers come one by one: there is no column form."""
    records = list(RECORDS[subject.records]().records())[:SAMPLE]
    values = [(record.value_schema, record.value) for record in records]
    payloads = [converter.from_connect_header("t", "h", kind, value) for kind, value in values]
    plugin = {"class": name, "config": subject.settings, "header": True}
    ways: dict[str, tuple[str, Work]] = {
        "written": ("fromConnect", lambda: [converter.from_connect_header("t", "h", *pair) for pair in values]),
        "read": ("toConnect", lambda: [converter.to_connect_header("t", "h", payload) for payload in payloads]),
    }
    for way, (op, rows) in ways.items():
        yield Line(title(name, subject, way), None, rows, {"op": op, "plugin": plugin}, subject.records)
