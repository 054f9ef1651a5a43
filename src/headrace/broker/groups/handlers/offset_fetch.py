"""OffsetFetch (API key 9): how far groups have read.

Behaviour: a partition without a committed offset, of a group or topic not known as well, is answered with offset -1
and no error. Topics left out mean all that have offsets.
Versions: 1-10. 2 all topics, an error of the group's; 6 flexible; 7 stable offsets only (KIP-447); 8 several groups
(KIP-709); 9 members of the new consumer protocol (KIP-848), not checked for classic groups; 10 topic ids.
Not offered: UNSTABLE_OFFSET_COMMIT, since there are no transactions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from headrace.broker.dispatch import OFFSET_FETCH, Context, api
from headrace.broker.groups.offsets import TopicOffsets
from headrace.broker.groups.records import OffsetValue
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import OffsetFetchRequest, OffsetFetchResponse

_BY_GROUPS_FROM = 8
_BY_ID_FROM = 10
_NONE = OffsetValue(offset=-1, leader_epoch=-1, metadata="", commit_timestamp_ms=-1)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One topic of the request; `name` is None where its id is not known."""

    name: str | None
    topic_id: UUID | None
    partitions: list[int]


@api(OFFSET_FETCH, versions=(1, 10))
def handle(request: OffsetFetchRequest, context: Context, state: State) -> Outcome:
    if context.api_version >= _BY_GROUPS_FROM:
        groups = [_group(group, context.api_version, state) for group in request.groups]
        return Reply(OffsetFetchResponse(groups=groups))
    error, topics = _topics(request.group_id, request.topics, context.api_version, state)
    topic = OffsetFetchResponse.OffsetFetchResponseTopic
    answers = [
        topic(name=wanted.name, partitions=_partitions(topic.OffsetFetchResponsePartition, wanted, committed))
        for wanted, committed in topics
    ]
    return Reply(OffsetFetchResponse(error_code=error, topics=answers))


def _group(group: Any, version: int, state: State) -> Any:
    error, topics = _topics(group.group_id, group.topics, version, state)
    answer = OffsetFetchResponse.OffsetFetchResponseGroup
    topic = answer.OffsetFetchResponseTopics
    answers = [
        topic(
            name=wanted.name or "",
            topic_id=wanted.topic_id,
            partitions=_partitions(topic.OffsetFetchResponsePartitions, wanted, committed),
        )
        for wanted, committed in topics
    ]
    return answer(group_id=group.group_id, error_code=error, topics=answers)


def _topics(
    group_id: str, topics: Any, version: int, state: State
) -> tuple[ErrorCode, list[tuple[_Wanted, TopicOffsets]]]:
    """What is asked, and what there is."""
    if not state.groups.is_active:
        return ErrorCode.NOT_COORDINATOR, []
    committed = state.groups.committed(group_id)
    if topics is None:
        wanted = _all(committed, version, state)
    else:
        wanted = [_wanted(topic, version, state) for topic in topics]
    return ErrorCode.NONE, [(one, committed) for one in wanted]


def _wanted(topic: Any, version: int, state: State) -> _Wanted:
    if version >= _BY_ID_FROM:
        found = state.topics_by_id.get(topic.topic_id)
        return _Wanted(None if found is None else found.name, topic.topic_id, topic.partition_indexes)
    found = state.topics.get(topic.name)
    return _Wanted(topic.name, None if found is None else found.topic_id, topic.partition_indexes)


def _all(committed: TopicOffsets, version: int, state: State) -> list[_Wanted]:
    wanted = []
    for name, partitions in committed.items():
        found = state.topics.get(name)
        if found is not None or version < _BY_ID_FROM:
            wanted.append(_Wanted(name, None if found is None else found.topic_id, sorted(partitions)))
    return wanted


def _partitions(partition_class: Any, wanted: _Wanted, committed: TopicOffsets) -> list[Any]:
    error = ErrorCode.UNKNOWN_TOPIC_ID if wanted.name is None else ErrorCode.NONE
    return [
        partition_class(
            partition_index=partition,
            committed_offset=value.offset,
            committed_leader_epoch=value.leader_epoch,
            metadata=value.metadata,
            error_code=error,
        )
        for partition, value in _values(wanted, committed)
    ]


def _values(wanted: _Wanted, committed: TopicOffsets) -> Iterator[tuple[int, OffsetValue]]:
    """An offset that was committed for another topic of the same name does not count."""
    offsets = committed.get(wanted.name or "", {})
    for partition in wanted.partitions:
        value = offsets.get(partition, _NONE)
        is_of_another = None not in (value.topic_id, wanted.topic_id) and value.topic_id != wanted.topic_id
        yield partition, _NONE if is_of_another else value
