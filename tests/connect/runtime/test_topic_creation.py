"""Topic creation groups, as KIP-158 has them."""

import pytest

from headrace.config import ConfigError
from headrace.connect.runtime.topic_creation import BROKER_DEFAULT, NewTopicSettings, TopicCreation

DEFAULT = {"topic.creation.default.partitions": "2", "topic.creation.default.replication.factor": "-1"}


def test_without_a_default_group_the_broker_creates() -> None:
    assert not TopicCreation({}, {}).enabled


def test_the_worker_may_forbid_it() -> None:
    assert not TopicCreation({"topic.creation.enable": "false"}, DEFAULT).enabled


def test_a_group_takes_its_topics_and_what_it_leaves_out_from_the_default() -> None:
    creation = TopicCreation(
        {},
        DEFAULT
        | {
            "topic.creation.groups": "wide, compacted",
            "topic.creation.wide.include": "iris_.*",
            "topic.creation.wide.exclude": "iris_small",
            "topic.creation.wide.partitions": "6",
            "topic.creation.compacted.include": "iris_small,keys",
            "topic.creation.compacted.cleanup.policy": "compact",
        },
    )
    assert creation.settings("iris_data") == NewTopicSettings("wide", 6, BROKER_DEFAULT)
    assert creation.settings("iris_small") == NewTopicSettings("compacted", 2, -1, {"cleanup.policy": "compact"})
    assert creation.settings("my_iris_data") == NewTopicSettings("default", 2, -1)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"topic.creation.default.partitions": "0"}, "Value must be -1 or at least 1"),
        ({"topic.creation.default.replication.factor": "two"}, "replication.factor"),
        ({"topic.creation.groups": "g", "topic.creation.g.include": "("}, "no regular expression"),
    ],
)
def test_a_value_that_will_not_do_names_its_key(more: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        TopicCreation({}, DEFAULT | more)


def test_the_default_group_must_say_both() -> None:
    with pytest.raises(ConfigError, match=r'"topic\.creation\.default\.replication\.factor"'):
        TopicCreation({}, {"topic.creation.default.partitions": "1"})
