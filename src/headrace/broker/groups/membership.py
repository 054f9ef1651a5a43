"""SyncGroup, Heartbeat and LeaveGroup: what a member does within its generation."""

from collections.abc import Sequence

from headrace.broker.groups.group import ClassicGroup, GroupState
from headrace.broker.groups.messages import (
    UNKNOWN_MEMBER,
    AnswerSync,
    JoinAnswer,
    Leaving,
    Member,
    Sync,
    SyncAnswer,
)
from headrace.broker.groups.rebalance import Rebalancer
from headrace.broker.groups.store import GroupStore
from headrace.wire.errors import ErrorCode


class Membership:
    """Answers SyncGroup (for followers: when the leader's has come), Heartbeat and LeaveGroup."""

    def __init__(self, store: GroupStore, rebalancer: Rebalancer) -> None:
        self._store = store
        self._rebalancer = rebalancer

    # -- SyncGroup ----------------------------------------------------------------------------------------------------

    def sync(self, request: Sync, answer: AnswerSync) -> None:
        if not request.member.group_id:
            answer(SyncAnswer(ErrorCode.INVALID_GROUP_ID))
            return
        group = self._store.groups.get(request.member.group_id)
        if group is None or group.state is GroupState.EMPTY:
            answer(SyncAnswer(ErrorCode.UNKNOWN_MEMBER_ID))
        elif (error := self._sync_error(request, group)) is not ErrorCode.NONE:
            answer(SyncAnswer(error))
        elif group.state is GroupState.COMPLETING_REBALANCE:
            self._await_assignment(request, group, answer)
        else:
            self._rebalancer.has_synced(group, request.member.member_id)
            answer(group.sync_answer(group.members[request.member.member_id]))

    def _sync_error(self, request: Sync, group: ClassicGroup) -> ErrorCode:
        error = generation_error(request.member, group)
        if error is not ErrorCode.NONE:
            return error
        if request.protocol_type not in (None, group.protocol_type):
            return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
        if request.protocol_name not in (None, group.protocol_name):
            return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
        preparing = group.state is GroupState.PREPARING_REBALANCE
        return ErrorCode.REBALANCE_IN_PROGRESS if preparing else ErrorCode.NONE

    def _await_assignment(self, request: Sync, group: ClassicGroup, answer: AnswerSync) -> None:
        member_id = request.member.member_id
        group.members[member_id].answer_sync = answer
        self._rebalancer.has_synced(group, member_id)
        if not group.is_leader(member_id):
            return
        error = self._store.save(group, request.assignments)
        if error is ErrorCode.NONE:
            self._rebalancer.assign(group, request.assignments)
        else:
            self._rebalancer.reset_assignments(group, error)
            self._rebalancer.prepare_or_complete(group, "the assignment could not be saved")

    # -- Heartbeat ----------------------------------------------------------------------------------------------------

    def heartbeat(self, member: Member) -> ErrorCode:
        if not member.group_id:
            return ErrorCode.INVALID_GROUP_ID
        group = self._store.groups.get(member.group_id)
        if group is None:
            return ErrorCode.UNKNOWN_MEMBER_ID
        error = generation_error(member, group)
        if error is not ErrorCode.NONE:
            return error
        self._rebalancer.await_heartbeat(group, group.members[member.member_id])
        preparing = group.state is GroupState.PREPARING_REBALANCE
        return ErrorCode.REBALANCE_IN_PROGRESS if preparing else ErrorCode.NONE

    # -- LeaveGroup ---------------------------------------------------------------------------------------------------

    def leave(self, group_id: str, members: Sequence[Leaving]) -> list[ErrorCode]:
        """An answer for each; one rebalance for all that left. The group's id is not empty."""
        group = self._store.groups.get(group_id)
        if group is None:
            return [ErrorCode.UNKNOWN_MEMBER_ID] * len(members)
        errors = [self._leave(group, member) for member in members]
        if ErrorCode.NONE in errors:
            self._after_leaving(group)
        return errors

    def _leave(self, group: ClassicGroup, leaving: Leaving) -> ErrorCode:
        member_id = leaving.member_id
        if member_id == UNKNOWN_MEMBER:
            member_id = group.static_members.get(leaving.instance_id or "", UNKNOWN_MEMBER)
            if member_id == UNKNOWN_MEMBER:
                return ErrorCode.UNKNOWN_MEMBER_ID
        elif member_id not in group.pending_joins:
            error = group.member_error(member_id, leaving.instance_id)
            if error is not ErrorCode.NONE:
                return error
        self._remove(group, member_id)
        return ErrorCode.NONE

    def _remove(self, group: ClassicGroup, member_id: str) -> None:
        self._rebalancer.cancel_heartbeat(group, member_id)
        if member_id in group.members:
            group.members[member_id].complete_join(JoinAnswer(ErrorCode.UNKNOWN_MEMBER_ID))
        group.remove(member_id)

    def _after_leaving(self, group: ClassicGroup) -> None:
        if group.state in (GroupState.STABLE, GroupState.COMPLETING_REBALANCE):
            self._rebalancer.prepare_or_complete(group, "members left")
        else:
            self._rebalancer.complete_if_joined(group)


def generation_error(member: Member, group: ClassicGroup) -> ErrorCode:
    """Why a request of this member in this generation cannot be taken; NONE where it can."""
    error = group.member_error(member.member_id, member.instance_id)
    if error is ErrorCode.NONE and member.generation != group.generation:
        return ErrorCode.ILLEGAL_GENERATION
    return error
