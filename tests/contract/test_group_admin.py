"""FindCoordinator, DescribeGroups, ListGroups, DeleteGroups, OffsetDelete (keys 10, 15, 16, 42, 47)."""

from collections.abc import Callable

import pytest
from kafka.protocol.admin.groups import DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest
from kafka.protocol.consumer.group import OffsetDeleteRequest
from kafka.protocol.metadata import FindCoordinatorRequest, MetadataRequest

from headrace.wire.errors import ErrorCode
from tests.contract.conftest import Cluster
from tests.contract.group_client import (
    GroupMember,
    await_coordinator,
    commit,
    create_topic,
    describe,
    fetch_offsets,
)
from tests.contract.wire_client import WireClient

ANYTHING_MAY_BE_DONE = {3, 6, 8, 10, 11}


@pytest.fixture
def member(connect: Callable[[], WireClient], group_name: str) -> GroupMember:
    """The only member of a stable group."""
    member = GroupMember(connect(), group_name)
    await_coordinator(member.wire, group_name)
    member.take_id()
    member.join()
    assert member.sync({member.member_id: b"all"}).assignment == b"all"
    return member


@pytest.mark.parametrize("version", range(7))
def test_the_coordinator_is_the_broker_under_the_name_it_advertises(
    cluster: Cluster, wire: WireClient, group_name: str, version: int
) -> None:
    await_coordinator(wire, group_name)
    if version >= 4:
        keys = [group_name, f"{group_name}-2", ""]
        found = wire.call(FindCoordinatorRequest(key_type=0, coordinator_keys=keys), version).coordinators
        assert [one.key for one in found] == keys
    else:
        found = [wire.call(FindCoordinatorRequest(key=group_name), version)]
    assert {(one.error_code, one.node_id, f"{one.host}:{one.port}") for one in found} == {(0, 1, cluster.bootstrap)}


def test_the_offsets_topic_is_internal_and_has_fifty_partitions(wire: WireClient, group_name: str) -> None:
    await_coordinator(wire, group_name)
    asked = MetadataRequest(topics=[MetadataRequest.MetadataRequestTopic(name="__consumer_offsets")])
    (topic,) = wire.call(asked, 12).topics
    assert (topic.error_code, topic.is_internal, len(topic.partitions)) == (ErrorCode.NONE, True, 50)


@pytest.mark.parametrize("version", [1, 3, 4, 6])
def test_a_type_of_coordinator_that_does_not_exist_is_an_invalid_request(wire: WireClient, version: int) -> None:
    answer = wire.call(FindCoordinatorRequest(key="k", key_type=9, coordinator_keys=["k"]), version)
    found = answer.coordinators[0] if version >= 4 else answer
    assert (found.error_code, found.node_id, found.host, found.port) == (ErrorCode.INVALID_REQUEST, -1, "", -1)


@pytest.mark.parametrize("version", range(7))
def test_every_version_describes_a_stable_group_with_its_members(member: GroupMember, version: int) -> None:
    described = describe(member.wire, member.group, version)
    assert (described.error_code, described.group_state, described.protocol_type, described.protocol_data) == (
        *(0, "Stable"),
        *("consumer", "range"),
    )
    (one,) = described.members
    assert (one.member_id, one.client_id, one.client_host) == (member.member_id, "contract", "/127.0.0.1")
    assert (one.member_metadata, one.member_assignment) == (b"meta", b"all")


def test_while_a_group_rebalances_its_metadata_is_not_shown(member: GroupMember) -> None:
    member.join()
    described = describe(member.wire, member.group)
    assert (described.group_state, described.protocol_data) == ("CompletingRebalance", "")
    assert [one.member_metadata for one in described.members] == [b""]


def test_authorized_operations_are_shown_when_asked_for(member: GroupMember) -> None:
    asked = DescribeGroupsRequest(groups=[member.group], include_authorized_operations=True)
    assert member.wire.call(asked, 5).groups[0].authorized_operations == ANYTHING_MAY_BE_DONE
    assert describe(member.wire, member.group, 5).authorized_operations is None


