"""LeaveGroup (API key 13): members go at once, without waiting for their sessions to end.

Behaviour: one rebalance for all that leave; an administrator removes a static member by its instance id alone.
Versions: 0-5. 3 several members (KIP-345); 4 flexible; 5 reason (KIP-800).
Not offered: nothing.
"""

from headrace.broker.dispatch import LEAVE_GROUP, Context, api
from headrace.broker.groups.messages import Leaving
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import LeaveGroupRequest, LeaveGroupResponse


@api(LEAVE_GROUP, versions=(0, 5))
def handle(request: LeaveGroupRequest, context: Context, state: State) -> Outcome:
    if not state.groups.is_active:
        return Reply(LeaveGroupResponse(error_code=ErrorCode.NOT_COORDINATOR, members=[]))
    if not request.group_id:
        return Reply(LeaveGroupResponse(error_code=ErrorCode.INVALID_GROUP_ID, members=[]))
    leaving = _leaving(request, context.api_version)
    errors = state.groups.leave(request.group_id, leaving)
    if context.api_version < 3:
        return Reply(LeaveGroupResponse(error_code=errors[0]))
    return Reply(LeaveGroupResponse(error_code=ErrorCode.NONE, members=list(map(_member, leaving, errors))))


def _leaving(request: LeaveGroupRequest, version: int) -> list[Leaving]:
    if version < 3:
        return [Leaving(request.member_id, None)]
    return [
        Leaving(one.member_id, one.group_instance_id, one.reason if version >= 5 else None) for one in request.members
    ]


def _member(leaving: Leaving, error: ErrorCode) -> LeaveGroupResponse.MemberResponse:
    return LeaveGroupResponse.MemberResponse(
        member_id=leaving.member_id, group_instance_id=leaving.instance_id, error_code=error
    )
