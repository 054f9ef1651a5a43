"""OffsetCommit (API key 8): keep how far a group has read.

Behaviour: partitions that do not exist are answered by themselves, the others are committed as one batch; members must
be of the current generation; without one, only empty groups can be committed for.
Versions: 2-10. 2-4 a retention of the client's own; 6 leader epoch (KIP-320); 7 static members (KIP-345); 8 flexible;
9 GROUP_ID_NOT_FOUND (KIP-848); 10 topic ids (KIP-848).
Not offered: commits of members of the new consumer protocol (KIP-848).
"""

from collections.abc import Iterator
from typing import Any

from headrace.broker.dispatch import OFFSET_COMMIT, Context, api
from headrace.broker.groups.messages import Member, OffsetToCommit
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import OffsetCommitRequest, OffsetCommitResponse

_BY_ID_FROM = 10


@api(OFFSET_COMMIT, versions=(2, 10))
def handle(request: OffsetCommitRequest, context: Context, state: State) -> Outcome:
    version = context.api_version
    topics = [(topic, *_find(topic, version, state)) for topic in request.topics]
    offsets = [offset for topic, found, _ in topics if found is not None for offset in _existing(topic, found)]
    errors = iter(_commit(request, offsets, version, state))
    return Reply(
        OffsetCommitResponse(topics=[_answer(topic, found, missing, errors) for topic, found, missing in topics])
    )


def _find(topic: Any, version: int, state: State) -> tuple[Any, ErrorCode]:
    """The topic that is meant, or None and why there is none."""
    if version >= _BY_ID_FROM:
        found = state.topics_by_id.get(topic.topic_id)
        return found, ErrorCode.UNKNOWN_TOPIC_ID
    return state.topics.get(topic.name), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def _existing(topic: Any, found: Any) -> Iterator[OffsetToCommit]:
    for partition in topic.partitions:
        if 0 <= partition.partition_index < len(found.partitions):
            yield OffsetToCommit(
                topic=found.name,
                topic_id=found.topic_id,
                partition=partition.partition_index,
                offset=partition.committed_offset,
                leader_epoch=partition.committed_leader_epoch,
                metadata=partition.committed_metadata or "",
            )


def _commit(request: OffsetCommitRequest, offsets: list[OffsetToCommit], version: int, state: State) -> list[ErrorCode]:
    if not state.groups.is_active:
        return [ErrorCode.NOT_COORDINATOR] * len(offsets)
    if not offsets:
        return []
    instance_id = request.group_instance_id if version >= 7 else None
    member = Member(request.group_id, request.member_id, instance_id, request.generation_id_or_member_epoch)
    retention_ms = request.retention_time_ms if version <= 4 else -1
    errors: list[ErrorCode] = state.groups.commit(member, offsets, version >= 9, retention_ms)
    return errors


def _answer(topic: Any, found: Any, missing: ErrorCode, errors: Iterator[ErrorCode]) -> Any:
    """`errors` holds one answer for each partition that exists, in the request's order."""
    count = len(found.partitions) if found is not None else 0
    no_partition = missing if found is None else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    answer = OffsetCommitResponse.OffsetCommitResponseTopic
    return answer(
        name=topic.name,
        topic_id=topic.topic_id,
        partitions=[
            answer.OffsetCommitResponsePartition(
                partition_index=partition.partition_index,
                error_code=next(errors) if 0 <= partition.partition_index < count else no_partition,
            )
            for partition in topic.partitions
        ],
    )
