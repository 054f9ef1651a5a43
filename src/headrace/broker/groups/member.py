"""A member of a classic group."""

from collections.abc import Collection
from dataclasses import dataclass

from headrace.broker.groups.messages import (
    AnswerJoin,
    AnswerSync,
    Client,
    DescribedMember,
    JoinAnswer,
    Protocols,
    SyncAnswer,
)


@dataclass(slots=True)
class ClassicMember:
    """`answer_join` and `answer_sync` are set while a request of the member waits for its answer."""

    member_id: str
    instance_id: str | None
    client: Client
    rebalance_timeout_ms: int
    session_timeout_ms: int
    protocol_type: str
    protocols: Protocols
    assignment: bytes = b""
    answer_join: AnswerJoin | None = None
    answer_sync: AnswerSync | None = None
    is_new: bool = False

    @property
    def is_static(self) -> bool:
        return self.instance_id is not None

    @property
    def is_awaiting_join(self) -> bool:
        return self.answer_join is not None

    @property
    def has_satisfied_heartbeat(self) -> bool:
        """A member that waits for an answer needs no heartbeat, except a new one: it could not send any."""
        return not self.is_new and (self.is_awaiting_join or self.answer_sync is not None)

    def metadata(self, protocol_name: str | None) -> bytes:
        """What the member sent for that protocol; nothing where it does not speak it."""
        return dict(self.protocols).get(protocol_name or "", b"")

    def vote(self, candidates: Collection[str]) -> str:
        """The member's first choice among `candidates`, which hold at least one of its protocols."""
        return next(name for name, _ in self.protocols if name in candidates)

    def described(self, protocol_name: str | None) -> DescribedMember:
        """As DescribeGroups shows it; the metadata is left out where no protocol is chosen."""
        metadata = self.metadata(protocol_name) if protocol_name is not None else b""
        return DescribedMember(self.member_id, self.instance_id, self.client, metadata, self.assignment)

    def complete_join(self, answer: JoinAnswer) -> None:
        """Answer the JoinGroup that waits, if one does."""
        waiting, self.answer_join = self.answer_join, None
        if waiting is not None:
            waiting(answer)

    def complete_sync(self, answer: SyncAnswer) -> bool:
        """Answer the SyncGroup that waits; says whether one did."""
        waiting, self.answer_sync = self.answer_sync, None
        if waiting is not None:
            waiting(answer)
        return waiting is not None
