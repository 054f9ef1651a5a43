"""kafka-topics, kafka-configs, kafka-consumer-groups and their like: the same answers as from Apache Kafka."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.java_tools import CONFIGS, DELETE_RECORDS, GROUPS, LOG_DIRS, OFFSETS, TOPICS, Printed, Tools
from tests.contract.broker_process import broker_process
from tests.contract.data_client import batch, create_topic, produce
from tests.contract.group_client import await_coordinator, commit
from tests.contract.wire_client import WireClient
from tests.kafka.cluster import kafka_node

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def bootstraps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Both servers."""
    ours, theirs = tmp_path_factory.mktemp("headrace"), tmp_path_factory.mktemp("kafka")
    with broker_process(ours) as broker, kafka_node(theirs) as node:
        yield {"headrace": broker.bootstrap, "kafka": node.bootstrap}


@pytest.fixture(scope="module")
def tools(bootstraps: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Tools:
    return Tools(bootstraps, tmp_path_factory.mktemp("tools"))


def _did(printed: Printed) -> str:
    assert printed.status == 0, printed
    return printed.out


def test_a_topic_is_created_described_altered_and_deleted(tools: Tools, topic: str) -> None:
    create = ("--create", "--topic", topic, "--partitions", "2", "--config", "retention.ms=1000")
    assert _did(tools.same(TOPICS, *create)) == f"Created topic {topic}.\n"
    assert "already exists" in tools.same(TOPICS, *create).out
    assert topic in _did(tools.same(TOPICS, "--list", "--exclude-internal")).split()
    assert tools.same(TOPICS, "--alter", "--topic", topic, "--partitions", "4").status == 0
    described = _did(tools.same(TOPICS, "--describe", "--topic", topic))
    assert "PartitionCount: 4\tReplicationFactor: 1\tConfigs: min.insync.replicas=1,retention.ms=1000" in described
    assert "would not be an increase" in tools.same(TOPICS, "--alter", "--topic", topic, "--partitions", "1").out
    assert _did(tools.same(TOPICS, "--delete", "--topic", topic)) == ""


def _create(bootstraps: dict[str, str], topic: str) -> None:
    """Two partitions; the second has three batches of two records."""
    for bootstrap in bootstraps.values():
        with WireClient(bootstrap) as wire:
            assert create_topic(wire, topic, partitions=2).error_code == 0
            for _ in range(3):
                assert produce(wire, topic, batch(b"a", b"b"), partition=1).error_code == 0


def test_configuration_of_a_topic_is_altered_and_described(
    tools: Tools, bootstraps: dict[str, str], topic: str
) -> None:
    _create(bootstraps, topic)
    of_topic = ("--entity-type", "topics", "--entity-name", topic)
    added = _did(
        tools.same(CONFIGS, "--alter", *of_topic, "--add-config", "retention.ms=5,cleanup.policy=[compact,delete]")
    )
    assert added == f"Completed updating config for topic {topic}.\n"
    described = _did(tools.same(CONFIGS, "--describe", *of_topic))
    assert "retention.ms=5 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=5}" in described
    assert tools.same(CONFIGS, "--alter", *of_topic, "--delete-config", "retention.ms").status == 0
    described = _sorted(tools, *of_topic, "--all")
    assert (described.count("sensitive=false"), described.count("DYNAMIC_TOPIC_CONFIG")) == (33, 1)
    refused = tools.same(CONFIGS, "--alter", *of_topic, "--add-config", "no.such=1")
    assert "Unknown topic config name: no.such" in refused.errors + refused.out


def _sorted(tools: Tools, *arguments: str) -> str:
    """Apache Kafka tells the keys in no order."""
    lines = {tuple(sorted(_did(one).splitlines())) for one in tools.each(CONFIGS, "--describe", *arguments)}
    (same,) = lines
    return "\n".join(same)


def test_configuration_of_the_broker_is_altered_and_described(tools: Tools) -> None:
    brokers = ("--entity-type", "brokers")
    one, all_of_them = (*brokers, "--entity-name", "1"), (*brokers, "--entity-default")
    assert tools.same(CONFIGS, "--alter", *all_of_them, "--add-config", "log.retention.ms=86400000").status == 0
    assert tools.same(CONFIGS, "--alter", *one, "--add-config", "message.max.bytes=2000000").status == 0
    described = _sorted(tools, *one)
    assert (
        "  message.max.bytes=2000000 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:message.max.bytes=2000000"
        in described
    )
    assert "log.retention.ms=86400000" in _sorted(tools, *all_of_them)
    assert tools.same(CONFIGS, "--alter", *all_of_them, "--delete-config", "log.retention.ms").status == 0
    refused = tools.same(CONFIGS, "--alter", *one, "--add-config", "num.partitions=3")
    assert "Cannot update these configs dynamically: [num.partitions]" in refused.errors + refused.out


def test_a_groups_offsets_are_described_reset_and_deleted(
    tools: Tools, bootstraps: dict[str, str], topic: str, group: str
) -> None:
    _create(bootstraps, topic)
    for bootstrap in bootstraps.values():
        with WireClient(bootstrap) as wire:
            await_coordinator(wire, group)
            commit(wire, group, topic, {0: 0, 1: 5})
    of_group = ("--group", group)
    assert group in _did(tools.same(GROUPS, "--list")).split()
    described = _did(tools.same(GROUPS, "--describe", *of_group))
    assert re.search(rf"{group} +{topic} +1 +5 +6 +1 +- +- +-", described)
    assert "Empty" in _did(tools.same(GROUPS, "--describe", *of_group, "--state"))
    reset = ("--reset-offsets", *of_group, "--topic", topic, "--to-earliest", "--execute")
    assert re.search(rf"{group} +{topic} +1 +0", _did(tools.same(GROUPS, *reset)))
    assert "Successful" in _did(tools.same(GROUPS, "--delete-offsets", *of_group, "--topic", f"{topic}:0"))
    assert "was successful" in _did(tools.same(GROUPS, "--delete", *of_group))
    assert f"Group {group} not found." in tools.same(GROUPS, "--describe", *of_group).out


def test_offsets_sizes_and_records_to_be_deleted(
    tools: Tools, bootstraps: dict[str, str], topic: str, tmp_path: Path
) -> None:
    _create(bootstraps, topic)
    assert _did(tools.same(OFFSETS, "--topic", topic)) == f"{topic}:0:0\n{topic}:1:6\n"
    file = tmp_path / "offsets.json"
    wanted = {"partitions": [{"topic": topic, "partition": 1, "offset": 4}], "version": 1}
    file.write_text(json.dumps(wanted))
    deleted = _did(tools.same(DELETE_RECORDS, "--offset-json-file", str(file)))
    assert f"partition: {topic}-1\tlow_watermark: 4" in deleted
    assert _did(tools.same(OFFSETS, "--topic", topic, "--time", "earliest")) == f"{topic}:0:0\n{topic}:1:4\n"
    sizes = [_sizes(one) for one in tools.each(LOG_DIRS, "--describe", "--topic-list", topic)]
    assert sizes[0] == sizes[1]
    assert {part["partition"] for part in sizes[0]} == {f"{topic}-0", f"{topic}-1"}


def _sizes(printed: Printed) -> list[dict[str, object]]:
    """The partitions of the one directory, whose path is each server's own."""
    text = next(line for line in _did(printed).splitlines() if line.startswith("{"))
    (broker,) = json.loads(text)["brokers"]
    (directory,) = broker["logDirs"]
    assert (broker["broker"], directory["error"]) == (1, None)
    return sorted(directory["partitions"], key=lambda part: str(part["partition"]))
