"""A coordinator on a bench: a journal in memory, a clock turned by hand, member ids that count up."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from headrace.broker.groups.coordinator import GroupCoordinator
from headrace.broker.groups.messages import (
    Client,
    Join,
    JoinAnswer,
    Leaving,
    Member,
    OffsetToCommit,
    Protocols,
    Sync,
    SyncAnswer,
)
from headrace.broker.groups.records import CoordinatorRecord
from headrace.broker.groups.settings import GroupSettings
from headrace.broker.timers import Timers
from headrace.wire.errors import ErrorCode

GROUP = "readers"
RANGE: Protocols = (("range", b"r"),)


class MemoryJournal:
    """Keeps what is appended, until it is told to fail."""

    def __init__(self) -> None:
        self.entries: list[CoordinatorRecord] = []
        self.failure = ErrorCode.NONE
        self.is_ready = True

    def append(self, group_id: str, entries: Sequence[CoordinatorRecord]) -> ErrorCode:
        if self.failure is ErrorCode.NONE:
            self.entries += entries
        return self.failure


@dataclass
class Answers:
    """What came back for one request; `one` fails where nothing, or more than one answer, has come."""

    got: list[JoinAnswer | SyncAnswer] = field(default_factory=list)

    @property
    def waiting(self) -> bool:
        return not self.got

    @property
    def join(self) -> JoinAnswer:
        (answer,) = self.got
        assert isinstance(answer, JoinAnswer)
        return answer

    @property
    def sync(self) -> SyncAnswer:
        (answer,) = self.got
        assert isinstance(answer, SyncAnswer)
        return answer


class Bench:
    """Talks to the coordinator as members do."""

    def __init__(self, settings: GroupSettings | None = None, journal: MemoryJournal | None = None) -> None:
        self.timers = Timers()
        self.journal = journal or MemoryJournal()
        self.settings = settings or GroupSettings()
        self.numbers = itertools.count(1)
        self.coordinator = GroupCoordinator(
            self.settings, self.journal, self.timers, lambda: self.timers.now_ms, lambda: str(next(self.numbers))
        )

    def restarted(self) -> "Bench":
        """A new coordinator that knows only what the journal kept."""
        bench = Bench(self.settings)
        bench.numbers = self.numbers  # as Kafka's ids are random: no member gets one that there was before
        bench.journal.entries = list(self.journal.entries)
        bench.timers.now_ms = self.timers.now_ms
        bench.coordinator.replay(self.journal.entries)
        bench.coordinator.loaded()
        return bench

    def pass_ms(self, delay_ms: int) -> None:
        self.timers.advance(delay_ms)

    def join(self, member_id: str = "", instance_id: str | None = None, **changes: object) -> Answers:
        answers = Answers()
        fields: dict[str, object] = {
            "group_id": GROUP,
            "member_id": member_id,
            "instance_id": instance_id,
            "protocol_type": "consumer",
            "protocols": RANGE,
            "session_timeout_ms": 10_000,
            "rebalance_timeout_ms": 60_000,
            "client": Client("app", "/127.0.0.1"),
        }
        self.coordinator.join(Join(**{**fields, **changes}), answers.got.append)  # type: ignore[arg-type]
        return answers

    def new_id(self, **changes: object) -> str:
        """The id that a new dynamic member is given."""
        answer = self.join(**changes).join  # type: ignore[arg-type]
        assert answer.error is ErrorCode.MEMBER_ID_REQUIRED
        return answer.member_id

    def sync(self, member_id: str, generation: int, assignments: dict[str, bytes] | None = None) -> Answers:
        answers = Answers()
        member = Member(GROUP, member_id, None, generation)
        self.coordinator.sync(Sync(member, assignments or {}), answers.got.append)
        return answers

    def heartbeat(self, member_id: str, generation: int, instance_id: str | None = None) -> ErrorCode:
        return self.coordinator.heartbeat(Member(GROUP, member_id, instance_id, generation))

    def leave(self, *member_ids: str) -> list[ErrorCode]:
        return self.coordinator.leave(GROUP, [Leaving(member_id, None) for member_id in member_ids])

    def commit(
        self, offset: int, member_id: str = "", generation: int = -1, topic: str = "t", partition: int = 0
    ) -> ErrorCode:
        entry = OffsetToCommit(topic, None, partition, offset, -1, "")
        (error,) = self.coordinator.commit(Member(GROUP, member_id, None, generation), [entry], True)
        return error

    def committed(self, topic: str = "t", partition: int = 0) -> int | None:
        value = self.coordinator.committed(GROUP).get(topic, {}).get(partition)
        return None if value is None else value.offset

    @property
    def state(self) -> str:
        described = self.coordinator.describe(GROUP)
        return "Dead" if described is None else described.state

    def stable(self, count: int) -> list[str]:
        """A stable group of so many members, the leader first; its generation is the last answer's."""
        ids = [self.new_id()]
        first = self.join(ids[0]).join
        assert self.sync(ids[0], first.generation, {}).sync.error is ErrorCode.NONE
        for _ in range(count - 1):
            ids.append(self.new_id())
            joins = [self.join(ids[-1]), *(self.join(one) for one in ids[:-1])]
            generation = joins[0].join.generation
            for one in ids:
                self.sync(one, generation, {})
        assert self.state == "Stable"
        return ids
