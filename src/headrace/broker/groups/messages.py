"""What the coordinator is asked and what it answers, free of wire versions: handlers translate."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from headrace.wire.errors import ErrorCode

Protocols = tuple[tuple[str, bytes], ...]
"""A member's protocols by preference: (name, metadata)."""

UNKNOWN_MEMBER = ""
UNKNOWN_GENERATION = -1


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent a request; `host` as Java prints an address: `/127.0.0.1`."""

    id: str
    host: str


@dataclass(frozen=True, slots=True)
class Join:
    """A JoinGroup request. Members are given an id before they may join from version 4 on (KIP-394); a static leader
    can be told to skip its assignment from version 9 on (KIP-814)."""

    group_id: str
    member_id: str
    instance_id: str | None
    protocol_type: str
    protocols: Protocols
    session_timeout_ms: int
    rebalance_timeout_ms: int
    client: Client
    requires_known_member_id: bool = True
    supports_skipping_assignment: bool = True
    reason: str = "not provided"


@dataclass(frozen=True, slots=True)
class JoinedMember:
    """One member as its leader sees it."""

    member_id: str
    instance_id: str | None
    metadata: bytes


@dataclass(frozen=True, slots=True)
class JoinAnswer:
    error: ErrorCode = ErrorCode.NONE
    member_id: str = UNKNOWN_MEMBER
    generation: int = UNKNOWN_GENERATION
    protocol_type: str | None = None
    protocol_name: str | None = None
    leader: str = ""
    skip_assignment: bool = False
    members: tuple[JoinedMember, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """Which member of which group and generation a request comes from."""

    group_id: str
    member_id: str
    instance_id: str | None
    generation: int


@dataclass(frozen=True, slots=True)
class Sync:
    """A SyncGroup request; the protocol's type and name are given from version 5 on."""

    member: Member
    assignments: dict[str, bytes]
    protocol_type: str | None = None
    protocol_name: str | None = None


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    error: ErrorCode = ErrorCode.NONE
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignment: bytes = b""


@dataclass(frozen=True, slots=True)
class Leaving:
    """One member to remove: by member id, or by instance id alone (an administrator's removal)."""

    member_id: str
    instance_id: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OffsetToCommit:
    """One partition of an OffsetCommit whose topic and partition are known to exist."""

    topic: str
    topic_id: UUID | None
    partition: int
    offset: int
    leader_epoch: int
    metadata: str


@dataclass(frozen=True, slots=True)
class DescribedMember:
    member_id: str
    instance_id: str | None
    client: Client
    metadata: bytes
    assignment: bytes


@dataclass(frozen=True, slots=True)
class DescribedGroup:
    group_id: str
    state: str
    protocol_type: str
    protocol_name: str
    members: tuple[DescribedMember, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedGroup:
    group_id: str
    protocol_type: str
    state: str


AnswerJoin = Callable[[JoinAnswer], None]
AnswerSync = Callable[[SyncAnswer], None]
