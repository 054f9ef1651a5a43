"""DescribeTopicPartitions (API key 75): topics with their partitions, a page at a time (KIP-966).

Behaviour: topics by name in order, at most as many partitions as the request allows and 2000; a cursor says where the
next page begins. Unlike Metadata it makes no topic. There are no eligible leaders besides the one replica.
Versions: 0.
Not offered: nothing.
"""

from typing import Final

from headrace.broker.dispatch import DESCRIBE_TOPIC_PARTITIONS, Context, api
from headrace.broker.handlers.metadata import TOPIC_OPERATIONS
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.partition import Partition
from headrace.broker.state import State, name_fault
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import DescribeTopicPartitionsResponse, Message

_MOST: Final = 2000
"""`max.request.partition.size.limit`."""
_OPERATIONS: Final = sum(1 << operation for operation in TOPIC_OPERATIONS)
_NO_OPERATIONS: Final = -(2**31)

_Topic = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic


@api(DESCRIBE_TOPIC_PARTITIONS, versions=(0, 0))
def handle(request: Message, context: Context, state: State) -> Outcome:
    cursor = request.cursor
    begin = "" if cursor is None else cursor.topic_name
    asked = {topic.name for topic in request.topics}
    if cursor is not None and (cursor.partition_index < 0 or (asked and begin not in asked)):
        refused = [_topic(topic.name, ErrorCode.INVALID_REQUEST, operations=_NO_OPERATIONS) for topic in request.topics]
        return Reply(DescribeTopicPartitionsResponse(topics=refused, next_cursor=None))
    names = sorted(name for name in asked or state.topics if name >= begin)
    left = max(1, min(_MOST, request.response_partition_limit))
    topics: list[Message] = []
    for name in names:
        if left == 0:
            return _page(topics, name, 0)
        found = state.topics.get(name)
        parts = [] if found is None else found.partitions
        start = cursor.partition_index if name == begin and cursor is not None else 0
        told = parts[start : start + left]
        topics.append(_describe(name, told, state))
        if start + left < len(parts):
            return _page(topics, name, start + left)
        left -= len(told)
    return Reply(DescribeTopicPartitionsResponse(topics=topics, next_cursor=None))


def _page(topics: list[Message], name: str, index: int) -> Reply:
    cursor = DescribeTopicPartitionsResponse.Cursor(topic_name=name, partition_index=index)
    return Reply(DescribeTopicPartitionsResponse(topics=topics, next_cursor=cursor))


def _describe(name: str, parts: list[Partition], state: State) -> Message:
    topic = state.topics.get(name)
    if topic is None:
        is_bad = name_fault(name) is not None
        return _topic(name, ErrorCode.INVALID_TOPIC_EXCEPTION if is_bad else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    answer = _topic(name, ErrorCode.NONE)
    answer.topic_id = topic.topic_id
    answer.is_internal = topic.is_internal
    answer.partitions = [_partition(part, state.config.node_id) for part in parts]
    return answer


def _topic(name: str, error: ErrorCode, operations: int = _OPERATIONS) -> Message:
    return _Topic(
        error_code=error,
        name=name,
        topic_id=None,
        is_internal=False,
        partitions=[],
        topic_authorized_operations=operations,
    )


def _partition(part: Partition, node_id: int) -> Message:
    return _Topic.DescribeTopicPartitionsResponsePartition(
        error_code=ErrorCode.NONE,
        partition_index=part.index,
        leader_id=node_id,
        leader_epoch=part.log.leader_epoch,
        replica_nodes=[node_id],
        isr_nodes=[node_id],
        eligible_leader_replicas=[],
        last_known_elr=[],
        offline_replicas=[],
    )
