"""DescribeGroups (API key 15): a group's state and members.

Behaviour: a group not known is described as Dead; from version 6 on it is an error instead.
Versions: 0-6. 3 authorized operations; 4 static members; 5 flexible; 6 GROUP_ID_NOT_FOUND (KIP-1043).
Not offered: groups of the new consumer protocol (KIP-848), which have a key of their own.
"""

from typing import Any, Final

from headrace.broker.dispatch import DESCRIBE_GROUPS, Context, api
from headrace.broker.groups.messages import DescribedGroup, DescribedMember
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import DescribeGroupsRequest, DescribeGroupsResponse

_ALL_OPERATIONS: Final = frozenset({3, 6, 8, 10, 11})
"""READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS: what anybody may do to a group where nothing is secured."""


@api(DESCRIBE_GROUPS, versions=(0, 6))
def handle(request: DescribeGroupsRequest, context: Context, state: State) -> Outcome:
    operations = set(_ALL_OPERATIONS) if context.api_version >= 3 and request.include_authorized_operations else None
    return Reply(
        DescribeGroupsResponse(
            groups=[_describe(group_id, context.api_version, operations, state) for group_id in request.groups]
        )
    )


def _describe(group_id: str, version: int, operations: set[int] | None, state: State) -> Any:
    answer = DescribeGroupsResponse.DescribedGroup
    if not state.groups.is_active:
        return answer(error_code=ErrorCode.NOT_COORDINATOR, group_id=group_id, **_NOTHING)
    group = state.groups.describe(group_id)
    if group is not None:
        return answer(error_code=ErrorCode.NONE, authorized_operations=operations, **_fields(group))
    missing = {"group_id": group_id, **_NOTHING, "group_state": "Dead"}
    if version < 6:
        return answer(error_code=ErrorCode.NONE, authorized_operations=operations, **missing)
    return answer(error_code=ErrorCode.GROUP_ID_NOT_FOUND, error_message=f"Group {group_id} not found.", **missing)


_NOTHING: Final[dict[str, Any]] = {"group_state": "", "protocol_type": "", "protocol_data": "", "members": []}


def _fields(group: DescribedGroup) -> dict[str, Any]:
    return {
        "group_id": group.group_id,
        "group_state": group.state,
        "protocol_type": group.protocol_type,
        "protocol_data": group.protocol_name,
        "members": [_member(member) for member in group.members],
    }


def _member(member: DescribedMember) -> Any:
    return DescribeGroupsResponse.DescribedGroup.DescribedGroupMember(
        member_id=member.member_id,
        group_instance_id=member.instance_id,
        client_id=member.client.id,
        client_host=member.client.host,
        member_metadata=member.metadata,
        member_assignment=member.assignment,
    )
