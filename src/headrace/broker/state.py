"""What the broker knows, owned by its one loop: topics, partitions, timers, and the coordinator of groups.

Handlers get the State and may touch anything in it, since nothing else runs meanwhile. Work that waits for a disk goes
to `state.disk` and comes back as a call on the loop.

How the coordinator of groups plugs in
--------------------------------------
`headrace.broker.groups.plug(state)` is called once, when all logs are open and before any listener is; it sets
`state.groups` and reads back what `__consumer_offsets` holds. Its handlers live in `broker/groups/handlers/`, one file
per API key, registered by `@api` like all others.

- The topic: `state.topics.get("__consumer_offsets")` is None until somebody asks for a coordinator. Create it with
  `state.create_topic(NewTopic(name, partitions, configs), now_ms, done)`; `done(error, topic)` is called on the loop,
  later. Configs of Apache Kafka: cleanup.policy=compact, compression.type=producer, segment.bytes=104857600;
  partitions: `state.config.offsets_topic_num_partitions`.
- Append: `topic.partitions[p].append_records([NewRecord(key, value), ...], now_ms)` -> base offset; it is on disk
  (page cache) when it returns, so the reply may be given at once (invariant 1). Raises `headrace.log.StorageError`
  (disk full, I/O error): answer COORDINATOR_NOT_AVAILABLE.
- Read back: `for record in topic.partitions[p].read_records(): ...` gives `headrace.log.records.Record`s, oldest first.
- Timers: `timer = state.timers.after(delay_ms, callback)`; `timer.cancel()`. Delayed joins, heartbeats, syncs. A
  waiter is a `Later` that the handler returned and the coordinator keeps; call `later.answer(Reply(...))`.
- Deleted topics: `state.groups.topics_deleted(names, now_ms)` is called after DeleteTopics.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from headrace.broker.timers import Timers
from headrace.log.records import NewRecord, Record
from headrace.wire.errors import ErrorCode


class Groups(Protocol):
    """What the broker asks of the coordinator of groups."""

    def topics_deleted(self, names: Collection[str], now_ms: int) -> None:
        """Forget the committed offsets of these topics."""


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic to be made; `configs` as the client wrote them."""

    name: str
    partitions: int
    configs: dict[str, str] = field(default_factory=dict)


class Partition(Protocol):
    """One partition as coordinators see it."""

    def append_records(self, records: Sequence[NewRecord], now_ms: int) -> int: ...

    def read_records(self) -> Iterator[Record]: ...


class Topic(Protocol):
    """A topic with its partitions, by index."""

    name: str
    topic_id: UUID
    partitions: list[Any]


class State:
    """Everything the loop owns."""

    def __init__(self, config: Any, timers: Timers) -> None:
        self.config = config
        self.timers = timers
        self.topics: dict[str, Any] = {}
        self.groups: Any = None

    def create_topic(self, topic: NewTopic, now_ms: int, done: Callable[[ErrorCode, Any], None]) -> None:
        """Make a topic in a thread; `done(error, topic)` on the loop, the topic None where there is an error."""
        raise NotImplementedError
