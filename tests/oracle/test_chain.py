"""The keys of transformations and predicates: shown, checked and refused as Kafka Connect's ConnectorConfig does it."""

from typing import Any

import pytest

from headrace.config import ConfigError
from headrace.connect.runtime.host.chain_config import chain_pairs
from headrace.connect.runtime.host.framework_config import connector_config_def
from headrace.connect.runtime.host.stages import make_stages
from tests.oracle import counter
from tests.oracle.java import CHAIN, ask

pytestmark = pytest.mark.kafka

T = "org.apache.kafka.connect.transforms."
P = f"{T}predicates."
CONNECTOR = {"name": "c", "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector"}
CONVERTERS = dict.fromkeys(("key.converter", "value.converter"), "org.apache.kafka.connect.storage.StringConverter")
FILTER = {"transforms": "a", "transforms.a.type": f"{T}Filter"}
TOMBSTONE = {"predicates": "p", "predicates.p.type": f"{P}RecordIsTombstone"}
CASES: dict[str, dict[str, str]] = {
    "nothing": {"transforms": "", "predicates": "", "predicates.p.type": "x"},
    "one": {**FILTER, **TOMBSTONE, "transforms.a.predicate": "p"},
    "negated": {**FILTER, **TOMBSTONE, "transforms.a.predicate": "p", "transforms.a.negate": " TRUE "},
    "negate is no truth value": {**FILTER, **TOMBSTONE, "transforms.a.predicate": "p", "transforms.a.negate": "yes"},
    "negate without predicate": {**FILTER, "transforms.a.negate": "true"},
    "negate=false without predicate": {**FILTER, **TOMBSTONE, "transforms.a.negate": "false"},
    "duplicates": {"transforms": "a,a", "transforms.a.type": f"{T}Filter", **TOMBSTONE, "predicates": "p,p"},
    "no type": {"transforms": "a", "predicates": "p"},
    "no such class": {"transforms": "a", "transforms.a.type": "no.T", "predicates": "p", "predicates.p.type": "no.P"},
    "a predicate for a transformation": {"transforms": "a", "transforms.a.type": f"{P}RecordIsTombstone"},
    "a transformation for a predicate": {"predicates": "p", "predicates.p.type": f"{T}Filter"},
    "a comma too many": {**FILTER, "transforms": " a ,"},
    "a refused pattern": {"predicates": "p", "predicates.p.type": f"{P}TopicNameMatches", "predicates.p.pattern": "("},
    "no pattern": {"predicates": "p", "predicates.p.type": f"{P}TopicNameMatches"},
    "an empty name": {"predicates": "p", "predicates.p.type": f"{P}HasHeaderKey", "predicates.p.name": ""},
    "more than one": {
        "transforms": "a,b", "transforms.a.type": f"{T}Filter", "transforms.a.predicate": "q",
        "transforms.b.type": f"{T}TimestampConverter$Value", "transforms.b.target.type": "what",
        "predicates": "p,q", "predicates.p.type": f"{P}RecordIsTombstone",
        "predicates.q.type": f"{P}HasHeaderKey", "predicates.q.name": "h",
    },
}  # fmt: skip


def shown(properties: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Our keys as Java shows them."""
    framework = connector_config_def("source", properties)
    pairs = [(framework.keys[value.name], value) for value in framework.validate(properties)]
    pairs = [pair for pair in pairs if pair[0].name in ("transforms", "predicates")] + chain_pairs(properties)
    return {
        key.name: {
            "type": key.type.value,
            "importance": key.importance.value,
            "group": key.group,
            "display": key.display_name,
            "required": key.required,
            "refused": bool(value.errors),
        }
        for key, value in pairs
    }


def test_keys_and_refusals_are_those_of_kafka_connect() -> None:
    for (name, properties), answer in zip(
        CASES.items(), ask((CONNECTOR | case for case in CASES.values()), CHAIN), strict=True
    ):
        java = {
            key["name"]: {field: key[field] for field in ("type", "importance", "group", "display", "required")}
            | {"refused": bool(key["errors"])}
            for key in answer["keys"]
            if not key["name"].endswith("plugin.version")
        }
        assert shown(properties) == java, name
        assert starts(properties) == ("start" not in answer), name
    counter.add(len(CASES))


def starts(properties: dict[str, str]) -> bool:
    """Whether the config is taken and the chain is made of it."""
    if any(key["refused"] for key in shown(properties).values()):
        return False
    try:
        make_stages(CONVERTERS, properties).close()
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize("listed", [{}, TOMBSTONE])
def test_a_predicate_that_is_not_listed_is_refused_at_once_where_kafka_connect_fails_the_task(
    listed: dict[str, str],
) -> None:
    properties = {**FILTER, **listed, "transforms.a.predicate": "other"}
    (answer,) = ask([CONNECTOR | properties], CHAIN)
    assert "predicates.other" in answer["start"]
    assert not any(key["errors"] for key in answer["keys"])
    (found,) = [value for key, value in chain_pairs(properties) if key.name == "transforms.a.predicate"]
    assert "there is no predicate of that alias; predicates lists " in found.errors[0]
    with pytest.raises(ConfigError, match="no predicate of that alias"):
        make_stages(CONVERTERS, properties)
