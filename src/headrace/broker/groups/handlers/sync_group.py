"""SyncGroup (API key 14): the leader hands in the assignment, every member gets its part.

Behaviour: followers are answered once the leader's assignment is written to `__consumer_offsets`.
Versions: 0-5. 3 static members (KIP-345); 4 flexible; 5 the protocol's type and name are checked (KIP-559).
Not offered: nothing.
"""

from headrace.broker.dispatch import SYNC_GROUP, Context, api
from headrace.broker.groups.messages import Member, Sync, SyncAnswer
from headrace.broker.outcome import Later, Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import SyncGroupRequest, SyncGroupResponse


@api(SYNC_GROUP, versions=(0, 5))
def handle(request: SyncGroupRequest, context: Context, state: State) -> Outcome:
    if not state.groups.is_active:
        return _reply(SyncAnswer(ErrorCode.NOT_COORDINATOR))
    later = Later()
    state.groups.sync(_sync(request, context.api_version), lambda answer: later.answer(_reply(answer)))
    return later


def _sync(request: SyncGroupRequest, version: int) -> Sync:
    instance_id = request.group_instance_id if version >= 3 else None
    return Sync(
        member=Member(request.group_id, request.member_id, instance_id, request.generation_id),
        assignments={one.member_id: bytes(one.assignment) for one in request.assignments},
        protocol_type=request.protocol_type if version >= 5 else None,
        protocol_name=request.protocol_name if version >= 5 else None,
    )


def _reply(answer: SyncAnswer) -> Reply:
    return Reply(
        SyncGroupResponse(
            error_code=answer.error,
            protocol_type=answer.protocol_type,
            protocol_name=answer.protocol_name,
            assignment=answer.assignment,
        )
    )
