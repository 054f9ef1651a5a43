"""Whatever members do in whatever order: nobody waits for ever, states hold together, and a restart remembers."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headrace.broker.groups.messages import Protocols
from headrace.wire.errors import ErrorCode
from tests.broker.groups.bench import GROUP, Answers, Bench

PROTOCOLS: list[Protocols] = [
    (("range", b"r"),),
    (("range", b"r"), ("sticky", b"s")),
    (("sticky", b"s"), ("range", b"")),
]
WHO = st.integers(0, 3)


class AnyOrder(RuleBasedStateMachine):
    """Four clients, the last of them a static member; each has at most one request open, as on a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.ids = [""] * 4
        self.generations = [-1] * 4
        self.open: dict[int, Answers] = {}
        self.offsets: dict[int, int] = {}

    def _instance(self, who: int) -> str | None:
        return "static" if who == 3 else None

    def _is_busy(self, who: int) -> bool:
        answers = self.open.get(who)
        if answers is None:
            return False
        if answers.waiting:
            return True
        del self.open[who]
        answer = answers.got[0]
        assert len(answers.got) == 1
        if hasattr(answer, "member_id") and answer.error in (ErrorCode.NONE, ErrorCode.MEMBER_ID_REQUIRED):
            self.ids[who], self.generations[who] = answer.member_id, answer.generation
        elif answer.error in (ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_INSTANCE_ID):
            self.ids[who], self.generations[who] = "", -1
        return False

    @rule(who=WHO, protocols=st.sampled_from(PROTOCOLS))
    def join(self, who: int, protocols: Protocols) -> None:
        if not self._is_busy(who):
            self.open[who] = self.bench.join(self.ids[who], self._instance(who), protocols=protocols)

    @rule(who=WHO)
    def sync(self, who: int) -> None:
        if not self._is_busy(who) and self.ids[who]:
            parts = {one: one.encode() for one in self.ids if one}
            self.open[who] = self.bench.sync(self.ids[who], self.generations[who], parts)

    @rule(who=WHO)
    def heartbeat(self, who: int) -> None:
        if not self._is_busy(who) and self.ids[who]:
            error = self.bench.heartbeat(self.ids[who], self.generations[who], self._instance(who))
            if error in (ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_INSTANCE_ID):
                self.ids[who], self.generations[who] = "", -1

    @rule(who=WHO)
    def leave(self, who: int) -> None:
        if not self._is_busy(who) and self.ids[who]:
            self.bench.leave(self.ids[who])
            self.ids[who], self.generations[who] = "", -1

    @rule(who=WHO, offset=st.integers(0, 100))
    def commit(self, who: int, offset: int) -> None:
        if not self._is_busy(who):
            error = self.bench.commit(offset, self.ids[who], self.generations[who], partition=who)
            if error is ErrorCode.NONE:
                self.offsets[who] = offset

    @rule(delay_ms=st.sampled_from([1, 3_000, 9_999, 10_000, 60_000]))
    def wait(self, delay_ms: int) -> None:
        self.bench.pass_ms(delay_ms)

    @rule()
    def restart_the_broker(self) -> None:
        before = self.bench
        for who in range(4):
            self._is_busy(who)
        self.bench = before.restarted()
        self.open.clear()  # the connections are gone
        if before.state == "Stable":
            was, now = before.coordinator.describe(GROUP), self.bench.coordinator.describe(GROUP)
            assert now == was

    @invariant()
    def committed_offsets_are_those_that_were_acknowledged(self) -> None:
        found = {index: self.bench.committed(partition=index) for index in range(4)}
        assert {index: offset for index, offset in found.items() if offset is not None} == self.offsets

    @invariant()
    def states_hold_together(self) -> None:
        group = self.bench.coordinator._store.groups.get(GROUP)
        if group is None:
            return
        assert (group.state.value == "Empty") == (not group.members) or group.state.value == "PreparingRebalance"
        if group.members:
            assert group.leader in group.members
        if group.state.value in ("Stable", "CompletingRebalance"):
            assert not group.awaiting_join
        if group.state.value != "CompletingRebalance":
            assert all(member.answer_sync is None for member in group.members.values())
        assert set(group.static_members.values()) <= set(group.members)
        for member_id in [*group.members, *group.pending_joins]:
            is_waiting = member_id in group.members and group.members[member_id].has_satisfied_heartbeat
            has_deadline = ("heartbeat", GROUP, member_id) in self.bench.coordinator._store.timers
            assert has_deadline or is_waiting

    def teardown(self) -> None:
        """Left alone, every request is answered and every member is forgotten."""
        for _ in range(12):
            self.bench.pass_ms(60_000)
        assert not any(answers.waiting for answers in self.open.values())
        assert self.bench.state in ("Empty", "Dead")


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
