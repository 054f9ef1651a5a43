"""A classic group (`ClassicGroup` in Apache Kafka): its members, its state, its generation.

It knows no timers and no log; `rebalance`, `join`, `sync` and `leave` move it on.
"""

import enum
import struct
from collections import Counter
from collections.abc import Iterable
from typing import Final

from headrace.broker.groups.member import ClassicMember
from headrace.broker.groups.messages import (
    DescribedGroup,
    JoinAnswer,
    JoinedMember,
    ListedGroup,
    Protocols,
    SyncAnswer,
)
from headrace.wire.errors import ErrorCode

CONSUMER_PROTOCOL_TYPE: Final = "consumer"


class GroupState(enum.Enum):
    """The values are what DescribeGroups and ListGroups say."""

    EMPTY = "Empty"
    PREPARING_REBALANCE = "PreparingRebalance"
    COMPLETING_REBALANCE = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


PREVIOUS_STATES: Final = {
    GroupState.EMPTY: {GroupState.PREPARING_REBALANCE},
    GroupState.PREPARING_REBALANCE: {GroupState.STABLE, GroupState.COMPLETING_REBALANCE, GroupState.EMPTY},
    GroupState.COMPLETING_REBALANCE: {GroupState.PREPARING_REBALANCE},
    GroupState.STABLE: {GroupState.COMPLETING_REBALANCE},
    GroupState.DEAD: set(GroupState),
}
"""From which states a state can be reached."""


