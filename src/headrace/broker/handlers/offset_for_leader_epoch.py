"""OffsetForLeaderEpoch (API key 23): where an epoch ends in the log, so that a reader finds out what a crash cut off.

Behaviour: as `LeaderEpochFileCache.endOffsetFor` (KIP-101, KIP-320); the epoch rises at each unclean start.
Versions: 2-4. 3 replica id; 4 flexible.
Not offered: nothing.
"""

from headrace.broker.dispatch import OFFSET_FOR_LEADER_EPOCH, Context, api
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.partition import Partition
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import Message, OffsetForLeaderEpochResponse


@api(OFFSET_FOR_LEADER_EPOCH, versions=(2, 4))
def handle(request: Message, context: Context, state: State) -> Outcome:
    topics = [
        OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult(
            topic=topic.topic,
            partitions=[_end_of(state.partition(topic.topic, asked.partition), asked) for asked in topic.partitions],
        )
        for topic in request.topics
    ]
    return Reply(OffsetForLeaderEpochResponse(topics=topics))


def _end_of(part: Partition | None, asked: Message) -> Message:
    error = epoch_fault(part, asked.current_leader_epoch)
    epoch, end = -1, -1
    if part is not None and error is ErrorCode.NONE:
        epoch, end = part.log.epochs.end_of(asked.leader_epoch, part.log.next_offset)
    return OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult.EpochEndOffset(
        error_code=error, partition=asked.partition, leader_epoch=epoch, end_offset=end
    )


def epoch_fault(part: Partition | None, current_leader_epoch: int) -> ErrorCode:
    """What is wrong with the partition, or with the epoch that the client thinks is current; -1 is no opinion."""
    if part is None:
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if current_leader_epoch < 0 or current_leader_epoch == part.log.leader_epoch:
        return ErrorCode.NONE
    is_old = current_leader_epoch < part.log.leader_epoch
    return ErrorCode.FENCED_LEADER_EPOCH if is_old else ErrorCode.UNKNOWN_LEADER_EPOCH
