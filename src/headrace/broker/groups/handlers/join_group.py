"""JoinGroup (API key 11): become a member of a group's next generation.

Behaviour: answered once every member has joined or the rebalance timeout has passed; the leader's answer names all.
Versions: 0-9. 1 rebalance timeout; 4 members need an id first (KIP-394); 5 static members (KIP-345); 6 flexible; 7 the
protocol's type in the answer (KIP-559); 8 reason (KIP-800); 9 a leader may skip its assignment (KIP-814).
Not offered: joining a group of the new consumer protocol (KIP-848).
"""

from headrace.broker.dispatch import JOIN_GROUP, Context, api
from headrace.broker.groups.messages import Client, Join, JoinAnswer
from headrace.broker.outcome import Later, Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import JoinGroupRequest, JoinGroupResponse


@api(JOIN_GROUP, versions=(0, 9))
def handle(request: JoinGroupRequest, context: Context, state: State) -> Outcome:
    if not state.groups.is_active:
        return _reply(JoinAnswer(ErrorCode.NOT_COORDINATOR, request.member_id), context.api_version)
    later = Later()
    state.groups.join(_join(request, context), lambda answer: later.answer(_reply(answer, context.api_version)))
    return later


def _join(request: JoinGroupRequest, context: Context) -> Join:
    version = context.api_version
    return Join(
        group_id=request.group_id,
        member_id=request.member_id,
        instance_id=request.group_instance_id if version >= 5 else None,
        protocol_type=request.protocol_type,
        protocols=tuple((protocol.name, bytes(protocol.metadata)) for protocol in request.protocols),
        session_timeout_ms=request.session_timeout_ms,
        rebalance_timeout_ms=request.rebalance_timeout_ms if version >= 1 else request.session_timeout_ms,
        client=Client(context.client_id or "", f"/{context.client_host}"),
        requires_known_member_id=version >= 4,
        supports_skipping_assignment=version >= 9,
        reason=(request.reason if version >= 8 else None) or "not provided",
    )


def _reply(answer: JoinAnswer, version: int) -> Reply:
    member = JoinGroupResponse.JoinGroupResponseMember
    protocol_name = answer.protocol_name
    return Reply(
        JoinGroupResponse(
            error_code=answer.error,
            generation_id=answer.generation,
            protocol_type=answer.protocol_type,
            protocol_name=protocol_name if version >= 7 else protocol_name or "",
            leader=answer.leader,
            skip_assignment=answer.skip_assignment,
            member_id=answer.member_id,
            members=[
                member(member_id=one.member_id, group_instance_id=one.instance_id, metadata=one.metadata)
                for one in answer.members
            ],
        )
    )
