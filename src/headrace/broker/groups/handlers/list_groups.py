"""ListGroups (API key 16): the groups there are, filtered by state and type.

Behaviour: filters are compared without regard to case; a filter that names nothing known matches nothing.
Versions: 0-5. 3 flexible; 4 states (KIP-518); 5 types (KIP-848).
Not offered: groups of types other than classic.
"""

from headrace.broker.dispatch import LIST_GROUPS, Context, api
from headrace.broker.groups.messages import ListedGroup
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import ListGroupsRequest, ListGroupsResponse

_TYPE = "classic"


@api(LIST_GROUPS, versions=(0, 5))
def handle(request: ListGroupsRequest, context: Context, state: State) -> Outcome:
    states = _lower(request.states_filter) if context.api_version >= 4 else set()
    types = _lower(request.types_filter) if context.api_version >= 5 else set()
    listed = state.groups.list_groups() if not types or _TYPE in types else []
    groups = [_listed(group) for group in listed if not states or group.state.lower() in states]
    return Reply(ListGroupsResponse(error_code=ErrorCode.NONE, groups=groups))


def _lower(names: list[str] | None) -> set[str]:
    return {name.lower() for name in names or ()}


def _listed(group: ListedGroup) -> ListGroupsResponse.ListedGroup:
    return ListGroupsResponse.ListedGroup(
        group_id=group.group_id, protocol_type=group.protocol_type, group_state=group.state, group_type=_TYPE
    )
