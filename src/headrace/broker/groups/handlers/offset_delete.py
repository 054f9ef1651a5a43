"""OffsetDelete (API key 47): forget committed offsets (KIP-496).

Behaviour: topics that a member reads are refused one by one; partitions that do not exist as well.
Versions: 0.
Not offered: nothing.
"""

from collections.abc import Iterator
from typing import Any

from headrace.broker.dispatch import OFFSET_DELETE, Context, api
from headrace.broker.groups.records import OffsetKey
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import OffsetDeleteRequest, OffsetDeleteResponse


@api(OFFSET_DELETE, versions=(0, 0))
def handle(request: OffsetDeleteRequest, context: Context, state: State) -> Outcome:
    if not state.groups.is_active:
        return Reply(OffsetDeleteResponse(error_code=ErrorCode.NOT_COORDINATOR, topics=[]))
    if not request.group_id:
        return Reply(OffsetDeleteResponse(error_code=ErrorCode.INVALID_GROUP_ID, topics=[]))
    keys = [key for topic in request.topics for key in _existing(topic, request.group_id, state)]
    errors = state.groups.delete_offsets(request.group_id, keys)
    if isinstance(errors, ErrorCode):
        return Reply(OffsetDeleteResponse(error_code=errors, topics=[]))
    by_key = dict(zip(keys, errors, strict=True))
    topics = [_answer(topic, request.group_id, by_key) for topic in request.topics]
    return Reply(OffsetDeleteResponse(error_code=ErrorCode.NONE, topics=topics))


def _existing(topic: Any, group_id: str, state: State) -> Iterator[OffsetKey]:
    found = state.topics.get(topic.name)
    count = len(found.partitions) if found is not None else 0
    for partition in topic.partitions:
        if 0 <= partition.partition_index < count:
            yield OffsetKey(group_id, topic.name, partition.partition_index)


def _answer(topic: Any, group_id: str, errors: dict[OffsetKey, ErrorCode]) -> Any:
    answer = OffsetDeleteResponse.OffsetDeleteResponseTopic
    return answer(
        name=topic.name,
        partitions=[
            answer.OffsetDeleteResponsePartition(
                partition_index=partition.partition_index,
                error_code=errors.get(
                    OffsetKey(group_id, topic.name, partition.partition_index), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                ),
            )
            for partition in topic.partitions
        ],
    )
