"""OffsetCommit and OffsetFetch (keys 8 and 9): what groups have read, over the wire."""

import uuid
from collections.abc import Callable

import pytest
from kafka.protocol.admin.topics import DeleteTopicsRequest
from kafka.protocol.consumer.group import OffsetFetchRequest

from headrace.wire.errors import ErrorCode
from tests.contract.group_client import GroupMember, await_coordinator, commit, create_topic, fetch_offsets
from tests.contract.wire_client import WireClient


@pytest.fixture
def group(wire: WireClient, group_name: str) -> str:
    await_coordinator(wire, group_name)
    return group_name


@pytest.fixture
def topic(wire: WireClient, topic_name: str) -> str:
    """A topic of three partitions."""
    create_topic(wire, topic_name)
    return topic_name


@pytest.fixture
def lone(connect: Callable[[], WireClient], group: str) -> GroupMember:
    """The only member of a group whose assignment has not been handed in yet."""
    member = GroupMember(connect(), group)
    member.take_id()
    assert member.join().error_code == ErrorCode.NONE
    return member


@pytest.mark.parametrize("version", range(2, 10))
def test_every_version_of_commit_is_kept(wire: WireClient, group: str, topic: str, version: int) -> None:
    assert commit(wire, group, topic, {0: 5, 2: 7}, version) == [ErrorCode.NONE, ErrorCode.NONE]
    assert fetch_offsets(wire, group) == {topic: {0: 5, 2: 7}}


def test_version_10_names_topics_by_their_ids(wire: WireClient, group: str, topic_name: str) -> None:
    topic_id = create_topic(wire, topic_name)
    assert commit(wire, group, topic_id, {1: 5}, 10) == [ErrorCode.NONE]
    assert fetch_offsets(wire, group, 10) == {topic_id: {1: 5}}
    assert fetch_offsets(wire, group, 9) == {topic_name: {1: 5}}
    assert commit(wire, group, uuid.uuid4(), {1: 5}, 10) == [ErrorCode.UNKNOWN_TOPIC_ID]


