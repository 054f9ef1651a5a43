"""The worker's configuration: Java's keys, faults with sentences, and the page of the documentation."""

import os
from pathlib import Path

import pytest

from headrace.config import NO_DEFAULT, ConfigError
from headrace.connect.runtime.worker_config import WorkerConfig, definition
from headrace.serve.connect import worker_properties
from tests.connect.rig import PROPERTIES

PAGE = Path(__file__).parents[3] / "docs" / "connect" / "worker-config.md"


def read(**more: str) -> WorkerConfig:
    return WorkerConfig.read({**PROPERTIES, **more})


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("session.timeout.ms", 10_000),
        ("heartbeat.interval.ms", 3_000),
        ("rebalance.timeout.ms", 60_000),
        ("scheduled.rebalance.max.delay.ms", 300_000),
        ("connect.protocol", "sessioned"),
        ("offset.flush.interval.ms", 60_000),
        ("task.shutdown.graceful.timeout.ms", 5_000),
        ("config.storage.replication.factor", 3),
        ("offset.storage.partitions", 25),
        ("status.storage.partitions", 5),
        ("listeners", ["http://:8083"]),
        ("inter.worker.key.ttl.ms", 3_600_000),
        ("topic.tracking.enable", True),
    ],
)
def test_defaults_are_javas(key, default):
    assert read()[key] == default


@pytest.mark.parametrize(
    "key",
    [
        "group.id",
        "config.storage.topic",
        "offset.storage.topic",
        "status.storage.topic",
        "key.converter",
        "value.converter",
    ],
)
def test_a_key_that_must_be_given_is_named(key):
    with pytest.raises(ConfigError, match=f'Missing required configuration "{key}"'):
        WorkerConfig.read({name: value for name, value in PROPERTIES.items() if name != key})


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("listeners", "https://h:1", "write http://host:port"),
        ("listeners", "http://h", "write http://host:port"),
        ("listeners", "http://h:port", "write http://host:port"),
        ("status.storage.replication.factor", "0", "set it to -1"),
        ("connect.protocol", "new", "must be one of: eager, compatible, sessioned"),
        ("session.timeout.ms", "10s", "Invalid value 10s for configuration session.timeout.ms"),
    ],
)
def test_a_bad_value_is_refused_with_what_would_do(key, value, part):
    with pytest.raises(ConfigError, match=part):
        read(**{key: value})


def test_an_unknown_key_is_named_once_and_client_settings_are_not(caplog):
    read(
        **{
            "nonsense": "1",
            "producer.linger.ms": "5",
            "sasl.mechanism": "PLAIN",
            "value.converter.schema.registry.url": "http://x",
            "config.storage.segment.ms": "1",
        }
    )
    assert [record.getMessage() for record in caplog.records] == [
        "The worker's configuration nonsense is not known, and has no effect"
    ]


def test_a_key_that_has_no_effect_here_says_why(caplog):
    read(**{"exactly.once.source.support": "enabled"})
    assert "exactly-once for source connectors is not offered yet" in caplog.text


@pytest.mark.parametrize(
    ("settings", "advertised"),
    [
        ({"listeners": "http://127.0.0.1:8083"}, ("127.0.0.1", 8083)),
        ({"rest.advertised.host.name": "connect"}, ("connect", 8083)),
        ({"rest.advertised.host.name": "connect", "rest.advertised.port": "1"}, ("connect", 1)),
    ],
)
def test_what_other_workers_are_told(settings, advertised):
    assert read(**settings).advertised() == advertised


def test_the_internal_topics_take_their_settings():
    topics = read(**{"status.storage.partitions": "7", "status.storage.segment.ms": "5"}).topics()
    assert topics["status"].partitions == 7
    assert topics["status"].configuration == {"cleanup.policy": "compact", "segment.ms": "5"}
    assert (topics["config"].partitions, topics["offset"].partitions) == (1, 25)


def test_set_wins_over_the_environment_and_that_over_the_file(tmp_path):
    file = tmp_path / "w.properties"
    file.write_text("group.id=file\na=file\nb=file\n")
    merged = worker_properties(file, {"CONNECT_GROUP_ID": "environment", "CONNECT_A": "environment"}, ["group.id=set"])
    assert merged == {"group.id": "set", "a": "environment", "b": "file"}
    with pytest.raises(ConfigError, match="write it as KEY=VALUE"):
        worker_properties(None, {}, ["group.id"])


def page() -> str:
    """The page of the documentation, as it should be."""
    lines = [
        "# The worker's configuration",
        "",
        "Made from `headrace.connect.runtime.worker_config` by its test (`HEADRACE_WRITE_DOCS=1`).",
        "Keys below `producer.`, `consumer.`, `admin.`, `ssl.` and `sasl.` go to the Kafka clients, those below",
        "`key.converter.` and `value.converter.` to the converters; others below `config.storage.`, `offset.storage.`",
        "and `status.storage.` become settings of these topics.",
        "",
        "| key | type | default | what it is |",
        "|---|---|---|---|",
    ]
    for key in sorted(definition().keys.values(), key=lambda key: key.name):
        default = "(required)" if key.default is NO_DEFAULT else "" if key.default in (None, "", []) else key.default
        shown = (
            ",".join(default)
            if isinstance(default, list)
            else str(default).lower()
            if isinstance(default, bool)
            else default
        )
        lines.append(f"| `{key.name}` | {key.type.value.lower()} | {shown} | {key.documentation} |")
    return "\n".join([*lines, ""])


def test_the_page_of_the_documentation_is_up_to_date():
    if os.environ.get("HEADRACE_WRITE_DOCS"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page(), "run this test with HEADRACE_WRITE_DOCS=1"
