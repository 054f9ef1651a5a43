"""The broker's configuration: Kafka's keys, their defaults, and what a topic makes of them."""

import pytest

from headrace.broker.config import BrokerConfig, Listener, refuse_unknown
from headrace.config import ConfigError


def test_listeners_are_advertised_as_they_are_or_as_told() -> None:
    config = BrokerConfig(
        {
            "listeners": "PLAINTEXT://127.0.0.1:9092,DOCKER://broker:29092,ALL://:9094",
            "advertised.listeners": "DOCKER://broker:19092",
        }
    )
    assert config.listeners == [
        Listener("PLAINTEXT", "127.0.0.1", 9092, "127.0.0.1", 9092),
        Listener("DOCKER", "broker", 29092, "broker", 19092),
        Listener("ALL", "", 9094, "", 9094),
    ]


def test_a_controllers_listener_is_passed_over() -> None:
    config = BrokerConfig({"listeners": "PLAINTEXT://h:1,CONTROLLER://:9093"})
    assert [listener.name for listener in config.listeners] == ["PLAINTEXT"]


def test_the_finest_unit_of_retention_wins() -> None:
    given = {"log.retention.hours": "1", "log.retention.minutes": "2"}
    assert BrokerConfig({}).log_settings({}).retention_ms == 604_800_000
    assert BrokerConfig(given).log_settings({}).retention_ms == 120_000
    assert BrokerConfig({**given, "log.retention.ms": "-1"}).log_settings({}).retention_ms == -1


def test_a_topics_own_configuration_wins_over_the_brokers() -> None:
    config = BrokerConfig({"log.segment.bytes": "2097152", "message.max.bytes": "500", "log.cleanup.policy": "compact"})
    settings = config.log_settings({"max.message.bytes": "700"})
    assert (settings.segment_bytes, settings.max_message_bytes, settings.compacts) == (2_097_152, 700, True)
    assert not settings.deletes


def test_values_are_named_as_kafka_names_them() -> None:
    config = BrokerConfig({"offsets.topic.num.partitions": "7"})
    assert config.offsets_topic_num_partitions == 7
    with pytest.raises(AttributeError):
        _ = config.no_such_key


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"listeners": "A://h:1,A://h:2"}, "each needs a name of its own"),
        ({"listeners": "h:1"}, "NAME://HOST:PORT would do"),
        ({"listeners": "A://h:1", "listener.security.protocol.map": "A:SSL"}, "PLAINTEXT is the one protocol"),
        ({"default.replication.factor": "3"}, "use Apache Kafka"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        BrokerConfig(given)


def test_a_key_given_by_hand_must_be_known() -> None:
    refuse_unknown({"num.partitions": "3"})
    with pytest.raises(ConfigError, match=r"did you mean log\.segment\.bytes"):
        refuse_unknown({"log.segment.byte": "3"})
