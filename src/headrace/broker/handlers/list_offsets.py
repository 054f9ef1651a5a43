"""ListOffsets (API key 2): the offsets at the ends of a partition, and by timestamp.

Behaviour: -1 is the end, -2 the start, -3 the record with the largest timestamp, -4 the start of what is local (the
same as the start), -5 the end of what is tiered (nothing is: -1), -6 the earliest that is not tiered yet (likewise);
anything else is the first record that is not older than the timestamp.
Versions: 1-11. 2 isolation (all is committed); 4 leader epoch; 6 flexible; 7 -3; 8 -4; 9 -5; 10 timeout; 11 -6.
Not offered: nothing.
"""

from collections import Counter
from typing import Final

from headrace.broker.dispatch import LIST_OFFSETS, Context, api
from headrace.broker.handlers.offset_for_leader_epoch import epoch_fault
from headrace.broker.outcome import Later, Outcome, Reply
from headrace.broker.partition import Partition
from headrace.broker.state import State
from headrace.log import StorageError
from headrace.log.lookup import Lookup, TimestampOffset, first_at_or_after, largest
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import ListOffsetsResponse, Message

LATEST: Final = -1
EARLIEST: Final = -2
MAX_TIMESTAMP: Final = -3
EARLIEST_LOCAL: Final = -4
LATEST_TIERED: Final = -5
EARLIEST_PENDING_UPLOAD: Final = -6
_ISOLATION_LEVELS: Final = (0, 1)
_SINCE_VERSION: Final = {MAX_TIMESTAMP: 7, EARLIEST_LOCAL: 8, LATEST_TIERED: 9, EARLIEST_PENDING_UPLOAD: 11}


@api(LIST_OFFSETS, versions=(1, 11))
def handle(request: Message, context: Context, state: State) -> Outcome:
    counts = Counter((topic.name, asked.partition_index) for topic in request.topics for asked in topic.partitions)
    lookups: list[tuple[Message, Partition, int]] = []
    topics = []
    for topic in request.topics:
        answers = []
        for asked in {asked.partition_index: asked for asked in topic.partitions}.values():
            part = state.partition(topic.name, asked.partition_index)
            answer = _fault(asked, part, context, is_twice=counts[topic.name, asked.partition_index] > 1)
            if context.api_version >= 2 and request.isolation_level not in _ISOLATION_LEVELS:
                answer = _partition(asked.partition_index, ErrorCode.UNKNOWN_SERVER_ERROR)
            if answer is None:
                assert part is not None
                answer = _at_end(asked, part)
            if answer is None:
                assert part is not None
                answer = _partition(asked.partition_index, ErrorCode.NONE)
                lookups.append((answer, part, asked.timestamp))
            answers.append(answer)
        topics.append(ListOffsetsResponse.ListOffsetsTopicResponse(name=topic.name, partitions=answers))
    reply = Reply(ListOffsetsResponse(topics=topics))
    return _looked_up(lookups, reply, state) if lookups else reply


def _partition(index: int, error: ErrorCode, timestamp: int = -1, offset: int = -1, epoch: int = -1) -> Message:
    return ListOffsetsResponse.ListOffsetsTopicResponse.ListOffsetsPartitionResponse(
        partition_index=index, error_code=error, timestamp=timestamp, offset=offset, leader_epoch=epoch
    )


def _fault(asked: Message, part: Partition | None, context: Context, *, is_twice: bool) -> Message | None:
    if is_twice:
        return _partition(asked.partition_index, ErrorCode.INVALID_REQUEST)
    if context.api_version < _SINCE_VERSION.get(asked.timestamp, 0) or asked.timestamp < EARLIEST_PENDING_UPLOAD:
        return _partition(asked.partition_index, ErrorCode.UNSUPPORTED_VERSION)
    error = epoch_fault(part, asked.current_leader_epoch)
    return _partition(asked.partition_index, error) if error else None


def _at_end(asked: Message, part: Partition) -> Message | None:
    """The answers that need no look into the log."""
    log, index = part.log, asked.partition_index
    match asked.timestamp:
        case -1:
            return _partition(index, ErrorCode.NONE, -1, log.next_offset, log.leader_epoch)
        case -2 | -4:
            return _partition(index, ErrorCode.NONE, -1, log.start_offset, log.epochs.at(log.start_offset))
        case -5 | -6:
            return _partition(index, ErrorCode.NONE)
    return None


def _lookup(part: Partition, timestamp: int) -> Lookup:
    return largest(part.log) if timestamp == MAX_TIMESTAMP else first_at_or_after(part.log, timestamp)


def _looked_up(lookups: list[tuple[Message, Partition, int]], reply: Reply, state: State) -> Later:
    later, open_count = Later(), len(lookups)

    def begin(answer: Message, part: Partition, timestamp: int) -> None:
        lookup = _lookup(part, timestamp)

        def done(found: TimestampOffset | None, error: Exception | None) -> None:
            nonlocal open_count
            if lookup.is_stale(part.log) and part is state.partition(part.topic, part.index):
                begin(answer, part, timestamp)
                return
            _note(answer, part, found, error)
            open_count -= 1
            if open_count == 0:
                later.answer(reply)

        state.disk.run(lookup, done)

    for answer, part, timestamp in lookups:
        begin(answer, part, timestamp)
    return later


def _note(answer: Message, part: Partition, found: TimestampOffset | None, error: Exception | None) -> None:
    if error is not None:
        is_disk = isinstance(error, (OSError, StorageError))
        answer.error_code = ErrorCode.KAFKA_STORAGE_ERROR if is_disk else ErrorCode.CORRUPT_MESSAGE
    elif found is not None:
        answer.timestamp, answer.offset = found
        answer.leader_epoch = part.log.epochs.at(found.offset)