def test_a_group_that_is_not_there_is_dead_or_from_version_6_an_error(wire: WireClient, group_name: str) -> None:
    await_coordinator(wire, group_name)
    old, new = describe(wire, group_name, 5), describe(wire, group_name, 6)
    assert (old.error_code, old.group_state, old.members) == (0, "Dead", [])
    assert (new.error_code, new.group_state, new.members) == (ErrorCode.GROUP_ID_NOT_FOUND, "Dead", [])
    assert new.error_message == f"Group {group_name} not found."


@pytest.mark.parametrize("version", range(6))
def test_every_version_lists_the_group(member: GroupMember, version: int) -> None:
    answer = member.wire.call(ListGroupsRequest(states_filter=[], types_filter=[]), version)
    (listed,) = [one for one in answer.groups if one.group_id == member.group]
    assert (answer.error_code, listed.protocol_type) == (0, "consumer")
    if version >= 4:
        assert listed.group_state == "Stable"
    if version >= 5:
        assert listed.group_type == "classic"


@pytest.mark.parametrize(
    ("states", "types", "listed"),
    [
        (["Stable"], [], True),
        (["stable", "nonsense"], [], True),
        (["Empty"], [], False),
        (["nonsense"], [], False),
        ([], ["classic"], True),
        ([], ["Classic"], True),
        ([], ["consumer"], False),
        (["Stable"], ["share"], False),
    ],
)
def test_filters_choose_groups(member: GroupMember, states: list[str], types: list[str], listed: bool) -> None:
    answer = member.wire.call(ListGroupsRequest(states_filter=states, types_filter=types), 5)
    assert answer.error_code == 0
    assert (member.group in [one.group_id for one in answer.groups]) is listed


@pytest.mark.parametrize("version", range(3))
def test_an_empty_group_is_deleted_with_its_offsets(member: GroupMember, topic_name: str, version: int) -> None:
    create_topic(member.wire, topic_name)
    member.commit(topic_name, {0: 1})
    delete = DeleteGroupsRequest(groups_names=[member.group, f"{member.group}-not"])
    assert {one.group_id: one.error_code for one in member.wire.call(delete, version).results} == {
        member.group: ErrorCode.NON_EMPTY_GROUP,
        f"{member.group}-not": ErrorCode.GROUP_ID_NOT_FOUND,
    }
    member.leave()
    assert [one.error_code for one in member.wire.call(delete, version).results if one.group_id == member.group] == [0]
    assert fetch_offsets(member.wire, member.group) == {}
    assert describe(member.wire, member.group, 5).group_state == "Dead"


def test_an_offset_is_forgotten_when_no_member_reads_its_topic(
    wire: WireClient, group_name: str, topic_name: str
) -> None:
    await_coordinator(wire, group_name)
    create_topic(wire, topic_name)
    commit(wire, group_name, topic_name, {0: 1, 1: 2})
    topic = OffsetDeleteRequest.OffsetDeleteRequestTopic
    partitions = [topic.OffsetDeleteRequestPartition(partition_index=index) for index in (0, 2, 9)]
    answer = wire.call(
        OffsetDeleteRequest(group_id=group_name, topics=[topic(name=topic_name, partitions=partitions)]), 0
    )
    errors = {one.partition_index: one.error_code for one in answer.topics[0].partitions}
    assert (answer.error_code, errors) == (0, {0: 0, 2: 0, 9: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION})
    assert fetch_offsets(wire, group_name) == {topic_name: {1: 2}}


def test_offsets_of_a_group_that_is_not_there_cannot_be_deleted(wire: WireClient, group_name: str) -> None:
    await_coordinator(wire, group_name)
    topic = OffsetDeleteRequest.OffsetDeleteRequestTopic(name="t", partitions=[])
    assert wire.call(OffsetDeleteRequest(group_id=group_name, topics=[topic]), 0).error_code in (
        ErrorCode.GROUP_ID_NOT_FOUND,
    )
    assert wire.call(OffsetDeleteRequest(group_id="", topics=[topic]), 0).error_code == ErrorCode.INVALID_GROUP_ID
