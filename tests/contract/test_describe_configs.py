"""DescribeConfigs (key 32): every key with its value, its type, and where it comes from."""

from typing import Any, Final

import pytest
from kafka.protocol.admin.configs import DescribeConfigsRequest

from headrace.broker.config import BROKER_CONFIGS
from headrace.wire.errors import ErrorCode
from tests.contract.config_client import BROKER, DEFAULT, OF_CLUSTER, OF_TOPIC, STATIC, TOPIC, describe
from tests.contract.data_client import create_topic
from tests.contract.wire_client import WireClient

BOOLEAN, STRING, INT, SHORT, LONG, DOUBLE, LIST = range(1, 8)

# As Apache Kafka 4.3.1 answers for a topic without configuration: type, value, the broker's key that speaks for it.
TOPIC_KEYS: Final[dict[str, tuple[int, str, str | None]]] = {
    "cleanup.policy": (LIST, "delete", "log.cleanup.policy"),
    "compression.gzip.level": (INT, "-1", "compression.gzip.level"),
    "compression.lz4.level": (INT, "9", "compression.lz4.level"),
    "compression.type": (STRING, "producer", "compression.type"),
    "compression.zstd.level": (INT, "3", "compression.zstd.level"),
    "delete.retention.ms": (LONG, "86400000", "log.cleaner.delete.retention.ms"),
    "file.delete.delay.ms": (LONG, "60000", "log.segment.delete.delay.ms"),
    "flush.messages": (LONG, "9223372036854775807", "log.flush.interval.messages"),
    "flush.ms": (LONG, "9223372036854775807", None),
    "follower.replication.throttled.replicas": (LIST, "", None),
    "index.interval.bytes": (INT, "4096", "log.index.interval.bytes"),
    "leader.replication.throttled.replicas": (LIST, "", None),
    "local.retention.bytes": (LONG, "-2", "log.local.retention.bytes"),
    "local.retention.ms": (LONG, "-2", "log.local.retention.ms"),
    "max.compaction.lag.ms": (LONG, "9223372036854775807", "log.cleaner.max.compaction.lag.ms"),
    "max.message.bytes": (INT, "1048588", "message.max.bytes"),
    "message.timestamp.after.max.ms": (LONG, "3600000", "log.message.timestamp.after.max.ms"),
    "message.timestamp.before.max.ms": (LONG, "9223372036854775807", "log.message.timestamp.before.max.ms"),
    "message.timestamp.type": (STRING, "CreateTime", "log.message.timestamp.type"),
    "min.cleanable.dirty.ratio": (DOUBLE, "0.5", "log.cleaner.min.cleanable.ratio"),
    "min.compaction.lag.ms": (LONG, "0", "log.cleaner.min.compaction.lag.ms"),
    "min.insync.replicas": (INT, "1", "min.insync.replicas"),
    "preallocate": (BOOLEAN, "false", "log.preallocate"),
    "remote.log.copy.disable": (BOOLEAN, "false", None),
    "remote.log.delete.on.disable": (BOOLEAN, "false", None),
    "remote.storage.enable": (BOOLEAN, "false", None),
    "retention.bytes": (LONG, "-1", "log.retention.bytes"),
    "retention.ms": (LONG, "604800000", None),
    "segment.bytes": (INT, "1073741824", "log.segment.bytes"),
    "segment.index.bytes": (INT, "10485760", "log.index.size.max.bytes"),
    "segment.jitter.ms": (LONG, "0", None),
    "segment.ms": (LONG, "604800000", None),
    "unclean.leader.election.enable": (BOOLEAN, "false", "unclean.leader.election.enable"),
}
INSYNC: Final = "min.insync.replicas"

