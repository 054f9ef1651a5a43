"""CreateTopics (key 19): what is made, and what is refused in which words."""

from typing import Any

import pytest
from kafka.protocol.admin.topics import CreateTopicsRequest
from kafka.protocol.metadata import MetadataRequest

from tests.contract.data_client import create_topic
from tests.contract.wire_client import WireClient

INVALID_TOPIC = 17
TOPIC_ALREADY_EXISTS = 36
INVALID_PARTITIONS = 37
INVALID_REPLICATION_FACTOR = 38
INVALID_REPLICA_ASSIGNMENT = 39
INVALID_CONFIG = 40
INVALID_REQUEST = 42
POLICY_VIOLATION = 44


def _assignments(*brokers_by_partition: list[int], first: int = 0) -> dict[str, Any]:
    assignment = CreateTopicsRequest.CreatableTopic.CreatableReplicaAssignment
    assigned = [assignment(partition_index=at, broker_ids=ids) for at, ids in enumerate(brokers_by_partition, first)]
    return {"partitions": -1, "replication_factor": -1, "assignments": assigned}


def test_a_topic_is_made_with_an_id_and_all_its_configuration(wire: WireClient, topic_name: str) -> None:
    made = create_topic(wire, topic_name, partitions=2, configs={"retention.ms": "1000"})
    assert (made.error_code, made.error_message, made.num_partitions, made.replication_factor) == (0, None, 2, 1)
    assert made.topic_id is not None
    configs = {config.name: (config.value, config.config_source) for config in made.configs}
    assert configs["retention.ms"] == ("1000", 1)
    assert configs["segment.bytes"] == ("1073741824", 5)
    assert len(configs) == 33


@pytest.mark.parametrize("version", range(2, 8))
def test_every_version_refuses_a_topic_that_is_there(wire: WireClient, topic_name: str, version: int) -> None:
    create_topic(wire, topic_name)
    again = CreateTopicsRequest.CreatableTopic(
        name=topic_name, num_partitions=1, replication_factor=1, assignments=[], configs=[]
    )
    (result,) = wire.call(CreateTopicsRequest(topics=[again], timeout_ms=5000, validate_only=False), version).topics
    text = f"Topic '{topic_name}' already exists."
    assert (result.error_code, result.error_message) == (TOPIC_ALREADY_EXISTS, text)


def test_left_to_the_broker_there_is_one_partition(wire: WireClient, topic_name: str) -> None:
    made = create_topic(wire, topic_name, partitions=-1, replication_factor=-1)
    assert (made.error_code, made.num_partitions, made.replication_factor) == (0, 1, 1)


def test_validation_alone_makes_nothing(wire: WireClient, topic_name: str) -> None:
    asked = CreateTopicsRequest.CreatableTopic(
        name=topic_name, num_partitions=3, replication_factor=1, assignments=[], configs=[]
    )
    (result,) = wire.call(CreateTopicsRequest(topics=[asked], timeout_ms=5000, validate_only=True), 7).topics
    assert (result.error_code, result.num_partitions) == (0, 3)
    topic = MetadataRequest.MetadataRequestTopic(name=topic_name)
    (found,) = wire.call(MetadataRequest(topics=[topic], allow_auto_topic_creation=False), 12).topics
    assert found.error_code == 3


@pytest.mark.parametrize(
    ("partitions", "factor", "error", "text"),
    [
        (0, 1, INVALID_PARTITIONS, "Number of partitions was set to an invalid non-positive value."),
        (-2, 1, INVALID_PARTITIONS, "Number of partitions was set to an invalid non-positive value."),
        (20_000, 1, POLICY_VIOLATION, "Excessively large number of partitions per request."),
        (
            1,
            0,
            INVALID_REPLICATION_FACTOR,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        ),
        (
            1,
            2,
            INVALID_REPLICATION_FACTOR,
            "Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be reached because",
        ),
    ],
)
def test_impossible_numbers(
    wire: WireClient, topic_name: str, partitions: int, factor: int, error: int, text: str
) -> None:
    result = create_topic(wire, topic_name, partitions=partitions, replication_factor=factor)
    assert (result.error_code, result.configs) == (error, [])
    assert result.error_message.startswith(text)


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("", INVALID_TOPIC, "Topic name is invalid: the empty string is not allowed"),
        ("..", INVALID_TOPIC, "Topic name is invalid: '..' is not allowed"),
        (
            "a b",
            INVALID_TOPIC,
            "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics",
        ),
        (
            "a" * 250,
            INVALID_TOPIC,
            f"Topic name is invalid: the length of '{'a' * 250}' is longer than the max allowed length 249",
        ),
        ("__cluster_metadata", INVALID_REQUEST, "Creation of internal topic __cluster_metadata is prohibited."),
    ],
)
def test_names_that_cannot_be(wire: WireClient, name: str, error: int, text: str) -> None:
    result = create_topic(wire, name)
    assert result.error_code == error
    assert result.error_message.startswith(text)


