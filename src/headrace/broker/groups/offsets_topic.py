"""`__consumer_offsets` as the journal: made when somebody first asks for a coordinator, read back at start."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from headrace.broker.groups.records import OFFSETS_TOPIC, CoordinatorRecord, partition_for
from headrace.broker.groups.settings import GroupSettings
from headrace.broker.state import NewTopic, State
from headrace.log.errors import BatchRefused, StorageError
from headrace.log.records import NewRecord
from headrace.wire.errors import ErrorCode

Done = Callable[[ErrorCode], None]

_MADE: Final = (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS)


class OffsetsTopic:
    """The journal of the coordinator; `state` holds the topic once it is made."""

    def __init__(self, state: State, wall_ms: Callable[[], int]) -> None:
        self._state = state
        self._wall_ms = wall_ms

    @property
    def is_ready(self) -> bool:
        return OFFSETS_TOPIC in self._state.topics

    def append(self, group_id: str, entries: Sequence[CoordinatorRecord]) -> ErrorCode:
        """As one batch. A disk that fails is COORDINATOR_NOT_AVAILABLE: the client asks again."""
        if not self.is_ready:
            return ErrorCode.NOT_COORDINATOR
        partitions = self._state.topics[OFFSETS_TOPIC].partitions
        partition = partitions[partition_for(group_id, len(partitions))]
        try:
            partition.append_records([NewRecord(key, value) for key, value in entries], self._wall_ms())
        except StorageError:
            return ErrorCode.COORDINATOR_NOT_AVAILABLE
        except BatchRefused:
            return ErrorCode.UNKNOWN_SERVER_ERROR  # larger than a segment
        return ErrorCode.NONE

    def entries(self) -> Iterator[CoordinatorRecord]:
        """The last record of every key, in the order they were written: most of a topic of commits is outdated."""
        partitions = self._state.topics[OFFSETS_TOPIC].partitions if self.is_ready else []
        for partition in partitions:
            latest: dict[bytes, bytes | None] = {}
            for record in partition.read_records():
                key = record.key or b""
                latest.pop(key, None)
                latest[key] = record.value
            yield from latest.items()


def ensure_offsets_topic(state: State, now_ms: int, done: Done) -> None:
    """Have the topic made where it is not there; `done(error)` is called on the loop, at once where it is."""
    if OFFSETS_TOPIC in state.topics:
        done(ErrorCode.NONE)
        return

    def made(error: ErrorCode, topic: Any) -> None:
        done(ErrorCode.NONE if error in _MADE else ErrorCode.COORDINATOR_NOT_AVAILABLE)

    state.create_topic(_new_topic(state.groups.settings), now_ms, made)


def _new_topic(settings: GroupSettings) -> NewTopic:
    configs = {
        "cleanup.policy": "compact",
        "compression.type": "producer",
        "segment.bytes": str(settings.segment_bytes),
    }
    return NewTopic(OFFSETS_TOPIC, settings.partitions, configs)
