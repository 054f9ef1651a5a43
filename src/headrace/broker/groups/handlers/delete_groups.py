"""DeleteGroups (API key 42): remove empty groups with their offsets.

Behaviour: each group is answered by itself; one with members is NON_EMPTY_GROUP.
Versions: 0-2. 2 flexible.
Not offered: nothing.
"""

from headrace.broker.dispatch import DELETE_GROUPS, Context, api
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import DeleteGroupsRequest, DeleteGroupsResponse


@api(DELETE_GROUPS, versions=(0, 2))
def handle(request: DeleteGroupsRequest, context: Context, state: State) -> Outcome:
    result = DeleteGroupsResponse.DeletableGroupResult
    names = dict.fromkeys(request.groups_names)
    return Reply(
        DeleteGroupsResponse(results=[result(group_id=name, error_code=_delete(name, state)) for name in names])
    )


def _delete(group_id: str, state: State) -> ErrorCode:
    error: ErrorCode = state.groups.delete_group(group_id) if state.groups.is_active else ErrorCode.NOT_COORDINATOR
    return error