def test_names_that_metrics_could_not_tell_apart(wire: WireClient, topic_name: str) -> None:
    create_topic(wire, topic_name + ".a")
    result = create_topic(wire, topic_name + "_a")
    text = f"Topic '{topic_name}_a' collides with existing topic: {topic_name}.a"
    assert (result.error_code, result.error_message) == (INVALID_TOPIC, text)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("no.such.key", "1", "Unknown topic config name: no.such.key"),
        ("retention.ms", None, "Null value not supported for topic configs: retention.ms"),
        ("retention.ms", "abc", "Invalid value abc for configuration retention.ms: Not a number of type LONG"),
        ("retention.ms", "-5", "Invalid value -5 for configuration retention.ms: Value must be at least -1"),
        ("segment.bytes", "5", "Invalid value 5 for configuration segment.bytes: Value must be at least 1048576"),
        (
            "cleanup.policy",
            "abc",
            "Invalid value abc for configuration cleanup.policy: String must be one of: compact, delete",
        ),
    ],
)
def test_configuration_that_will_not_do(
    wire: WireClient, topic_name: str, key: str, value: str | None, text: str
) -> None:
    configs: Any = {key: value}
    result = create_topic(wire, topic_name, configs=configs)
    assert (result.error_code, result.error_message) == (INVALID_CONFIG, text)


class TestManualAssignment:
    """There is one broker, 1, so there is one assignment."""

    def test_each_partition_on_the_one_broker(self, wire: WireClient, topic_name: str) -> None:
        made = create_topic(wire, topic_name, **_assignments([1], [1]))
        assert (made.error_code, made.num_partitions, made.replication_factor) == (0, 2, 1)

    def test_a_broker_that_is_not_there(self, wire: WireClient, topic_name: str) -> None:
        result = create_topic(wire, topic_name, **_assignments([7]))
        text = "The manual partition assignment includes broker 7, but no such broker is registered."
        assert (result.error_code, result.error_message) == (INVALID_REPLICA_ASSIGNMENT, text)

    def test_partitions_begin_at_0(self, wire: WireClient, topic_name: str) -> None:
        result = create_topic(wire, topic_name, **_assignments([1], first=1))
        text = "partitions should be a consecutive 0-based integer sequence"
        assert (result.error_code, result.error_message) == (INVALID_REPLICA_ASSIGNMENT, text)

    @pytest.mark.parametrize("given", [{"partitions": 1}, {"replication_factor": 1}])
    def test_numbers_beside_an_assignment(self, wire: WireClient, topic_name: str, given: dict[str, int]) -> None:
        result = create_topic(wire, topic_name, **{**_assignments([1]), **given})
        assert result.error_code == INVALID_REQUEST
        assert result.error_message.startswith("A manual partition assignment was specified, but ")


def test_a_name_given_twice_is_made_not_even_once(wire: WireClient, topic_name: str) -> None:
    asked = CreateTopicsRequest.CreatableTopic(
        name=topic_name, num_partitions=1, replication_factor=1, assignments=[], configs=[]
    )
    answer = wire.call(CreateTopicsRequest(topics=[asked, asked], timeout_ms=5000, validate_only=False), 7)
    (result,) = answer.topics
    assert (result.error_code, result.error_message) == (INVALID_REQUEST, "Duplicate topic name.")