class ClassicGroup:
    """`protocol_type` is None for a group that only ever committed offsets (a "simple" one)."""

    def __init__(self, group_id: str, now_ms: int, state: GroupState = GroupState.EMPTY) -> None:
        self.group_id = group_id
        self.state = state
        self.previous_state = GroupState.DEAD
        self.state_timestamp_ms: int | None = now_ms
        self.generation = 0
        self.protocol_type: str | None = None
        self.protocol_name: str | None = None
        self.leader: str | None = None
        self.members: dict[str, ClassicMember] = {}
        self.static_members: dict[str, str] = {}
        self.pending_joins: set[str] = set()
        self.pending_syncs: set[str] = set()
        self.subscribed_topics: frozenset[str] | None = None
        self.has_new_member = False
        self._supported: Counter[str] = Counter()

    # -- What it is ---------------------------------------------------------------------------------------------------

    @property
    def can_rebalance(self) -> bool:
        return self.state in PREVIOUS_STATES[GroupState.PREPARING_REBALANCE]

    @property
    def rebalance_timeout_ms(self) -> int:
        """The longest of all members."""
        return max((member.rebalance_timeout_ms for member in self.members.values()), default=0)

    @property
    def awaiting_join(self) -> list[ClassicMember]:
        return [member for member in self.members.values() if member.is_awaiting_join]

    @property
    def all_members_joined(self) -> bool:
        return not self.pending_joins and all(member.is_awaiting_join for member in self.members.values())

    def is_leader(self, member_id: str) -> bool:
        return self.leader == member_id

    def supports(self, protocol_type: str, names: Iterable[str]) -> bool:
        """Whether a member that speaks these protocols can join; all members must have one in common."""
        if self.state is GroupState.EMPTY:
            return bool(protocol_type) and any(True for _ in names)
        return self.protocol_type == protocol_type and any(self._supported[name] == len(self.members) for name in names)

    def is_subscribed_to(self, topic: str) -> bool:
        """Whether its consumers read `topic`; where their subscriptions cannot be read, yes."""
        if self.subscribed_topics is None:
            return self.protocol_type == CONSUMER_PROTOCOL_TYPE
        return topic in self.subscribed_topics

    def member_error(self, member_id: str, instance_id: str | None) -> ErrorCode:
        """Why a request in the name of this member cannot be taken; NONE where it can."""
        if instance_id is not None:
            known = self.static_members.get(instance_id)
            if known is None:
                return ErrorCode.UNKNOWN_MEMBER_ID
            if known != member_id:
                return ErrorCode.FENCED_INSTANCE_ID
        return ErrorCode.NONE if member_id in self.members else ErrorCode.UNKNOWN_MEMBER_ID

    # -- Members ------------------------------------------------------------------------------------------------------

    def add(self, member: ClassicMember) -> None:
        if not self.members:
            self.protocol_type = member.protocol_type
        if member.instance_id is not None:
            self.static_members[member.instance_id] = member.member_id
        if self.leader is None:
            self.leader = member.member_id
        self.members[member.member_id] = member
        self._supported.update(name for name, _ in member.protocols)
        self.pending_joins.discard(member.member_id)

    def remove(self, member_id: str) -> None:
        """Forget a member or a pending one; another member leads where it led."""
        member = self.members.pop(member_id, None)
        if member is not None:
            self._supported.subtract(name for name, _ in member.protocols)
            if member.instance_id is not None:
                self.static_members.pop(member.instance_id, None)
        if self.is_leader(member_id):
            self.leader = next(iter(self.members), None)
        self.pending_joins.discard(member_id)
        self.pending_syncs.discard(member_id)

    def update(self, member: ClassicMember, protocols: Protocols, timeouts_ms: tuple[int, int]) -> None:
        """Take over a member's new protocols and its (rebalance, session) timeouts."""
        self._supported.subtract(name for name, _ in member.protocols)
        member.protocols = protocols
        self._supported.update(name for name, _ in protocols)
        member.rebalance_timeout_ms, member.session_timeout_ms = timeouts_ms

    def replace_static(self, instance_id: str, old_id: str, new_id: str) -> ClassicMember:
        """Give a static member a new id; requests that wait in the old one's name are fenced (KIP-345)."""
        member = self.members.pop(old_id)
        member.complete_join(JoinAnswer(ErrorCode.FENCED_INSTANCE_ID, old_id))
        member.complete_sync(SyncAnswer(ErrorCode.FENCED_INSTANCE_ID))
        member.member_id = new_id
        member.is_new = False
        self.members[new_id] = member
        if self.is_leader(old_id):
            self.leader = new_id
        self.static_members[instance_id] = new_id
        return member

    def elect_joined_leader(self) -> bool:
        """Keep the leader where it has rejoined, else take a member that has; False where nobody has."""
        if self.leader is None:
            return False
        if not self.members[self.leader].is_awaiting_join:
            joined = self.awaiting_join
            if not joined:
                return False
            self.leader = joined[0].member_id
        return True

    # -- Generations --------------------------------------------------------------------------------------------------

    def transition_to(self, state: GroupState, now_ms: int) -> None:
        if self.state not in PREVIOUS_STATES[state]:
            raise RuntimeError(f"group {self.group_id} cannot go from {self.state.value} to {state.value}")
        self.previous_state, self.state = self.state, state
        self.state_timestamp_ms = now_ms

    def begin_next_generation(self, now_ms: int) -> None:
        """After every member has joined; an empty group gets a generation as well."""
        self.generation += 1
        self.protocol_name = self.select_protocol() if self.members else None
        self.subscribed_topics = self.read_subscriptions()
        self.transition_to(GroupState.COMPLETING_REBALANCE if self.members else GroupState.EMPTY, now_ms)
        self.pending_syncs.clear()

    def select_protocol(self) -> str:
        """The protocol that all speak and most prefer."""
        candidates = {name for name, count in self._supported.items() if count == len(self.members)}
        votes = Counter(member.vote(candidates) for member in self.members.values())
        return max(votes, key=lambda name: votes[name])

    def read_subscriptions(self) -> frozenset[str] | None:
        """The topics its consumers read; None where it has none or they say it in words not known here."""
        if self.protocol_type != CONSUMER_PROTOCOL_TYPE:
            return None
        try:
            metadata = [member.metadata(self.protocol_name) for member in self.members.values()]
            return frozenset(topic for one in metadata for topic in subscription_topics(one))
        except (struct.error, UnicodeDecodeError, ValueError):
            return None

    # -- What it shows ------------------------------------------------------------------------------------------------

    def join_answer(self, member_id: str, skip_assignment: bool = False) -> JoinAnswer:
        """The current generation as told to a member; the leader is told of all members."""
        members = self._joined_members() if self.is_leader(member_id) else ()
        return JoinAnswer(
            member_id=member_id,
            generation=self.generation,
            protocol_type=self.protocol_type,
            protocol_name=self.protocol_name,
            leader=self.leader or "",
            skip_assignment=skip_assignment,
            members=members,
        )

    def sync_answer(self, member: ClassicMember) -> SyncAnswer:
        return SyncAnswer(ErrorCode.NONE, self.protocol_type, self.protocol_name, member.assignment)

    def described(self) -> DescribedGroup:
        protocol_name = self.protocol_name if self.state is GroupState.STABLE else None
        members = tuple(member.described(protocol_name) for member in self.members.values())
        return DescribedGroup(self.group_id, self.state.value, self.protocol_type or "", protocol_name or "", members)

    def listed(self) -> ListedGroup:
        return ListedGroup(self.group_id, self.protocol_type or "", self.state.value)

    def _joined_members(self) -> tuple[JoinedMember, ...]:
        return tuple(
            JoinedMember(member.member_id, member.instance_id, member.metadata(self.protocol_name))
            for member in self.members.values()
        )


def subscription_topics(metadata: bytes) -> list[str]:
    """The topics of a consumer's subscription, by version 0 of the consumer protocol, with which all later begin."""
    _, count = struct.unpack_from(">hi", metadata)
    position, topics = 6, []
    for _ in range(count):
        (length,) = struct.unpack_from(">h", metadata, position)
        position += 2 + length
        if length < 0 or position > len(metadata):
            raise ValueError("the subscription is cut")
        topics.append(metadata[position - length : position].decode())
    return topics
