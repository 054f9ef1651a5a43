"""Group requests as contract tests make them: defaults for everything that a test does not name."""

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from kafka.protocol.admin.groups import DescribeGroupsRequest
from kafka.protocol.admin.topics import CreateTopicsRequest
from kafka.protocol.consumer.group import (
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    OffsetCommitRequest,
    OffsetFetchRequest,
    SyncGroupRequest,
)
from kafka.protocol.metadata import FindCoordinatorRequest, MetadataRequest

from headrace.wire.errors import ErrorCode
from tests.contract.wire_client import WireClient

RANGE = (("range", b"meta"),)
_RETRIED = {ErrorCode.COORDINATOR_NOT_AVAILABLE, ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS}


def await_coordinator(wire: WireClient, group: str, deadline_s: float = 30) -> None:
    """Until the group's coordinator answers for it: the first question on a new cluster makes the topic."""
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        found = wire.call(FindCoordinatorRequest(key_type=0, coordinator_keys=[group]), 4).coordinators[0]
        if found.error_code == ErrorCode.NONE:
            described = wire.call(DescribeGroupsRequest(groups=[group]), 5).groups[0]
            if described.error_code not in _RETRIED:
                return
        time.sleep(0.05)
    raise AssertionError("no coordinator within the deadline")


def create_topic(wire: WireClient, name: str, partitions: int = 3) -> uuid.UUID:
    """Make a topic and give its id, once Metadata names it with a leader for each partition."""
    topic = CreateTopicsRequest.CreatableTopic(
        name=name, num_partitions=partitions, replication_factor=1, assignments=[], configs=[]
    )
    answer = wire.call(CreateTopicsRequest(topics=[topic], timeout_ms=10_000, validate_only=False), 7).topics[0]
    assert answer.error_code == ErrorCode.NONE, answer
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        asked = MetadataRequest(topics=[MetadataRequest.MetadataRequestTopic(name=name)])
        found = wire.call(asked, 12).topics[0]
        if found.error_code == ErrorCode.NONE and all(one.error_code == ErrorCode.NONE for one in found.partitions):
            return found.topic_id
        time.sleep(0.02)
    raise AssertionError(f"{name} is not there")


