"""Our converters against Java's own: `compare_from_connect`, `compare_to_connect`, and the same for header converters.

    compare_from_connect(Plugin("org.apache.kafka.connect.json.JsonConverter", {"schemas.enable": "false"}), leaves())
    compare_to_connect(Plugin("org.apache.kafka.connect.converters.LongConverter"), [b"", None, b"12345678"])

Payloads are equal byte for byte, or as `same` holds them for equal (for JSON of Java's HashMaps: `same_json`). Values
that share a schema go once more together, as one column (`from_connect_column`) and as a list, and payloads together
(`to_connect`, `to_connect_column`). Errors agree as `agreement.py` says.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from headrace.connect.api import ConfigError, ConnectSchema, Converter, DataError, to_column, to_values
from headrace.connect.runtime.host.plugins import converter_class
from tests.oracle.agreement import Failure, Form, Outcome, Plugin, disagreement, failure_of, refused, report
from tests.oracle.forms import canonical, canonical_schema, schema_form, value_form
from tests.oracle.java import ask

Pair = tuple[ConnectSchema | None, Any]


@dataclass(frozen=True)
class Conversion:
    """One value or payload through one converter, for messages."""

    plugin: Plugin
    given: Form


def compare_from_connect(
    plugin: Plugin,
    pairs: Iterable[Pair],
    *,
    key: bool = False,
    same: Callable[[Outcome], Any] = lambda payload: payload,
) -> None:
    """The payloads of (schema, value) pairs are Java's. `same` makes payloads equal that say the same."""
    pairs = list(pairs)
    given = [{"schema": schema_form(kind), "value": value_form(kind, value)} for kind, value in pairs]
    answers = ask({"op": "fromConnect", "plugin": plugin.form(key=key)} | form for form in given)
    wanted = [failure_of(answer) or _decoded(answer["ok"]) for answer in answers]
    converter = _configured(plugin, key)
    differing = []
    for (kind, value), java, form in zip(pairs, wanted, given, strict=True):
        mine = _from_connect(converter, kind, [value])
        outcome = mine if isinstance(mine, Failure) else mine[0]
        differing += disagreement("from_connect", Conversion(plugin, form), _same(same, java), _same(same, outcome))
    if not differing and isinstance(converter, Converter):
        differing = _compare_columns(converter, plugin, pairs, wanted, same)
    report(differing, len(pairs))


def _same(same: Callable[[Outcome], Any], outcome: Outcome) -> Outcome:
    return outcome if outcome is None or isinstance(outcome, Failure) else same(outcome)


def same_json(payload: Any) -> Any:
    """JSON by value: members in any order, numbers by value."""
    return orjson.loads(payload)


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _configured(plugin: Plugin, key: bool) -> Converter | Failure:
    converter = converter_class(plugin.name, "value.converter")()
    try:
        converter.configure(dict(plugin.config), is_key=key)
    except ConfigError as error:
        return refused(error)
    return converter


def _from_connect(
    converter: Converter | Failure, kind: ConnectSchema | None, values: Sequence[Any]
) -> list[bytes | None] | Failure:
    if isinstance(converter, Failure):
        return converter
    column, tombstone = _column(kind, values)
    try:
        return list(converter.from_connect("t", kind, column, tombstone, len(values)))
    except DataError as error:
        return Failure(str(error))


def _column(kind: ConnectSchema | None, values: Sequence[Any]) -> tuple[Any, pa.BooleanArray | None]:
    nulls = [value is None for value in values]
    tombstone = pa.array(nulls, pa.bool_()) if kind is None and any(nulls) else None
    return (None if all(nulls) else to_column(kind, values)), tombstone


def _compare_columns(
    converter: Converter, plugin: Plugin, pairs: list[Pair], wanted: list[Outcome], same: Callable[[Outcome], Any]
) -> list[str]:
    """Values of one schema together: as a column, and as a column of payloads."""
    together: dict[int, list[int]] = {}
    for index, (kind, _) in enumerate(pairs):
        if not isinstance(wanted[index], Failure):
            together.setdefault(id(kind), []).append(index)
    differing = []
    for indexes in together.values():
        kind, values = pairs[indexes[0]][0], [pairs[index][1] for index in indexes]
        column, tombstone = _column(kind, values)
        try:
            ways = {
                "from_connect of a column": converter.from_connect("t", kind, column, tombstone, len(values)),
                "from_connect_column": converter.from_connect_column(
                    "t", kind, column, tombstone, len(values)
                ).to_pylist(),
            }
        except DataError as error:
            differing.append(f"{plugin}: values that Java takes are refused together: {error}")
            continue
        java = [_same(same, wanted[index]) for index in indexes]
        differing += [
            f"{way}, {plugin}, {schema_form(kind)}:\nJava: {java}\nours: {made}"
            for way, made in ways.items()
            if [_same(same, payload) for payload in made] != java
        ]
    return differing


def compare_to_connect(plugin: Plugin, payloads: Iterable[bytes | None], *, key: bool = False) -> None:
    """Schemas and values of payloads are Java's."""
    payloads = list(payloads)
    answers = ask(
        {
            "op": "toConnect",
            "plugin": plugin.form(key=key),
            "payload": None if payload is None else base64.b64encode(payload).decode(),
        }
        for payload in payloads
    )
    wanted = [failure_of(answer) or _canonical_pair(*answer["ok"]) for answer in answers]
    converter = _configured(plugin, key)
    differing = []
    for payload, java in zip(payloads, wanted, strict=True):
        mine = _to_connect(converter, [payload])
        outcome = mine if isinstance(mine, Failure) else mine[0]
        differing += disagreement("to_connect", Conversion(plugin, payload), java, outcome)
    if not differing and isinstance(converter, Converter):
        differing = _compare_payloads(converter, plugin, payloads, wanted)
    report(differing, len(payloads))


def _canonical_pair(kind: Form, value: Form) -> Form:
    return [canonical_schema(kind), canonical(kind, value)]


def _to_connect(converter: Converter | Failure, payloads: Sequence[bytes | None]) -> list[Form] | Failure:
    if isinstance(converter, Failure):
        return converter
    try:
        return _pairs(converter.to_connect("t", payloads), len(payloads))
    except DataError as error:
        return Failure(str(error))


def _pairs(found: Iterable[Any], length: int) -> list[Form]:
    made: list[Form] = []
    for run in found:
        assert run.start == len(made), "the runs leave no gap"
        deleted = to_values(None, run.tombstone, run.length)
        for value, tombstone in zip(to_values(run.schema, run.column, run.length), deleted, strict=True):
            kind = None if tombstone else run.schema
            made.append(_canonical_pair(schema_form(kind), value_form(kind, value)))
    assert len(made) == length
    return made


def _compare_payloads(
    converter: Converter, plugin: Plugin, payloads: list[bytes | None], wanted: list[Outcome]
) -> list[str]:
    kept = [index for index, outcome in enumerate(wanted) if not isinstance(outcome, Failure)]
    good, java = [payloads[index] for index in kept], [wanted[index] for index in kept]
    try:
        ways = {
            "to_connect of many": _pairs(converter.to_connect("t", good), len(good)),
            "to_connect_column": _pairs(converter.to_connect_column("t", pa.array(good, pa.binary())), len(good)),
        }
    except DataError as error:
        return [f"{plugin}: payloads that Java takes are refused together: {error}"]
    return [
        f"{way}, {plugin}, {good[row]!r}:\nJava: {java[row]}\nours: {made[row]}"
        for way, made in ways.items()
        for row in range(len(good))
        if made[row] != java[row]
    ][:3]
