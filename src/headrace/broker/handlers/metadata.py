"""Metadata (API key 3): the broker, the topics and where their partitions are.

Behaviour: a topic that is not there is made where `auto.create.topics.enable` and the request allow it; the answer
waits until it is there (Apache Kafka answers UNKNOWN_TOPIC_OR_PARTITION at first and is asked again). The address told
is the one advertised for the listener that the request came by.
Versions: 0-13. 0 asks for all topics by an empty list, later ones by null; 4 auto creation can be declined; 8
authorized operations; 9 flexible; 10 topic ids; 12 topics by id; 13 an error for the whole answer.
Not offered: nothing.
"""

from collections.abc import Iterable
from functools import partial
from typing import Final

from headrace.broker.dispatch import METADATA, Context, api
from headrace.broker.outcome import Later, Outcome, Reply
from headrace.broker.partition import Partition, Topic
from headrace.broker.state import State, name_fault
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import Message, MetadataResponse

TOPIC_OPERATIONS: Final = frozenset({3, 4, 5, 6, 7, 8, 10, 11})
"""Read, write, create, delete, alter, describe, describe configs, alter configs: there is nobody to forbid them."""
CLUSTER_OPERATIONS: Final = frozenset({5, 7, 8, 9, 10, 11, 12})

_Wanted = list[tuple[str | None, Topic | ErrorCode]]


@api(METADATA, versions=(0, 13))
def handle(request: Message, context: Context, state: State) -> Outcome:
    asked = request.topics
    if asked is None or (context.api_version == 0 and not asked):
        return _answer(request, context, state, list(state.topics.values()))
    missing = _to_be_made(request, context, state)
    if not missing:
        return _answer(request, context, state, _found(request, context, state))
    later, open_count = Later(), len(missing)

    def made(error: ErrorCode, topic: Topic | None) -> None:
        nonlocal open_count
        open_count -= 1
        if open_count == 0:
            later.answer(_answer(request, context, state, _found(request, context, state)))

    for name in missing:
        state.create_topic(state.new_topic(name), context.now_ms, made)
    return later


def _to_be_made(request: Message, context: Context, state: State) -> list[str]:
    allowed = context.api_version < 4 or request.allow_auto_topic_creation
    if not (allowed and state.config.auto_create_topics_enable):
        return []
    names = dict.fromkeys(asked.name for asked in request.topics if asked.name is not None)
    return [name for name in names if name not in state.topics and name_fault(name) is None]


def _found(request: Message, context: Context, state: State) -> list[Topic | Message]:
    """One answer for each topic, however often it is asked for."""
    once = {(asked.name, asked.topic_id): asked for asked in request.topics}
    return [_find(request, asked, context, state) for asked in once.values()]


def _find(request: Message, asked: Message, context: Context, state: State) -> Topic | Message:
    """The topic, or the answer that says why there is none."""
    fault = partial(
        _fault, asked=asked, operations=_asked(request.include_topic_authorized_operations, TOPIC_OPERATIONS)
    )
    if context.api_version < 12 and (asked.name is None or asked.topic_id is not None):
        return fault(ErrorCode.INVALID_REQUEST)
    if asked.topic_id is not None:
        return state.topics_by_id.get(asked.topic_id) or fault(ErrorCode.UNKNOWN_TOPIC_ID)
    if asked.name is None:
        return fault(ErrorCode.UNKNOWN_SERVER_ERROR)
    topic = state.topics.get(asked.name)
    if topic is not None:
        return topic
    is_bad = name_fault(asked.name) is not None
    return fault(ErrorCode.INVALID_TOPIC_EXCEPTION if is_bad else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)


def _fault(error: ErrorCode, asked: Message, operations: frozenset[int] | None) -> Message:
    return MetadataResponse.MetadataResponseTopic(
        error_code=error,
        name=asked.name if asked.topic_id is not None else asked.name or "",
        topic_id=asked.topic_id,
        is_internal=False,
        partitions=[],
        authorized_operations=operations,
    )


def _answer(request: Message, context: Context, state: State, topics: Iterable[Topic | Message]) -> Reply:
    describe = partial(
        _describe, operations=_asked(request.include_topic_authorized_operations, TOPIC_OPERATIONS), state=state
    )
    listener = state.listeners[context.listener]
    broker = MetadataResponse.MetadataResponseBroker(
        node_id=state.config.node_id, host=listener.advertised_host, port=listener.advertised_port, rack=None
    )
    return Reply(
        MetadataResponse(
            brokers=[broker],
            cluster_id=state.cluster_id,
            controller_id=state.config.node_id,
            topics=[describe(topic) if isinstance(topic, Topic) else topic for topic in topics],
            authorized_operations=_asked(request.include_cluster_authorized_operations, CLUSTER_OPERATIONS),
        )
    )


def _asked(is_asked: bool | None, operations: frozenset[int]) -> frozenset[int] | None:
    return operations if is_asked else None


def _describe(topic: Topic, operations: frozenset[int] | None, state: State) -> Message:
    return MetadataResponse.MetadataResponseTopic(
        error_code=ErrorCode.NONE,
        name=topic.name,
        topic_id=topic.topic_id,
        is_internal=topic.is_internal,
        partitions=[_partition(part, state.config.node_id) for part in topic.partitions],
        authorized_operations=operations,
    )


def _partition(part: Partition, node_id: int) -> Message:
    return MetadataResponse.MetadataResponseTopic.MetadataResponsePartition(
        error_code=ErrorCode.NONE,
        partition_index=part.index,
        leader_id=node_id,
        leader_epoch=part.log.leader_epoch,
        replica_nodes=[node_id],
        isr_nodes=[node_id],
        offline_replicas=[],
    )