class GroupMember:
    """One member with a connection of its own, since a JoinGroup that waits holds its connection."""

    def __init__(self, wire: WireClient, group: str, instance_id: str | None = None) -> None:
        self.wire = wire
        self.group = group
        self.instance_id = instance_id
        self.member_id = ""
        self.generation = -1

    def post_join(self, version: int = 9, **changes: Any) -> None:
        protocols: Sequence[tuple[str, bytes]] = changes.pop("protocols", RANGE)
        protocol = JoinGroupRequest.JoinGroupRequestProtocol
        fields = {
            "group_id": self.group,
            "session_timeout_ms": 10_000,
            "rebalance_timeout_ms": 20_000,
            "member_id": self.member_id,
            "group_instance_id": self.instance_id,
            "protocol_type": "consumer",
            "protocols": [protocol(name=name, metadata=metadata) for name, metadata in protocols],
            **changes,
        }
        self.wire.post(JoinGroupRequest(**fields), version)

    def joined(self) -> Any:
        """The answer to the join that was posted; takes over the id and the generation."""
        answer = self.wire.receive()
        if answer.error_code in (ErrorCode.NONE, ErrorCode.MEMBER_ID_REQUIRED):
            self.member_id = answer.member_id
            self.generation = answer.generation_id
        return answer

    def join(self, version: int = 9, **changes: Any) -> Any:
        self.post_join(version, **changes)
        return self.joined()

    def take_id(self) -> None:
        """A dynamic member's first step."""
        assert self.join().error_code == ErrorCode.MEMBER_ID_REQUIRED

    def post_sync(self, assignments: Mapping[str, bytes] | None = None, version: int = 5, **changes: Any) -> None:
        one = SyncGroupRequest.SyncGroupRequestAssignment
        fields = {
            "group_id": self.group,
            "generation_id": self.generation,
            "member_id": self.member_id,
            "group_instance_id": self.instance_id,
            "protocol_type": "consumer",
            "protocol_name": "range",
            "assignments": [one(member_id=who, assignment=what) for who, what in (assignments or {}).items()],
            **changes,
        }
        self.wire.post(SyncGroupRequest(**fields), version)

    def sync(self, assignments: Mapping[str, bytes] | None = None, version: int = 5, **changes: Any) -> Any:
        self.post_sync(assignments, version, **changes)
        return self.wire.receive()

    def heartbeat(self, version: int = 4, **changes: Any) -> int:
        fields = {
            "group_id": self.group,
            "generation_id": self.generation,
            "member_id": self.member_id,
            "group_instance_id": self.instance_id,
            **changes,
        }
        error: int = self.wire.call(HeartbeatRequest(**fields), version).error_code
        return error

    def leave(self, *members: tuple[str, str | None], version: int = 5, group: str | None = None) -> Any:
        """Leaves itself where no members are named."""
        one = LeaveGroupRequest.MemberIdentity
        named = members or ((self.member_id, self.instance_id),)
        identities = [one(member_id=who, group_instance_id=instance, reason="contract") for who, instance in named]
        request = LeaveGroupRequest(group_id=group or self.group, member_id=named[0][0], members=identities)
        return self.wire.call(request, version)

    def commit(self, topic: str, offsets: Mapping[int, int], version: int = 9, **changes: Any) -> list[int]:
        """The error of each partition, by the order of `offsets`."""
        fields = {
            "generation_id_or_member_epoch": self.generation,
            "member_id": self.member_id,
            "group_instance_id": self.instance_id,
            **changes,
        }
        return commit(self.wire, self.group, topic, offsets, version, **fields)


def commit(
    wire: WireClient, group: str, topic: str | uuid.UUID, offsets: Mapping[int, int], version: int = 9, **changes: Any
) -> list[int]:
    """Commit for one topic, by name or (version 10) id; the error of each partition, by the order of `offsets`."""
    metadata = changes.pop("metadata", "")
    of_topic = OffsetCommitRequest.OffsetCommitRequestTopic
    partitions = [
        of_topic.OffsetCommitRequestPartition(
            partition_index=index, committed_offset=offset, committed_leader_epoch=-1, committed_metadata=metadata
        )
        for index, offset in offsets.items()
    ]
    named = {"topic_id": topic} if isinstance(topic, uuid.UUID) else {"name": topic}
    fields = {
        "group_id": group,
        "generation_id_or_member_epoch": -1,
        "member_id": "",
        "group_instance_id": None,
        "topics": [of_topic(partitions=partitions, **named)],
        **changes,
    }
    (answer,) = wire.call(OffsetCommitRequest(**fields), version).topics
    assert (answer.topic_id if version >= 10 else answer.name) == topic
    errors = {one.partition_index: one.error_code for one in answer.partitions}
    return [errors[index] for index in offsets]


def fetch_offsets(wire: WireClient, group: str, version: int = 9) -> dict[Any, dict[int, int]]:
    """All committed offsets of a group, by topic (its id from version 10 on) and partition; versions 8 and up."""
    asked = OffsetFetchRequest.OffsetFetchRequestGroup(group_id=group, topics=None)
    (answer,) = wire.call(OffsetFetchRequest(groups=[asked], require_stable=True), version).groups
    assert (answer.group_id, answer.error_code) == (group, ErrorCode.NONE)
    return {
        (topic.topic_id if version >= 10 else topic.name): {
            one.partition_index: one.committed_offset for one in topic.partitions
        }
        for topic in answer.topics
    }


def describe(wire: WireClient, group: str, version: int = 6) -> Any:
    (described,) = wire.call(DescribeGroupsRequest(groups=[group]), version).groups
    return described
