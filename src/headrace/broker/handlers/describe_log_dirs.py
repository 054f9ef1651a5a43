"""DescribeLogDirs (API key 35): where the data is, how large partitions are, how much room is left.

Behaviour: there is one directory; partitions that do not exist are left out. The size of a partition is that of its
`.log` files. The file system is asked in a thread.
Versions: 1-5. 2 flexible; 3 an error for the whole answer; 4 bytes of the volume; 5 cordoned (never).
Not offered: nothing.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from headrace.broker.dispatch import DESCRIBE_LOG_DIRS, Context, api
from headrace.broker.outcome import Later, Outcome, Reply
from headrace.broker.partition import Partition, Topic
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import DescribeLogDirsResponse, Message

_Result = DescribeLogDirsResponse.DescribeLogDirsResult


@api(DESCRIBE_LOG_DIRS, versions=(1, 5))
def handle(request: Message, context: Context, state: State) -> Outcome:
    directory = str(Path(",".join(state.config.log_dirs)).absolute())
    topics = [_topic(topic, parts) for topic, parts in _asked(request, state) if parts]
    later = Later()

    def told(volume: os.statvfs_result | None, error: Exception | None) -> None:
        later.answer(_answer(directory, topics, volume))

    state.disk.run(partial(os.statvfs, directory), told)
    return later


def _asked(request: Message, state: State) -> Iterator[tuple[Topic, list[Partition]]]:
    if request.topics is None:
        yield from ((topic, topic.partitions) for topic in state.topics.values())
        return
    for asked in request.topics:
        topic = state.topics.get(asked.topic)
        if topic is not None:
            wanted = set(asked.partitions)
            yield topic, [part for part in topic.partitions if part.index in wanted]


def _topic(topic: Topic, parts: list[Partition]) -> Message:
    one = _Result.DescribeLogDirsTopic
    return one(
        name=topic.name,
        partitions=[
            one.DescribeLogDirsPartition(
                partition_index=part.index, partition_size=part.log.size, offset_lag=0, is_future_key=False
            )
            for part in parts
        ],
    )


def _answer(directory: str, topics: list[Message], volume: os.statvfs_result | None) -> Reply:
    """Without a volume to be asked the directory is not to be used either."""
    result = _Result(
        error_code=ErrorCode.NONE if volume is not None else ErrorCode.KAFKA_STORAGE_ERROR,
        log_dir=directory,
        topics=topics if volume is not None else [],
        total_bytes=-1 if volume is None else volume.f_blocks * volume.f_frsize,
        usable_bytes=-1 if volume is None else volume.f_bavail * volume.f_frsize,
        is_cordoned=False,
    )
    return Reply(DescribeLogDirsResponse(error_code=ErrorCode.NONE, results=[result]))