# As Apache Kafka 4.3.1 answers for a broker: the keys that can change while it runs, of those that we have.
DYNAMIC: Final = {
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "log.cleaner.backoff.ms",
    "log.cleaner.delete.retention.ms",
    "log.cleaner.max.compaction.lag.ms",
    "log.cleaner.min.cleanable.ratio",
    "log.cleaner.min.compaction.lag.ms",
    "log.cleanup.policy",
    "log.flush.interval.messages",
    "log.flush.interval.ms",
    "log.index.interval.bytes",
    "log.index.size.max.bytes",
    "log.local.retention.bytes",
    "log.local.retention.ms",
    "log.message.timestamp.after.max.ms",
    "log.message.timestamp.before.max.ms",
    "log.message.timestamp.type",
    "log.preallocate",
    "log.retention.bytes",
    "log.retention.ms",
    "log.roll.ms",
    "log.segment.bytes",
    "log.segment.delete.delay.ms",
    "message.max.bytes",
    INSYNC,
    "producer.id.expiration.ms",
    "unclean.leader.election.enable",
}
# The default is another one here (docs/broker/deviations.md), or depends on how the server was started.
OWN_VALUES: Final = {
    *("listeners", "advertised.listeners", "listener.security.protocol.map", "log.dirs", "log.dir", "broker.id"),
    *("group.initial.rebalance.delay.ms", "offsets.topic.replication.factor", "node.id"),
}
# Listeners can change while Apache Kafka runs, and not here.
FIXED_HERE: Final = {"listeners", "listener.security.protocol.map"}


def _by_name(result: Any) -> dict[str, Any]:
    assert (result.error_code, result.error_message) == (0, "")
    return {config.name: config for config in result.configs}


def _synonyms(config: Any) -> list[tuple[str, str | None, int]]:
    return [(one.name, one.value, one.source) for one in config.synonyms]


def test_a_topic_has_every_key_with_its_type_and_who_speaks_for_it(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name)
    configs = _by_name(describe(wire, TOPIC, topic_name))
    assert configs.keys() == TOPIC_KEYS.keys()
    for name, (kind, value, synonym) in TOPIC_KEYS.items():
        found = configs[name]
        assert (name, found.config_type, found.value, found.read_only, found.is_sensitive) == (
            *(name, kind, value),
            *(False, False),
        )
        spoken = [(synonym, value, DEFAULT)] if synonym else []
        cluster = [(name, value, OF_CLUSTER)] if name == INSYNC else []
        assert (_synonyms(found), found.config_source) == (cluster + spoken, OF_CLUSTER if cluster else DEFAULT)


def test_what_a_topic_was_made_with_comes_first(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name, configs={"retention.ms": " 1000", "cleanup.policy": "compact,delete"})
    configs = _by_name(describe(wire, TOPIC, topic_name, ["retention.ms", "cleanup.policy"]))
    policy, retention = configs["cleanup.policy"], configs["retention.ms"]
    assert (retention.value, retention.config_source, _synonyms(retention)) == (
        *("1000", OF_TOPIC),
        [("retention.ms", "1000", OF_TOPIC)],
    )
    assert (policy.value, policy.config_source, _synonyms(policy)) == (
        *("compact,delete", OF_TOPIC),
        [("cleanup.policy", "compact,delete", OF_TOPIC), ("log.cleanup.policy", "delete", DEFAULT)],
    )


@pytest.mark.parametrize("version", range(1, 5))
def test_every_version_tells_the_keys_that_are_asked_for(wire: WireClient, topic_name: str, version: int) -> None:
    create_topic(wire, topic_name, configs={"segment.ms": "60000"})
    (found,) = describe(wire, TOPIC, topic_name, ["segment.ms", "no.such.key"], version=version).configs
    assert (found.name, found.value, found.config_source) == ("segment.ms", "60000", OF_TOPIC)
    assert _synonyms(found) == [("segment.ms", "60000", OF_TOPIC)]
    if version >= 3:
        assert found.config_type == LONG


def test_synonyms_and_documentation_come_when_asked_for(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name)
    (bare,) = describe(wire, TOPIC, topic_name, ["segment.bytes"], include_synonyms=False).configs
    (full,) = describe(wire, TOPIC, topic_name, ["segment.bytes"], include_documentation=True).configs
    assert (bare.synonyms, bare.documentation) == ([], None)
    assert full.synonyms
    assert "segment" in full.documentation


def test_an_empty_list_of_keys_asks_for_all(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name)
    assert len(describe(wire, TOPIC, topic_name, []).configs) == len(TOPIC_KEYS)


