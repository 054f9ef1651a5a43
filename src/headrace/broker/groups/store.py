"""The groups there are, and the journal that remembers them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from headrace.broker.groups import records
from headrace.broker.groups.group import ClassicGroup, GroupState
from headrace.broker.groups.member import ClassicMember
from headrace.broker.groups.messages import Client
from headrace.broker.groups.records import CoordinatorRecord
from headrace.broker.groups.settings import GroupSettings
from headrace.broker.groups.timers import KeyedTimers
from headrace.wire.errors import ErrorCode


class Journal(Protocol):
    """Where records are kept: `__consumer_offsets`."""

    @property
    def is_ready(self) -> bool:
        """Whether there is such a topic."""
        ...

    def append(self, group_id: str, entries: Sequence[CoordinatorRecord]) -> ErrorCode:
        """Append to the group's partition as one batch; NONE once a crash of the process cannot undo it."""
        ...


class GroupStore:
    """Owns the groups by id. Shared by the parts of the coordinator, all on the broker's loop.

    `wall_ms` gives Unix milliseconds, which records carry; deadlines go by the timers alone.
    """

    def __init__(
        self, settings: GroupSettings, journal: Journal, timers: KeyedTimers, wall_ms: Callable[[], int]
    ) -> None:
        self.settings = settings
        self.journal = journal
        self.timers = timers
        self.wall_ms = wall_ms
        self.groups: dict[str, ClassicGroup] = {}

    def get_or_create(self, group_id: str) -> ClassicGroup:
        group = self.groups.get(group_id)
        if group is None:
            group = self.groups[group_id] = ClassicGroup(group_id, self.wall_ms())
        return group

    def forget(self, group: ClassicGroup) -> None:
        """The group's tombstone has been written: it is gone."""
        group.transition_to(GroupState.DEAD, self.wall_ms())
        self.groups.pop(group.group_id, None)

    def save(self, group: ClassicGroup, assignments: Mapping[str, bytes] | None = None) -> ErrorCode:
        """Write the group as it is now, with `assignments` in place of those that its members have."""
        members = tuple(
            _member_value(group, member, assignments.get(member.member_id, b"") if assignments is not None else None)
            for member in group.members.values()
        )
        value = records.GroupValue(
            protocol_type=group.protocol_type or "",
            generation=group.generation,
            protocol=group.protocol_name,
            leader=group.leader,
            state_timestamp_ms=-1 if group.state_timestamp_ms is None else group.state_timestamp_ms,
            members=members,
        )
        return self.journal.append(group.group_id, [(records.group_key(group.group_id), records.group_value(value))])

    def replay(self, group_id: str, value: records.GroupValue | None) -> None:
        """Take over what a record of the topic says."""
        if value is None:
            self.groups.pop(group_id, None)
            return
        state = GroupState.STABLE if value.members else GroupState.EMPTY
        group = ClassicGroup(group_id, value.state_timestamp_ms, state)
        group.state_timestamp_ms = None if value.state_timestamp_ms == -1 else value.state_timestamp_ms
        group.generation = value.generation
        group.protocol_type = value.protocol_type or None
        group.protocol_name = value.protocol
        for member in value.members:
            group.add(_replayed_member(value, member))
        group.leader = value.leader
        group.subscribed_topics = group.read_subscriptions()
        self.groups[group_id] = group


def _member_value(group: ClassicGroup, member: ClassicMember, assignment: bytes | None) -> records.MemberValue:
    return records.MemberValue(
        member_id=member.member_id,
        instance_id=member.instance_id,
        client_id=member.client.id,
        client_host=member.client.host,
        rebalance_timeout_ms=member.rebalance_timeout_ms,
        session_timeout_ms=member.session_timeout_ms,
        subscription=member.metadata(group.protocol_name),
        assignment=member.assignment if assignment is None else assignment,
    )


def _replayed_member(group: records.GroupValue, member: records.MemberValue) -> ClassicMember:
    return ClassicMember(
        member_id=member.member_id,
        instance_id=member.instance_id,
        client=Client(member.client_id, member.client_host),
        rebalance_timeout_ms=member.rebalance_timeout_ms,
        session_timeout_ms=member.session_timeout_ms,
        protocol_type=group.protocol_type,
        protocols=((group.protocol or "", member.subscription),),
        assignment=member.assignment,
    )