def test_a_partition_that_is_not_there_fails_alone(wire: WireClient, group: str, topic: str) -> None:
    errors = commit(wire, group, topic, {0: 1, 3: 1, -1: 1})
    assert errors == [ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
    assert fetch_offsets(wire, group) == {topic: {0: 1}}


def test_a_topic_that_is_not_there_is_not_committed_for(wire: WireClient, group: str) -> None:
    assert commit(wire, group, "no-such-topic", {0: 1}) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
    assert fetch_offsets(wire, group) == {}


def test_metadata_comes_back_and_may_not_be_too_long(wire: WireClient, group: str, topic: str) -> None:
    assert commit(wire, group, topic, {0: 1}, metadata="x" * 4096) == [ErrorCode.NONE]
    assert commit(wire, group, topic, {0: 2, 1: 2}, metadata="x" * 4097) == [ErrorCode.OFFSET_METADATA_TOO_LARGE] * 2
    assert commit(wire, group, topic, {1: 3}, metadata=None) == [ErrorCode.NONE]
    answer = wire.call(
        OffsetFetchRequest(
            group_id=group, topics=[OffsetFetchRequest.OffsetFetchRequestTopic(name=topic, partition_indexes=[0, 1])]
        ),
        7,
    )
    partitions = answer.topics[0].partitions
    assert [(one.committed_offset, one.metadata) for one in partitions] == [(1, "x" * 4096), (3, "")]


@pytest.mark.parametrize("version", range(1, 8))
def test_every_old_version_of_fetch_answers_one_group(wire: WireClient, group: str, topic: str, version: int) -> None:
    commit(wire, group, topic, {0: 5})
    asked = OffsetFetchRequest.OffsetFetchRequestTopic(name=topic, partition_indexes=[0, 1, 9])
    nowhere = OffsetFetchRequest.OffsetFetchRequestTopic(name="no-such-topic", partition_indexes=[0])
    answer = wire.call(OffsetFetchRequest(group_id=group, topics=[asked, nowhere]), version)
    assert [one.name for one in answer.topics] == [topic, "no-such-topic"]
    partitions = [one for each in answer.topics for one in each.partitions]
    assert [(one.partition_index, one.committed_offset, one.metadata, one.error_code) for one in partitions] == [
        (0, 5, "", 0),
        (1, -1, "", 0),
        (9, -1, "", 0),
        (0, -1, "", 0),
    ]


def test_no_topics_means_all_of_them_and_an_empty_list_none(wire: WireClient, group: str, topic: str) -> None:
    commit(wire, group, topic, {0: 5})
    everything = wire.call(OffsetFetchRequest(group_id=group, topics=None), 2)
    assert [one.name for one in everything.topics] == [topic]
    assert wire.call(OffsetFetchRequest(group_id=group, topics=[]), 2).topics == []


@pytest.mark.parametrize("version", [8, 9, 10])
def test_several_groups_are_answered_at_once(wire: WireClient, group: str, topic_name: str, version: int) -> None:
    topic_id = create_topic(wire, topic_name)
    other = f"{group}-other"
    await_coordinator(wire, other)
    commit(wire, group, topic_name, {0: 5})
    asked = OffsetFetchRequest.OffsetFetchRequestGroup
    topic = asked.OffsetFetchRequestTopics
    named = (
        topic(topic_id=topic_id, partition_indexes=[0, 2])
        if version == 10
        else topic(name=topic_name, partition_indexes=[0, 2])
    )
    answer = wire.call(
        OffsetFetchRequest(groups=[asked(group_id=group, topics=[named]), asked(group_id=other, topics=[named])]),
        version,
    )
    found = {one.group_id: [each.committed_offset for each in one.topics[0].partitions] for one in answer.groups}
    assert found == {group: [5, -1], other: [-1, -1]}


def test_a_topic_id_that_is_not_known_is_an_error_of_its_partitions(wire: WireClient, group: str) -> None:
    asked = OffsetFetchRequest.OffsetFetchRequestGroup
    nowhere = asked.OffsetFetchRequestTopics(topic_id=uuid.uuid4(), partition_indexes=[0])
    answer = wire.call(OffsetFetchRequest(groups=[asked(group_id=group, topics=[nowhere])]), 10)
    (partition,) = answer.groups[0].topics[0].partitions
    assert (partition.error_code, partition.committed_offset) == (ErrorCode.UNKNOWN_TOPIC_ID, -1)


def test_a_member_commits_in_its_generation_alone(wire: WireClient, lone: GroupMember, topic: str) -> None:
    assert lone.commit(topic, {0: 1}) == [ErrorCode.REBALANCE_IN_PROGRESS]
    lone.sync({lone.member_id: b""})
    assert lone.commit(topic, {0: 2}) == [ErrorCode.NONE]
    assert lone.commit(topic, {0: 3}, generation_id_or_member_epoch=7) == [ErrorCode.ILLEGAL_GENERATION]
    assert lone.commit(topic, {0: 3}, member_id="nobody") == [ErrorCode.UNKNOWN_MEMBER_ID]
    assert lone.commit(topic, {0: 3}, group_instance_id="nobody") == [ErrorCode.UNKNOWN_MEMBER_ID]
    assert commit(wire, lone.group, topic, {0: 3}) == [ErrorCode.UNKNOWN_MEMBER_ID]
    assert fetch_offsets(wire, lone.group) == {topic: {0: 2}}


def test_during_a_rebalance_members_may_commit_until_they_rejoin(
    connect: Callable[[], WireClient], lone: GroupMember, topic: str
) -> None:
    lone.sync({lone.member_id: b""})
    second = GroupMember(connect(), lone.group)
    second.take_id()
    second.post_join()
    while lone.heartbeat() != ErrorCode.REBALANCE_IN_PROGRESS:
        pass
    assert lone.commit(topic, {0: 4}) == [ErrorCode.NONE]


def test_a_group_that_all_have_left_can_be_committed_for_again(wire: WireClient, lone: GroupMember, topic: str) -> None:
    lone.sync({lone.member_id: b""})
    lone.leave()
    assert commit(wire, lone.group, topic, {0: 9}) == [ErrorCode.NONE]
    assert lone.commit(topic, {0: 1}) == [ErrorCode.UNKNOWN_MEMBER_ID]


@pytest.mark.parametrize(("version", "error"), [(8, ErrorCode.ILLEGAL_GENERATION), (9, ErrorCode.GROUP_ID_NOT_FOUND)])
def test_a_generation_of_a_group_that_is_not_known(
    wire: WireClient, group: str, topic: str, version: int, error: ErrorCode
) -> None:
    errors = commit(wire, group, topic, {0: 1}, version, generation_id_or_member_epoch=3, member_id="m")
    assert errors == [error]


def test_the_group_without_a_name_can_be_committed_for(wire: WireClient, group: str, topic: str) -> None:
    assert commit(wire, "", topic, {0: 6}) == [ErrorCode.NONE]
    assert fetch_offsets(wire, "")[topic] == {0: 6}


def test_a_negative_offset_is_kept_as_any_other(wire: WireClient, group: str, topic: str) -> None:
    assert commit(wire, group, topic, {0: 5}) == [ErrorCode.NONE]
    assert commit(wire, group, topic, {0: -1}) == [ErrorCode.NONE]
    assert fetch_offsets(wire, group) == {topic: {0: -1}}


def test_nobody_has_read_of_a_topic_that_was_deleted_and_made_anew(wire: WireClient, group: str, topic: str) -> None:
    assert commit(wire, group, topic, {0: 5}) == [ErrorCode.NONE]
    (deleted,) = wire.call(DeleteTopicsRequest(topic_names=[topic], timeout_ms=20_000), 5).responses
    assert deleted.error_code == ErrorCode.NONE
    while fetch_offsets(wire, group):
        pass
    create_topic(wire, topic)
    assert fetch_offsets(wire, group) == {}