@pytest.mark.parametrize(
    ("kind", "name", "error", "text"),
    [
        (TOPIC, "no-such-topic", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ""),
        (
            *(TOPIC, "", ErrorCode.INVALID_TOPIC_EXCEPTION),
            "Topic name is invalid: the empty string is not allowed",
        ),
        (
            *(TOPIC, "a" * 250, ErrorCode.INVALID_TOPIC_EXCEPTION),
            f"Topic name is invalid: the length of '{'a' * 250}' is longer than the max allowed length 249",
        ),
        (
            *(BROKER, "7", ErrorCode.INVALID_REQUEST),
            "Unexpected broker id, expected 1 or empty string, but received 7",
        ),
        (BROKER, "x", ErrorCode.INVALID_REQUEST, "Broker id must be an integer, but it is: x"),
    ],
)
def test_resources_that_are_not_there(wire: WireClient, kind: int, name: str, error: int, text: str) -> None:
    result = describe(wire, kind, name)
    assert (result.error_code, result.error_message, result.configs) == (error, text, [])


def test_a_type_of_resource_that_does_not_exist_is_an_invalid_request(wire: WireClient) -> None:
    assert describe(wire, 9, "").error_code == ErrorCode.INVALID_REQUEST


def test_each_of_many_resources_is_answered_by_itself(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name)
    resource = DescribeConfigsRequest.DescribeConfigsResource
    asked = [
        resource(resource_type=kind, resource_name=name, configuration_keys=["segment.bytes", "log.segment.bytes"])
        for kind, name in ((TOPIC, topic_name), (BROKER, "1"), (TOPIC, "no-such-topic"))
    ]
    results = wire.call(DescribeConfigsRequest(resources=asked, include_synonyms=False), 4).results
    assert {(one.resource_name, one.error_code, len(one.configs)) for one in results} == {
        (topic_name, 0, 1),
        ("1", 0, 1),
        ("no-such-topic", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 0),
    }


class TestBroker:
    def test_every_key_of_ours_is_one_of_apache_kafkas_of_the_same_type(self, wire: WireClient) -> None:
        codes = {"BOOLEAN": 1, "STRING": 2, "INT": 3, "SHORT": 4, "LONG": 5, "DOUBLE": 6, "LIST": 7}
        configs = _by_name(describe(wire, BROKER, "1"))
        for key in BROKER_CONFIGS.keys.values():
            found = configs[key.name]
            assert (key.name, found.config_type) == (key.name, codes[key.type.value])
            assert found.is_sensitive is False

    def test_what_was_not_given_is_the_same_default(self, wire: WireClient) -> None:
        configs = _by_name(describe(wire, BROKER, "1"))
        for key in BROKER_CONFIGS.keys.values():
            if key.name not in OWN_VALUES | {INSYNC}:
                found, text = configs[key.name], _text(key.default)
                assert (key.name, found.value, found.config_source) == (key.name, text, DEFAULT)
                assert _synonyms(found) == ([] if text is None else [(key.name, text, DEFAULT)])

    def test_the_keys_that_can_change_while_it_runs(self, wire: WireClient) -> None:
        configs = _by_name(describe(wire, BROKER, "1"))
        names = BROKER_CONFIGS.keys.keys() - FIXED_HERE
        assert {name for name in names if not configs[name].read_only} == DYNAMIC

    def test_what_it_was_started_with_is_static(self, wire: WireClient) -> None:
        configs = _by_name(describe(wire, BROKER, "1", ["listeners", "log.dirs"]))
        assert {name: config.config_source for name, config in configs.items()} == dict.fromkeys(configs, STATIC)
        assert len(configs) == 2
        assert "PLAINTEXT://127.0.0.1:" in configs["listeners"].value

    def test_the_replicas_in_sync_are_always_set_for_all_brokers(self, wire: WireClient) -> None:
        (found,) = describe(wire, BROKER, "1", [INSYNC]).configs
        assert (found.value, found.config_source) == ("1", OF_CLUSTER)
        assert _synonyms(found) == [(INSYNC, "1", OF_CLUSTER), (INSYNC, "1", DEFAULT)]

    def test_under_the_empty_name_is_what_was_set_for_all_brokers(self, wire: WireClient) -> None:
        (found,) = [config for config in describe(wire, BROKER, "").configs if config.name == INSYNC]
        assert (found.value, found.config_source, found.read_only) == ("1", OF_CLUSTER, False)
        assert _synonyms(found) == [(INSYNC, "1", OF_CLUSTER)]


def _text(default: Any) -> str | None:
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(default) if isinstance(default, list) else None if default is None else str(default)
