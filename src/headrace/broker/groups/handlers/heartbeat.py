"""Heartbeat (API key 12): a member lives, and learns whether it must rejoin.

Behaviour: REBALANCE_IN_PROGRESS asks the member to join again.
Versions: 0-4. 3 static members (KIP-345); 4 flexible.
Not offered: nothing.
"""

from headrace.broker.dispatch import HEARTBEAT, Context, api
from headrace.broker.groups.messages import Member
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import HeartbeatRequest, HeartbeatResponse


@api(HEARTBEAT, versions=(0, 4))
def handle(request: HeartbeatRequest, context: Context, state: State) -> Outcome:
    instance_id = request.group_instance_id if context.api_version >= 3 else None
    member = Member(request.group_id, request.member_id, instance_id, request.generation_id)
    error = state.groups.heartbeat(member) if state.groups.is_active else ErrorCode.NOT_COORDINATOR
    return Reply(HeartbeatResponse(error_code=error))
