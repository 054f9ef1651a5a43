"""Keys that nobody knows are named when a connector starts, with what was probably meant."""

import pytest

from headrace.connect.runtime.host.framework_config import unknown_keys
from headrace.connect.runtime.host.plugins import connector_class

PLUGIN = connector_class("jdbc-source")
KNOWN = {
    "name": "c",
    "connector.class": "jdbc-source",
    "connector.plugin.version": "[1,2]",
    "tasks.max": "1",
    "errors.tolerance": "all",
    "key.converter": "string",
    "value.converter.schemas.enable": "false",
    "transforms": "t",
    "transforms.t.type": "x",
    "predicates.p.type": "x",
    "topic.creation.enable": "true",
    "topic.creation.default.partitions": "1",
    "producer.override.linger.ms": "5",
    "jdbc.credentials.provider.class": "x",
    "jdbc.credentials.provider.role": "x",
    "headrace.isolation": "process",
    "batch.max.rows": "9",
}


def test_keys_of_framework_and_plugin_and_of_classes_below_them_are_known() -> None:
    assert unknown_keys(PLUGIN, KNOWN) == []


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("table.whitelst", "table.whitelst (did you mean table.whitelist?)"),
        ("task.max", "task.max (did you mean tasks.max?)"),
        ("colour", "colour"),
        ("topics", "topics"),
    ],
)
def test_others_are_named(key: str, said: str) -> None:
    assert unknown_keys(PLUGIN, KNOWN | {key: "x"}) == [said]
