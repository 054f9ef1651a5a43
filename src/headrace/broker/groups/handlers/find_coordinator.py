"""FindCoordinator (API key 10): who coordinates a group.

Behaviour: this broker coordinates every group. The first question makes `__consumer_offsets` and is answered once the
topic is there; Apache Kafka answers COORDINATOR_NOT_AVAILABLE, and the client asks again (listed deviation).
Versions: 0-6. 1 key type; 3 flexible; 4 several keys (KIP-699); 5 TRANSACTION_ABORTABLE (KIP-890); 6 share groups.
Not offered: coordinators of transactions, refused with an error that clients do not retry (listed deviation), and of
share groups (KIP-932).
"""

from collections.abc import Callable
from typing import Final

from headrace.broker.dispatch import FIND_COORDINATOR, Context, api
from headrace.broker.groups.offsets_topic import ensure_offsets_topic
from headrace.broker.outcome import Later, Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import FindCoordinatorRequest, FindCoordinatorResponse

GROUP: Final = 0
TRANSACTION: Final = 1
_NO_TRANSACTIONS: Final = "this broker does not offer transactions: leave transactional.id out, or use Apache Kafka"
_NO_SUCH_TYPE: Final = "only coordinators of groups can be found here (key type 0)"


@api(FIND_COORDINATOR, versions=(0, 6))
def handle(request: FindCoordinatorRequest, context: Context, state: State) -> Outcome:
    key_type = request.key_type if context.api_version >= 1 else GROUP
    if key_type == TRANSACTION:
        return _answer(request, context, state, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, _NO_TRANSACTIONS)
    if key_type != GROUP:
        return _answer(request, context, state, ErrorCode.INVALID_REQUEST, _NO_SUCH_TYPE)
    later = Later()
    ensure_offsets_topic(state, context.now_ms, lambda error: later.answer(_answer(request, context, state, error, "")))
    return later


def _answer(request: FindCoordinatorRequest, context: Context, state: State, error: ErrorCode, message: str) -> Reply:
    fields = {"error_code": error, "error_message": message, **_node(context, state, error)}
    if context.api_version < 4:
        return Reply(FindCoordinatorResponse(**fields))
    coordinator: Callable[..., object] = FindCoordinatorResponse.Coordinator
    return Reply(
        FindCoordinatorResponse(coordinators=[coordinator(key=key, **fields) for key in request.coordinator_keys])
    )


def _node(context: Context, state: State, error: ErrorCode) -> dict[str, object]:
    if error is not ErrorCode.NONE:
        return {"node_id": -1, "host": "", "port": -1}
    listener = state.listeners[context.listener]
    return {"node_id": state.config.node_id, "host": listener.advertised_host, "port": listener.advertised_port}
