"""DescribeCluster (API key 60): the cluster's id and its one broker.

Behaviour: as Apache Kafka on one node; asked for controllers, a broker answers MISMATCHED_ENDPOINT_TYPE (KIP-919).
Versions: 0-2. 1 endpoint type; 2 fenced brokers (there are none).
Not offered: nothing.
"""

from headrace.broker.dispatch import DESCRIBE_CLUSTER, Context, api
from headrace.broker.handlers.metadata import CLUSTER_OPERATIONS
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import DescribeClusterResponse, Message

_BROKERS = 1
_CONTROLLERS = 2


@api(DESCRIBE_CLUSTER, versions=(0, 2))
def handle(request: Message, context: Context, state: State) -> Outcome:
    if context.api_version >= 1 and request.endpoint_type != _BROKERS:
        return _refusal(request.endpoint_type)
    listener = state.listeners[context.listener]
    broker = DescribeClusterResponse.DescribeClusterBroker(
        broker_id=state.config.node_id,
        host=listener.advertised_host,
        port=listener.advertised_port,
        rack=None,
        is_fenced=False,
    )
    return Reply(
        DescribeClusterResponse(
            error_code=ErrorCode.NONE,
            error_message=None,
            endpoint_type=_BROKERS,
            cluster_id=state.cluster_id,
            controller_id=state.config.node_id,
            brokers=[broker],
            authorized_operations=CLUSTER_OPERATIONS if request.include_cluster_authorized_operations else None,
        )
    )


def _refusal(endpoint_type: int) -> Reply:
    if endpoint_type == _CONTROLLERS:
        error, text = (
            ErrorCode.MISMATCHED_ENDPOINT_TYPE,
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER",
        )
    else:
        error, text = ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, f"Unsupported endpoint type {endpoint_type}"
    return Reply(DescribeClusterResponse(error_code=error, error_message=text, cluster_id="", brokers=[]))
