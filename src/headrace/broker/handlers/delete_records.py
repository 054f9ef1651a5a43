"""DeleteRecords (API key 21): let a partition's log start at a later offset.

Behaviour: records before the offset (-1 is the end of the log) are not readable any more, also after a restart; the
answer is where the log starts now. Their segments go when retention is next looked at.
Versions: 0-2. 2 flexible.
Not offered: nothing.
"""

from typing import Final

from headrace.broker.dispatch import DELETE_RECORDS, Context, api
from headrace.broker.outcome import Later, Outcome, Reply
from headrace.broker.partition import Partition
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import DeleteRecordsResponse, Message

_END: Final = -1


@api(DELETE_RECORDS, versions=(0, 2))
def handle(request: Message, context: Context, state: State) -> Outcome:
    asked: dict[str, dict[int, int]] = {}
    for topic in request.topics:
        offsets = {one.partition_index: one.offset for one in topic.partitions}
        asked.setdefault(topic.name, {}).update(offsets)
    changed: list[tuple[Partition, Message]] = []
    topics = []
    for name, offsets in asked.items():
        answers = [_delete(name, index, offset, state, changed) for index, offset in offsets.items()]
        topics.append(DeleteRecordsResponse.DeleteRecordsTopicResult(name=name, partitions=answers))
    reply = Reply(DeleteRecordsResponse(topics=topics))
    return _kept(changed, reply, state) if changed else reply


def _delete(topic: str, index: int, offset: int, state: State, changed: list[tuple[Partition, Message]]) -> Message:
    part = state.partition(topic, index)
    if part is None:
        return _result(index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    log = part.log
    if state.topics[topic].is_internal:
        return _result(index, ErrorCode.INVALID_TOPIC_EXCEPTION)
    if log.settings.compacts and not log.settings.deletes:
        return _result(index, ErrorCode.POLICY_VIOLATION)
    until = log.next_offset if offset == _END else offset
    if not 0 <= until <= log.next_offset:
        return _result(index, ErrorCode.OFFSET_OUT_OF_RANGE)
    before = log.start_offset
    log.delete_before(until)
    answer = _result(index, ErrorCode.NONE, log.start_offset)
    if log.start_offset > before:
        changed.append((part, answer))
    return answer


def _result(index: int, error: ErrorCode, low_watermark: int = -1) -> Message:
    return DeleteRecordsResponse.DeleteRecordsTopicResult.DeleteRecordsPartitionResult(
        partition_index=index, low_watermark=low_watermark, error_code=error
    )


def _kept(changed: list[tuple[Partition, Message]], reply: Reply, state: State) -> Later:
    """Answer once it is on the disk: what was deleted must not come back."""
    later = Later()

    def kept(error: ErrorCode) -> None:
        for _, answer in changed:
            answer.error_code = error
        later.answer(reply)

    state.keep_start_offsets([part for part, _ in changed], kept)
    return later
